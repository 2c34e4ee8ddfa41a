"""
How a command ends: the one table from error class to exit code, and the one line that says why.

Classes stand here by name, so that the table costs no import; a test holds it against everything
that `golem_host.errors` and `golem_oplog.errors` define.
"""

from __future__ import annotations

import os
import sys
from enum import IntEnum
from typing import Final, TextIO

import click

from golem_cli.render import escaped

PREFIX: Final = "golem-host: error:"


class ExitCode(IntEnum):
    OK = 0
    GUEST_ERR = 1
    """The guest returned ``err``, or its ``wasi:cli/run`` failed."""
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    """Locked, in conflict, diverged, or not something that can be hosted."""
    STATE = 5
    """The state is damaged or cannot be written."""
    INTERNAL = 70
    """A mistake in this program."""
    TIMEOUT = 124
    INTERRUPTED = 130
    TRAP = 134
    """The guest trapped, and no retry is left."""


EXIT_CODES: Final = {
    # golem_host.errors
    "InvalidRequestError": ExitCode.USAGE,
    "ParamTypeMismatchError": ExitCode.USAGE,
    "ComponentError": ExitCode.REFUSED,
    "UnlinkableComponentError": ExitCode.REFUSED,
    "DeclarationError": ExitCode.REFUSED,
    "GuestBuildError": ExitCode.REFUSED,
    "EngineMismatchError": ExitCode.REFUSED,
    "ComponentNotFoundError": ExitCode.NOT_FOUND,
    "WorkerExistsError": ExitCode.REFUSED,
    "WorkerNotFoundError": ExitCode.NOT_FOUND,
    "WorkerFileNotFoundError": ExitCode.NOT_FOUND,
    "PluginNotFoundError": ExitCode.NOT_FOUND,
    "PromiseNotFoundError": ExitCode.NOT_FOUND,
    "DivergenceError": ExitCode.REFUSED,
    "InvocationInterruptedError": ExitCode.INTERRUPTED,
    "InvocationLostError": ExitCode.REFUSED,
    "InvocationGoneError": ExitCode.NOT_FOUND,
    "HostClosedError": ExitCode.REFUSED,
    "InvocationFailedError": ExitCode.TRAP,
    "PreviousInvocationFailedError": ExitCode.REFUSED,
    "HandlerResultError": ExitCode.INTERNAL,
    "InvocationExitedError": ExitCode.GUEST_ERR,
    "ResumeFailedError": ExitCode.STATE,
    "PayloadTooLargeError": ExitCode.TRAP,
    "OplogLimitError": ExitCode.TRAP,
    "QueueFullError": ExitCode.REFUSED,
    "StateDirError": ExitCode.STATE,
    "StateDirLockedError": ExitCode.REFUSED,
    "ConflictError": ExitCode.REFUSED,
    # golem_oplog.errors
    "CorruptOplogError": ExitCode.STATE,
    "UnsupportedFormatError": ExitCode.REFUSED,
    "MalformedExportError": ExitCode.REFUSED,
    "OplogPoisonedError": ExitCode.STATE,
    "OplogWriteError": ExitCode.STATE,
    "MissingBlobError": ExitCode.STATE,
    "NoSuchEntryError": ExitCode.NOT_FOUND,
    "OplogMismatchError": ExitCode.STATE,
    "MalformedPayloadError": ExitCode.STATE,
    "MalformedEntryError": ExitCode.STATE,
    "EntryTooLargeError": ExitCode.REFUSED,
    "UnknownFunctionError": ExitCode.STATE,
    "OplogExistsError": ExitCode.REFUSED,
    "OplogNotFoundError": ExitCode.NOT_FOUND,
    "OplogInUseError": ExitCode.REFUSED,
    "OplogReadError": ExitCode.STATE,
    "WaveError": ExitCode.USAGE,
    "QueryError": ExitCode.USAGE,
    "ValueTypeError": ExitCode.USAGE,
    # golem_host.rest.errors, from the owner of a state directory
    "InvocationNotFoundError": ExitCode.NOT_FOUND,
    "OverloadedError": ExitCode.REFUSED,
    "HostClosingError": ExitCode.REFUSED,
    "BodyTooLargeError": ExitCode.REFUSED,
    # Python and click
    "UsageError": ExitCode.USAGE,
    "Abort": ExitCode.INTERRUPTED,
    "KeyboardInterrupt": ExitCode.INTERRUPTED,
    "TimeoutError": ExitCode.TIMEOUT,
    "FileNotFoundError": ExitCode.NOT_FOUND,
    "OSError": ExitCode.STATE,
}


class CommandError(click.ClickException):
    """A failure that the command line itself finds, with its code."""

    def __init__(self, message: str, code: ExitCode) -> None:
        super().__init__(message)
        self.code = code


def exit_code(error: BaseException) -> ExitCode:
    """The code for `error`: that of the nearest class of its line that has one."""
    if isinstance(error, CommandError):
        return error.code
    # A timeout stops an invocation in the same way as a request to stop it does.
    if getattr(error, "kind", None) == "timeout":
        return ExitCode.TIMEOUT
    for cls in type(error).__mro__:
        if cls.__name__ in EXIT_CODES:
            return EXIT_CODES[cls.__name__]
    return ExitCode.INTERNAL


def report(error: BaseException) -> ExitCode:
    """Say in one line on stderr what went wrong and what to do next; the code to end with."""
    if isinstance(error.__cause__, KeyboardInterrupt):
        # Ctrl-C while a class is being made: before Python 3.12 that wraps what comes in between.
        error = error.__cause__
    if isinstance(error, BrokenPipeError):
        # Whoever reads our output has had enough: that is no failure, and nobody is left to tell.
        discard(sys.stdout)
        return ExitCode.OK
    code = exit_code(error)
    if code is ExitCode.INTERNAL and os.environ.get("GOLEM_HOST_TRACEBACK"):
        raise error
    for line in getattr(error, "detail", "").splitlines():
        # What a build tool or the guest said, before the one line that sums it up.
        click.echo(escaped(line), err=True)
    click.echo(f"{PREFIX} {escaped(one_line(_message(error, code)))}", err=True)
    return code


def one_line(text: str) -> str:
    """`text` without line ends, each run of white space at one being a single space."""
    return " ".join(part.strip() for part in text.splitlines() if part.strip())


def _message(error: BaseException, code: ExitCode) -> str:
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx else "golem-host"
        return f"{error.format_message().rstrip('.')} (`{where} --help` explains)"
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return "interrupted"
    if isinstance(error, OSError):
        at = f"{error.filename}: " if error.filename else ""
        return f"{at}{error.strerror or error}"
    if code is ExitCode.INTERNAL:
        return (
            f"internal error, please report it: {type(error).__name__}: {error} "
            "(GOLEM_HOST_TRACEBACK=1 shows where)"
        )
    text = getattr(error, "text", None)
    # WAVE: a position means something only beside the text.
    return f"{text}: {error}" if isinstance(text, str) else str(error)


def discard(stream: TextIO) -> None:
    """Let go of a stream that takes no more, and of what is buffered for it."""
    # Otherwise that would fail again when the interpreter ends, and say so.
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
    except (OSError, ValueError):
        return
    os.close(null)
