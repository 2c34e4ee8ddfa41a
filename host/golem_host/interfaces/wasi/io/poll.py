"""
``wasi:io/poll``: waiting, recorded as the indexes that turned out to be ready.

A wait that only far timers can end gives up the instance: `SuspendSignal` (spec 4.3).

Source: WASI 0.2 ``wasi:io/poll``; R29 for ``ready``, which is recorded here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import (
    READ_LOCAL,
    UNRECORDED,
    Observed,
    Recorded,
    function,
    interface,
    resource,
)
from golem_host.dispatch import recorded_call
from golem_host.failures import GuestError
from golem_host.interfaces.wasi.io.pollables import Pollable
from golem_host.signals import SuspendSignal
from golem_oplog.types import FunctionType, ListType, Prim

_RECORD: Final = "golem io::poll::poll"
_COUNT: Final = (("pollables", Prim.U32),)
_POLL: Final = Recorded(READ_LOCAL, FunctionType(_RECORD, _COUNT, ListType(Prim.U32)))


def wait_for(context: InstanceContext, pollables: Sequence[Pollable]) -> list[int]:
    """
    Wait until at least one is ready; the indexes of all that are.

    Readiness is looked at first: nothing is suspended while another pollable is ready.
    """
    while True:
        now = context.clock_ns()
        ready = [i for i, pollable in enumerate(pollables) if pollable.ready(now)]
        if ready:
            return ready
        deadlines = [d for p in pollables if (d := p.deadline_ns()) is not None]
        deadline = min(deadlines, default=None)
        services = context.services
        is_far = deadline is None or deadline - now >= services.suspend_after_ns
        is_far = is_far or services.slot.is_crowded()
        if is_far and all(pollable.suspends() for pollable in pollables):
            raise SuspendSignal("waiting for a timer", deadline)
        context.wait_until(deadline)


@interface("wasi:io/poll")
class Poll:
    @function(
        READ_LOCAL,
        record=_RECORD,
        observed=Observed(_COUNT, lambda pollables: (len(pollables),)),
    )
    def poll(self, context: InstanceContext, pollables: list[Pollable]) -> list[int]:
        if not pollables:
            raise GuestError("poll of an empty list")
        return wait_for(context, pollables)


@resource("wasi:io/poll", "pollable")
class PollableResource:
    @function(READ_LOCAL, record="golem io::poll::ready")
    def ready(self, context: InstanceContext, pollable: Pollable) -> bool:
        return pollable.ready(context.clock_ns())

    @function(UNRECORDED)
    def block(self, context: InstanceContext, pollable: Pollable) -> None:
        """Recorded as a poll of one."""
        recorded_call(context, _POLL, (1,), lambda: wait_for(context, [pollable]))
