"""
What the end of an attempt means: one function from what was raised to what follows.

Pure: the runner appends, waits and answers callers accordingly.

Source: spec 5.6, with the project's remarks R34, R39, R40, R46.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from golem_host.engine import Trap, TrapKind
from golem_host.errors import (
    DeclarationError,
    HostClosedError,
    HostError,
    InvalidRequestError,
    ParamTypeMismatchError,
    PayloadTooLargeError,
    StateDirError,
    UnlinkableComponentError,
)
from golem_host.failures import RecordedFailureError
from golem_host.replay import AtMostOnceViolated, Divergence
from golem_host.signals import ExitSignal, InterruptSignal, JumpSignal, SuspendSignal
from golem_host.worker.stderr import exception_line, traceback_in
from golem_oplog.entries import ErrorKind
from golem_oplog.errors import OplogError
from golem_oplog.lazy_dataclass import dataclass

AT_MOST_ONCE: Final = (
    "a remote write with idempotence off did not complete before the crash (begun at index {}): "
    "it may or may not have happened, and is not repeated"
)


@dataclass(frozen=True, slots=True)
class Again:
    """Build a new instance at once and go on."""


@dataclass(frozen=True, slots=True)
class Suspended:
    """Give up the instance until a time or an event."""

    reason: str
    wake_at: int | None
    promise: str = ""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Stop until somebody resumes the worker."""


@dataclass(frozen=True, slots=True)
class Exited:
    """The guest ended itself; the worker takes no more."""

    exit_code: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The guest or the host failed."""

    kind: ErrorKind
    message: str
    retryable: bool
    is_guests: bool = False
    """Whether the guest gave up by itself, so that what it said last is about this."""
    error: HostError | None = None
    """What callers get instead of `InvocationFailedError`, where that says more."""


@dataclass(frozen=True, slots=True)
class Refused:
    """This one invocation cannot be right; the worker goes on without it."""

    error: HostError


@dataclass(frozen=True, slots=True)
class UpdateFailed:
    """The new version cannot go on from where the old one stands."""

    target_version: int
    details: str
    first_index: int
    """The first entry that the attempt may have appended."""


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """
    The worker cannot go on here, for a reason that is none of its own.

    Its log takes no more entries, or cannot be asked what they belong to, or this host does not
    offer what its component imports.  Nothing is appended about it: it is no failure of the guest,
    and may be over when the log is opened again.
    """

    error: OplogError | HostError


Outcome: TypeAlias = (
    Again | Suspended | Interrupted | Exited | Failed | Refused | UpdateFailed | BrokenOff
)


def told(failed: Failed, stderr: str) -> tuple[str, str]:
    """The message and the traceback of a failure, by what the guest wrote until then."""
    traceback = traceback_in(stderr) if failed.is_guests else ""
    return exception_line(traceback) or failed.message, traceback


def outcome_of(raised: BaseException) -> Outcome:
    """What an exception that ended an attempt means."""
    match raised:
        case SuspendSignal():
            return Suspended(raised.reason, raised.wake_at, raised.promise)
        case InterruptSignal(restart=True) | JumpSignal() | HostClosedError():
            # What was asked of a host that closes is asked again of the next one.
            return Again()
        case InterruptSignal():
            return Interrupted()
        case ExitSignal():
            return Exited(raised.exit_code)
        case OplogError() | StateDirError() | UnlinkableComponentError() | DeclarationError():
            return BrokenOff(raised)
        case InvalidRequestError() | ParamTypeMismatchError():
            return Refused(raised)
        case PayloadTooLargeError():
            return Failed(ErrorKind.UNKNOWN, str(raised), retryable=False, error=raised)
        case Divergence():
            raise AssertionError("a divergence is rendered before it gets here")
        case HostError():
            # A divergence, or a component that is gone: the next attempt would meet it again.
            return Failed(ErrorKind.UNKNOWN, str(raised), retryable=False, error=raised)
        case AtMostOnceViolated():
            message = AT_MOST_ONCE.format(raised.begin_index)
            return Failed(ErrorKind.UNKNOWN, message, retryable=False)
        case RecordedFailureError():
            return Failed(ErrorKind.UNKNOWN, str(raised), retryable=False)
        case Trap(kind=TrapKind.STACK_OVERFLOW):
            return Failed(ErrorKind.STACK_OVERFLOW, raised.message, retryable=False, is_guests=True)
        case Trap():
            return Failed(ErrorKind.UNKNOWN, raised.message, retryable=True, is_guests=True)
        case Exception():
            text = str(raised) or type(raised).__name__
            return Failed(ErrorKind.UNKNOWN, text, retryable=True)
        case _:
            raise raised
