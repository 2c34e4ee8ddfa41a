"""What a failed guest said about it."""

from __future__ import annotations

import pytest

from golem_host.worker.stderr import ENTRIES_MAX, exception_line, stderr_since, traceback_in
from golem_oplog.entries import Log, LogLevel, NoOp
from tests.support.contexts import new_log

FIRST = """Traceback (most recent call last):
  File "app.py", line 3, in run
    check(1)
ValueError: the first"""

SECOND = """Traceback (most recent call last):
  File "app.py", line 5, in run
    check(2)

  File "app.py", line 9, in check
    raise KeyError("second")
KeyError: 'second'"""

GROUP = """  + Exception Group Traceback (most recent call last):
  |   File "app.py", line 9, in run
  |     raise me from None
  | ExceptionGroup: two tasks failed (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "app.py", line 2, in f
    | ValueError: bad 1
    +---------------- 2 ----------------
    | Traceback (most recent call last):
    |   File "app.py", line 2, in f
    | ValueError: bad 2
    +------------------------------------"""


def said(level: LogLevel, message: bytes) -> Log:
    return Log(0, level, "", message)


def test_stderr_is_joined_from_an_index_on() -> None:
    """Pieces of stderr alone, in order, from that entry to the end."""
    log = new_log(
        said(LogLevel.STDERR, b"before"),  # 2
        said(LogLevel.STDERR, b"one "),
        said(LogLevel.STDOUT, b"not this"),
        NoOp(0),
        said(LogLevel.STDERR, b"two"),
    )

    assert "one two" == stderr_since(log, 3)


@pytest.mark.parametrize("index", [0, 1])
def test_stderr_of_a_whole_log(index: int) -> None:
    """A worker that failed before its first invocation has no index to begin at."""
    assert "x" == stderr_since(new_log(said(LogLevel.STDERR, b"x")), index)


def test_only_the_last_pieces_are_kept() -> None:
    """As many as spec 3.7 says, whatever the guest wrote."""
    pieces = [said(LogLevel.STDERR, b"%d," % number) for number in range(ENTRIES_MAX + 2)]

    text = stderr_since(new_log(*pieces), 1)

    assert [str(number) for number in range(2, ENTRIES_MAX + 2)] == text.split(",")[:-1]


def test_characters_may_be_split_between_pieces() -> None:
    """Bytes are joined before they are decoded; what is no UTF-8 is replaced."""
    log = new_log(said(LogLevel.STDERR, b"\xc3"), said(LogLevel.STDERR, b"\xa4\xff"))

    assert "ä�" == stderr_since(log, 1)


@pytest.mark.parametrize(
    ("stderr", "traceback"),
    [
        ("", ""),
        ("nothing happened\n", ""),
        (FIRST, FIRST),
        (f"warning: x\n{FIRST}\nmore\n", FIRST),
        (f"{FIRST}\n\nDuring handling ...\n\n{SECOND}\n", SECOND),
        (f"no newline{FIRST}\n", FIRST),
        (f"{FIRST}\n{GROUP}\nmore\n", GROUP),
        (f"{GROUP}\n{FIRST}\n", FIRST),
        (
            "Traceback (most recent call last):\n  File",
            "Traceback (most recent call last):\n  File",
        ),
        ("the log says: Traceback (most recent call last): a lot\n", ""),
    ],
    ids=[
        "empty",
        "none",
        "alone",
        "among others",
        "chained",
        "after other text",
        "group",
        "after a group",
        "cut off",
        "quoted",
    ],
)
def test_the_last_traceback_is_found(stderr: str, traceback: str) -> None:
    """From its first line to the exception, and nothing of what surrounds it."""
    assert traceback == traceback_in(stderr)


@pytest.mark.parametrize(
    ("traceback", "line"),
    [
        ("", ""),
        (FIRST, "ValueError: the first"),
        (SECOND, "KeyError: 'second'"),
        (GROUP, "ExceptionGroup: two tasks failed (2 sub-exceptions)"),
    ],
    ids=["none", "one", "another", "group"],
)
def test_the_exception_is_named(traceback: str, line: str) -> None:
    """The line that people look for first."""
    assert line == exception_line(traceback)
