"""
Operations on a worker's past and version: revert and update.

Each may carry a token that names the effect: the entry keeps it, and the same token again changes
nothing (ARCHITECTURE section 3).

Source: spec 2.9 and 2.13, with the project's remarks R22, R41 and R53.
"""

from __future__ import annotations

from collections.abc import Callable

from golem_host.errors import ComponentNotFoundError, InvalidRequestError
from golem_host.signals import InterruptSignal
from golem_host.status import EXITED
from golem_host.worker.ledger import update_request
from golem_host.worker.parts import Parts
from golem_host.worker.runner import Runner
from golem_oplog.entries import ExportedFunctionInvoked, PendingUpdate, Revert
from golem_oplog.protocol import ReadableOplog
from golem_oplog.regions import Regions, RegionSet

AUTOMATIC = "automatic"
SNAPSHOT_BASED = "snapshot-based"


def nothing_to_check() -> None:
    """For callers that no one can stop while they wait."""


def revert(
    runner: Runner,
    *,
    to_index: int | None,
    last_invocations: int | None,
    token: str = "",
    check: Callable[[], None] = nothing_to_check,
) -> None:
    """
    Take a worker back; it stands still afterwards until it is resumed or invoked.

    Args:
        runner: The worker's.
        to_index: The last entry that remains.
        last_invocations: In place of ``to_index``: how many invocations are undone.
        token: Names the effect; empty for one that nobody repeats.
        check: Called while this waits for the worker to stand still; may raise.

    Raises:
        InvalidRequestError: There is no such point in the worker's past.
    """
    if (to_index is None) == (last_invocations is None):
        raise InvalidRequestError(reason="give either an index or a number of invocations")
    parts = runner.parts
    with runner.paused(check):
        status, oplog = parts.status, parts.oplog
        if token and token in status.tokens:
            return
        gone = _gone(oplog)
        if to_index is None:
            assert last_invocations is not None
            to_index = _before_invocation(oplog, gone, last_invocations)
        _check_target(oplog, gone, to_index)
        accepted = frozenset(status.pending)
        now = parts.shared.config.clock.unix_ns()
        status.append(oplog, Revert(now, to_index + 1, oplog.last_index, token))
        oplog.commit()
        # What was accepted before is done whatever happens, as soon as this is over.
        runner.after_revert(accepted)


def _gone(oplog: ReadableOplog) -> RegionSet:
    """What no revert brings back.  What a snapshot stands for is there again without its update."""
    regions = Regions(oplog.skim())
    return regions.jumped.union(regions.reverted)


def _before_invocation(oplog: ReadableOplog, gone: RegionSet, count: int) -> int:
    """R22: only invocations that still count are counted."""
    begun = [
        index
        for index, entry in oplog.skim()
        if isinstance(entry, ExportedFunctionInvoked) and index not in gone
    ]
    if not 1 <= count <= len(begun):
        raise InvalidRequestError(
            reason=f"cannot take back {count} invocations: the worker has {len(begun)}"
        )
    return begun[-count] - 1


def _check_target(oplog: ReadableOplog, gone: RegionSet, to_index: int) -> None:
    last_index = oplog.last_index
    if not 1 <= to_index < last_index:
        raise InvalidRequestError(
            reason=f"cannot revert to index {to_index}: the log has entries 1 to {last_index}, "
            "and the last one that remains must come before its end"
        )
    region = gone.find(to_index)
    if region is not None:
        raise InvalidRequestError(
            reason=f"cannot revert to index {to_index}: entries {region.start} to {region.end} "
            "do not count any more"
        )


def update(runner: Runner, version: int, mode: str, token: str = "") -> None:
    """
    Ask for another version of the worker's component; returns when that is in the log.

    Raises:
        InvalidRequestError: It has that version, there is none, the component is ephemeral, or the
            same update is under way.
    """
    with runner.held() as parts:
        if token and token in parts.status.tokens:
            return
        _check_update(parts, version, mode)
        if mode == AUTOMATIC:
            _request_automatic(runner, version, token)
        else:
            key = token or parts.shared.config.random.uuid()
            runner.submit(update_request(key, version), durable=True)


def _check_update(parts: Parts, version: int, mode: str) -> None:
    status = parts.status
    if mode not in {AUTOMATIC, SNAPSHOT_BASED}:
        raise InvalidRequestError(
            reason=f"{mode!r} is no way to update: give {AUTOMATIC!r} or {SNAPSHOT_BASED!r}"
        )
    try:
        component = parts.component_of(version)
    except ComponentNotFoundError:
        raise InvalidRequestError(
            reason=f"component {parts.component_name!r} has no version {version}"
        ) from None
    if component.ephemeral:
        raise InvalidRequestError(reason="an ephemeral worker has no state to update")
    if version == status.component_version:
        raise InvalidRequestError(reason=f"the worker has version {version} already")
    if mode == AUTOMATIC:
        is_pending = any(
            u.state == "pending" and u.target_version == version for u in status.updates
        )
    else:
        is_pending = any(entry.target_version == version for _, entry in status.pending.values())
    if is_pending:
        raise InvalidRequestError(reason=f"an update to version {version} is under way already")


def _request_automatic(runner: Runner, version: int, token: str) -> None:
    parts = runner.parts
    runner.append_durably(PendingUpdate(parts.shared.config.clock.unix_ns(), version, None, token))
    if parts.status.status != EXITED:
        # Rebuilt at once, even in the middle of an invocation, which goes on with the new code.
        runner.interrupt(InterruptSignal(restart=True), wait=False)
        runner.wake()
