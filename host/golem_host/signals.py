"""
Ways out of a guest that are not failures.

They derive from `BaseException`, so that no ``except Exception`` in an interface swallows one.
Raised by live actions and by the replay core, carried across the engine by its boundary, handled
by the worker alone.  Each ends the instance.
"""

from __future__ import annotations

from typing import Final

from golem_oplog.lazy_dataclass import dataclass


class Signal(BaseException):
    """The root of all signals."""


WAITS_FOR_ITSELF: Final = "waiting for itself: nothing but the guest could end what it waits for"
"""The reason of a wait that has no end: an event loop whose tasks all wait for each other, say."""


@dataclass(eq=False)
class SuspendSignal(Signal):
    """Nothing to do until a time or an event: drop the instance, rebuild it on wake-up."""

    reason: str
    wake_at: int | None = None
    """Unix nanoseconds at which a timer ends the wait; None where only an event does."""
    promise: str = ""
    """The promise whose completion ends the wait, or the call whose result does, in text form."""


@dataclass(eq=False)
class InterruptSignal(Signal):
    """Stop on demand.  With ``restart`` the worker is rebuilt at once and goes on."""

    restart: bool = False


@dataclass(eq=False)
class ExitSignal(Signal):
    """The guest called ``wasi:cli/exit``."""

    exit_code: int


class JumpSignal(Signal):
    """A jump has been appended: rebuild and go on from its target."""


class EndOfLogSignal(Signal):
    """Only what the log has was to be replayed, and the guest asks for more."""
