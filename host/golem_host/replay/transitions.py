"""
The states of a replay and the only ways between them.

`docs/replay.md` draws its diagram from `TRANSITIONS`.
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class Mode(Enum):
    """What the host does with the guest's next request."""

    STARTING = "starting"
    """Replaying, outside of any invocation: instantiation, or between two invocations."""
    ANSWERING = "answering"
    """Replaying inside of an invocation: requests are answered from the log."""
    LIVE_IDLE = "live, idle"
    """The log is used up and no invocation is unfinished."""
    LIVE_RUNNING = "live, running"
    """The log is used up inside of an invocation: requests are performed and appended."""


class Event(Enum):
    """What moves a replay from one state to another."""

    INVOKED = "invocation read or begun"
    COMPLETED = "completion read or written"
    EXHAUSTED = "no entry left"
    ABANDONED = "unfinished region or write: the rest of the log is dead"


TRANSITIONS: Final[dict[tuple[Mode, Event], Mode]] = {
    (Mode.STARTING, Event.INVOKED): Mode.ANSWERING,
    (Mode.STARTING, Event.EXHAUSTED): Mode.LIVE_IDLE,
    (Mode.STARTING, Event.ABANDONED): Mode.LIVE_IDLE,
    (Mode.ANSWERING, Event.COMPLETED): Mode.STARTING,
    (Mode.ANSWERING, Event.EXHAUSTED): Mode.LIVE_RUNNING,
    (Mode.ANSWERING, Event.ABANDONED): Mode.LIVE_RUNNING,
    (Mode.LIVE_IDLE, Event.INVOKED): Mode.LIVE_RUNNING,
    (Mode.LIVE_RUNNING, Event.COMPLETED): Mode.LIVE_IDLE,
}


def transition(mode: Mode, event: Event) -> Mode:
    """The state after an event; any other pair is a fault of the host itself."""
    after = TRANSITIONS.get((mode, event))
    if after is None:
        raise AssertionError(f"{event.name} cannot happen while {mode.value}")
    return after
