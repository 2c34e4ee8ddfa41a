"""
A worker's status: a fold over its oplog, and nothing else.

The log is the only authority; a `Status` is what one pass over it says.  It follows the log entry
by entry while the worker runs, and is folded anew when a jump or revert changes the past.

Facets differ in what they pass over.  What was *promised to callers* (queue, results, updates)
ignores only entries that a revert deleted; what is *replayed* (the status itself, open markers,
the retry policy) ignores every skipped region.

Source: spec 3.7, with the project's remarks R2, R3, R28.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, fields
from typing import TypeAlias

from golem_host.active_plugins import ActivePlugins
from golem_host.handles import Handles
from golem_host.status_records import Outcome, PendingUpdateAt, Running, Snapshot, UpdateRecord
from golem_oplog.entries import (
    HINT_CLASSES,
    BeginAtomicRegion,
    BeginRemoteWrite,
    CancelPendingInvocation,
    ChangePersistenceLevel,
    ChangeRetryPolicy,
    Create,
    EndAtomicRegion,
    EndRemoteWrite,
    Entry,
    Error,
    ErrorKind,
    Exited,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    FailedUpdate,
    ImportedFunctionInvoked,
    Interrupted,
    Jump,
    PendingUpdate,
    PendingWorkerInvocation,
    PersistenceLevel,
    Restart,
    Revert,
    SuccessfulUpdate,
    Suspend,
)
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.protocol import Oplog
from golem_oplog.regions import Regions, RegionSet

ReadLog: TypeAlias = Callable[[int, int | None], Iterator[tuple[int, Entry | int]]]

IDLE = "idle"
RUNNING = "running"
SUSPENDED = "suspended"
INTERRUPTED = "interrupted"
RETRYING = "retrying"
FAILED = "failed"
EXITED = "exited"


@dataclass(slots=True)
class Status:
    """The fold.  Change it by `apply` only."""

    create: Create | None = None
    status: str = IDLE
    last_index: int = 0
    last_timestamp: int = 0
    last_replayed_index: int = 0
    """The last entry that replay consumes; a failure's origin unless an atomic region is open."""
    went_back_at: int = 0
    """The last jump by which a guest went back of its own will: what follows is not a repetition."""
    failed_update_at: int = 0
    component_version: int = 0
    pending: dict[str, tuple[int, PendingWorkerInvocation]] = field(default_factory=dict)
    """By idempotency key, in order of arrival."""
    results: dict[str, Outcome] = field(default_factory=dict)
    running: Running | None = None
    open_begins: dict[int, type[Entry]] = field(default_factory=dict)
    """Begin markers of the current invocation without their end."""
    guest_begins: frozenset[int] = field(default=frozenset(), compare=False)
    """Those of remote writes that a guest performs: the log does not tell them, `began` does."""
    error: Error | None = None
    """The last error since anything went well."""
    error_index: int = 0
    error_count: int = 0
    """Errors in a row with the same origin."""
    suspend: Suspend | None = None
    exit_code: int | None = None
    stopped_at: int = 0
    """When it was interrupted or ended itself last, in Unix nanoseconds; 0 if never."""
    retry_policy: ChangeRetryPolicy | None = None
    updates: list[UpdateRecord] = field(default_factory=list)
    pending_updates: list[PendingUpdateAt] = field(default_factory=list)
    applied: Snapshot | None = None
    """The snapshot that the worker's state began with, where an update brought one."""
    fresh_from: int = 0
    """Index of the last update: what came before was written by another version."""
    in_zone: bool = False
    """Whether the log ends inside of a persist-nothing zone."""
    zone_origin: int = 0
    """Where replay goes live again instead of entering the zone: the last entry before it."""
    handles: Handles = field(default_factory=Handles)
    """Those to resources of the guest that somebody outside holds."""
    plugins: ActivePlugins = field(default_factory=ActivePlugins)
    tokens: set[str] = field(default_factory=set)
    """Names of the effects on this worker that have happened, reverted or not."""
    skipped: RegionSet = field(default_factory=RegionSet)
    deleted: RegionSet = field(default_factory=RegionSet)
    lock: threading.RLock = field(default_factory=threading.RLock, compare=False, repr=False)
    """Held while an entry is appended and followed: requests come in from other threads."""

    def append(self, oplog: Oplog, entry: Entry) -> int:
        """
        Append an entry to the log that this is the status of, and follow it, as one step.

        Else a fold could read the log without an entry that another thread has just appended, and
        take the place of a status that knew of it.
        """
        with self.lock:
            index = oplog.append(entry)
            self.apply(index, entry)
            if self.rewrites_history(entry):
                self.refold(oplog.skim)
            return index

    def append_together(self, oplog: Oplog, make: Callable[[int], Sequence[Entry]]) -> None:
        """
        `append` of entries that a crash must not part.

        ``make`` is given the index that the first of them will have.
        """
        with self.lock:
            entries = make(oplog.last_index + 1)
            first = oplog.append_together(entries)
            for index, entry in enumerate(entries, first):
                self.apply(index, entry)
            if any(map(self.rewrites_history, entries)):
                self.refold(oplog.skim)

    @property
    def failures(self) -> int:
        """Failures so far of what is attempted now."""
        if self.error is None or self.error.origin != self.origin:
            return 0
        return self.error_count

    @property
    def pending_update(self) -> PendingUpdateAt | None:
        """The update that comes next."""
        return self.pending_updates[0] if self.pending_updates else None

    @property
    def snapshot(self) -> Snapshot | None:
        """What an instance loads before anything is replayed."""
        pending = self.pending_update
        if pending is None or pending.entry.snapshot is None:
            return self.applied
        version = pending.entry.target_version
        return Snapshot(pending.oplog_index, pending.entry.snapshot, 0, version)

    @property
    def is_unfinished(self) -> bool:
        """Whether an invocation has begun and has no outcome."""
        return self.running is not None and self.running.key not in self.results

    def apply(self, index: int, entry: Entry) -> None:
        """Follow the log by one entry that lies in no skipped region."""
        if isinstance(entry, ImportedFunctionInvoked):
            self.apply_call(index, entry.timestamp)
            return
        if isinstance(entry, Error) and entry.kind == ErrorKind.INVALID_REQUEST:
            # It counts with the jump over it.  A fork or a revert to in between has cut that off,
            # and what was refused is asked for again.
            self.passed(index, entry.timestamp)
            return
        self._note_token(entry)
        self.handles.apply(index, entry)
        self._apply_promise(index, entry)
        self._apply_state(index, entry)
        self.passed(index, entry.timestamp)

    def apply_call(self, index: int, timestamp: int) -> None:
        """`apply` for a host call: nearly every entry is one, and only the position changes."""
        self.last_index = self.last_replayed_index = index
        if timestamp > self.last_timestamp:  # noqa: PLR1730 - `max` costs four times as much
            self.last_timestamp = timestamp
        if self.running is not None:
            self.status = RUNNING

    def refold(self, read: ReadLog) -> None:
        """Become what a fresh fold says, after the past has changed."""
        fresh = fold(read)
        for each in fields(self):
            if each.compare:
                setattr(self, each.name, getattr(fresh, each.name))

    def pass_over(self, index: int, entry: Entry, *, promised: bool) -> None:
        """Follow the log by one entry of a skipped region; ``promised`` unless it was reverted."""
        self._note_token(entry)
        if isinstance(entry, Jump) and not self._goes_on(index, entry):
            self.went_back_at = index
        self.handles.pass_over(index, entry)
        if promised:
            self._apply_promise(index, entry)
            if isinstance(entry, Error) and entry.origin in self.open_begins:
                # The attempt that failed was jumped over to be made again: it counts (R3).
                self._count_error(index, entry)
        self.passed(index, entry.timestamp)

    def _goes_on(self, index: int, jump: Jump) -> bool:
        """Whether what follows repeats an operation, or what an update that failed cut off."""
        return jump.start - 1 in self.open_begins or self.failed_update_at == index - 1

    def passed(self, index: int, timestamp: int) -> None:
        """Follow the log by an entry that means nothing any more."""
        self.last_index = max(self.last_index, index)
        self.last_timestamp = max(self.last_timestamp, timestamp)

    def rewrites_history(self, entry: Entry) -> bool:
        """Whether a fresh fold is needed, asked once this entry has been applied."""
        if isinstance(entry, SuccessfulUpdate):
            return self.applied is not None and self.applied.applied_at == self.fresh_from
        return isinstance(entry, Jump | Revert)

    @property
    def origin(self) -> int:
        """
        Where the attempt that is running now would start over: what errors count against.

        That is the outermost open region, or remote write of the guest's own: each attempt appends
        what lies behind it anew.  Behind the begin of a remote write of one call nothing counts,
        and one of the host's of several goes on.
        """
        last_index = self.zone_origin if self.in_zone else self.last_replayed_index
        return min((at for at in self._redone() if at <= last_index), default=last_index)

    @property
    def is_in_operation(self) -> bool:
        """Whether something is open that a new instance does again from its beginning."""
        return any(True for _ in self._redone())

    def began(self, begin: int) -> None:
        """A guest has begun a remote write of its own, live or on replay."""
        with self.lock:
            self.guest_begins = frozenset(self.open_begins.keys() & {*self.guest_begins, begin})

    def _redone(self) -> Iterator[int]:
        begins = self.open_begins.items()
        return (at for at, kind in begins if kind is BeginAtomicRegion or at in self.guest_begins)

    def _note_token(self, entry: Entry) -> None:
        match entry:
            case Revert(token=token) | PendingUpdate(token=token) if token:
                self.tokens.add(token)
            case PendingWorkerInvocation(target_version=int(), idempotency_key=token):
                self.tokens.add(token)
            case _:
                pass

    def _apply_promise(self, index: int, entry: Entry) -> None:
        self.plugins.apply(index, entry)
        match entry:
            case PendingWorkerInvocation(idempotency_key=key):
                # It may have been asked for again at the moment in which it began or ended.
                if not self.is_begun(key):
                    self.pending[key] = (index, entry)
            case CancelPendingInvocation(idempotency_key=key):
                self.pending.pop(key, None)
            case ExportedFunctionInvoked(idempotency_key=key):
                self.pending.pop(key, None)
                self.running = Running(index, key, entry)
            case ExportedFunctionCompleted():
                self._record_outcome(index)
                self.running = None
            case Error(retry_at=None, kind=kind):
                self._record_outcome(index)
                if kind == ErrorKind.INVALID_REQUEST:
                    self.running = None
            case Exited():
                self._record_outcome(index)
            case Restart():
                if self.is_unfinished:
                    # An ephemeral worker begins anew: what was under way has no result.
                    self._record_outcome(index)
                self.running = None
            case Create(component_version=version):
                self.create = entry
                self.component_version = version
            case _:
                self._apply_update(index, entry)

    def _apply_update(self, index: int, entry: Entry) -> None:
        match entry:
            case PendingUpdate():
                self._open_update(index, entry)
            case SuccessfulUpdate(target_version=version):
                update = self._close_update(UpdateRecord(version, "successful"))
                if update is not None and update.entry.snapshot is not None:
                    self.applied = Snapshot(
                        update.oplog_index, update.entry.snapshot, index, version
                    )
                self.component_version, self.fresh_from = version, index
            case FailedUpdate(target_version=version, details=details):
                self.failed_update_at = index
                if self._close_update(UpdateRecord(version, "failed", details)) is None:
                    # The old version could not even save its state.
                    self._drop_requests(version)
            case _:
                pass

    def is_begun(self, key: str) -> bool:
        """Whether the invocation of a key is running or has an outcome."""
        return key in self.results or (self.running is not None and self.running.key == key)

    def _record_outcome(self, index: int) -> None:
        if self.running is not None:
            self.results[self.running.key] = Outcome(index, self.running.oplog_index)

    def _open_update(self, index: int, entry: PendingUpdate) -> None:
        self.updates.append(UpdateRecord(entry.target_version, "pending"))
        self.pending_updates.append(PendingUpdateAt(index, entry))
        if entry.snapshot is not None:
            self._drop_requests(entry.target_version)
        if self.status == FAILED and self.running is not None:
            # An update rescues what has failed: its outcome is open again.
            self.results.pop(self.running.key, None)

    def _drop_requests(self, version: int) -> None:
        """A snapshot-based update has left the queue."""
        for key, (_, request) in list(self.pending.items()):
            if request.target_version == version:
                del self.pending[key]

    def _close_update(self, record: UpdateRecord) -> PendingUpdateAt | None:
        """The update that has this outcome; None where it got no further than the queue."""
        version = record.target_version
        for at, listed in enumerate(self.updates):
            if listed.state == "pending" and listed.target_version == version:
                self.updates[at] = record
                break
        else:
            self.updates.append(record)
        for update in self.pending_updates:
            if update.entry.target_version == version:
                self.pending_updates.remove(update)
                return update
        return None

    def _apply_state(self, index: int, entry: Entry) -> None:
        kind, last_index = entry.__class__, self.last_replayed_index
        if kind not in HINT_CLASSES and kind is not Jump:
            self.last_replayed_index = index
            if self.running is not None:
                self.status = RUNNING
        match entry:
            case ExportedFunctionInvoked() | ExportedFunctionCompleted():
                self.status = RUNNING if kind is ExportedFunctionInvoked else IDLE
                self.in_zone = self.in_zone and kind is ExportedFunctionInvoked
                self.open_begins.clear()
                self._went_well()
            case BeginAtomicRegion() | BeginRemoteWrite():
                self.open_begins[index] = kind
            case EndAtomicRegion(begin_index=begin) | EndRemoteWrite(begin_index=begin):
                self.open_begins.pop(begin, None)
            case Error():
                self._apply_error(index, entry)
            case Suspend():
                self.status, self.suspend = SUSPENDED, entry
            case Interrupted():
                self.status, self.stopped_at = INTERRUPTED, entry.timestamp
            case Exited(exit_code=code):
                self.status, self.exit_code, self.stopped_at = EXITED, code, entry.timestamp
            case Create():
                self.status = IDLE
            case Restart():
                self.status = IDLE
                self.open_begins.clear()
                self._went_well()
            case PendingUpdate() if self.status == FAILED:
                self.status = RETRYING
            case ChangeRetryPolicy():
                self.retry_policy = entry
            case ChangePersistenceLevel(level=level):
                self._apply_level(level, last_index)
            case _:
                pass

    def _apply_level(self, level: int, last_index: int) -> None:
        opens = level == PersistenceLevel.PERSIST_NOTHING
        if opens and not self.in_zone:
            self.zone_origin = last_index
        elif self.in_zone and not opens:
            # Replay passes over the zone, and over what a crash has left open in it.
            self.last_replayed_index = self.zone_origin
            for begin in [each for each in self.open_begins if each > self.zone_origin]:
                del self.open_begins[begin]
        self.in_zone = opens

    def _count_error(self, index: int, entry: Error) -> None:
        is_repeated = self.error is not None and self.error.origin == entry.origin
        self.error_count = self.error_count + 1 if is_repeated else 1
        self.error, self.error_index = entry, index

    def _apply_error(self, index: int, entry: Error) -> None:
        self._count_error(index, entry)
        self.status = FAILED if entry.retry_at is None else RETRYING

    def _went_well(self) -> None:
        self.error, self.error_index, self.error_count = None, 0, 0
        self.suspend, self.exit_code = None, None


def fold(read: ReadLog) -> Status:
    """
    The status of a whole log, given by its `skim` or `read`.

    One pass where nothing was jumped over or reverted; two where something was, because an entry
    can only be judged once every later region is known.
    """
    status = Status()
    rewritten = False
    for index, entry in read(1, None):
        if isinstance(entry, int):
            status.apply_call(index, entry)
        else:
            status.apply(index, entry)
            rewritten = rewritten or status.rewrites_history(entry)
    if not rewritten:
        return status
    regions = Regions(read(1, None))
    deleted, skipped = regions.reverted, regions.skipped
    status = Status(skipped=skipped, deleted=deleted)
    for index, entry in read(1, None):
        if isinstance(entry, int):
            (status.passed if index in skipped else status.apply_call)(index, entry)
        elif index in skipped:
            status.pass_over(index, entry, promised=index not in deleted)
        else:
            status.apply(index, entry)
    return status
