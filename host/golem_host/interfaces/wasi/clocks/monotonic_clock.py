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

INSTANT_MAX: Final = 2**64 - 1
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
        return Timer(when)

    @function(UNRECORDED)
    def subscribe_duration(self, context: InstanceContext, duration: int) -> Pollable:
        """The recorded part is the time it counts from, under the name of `now`."""
        now: int = recorded_call(context, _NOW, (), context.monotonic_ns)
        return Timer(min(now + duration, INSTANT_MAX))
