"""
``wasi:clocks/monotonic-clock``: instants are Unix nanoseconds.

That keeps them comparable over every rebuild and on every machine (spec 4.1).  The system clock
may be set back; `now` never answers less than it did before in the same instance.
"""

from __future__ import annotations

from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import READ_LOCAL, UNRECORDED, Recorded, function, interface
from golem_host.dispatch import recorded_call
from golem_host.interfaces.wasi.io.pollables import Pollable, Timer
from golem_oplog.types import FunctionType, Prim

TIMER_MAX: Final = 2**63 - 1
"""
In the year 2262: the last instant that a wake-up is kept for.

A guest may name any u64.  A timer beyond this one is ready at this one, which nobody will see.
"""
_RECORD: Final = "monotonic_clock::now"
_NOW: Final = Recorded(READ_LOCAL, FunctionType(_RECORD, (), Prim.U64))


@interface("wasi:clocks/monotonic-clock")
class MonotonicClock:
    @function(READ_LOCAL, record=_RECORD)
    def now(self, context: InstanceContext) -> int:
        return context.monotonic_ns()

    @function(READ_LOCAL, record="monotonic_clock::resolution")
    def resolution(self, context: InstanceContext) -> int:
        return context.services.clock.resolution_ns()

    @function(UNRECORDED)
    def subscribe_instant(self, context: InstanceContext, when: int) -> Pollable:
        return Timer(min(when, TIMER_MAX))

    @function(UNRECORDED)
    def subscribe_duration(self, context: InstanceContext, duration: int) -> Pollable:
        """The recorded part is the time it counts from, under the name of `now`."""
        now: int = recorded_call(context, _NOW, (), context.monotonic_ns)
        return Timer(min(now + duration, TIMER_MAX))
