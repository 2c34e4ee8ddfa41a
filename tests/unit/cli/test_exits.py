"""From an error to a code and one line."""

from __future__ import annotations

import inspect
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

import golem_host.errors
import golem_oplog.errors
from golem_cli.exits import EXIT_CODES, CommandError, ExitCode, exit_code, report
from golem_cli.lazy import CommandEntry, LazyGroup
from golem_host.errors import (
    ConflictError,
    GuestBuildError,
    HostError,
    InvocationFailedError,
    InvocationInterruptedError,
    StateDirLockedError,
    WorkerNotFoundError,
)
from golem_oplog.errors import CorruptOplogError, OplogError, WaveError

INTERNAL = (
    "internal error, please report it: ZeroDivisionError: oops (GOLEM_HOST_TRACEBACK=1 shows where)"
)


class Failing(LazyGroup):
    """A program whose only command raises."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(entries={"fail": CommandEntry("", "")}, name="golem-host")
        self._error = error

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        del ctx
        return click.Command(cmd_name, callback=self._fail)

    def _fail(self) -> None:
        raise self._error


def classes(module: ModuleType, root: type[Exception]) -> set[str]:
    found = inspect.getmembers(module, inspect.isclass)
    return {name for name, cls in found if issubclass(cls, root) and cls is not root}


def test_every_error_has_its_code() -> None:
    """A new error class is given a code before it can reach anybody."""
    raised = classes(golem_host.errors, HostError) | classes(golem_oplog.errors, OplogError)

    assert set() == raised - set(EXIT_CODES)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WaveError(text="f(x)", position=2, expected="u8", found="x"), 2),
        (click.BadParameter("no"), 2),
        (WorkerNotFoundError(component="c", worker="w"), 3),
        (ConflictError(reason="taken"), 4),
        (StateDirLockedError(path="s", reason="in use", pid=7), 4),
        (CorruptOplogError(path="p", offset_bytes=1, reason="bad"), 5),
        (OSError(28, "No space left on device"), 5),
        (InvocationInterruptedError(kind="timeout"), 124),
        (InvocationInterruptedError(kind="interrupt"), 130),
        (KeyboardInterrupt(), 130),
        (InvocationFailedError(error="trap"), 134),
        (CommandError("no", ExitCode.NOT_FOUND), 3),
        (ZeroDivisionError(), 70),
    ],
)
def test_an_error_decides_the_code(error: BaseException, code: int) -> None:
    """ARCHITECTURE section 9, and 70 for our own mistakes."""
    assert code == exit_code(error)
    assert code == CliRunner().invoke(Failing(error), ["fail"]).exit_code


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            WaveError(text="f(x)", position=2, expected="u8", found="x"),
            "f(x): at position 2: expected u8, found x",
        ),
        (click.UsageError("give a name."), "give a name (`golem-host fail --help` explains)"),
        (OSError(28, "No space left on device", "/s"), "/s: No space left on device"),
        (ConflictError(reason="two\n  lines \x1b[31mred"), "two lines \\u{1b}[31mred"),
        (KeyboardInterrupt(), "interrupted"),
        (
            ZeroDivisionError("oops"),
            INTERNAL,
        ),
    ],
)
def test_a_failure_is_one_line(error: BaseException, line: str) -> None:
    """On stderr, under our name, without control characters and without a traceback."""
    done = CliRunner().invoke(Failing(error), ["fail"])

    assert ("", f"golem-host: error: {line}\n") == (done.stdout, done.stderr)


def test_what_a_build_tool_said_comes_before_the_line() -> None:
    """A build error shows the guest's own traceback first."""
    error = GuestBuildError(component="shop", reason="bad", advice="fix it", detail="one\ntwo")

    done = CliRunner().invoke(Failing(error), ["fail"])

    assert "one\ntwo\ngolem-host: error: shop: bad; fix it\n" == done.stderr


def test_a_reader_that_has_had_enough_is_no_failure() -> None:
    """A closed pipe ends the command quietly."""
    done = CliRunner().invoke(Failing(BrokenPipeError()), ["fail"])

    assert (0, "", "") == (done.exit_code, done.stdout, done.stderr)


def test_our_own_mistake_can_be_located(monkeypatch: pytest.MonkeyPatch) -> None:
    """With GOLEM_HOST_TRACEBACK the exception comes through as it is."""
    monkeypatch.setenv("GOLEM_HOST_TRACEBACK", "1")

    done = CliRunner().invoke(Failing(ZeroDivisionError()), ["fail"])

    assert isinstance(done.exception, ZeroDivisionError)


def test_an_interrupt_inside_of_another_error_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Before 3.12 Python wraps what comes while a class is being made."""
    error = RuntimeError("Error calling __set_name__")
    error.__cause__ = KeyboardInterrupt()

    assert 130 == report(error)
    assert "golem-host: error: interrupted\n" == capsys.readouterr().err
