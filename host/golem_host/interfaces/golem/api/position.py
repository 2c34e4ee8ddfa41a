"""
Where the worker stands in its log, and atomic regions: ``golem:api/host``.

These leave markers instead of recorded calls: whether one is made or found is the replay core's
business, as for any call.

Source: spec 2.2 to 2.4, with the project's remarks R5, R7, R19 and R53.
"""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, interface
from golem_host.dispatch import marked
from golem_host.errors import InvalidRequestError
from golem_host.failures import GuestError
from golem_host.interfaces.golem.api.own import INTERFACE, require_recording
from golem_host.signals import JumpSignal
from golem_oplog.entries import (
    BeginAtomicRegion,
    BeginRemoteWrite,
    ChangePersistenceLevel,
    EndAtomicRegion,
    EndRemoteWrite,
    Jump,
    NoOp,
    PersistenceLevel,
)


@interface(INTERFACE)
class PositionFunctions:
    @function(UNRECORDED)
    def get_oplog_index(self, context: InstanceContext) -> int:
        return marked(context, context.replay.no_op(), NoOp)

    @function(UNRECORDED)
    def set_oplog_index(self, context: InstanceContext, oplog_idx: int) -> None:
        """
        Declare everything behind the index dead, durably, and give the instance up.

        On replay a call that was refused is not met, for its invocation is dead, and one that
        jumped lies in its own region.
        """
        require_recording(context, "set-oplog-index")
        if not context.replay.live:
            return
        _check_target(context, oplog_idx)
        with context.status.lock:
            # The jump lies inside of its own region: replay never meets it.
            region_end = context.oplog.last_index + 1
            context.append(Jump(context.clock_ns(), oplog_idx + 1, region_end))
        context.oplog.commit()
        raise JumpSignal

    @function(UNRECORDED)
    def oplog_commit(self, context: InstanceContext, replicas: int) -> None:
        """There is one replica, the local disk, however many are asked for (R19)."""
        if context.replay.live:
            context.oplog.commit()

    @function(UNRECORDED)
    def mark_begin_operation(self, context: InstanceContext) -> int:
        return marked(context, context.replay.begin_atomic_region(), BeginAtomicRegion)

    @function(UNRECORDED)
    def mark_end_operation(self, context: InstanceContext, begin: int) -> None:
        """A second end, or one of a region that never began, leaves a marker and means nothing."""
        if context.replay.live and context.status.open_begins.get(begin) is BeginRemoteWrite:
            raise GuestError(f"mark-end-operation: no region began at index {begin}")
        outcome = context.replay.end_atomic_region(begin)
        marked(context, outcome, lambda now: EndAtomicRegion(now, begin))
        # Else a crash could do again what has returned (spec 2.4).
        context.oplog.commit()


def _check_target(context: InstanceContext, index: int) -> None:
    """Raises `InvalidRequestError` where nothing could go on from."""
    last_index = context.oplog.last_index
    running = context.status.running
    start = last_index if running is None else running.oplog_index
    skipped = context.status.skipped.find(index)
    if running is None:
        why = "no invocation is running"
    elif index > last_index:
        why = f"the log ends at index {last_index}"
    elif index <= start:
        why = f"the invocation that runs began at index {start}"
    elif skipped is not None:
        why = f"entries {skipped.start} to {skipped.end} were undone"
    else:
        opened = _open_at(context, start, index)
        if opened is None:
            return
        why = f"it lies in the operation that began at index {opened}"
    raise InvalidRequestError(reason=f"cannot go back to index {index}: {why}")


def _open_at(context: InstanceContext, start: int, index: int) -> int | None:
    """Where a region, a remote write or a persist-nothing zone began that is open at an index."""
    opened: list[int] = []
    zone: int | None = None
    for at, entry in context.oplog.skim(start, index):
        if at in context.status.skipped:
            continue
        match entry:
            case BeginAtomicRegion() | BeginRemoteWrite():
                opened.append(at)
            case EndAtomicRegion(begin_index=begin) | EndRemoteWrite(begin_index=begin):
                opened = [each for each in opened if each != begin]
            case ChangePersistenceLevel(level=level):
                if zone is not None:
                    # A crash may have cut off what began there, and replay passes over it.
                    opened = [each for each in opened if each < zone]
                zone = at if level == PersistenceLevel.PERSIST_NOTHING else None
            case _:
                pass
    if zone is not None:
        opened.append(zone)
    return min(opened, default=None)
