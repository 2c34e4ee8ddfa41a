"""
``wasi:io/poll``: waiting, recorded as the indexes that turned out to be ready.

A wait that only far timers or a promise can end gives up the instance: `SuspendSignal` (spec 4.3).

Source: WASI 0.2 ``wasi:io/poll``; R29 for ``ready``, which is recorded here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import (
    READ_LOCAL,
    UNRECORDED,
    Recorded,
    function,
    interface,
    resource,
)
from golem_host.dispatch import recorded_call
from golem_host.failures import GuestError
from golem_host.interfaces.wasi.io.pollables import Cell, Pollable, come_down
from golem_host.services.calls import BETWEEN
from golem_host.signals import WAITS_FOR_ITSELF, SuspendSignal
from golem_oplog.types import FunctionType, ListType, Prim

PINNED_NS_MAX: Final = 300_000_000_000
"""
A sleep shorter than this keeps an instance that has a connection to the outside, which would be
lost with it.  Peers give up a connection on which nothing happens after about as long.
"""

AWAITED_MAX: Final = 64
"""Answers of which a worker without an instance waits for the first one."""

_RECORD: Final = "golem io::poll::poll"
_COUNT: Final = (("pollables", Prim.U32),)
_POLL: Final = Recorded(READ_LOCAL, FunctionType(_RECORD, _COUNT, ListType(Prim.U32)))


def wait_for(context: InstanceContext, pollables: Sequence[Pollable]) -> list[int]:
    """
    Wait until at least one is ready; the indexes of all that are.

    Readiness is looked at first: nothing is suspended while another pollable is ready.
    """
    pollables = [come_down(each) for each in pollables]
    cells = [each for each in pollables if isinstance(each, Cell)]
    park_at = context.clock_ns() + context.services.park_after_ns if cells else None
    with ExitStack() as stack:
        # Before the first look, so that nothing that happens falls in between.
        for each in pollables:
            waking = each.waking(context.wake)
            if waking is not None:
                stack.enter_context(waking)
        if len(pollables) == len(cells) == 1:
            stack.enter_context(cells[0].alone())
        while True:
            now = context.clock_ns()
            ready = [i for i, pollable in enumerate(pollables) if pollable.ready(now)]
            if ready:
                return ready
            deadlines = [d for p in pollables if (d := p.deadline_ns()) is not None]
            deadline = min(deadlines, default=None)
            if _is_long(context, now, deadline, park_at):
                _suspend(context, pollables, {cell.name: cell for cell in cells}, deadline)
            watched = [w for p in pollables if (w := p.watched()) is not None]
            context.wait_until(_next_look(now, deadline, park_at), watched)


def recorded_wait(context: InstanceContext, pollable: Pollable) -> None:
    """Wait for one, recorded as a poll of it: a replay does not wait."""
    _poll(context, [pollable])


def _poll(context: InstanceContext, pollables: Sequence[Pollable]) -> list[int]:
    request = (len(pollables),)
    ready: list[int] = recorded_call(context, _POLL, request, lambda: wait_for(context, pollables))
    for index in ready:
        pollables[index].told()
    return ready


def _is_long(context: InstanceContext, now: int, deadline: int | None, park_at: int | None) -> bool:
    """Whether what is left to wait is worth giving up the instance, as far as time goes."""
    services = context.services
    if services.slot.is_crowded():
        return True
    is_far = deadline is None or deadline - now >= services.suspend_after_ns
    if not is_far or (park_at is not None and now < park_at):
        return False
    return deadline is None or deadline - now >= PINNED_NS_MAX or not context.is_pinned()


def _suspend(
    context: InstanceContext,
    pollables: Sequence[Pollable],
    cells: Mapping[str, Cell],
    deadline: int | None,
) -> None:
    """
    Give up the instance, unless only this one can make a pollable ready, or it would lose what has
    to be done again then, as long as there is room for all who wait.

    A worker without an instance is woken by one promise, or the first of some answers of other
    workers; one that polls more keeps its own.  So does one in the middle of what a new instance
    would do again from its beginning, with other promises and other calls.
    """
    services = context.services
    may = services.may_suspend and not (context.is_unrecorded or context.is_in_region)
    if any(pinned() for pinned in context.pinned_by) and not services.slot.is_crowded():
        return
    are_few = len(cells) <= 1 or (
        len(cells) <= AWAITED_MAX and all(cell.is_one_of_many for cell in cells.values())
    )
    if not may or not are_few or not all(each.suspends() for each in pollables):
        return
    if cells:
        first = next(iter(cells.values()))
        others = f", or of {len(cells) - 1} more" if len(cells) > 1 else ""
        raise SuspendSignal(f"waiting for {first.what}{others}", deadline, BETWEEN.join(cells))
    reason = WAITS_FOR_ITSELF if deadline is None else "waiting for a timer"
    raise SuspendSignal(reason, deadline)


def _next_look(now: int, deadline: int | None, park_at: int | None) -> int | None:
    if park_at is None or park_at <= now:
        return deadline
    return park_at if deadline is None else min(deadline, park_at)


@interface("wasi:io/poll")
class Poll:
    @function(UNRECORDED)
    def poll(self, context: InstanceContext, pollables: list[Pollable]) -> list[int]:
        if not pollables:
            raise GuestError("poll of an empty list")
        return _poll(context, pollables)


@resource("wasi:io/poll", "pollable")
class PollableResource:
    @function(READ_LOCAL, record="golem io::poll::ready")
    def ready(self, context: InstanceContext, pollable: Pollable) -> bool:
        # Unlike after `poll`, nothing keeps this word over a replay: the pollable is not told.
        return pollable.ready(context.clock_ns())

    @function(UNRECORDED)
    def block(self, context: InstanceContext, pollable: Pollable) -> None:
        recorded_wait(context, pollable)
