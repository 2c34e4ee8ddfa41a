"""
Building an instance of a worker from what its log says: which version, from where, to what end.

Source: spec 2.9 and 6.1, with the project's remarks R4, R8 and R41.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from sys import maxsize

from golem_host.context import RunSlot
from golem_host.errors import HostClosedError, HostError, StateDirError
from golem_host.signals import InterruptSignal
from golem_host.status import Status
from golem_host.status_records import PendingUpdateAt
from golem_host.worker import outcome as ends
from golem_host.worker.parts import Parts
from golem_host.worker.request import Request
from golem_host.worker.session import Session, SnapshotError, Start
from golem_host.worker.stderr import exception_line, traceback_in
from golem_oplog.entries import FailedUpdate, PendingUpdate, SuccessfulUpdate
from golem_oplog.errors import OplogError


def version_to_build(status: Status, update: PendingUpdateAt | None) -> int:
    """The update's where there is one, else the one that the worker has."""
    return status.component_version if update is None else update.entry.target_version


def build_session(
    parts: Parts,
    slot: RunSlot,
    is_last_attempt: Callable[[], bool],
    on_completed: Callable[[str, bytes | None], None],
    update: PendingUpdateAt | None,
) -> Session:
    """
    A session that is about to catch up with the worker's log.

    ``update`` is the one that is pending.  Another one may be asked for at any time: it concerns
    the next session.
    """
    status = parts.status
    version = version_to_build(status, update)
    component = parts.component_of(version)
    session = Session(
        start_of(parts, version),
        oplog=parts.oplog,
        status=status,
        services=parts.services(component, slot),
        is_last_attempt=is_last_attempt,
        on_live=lambda: finish_update(parts, session, update),
        on_completed=on_completed,
    )
    return session


@contextmanager
def scratch_session(
    parts: Parts, start: Start, status: Status, version: int, on_live: Callable[[], None]
) -> Iterator[Session]:
    """
    A session that replays a worker's log and is nobody's: it runs in the caller's thread, besides
    the slots, and ends with the block.
    """
    slot = parts.shared.slots.slot(lambda: True)
    session = Session(
        start,
        oplog=parts.oplog,
        status=status,
        services=parts.services(parts.component_of(version), slot),
        is_last_attempt=lambda: True,
        on_live=on_live,
        on_completed=lambda _key, _payload: None,
    )
    try:
        yield session
    finally:
        session.close()
        slot.give()


def start_of(parts: Parts, version: int) -> Start:
    """Where an instance of this version begins."""
    status, shared = parts.status, parts.shared
    component = parts.component_of(version)
    snapshot = status.snapshot
    is_own = version == status.component_version and status.pending_update is None
    compare = shared.config.compare_requests and is_own
    return Start(
        linked=shared.link(component),
        snapshot=None if snapshot is None else parts.oplog.load(snapshot.payload),
        first_index=2 if snapshot is None else snapshot.oplog_index + 1,
        compare_from=status.fresh_from if compare else maxsize,
        is_ephemeral=component.ephemeral,
    )


def finish_update(parts: Parts, session: Session, update: PendingUpdateAt | None) -> None:
    """The new version has come to where the old one stood: from here on it is the worker's."""
    status = parts.status
    if update is None or status.pending_update != update:
        return
    version = update.entry.target_version
    # First: where its files have no place, there is no update.
    session.move_files_on(version)
    requests_differing = session.requests_differing
    size_bytes = parts.component_of(version).size_bytes
    now = parts.shared.config.clock.unix_ns()
    plugins = status.plugins.active
    status.append(parts.oplog, SuccessfulUpdate(now, version, size_bytes, plugins))
    parts.oplog.commit()
    differing = f"; {requests_differing} calls have other arguments" if requests_differing else ""
    parts.output.notify(f"updated to version {version}{differing}")


def save_snapshot(parts: Parts, session: Session, request: Request) -> None:
    """Let the old version save its state, and so begin a snapshot-based update."""
    version = request.target_version
    assert version is not None
    now = parts.shared.config.clock.unix_ns
    try:
        snapshot = session.save()
    except (OplogError, InterruptSignal):
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, the old version goes on
        details = explain(error)
        parts.status.append(parts.oplog, FailedUpdate(now(), version, details))
        parts.output.notify(f"update to version {version} failed: {details}")
    else:
        entry = PendingUpdate(now(), version, snapshot, request.key)
        parts.status.append(parts.oplog, entry)
    parts.oplog.commit()


def outcome_of_attempt(
    parts: Parts, raised: BaseException, first_index: int, update: PendingUpdateAt | None
) -> ends.Outcome:
    """
    What an exception means that ended an attempt.

    Args:
        parts: The worker's.
        raised: The exception.
        first_index: The first entry that the attempt may have appended.
        update: What the attempt was to bring about.  One that was asked for meanwhile has nothing
            to do with how the old version ends.
    """
    is_ours = isinstance(raised, OplogError | StateDirError | HostClosedError | InterruptSignal)
    if update is None or parts.status.pending_update != update or is_ours:
        return ends.outcome_of(raised)
    return ends.UpdateFailed(update.entry.target_version, explain(raised), first_index)


def explain(error: BaseException) -> str:
    """Why an update failed, in one line."""
    text = str(error) or type(error).__name__
    if isinstance(error, HostError | SnapshotError):
        return text
    return exception_line(traceback_in(text)) or text
