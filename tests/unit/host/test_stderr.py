"""What a failed guest said about it."""

from __future__ import annotations

import pytest

from golem_host.worker.stderr import (
    ENTRIES_MAX,
    MESSAGE_CHARS_MAX,
    SEARCHED_BYTES_MAX,
    TRACEBACK_CHARS_MAX,
    exception_line,
    searched_since,
    stderr_since,
    traceback_in,
)
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


CHAINED = """
During handling of the above exception, another exception occurred:
"""

PANIC = """thread '<unnamed>' (1) panicked at runtime/src/lib.rs:1280:25:
Python function threw an unexpected exception
"""


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
        (f"{FIRST}\n\nSomething else\n\n{SECOND}\n", SECOND),
        (f"{FIRST}\n{CHAINED}\n{SECOND}\n", f"{FIRST}\n{CHAINED}\n{SECOND}"),
        (f"{FIRST}\n more\n\n{PANIC}", f"{FIRST}\n more"),
        (f"{GROUP}\n\n{PANIC}", GROUP),
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
        "behind another",
        "chained",
        "with a message of two lines",
        "a group that ends it",
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
        (f"{FIRST}\nand more", "ValueError: the first"),
        (f"{FIRST}\n{CHAINED}\n{SECOND}", "KeyError: 'second'"),
        (GROUP, "ExceptionGroup: two tasks failed (2 sub-exceptions)"),
        (f"{FIRST[:-9]}{'x' * 3000}", f"ValueError: {'x' * (MESSAGE_CHARS_MAX - 12)}..."),
    ],
    ids=["none", "one", "another", "several lines", "chain", "group", "long"],
)
def test_the_exception_is_named(traceback: str, line: str) -> None:
    """The line that people look for first."""
    assert line == exception_line(traceback)


def test_a_long_traceback_loses_its_middle() -> None:
    """Where it began and what was raised are there, however deep the guest was."""
    frames = "".join(f'  File "app.py", line {n}, in deeper\n    deeper()\n' for n in range(5000))
    text = FIRST.replace("    check(1)\n", f"    check(1)\n{frames}")

    kept = traceback_in(text)

    assert len(kept) <= TRACEBACK_CHARS_MAX + 100
    assert kept.startswith(FIRST.partition("ValueError")[0])
    assert kept.endswith("line 4999, in deeper\n    deeper()\nValueError: the first")
    assert "lines are left out here" in kept
    assert "ValueError: the first" == exception_line(kept)


def test_a_traceback_of_many_pieces_is_found() -> None:
    """As far as a mebibyte reaches back; what stands before that is not kept in memory."""
    pieces = [f"{line}\n".encode() for line in FIRST.splitlines()]
    frames = [said(LogLevel.STDERR, b"    deeper()\n")] * (2 * ENTRIES_MAX)
    begun = [said(LogLevel.STDERR, piece) for piece in pieces[:-1]]
    ended = said(LogLevel.STDERR, pieces[-1])
    flood = [said(LogLevel.STDERR, bytes(1 << 16))] * (SEARCHED_BYTES_MAX // (1 << 16) + 3)

    found = searched_since(new_log(*flood, *begun, *frames, ended), 1)

    assert "ValueError: the first" == exception_line(traceback_in(found))
    assert len(found) <= SEARCHED_BYTES_MAX
