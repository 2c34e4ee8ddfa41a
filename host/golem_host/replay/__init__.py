"""
The replay core: entries in, decisions out.

It decides, for everything a guest asks of the host, whether the log already holds the answer, and
what an effect without its entry, or a begin without its end, means.  It performs nothing.

How it works.  A `Replay` is given the log as an iterator of ``(index, entry)`` and the regions
that later entries have declared dead.  It always holds the next entry that the guest must ask for
(hints and dead regions are stepped over as they are met).  Each request of the guest is one method
call; it either consumes that entry and gives back what it says, or, when no entry is left, says
`PERFORM`: the host then acts for real and appends.  A request that does not fit the next entry
raises `Divergence` and consumes nothing.

Rules for this package: no I/O, no clock, no threads, no engine; nothing here is called back.
"""

from golem_host.replay.core import Replay
from golem_host.replay.decisions import (
    PERFORM,
    AtMostOnceViolated,
    Divergence,
    Perform,
    ReplayedInvocation,
)
from golem_host.replay.look import LookReplay
from golem_host.replay.transitions import TRANSITIONS, Mode, transition

__all__ = [
    "PERFORM",
    "TRANSITIONS",
    "AtMostOnceViolated",
    "Divergence",
    "LookReplay",
    "Mode",
    "Perform",
    "Replay",
    "ReplayedInvocation",
    "transition",
]
