"""
One instance of a worker, from its first replayed entry to the end of its last live call.

A session is thrown away after any exception: the runner decides what happens next, and going on
always means a new session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from sys import maxsize

from golem_host.context import InstanceContext, Services
from golem_host.declare import without_version
from golem_host.engine import ExportedFunction, Instance, LinkedComponent, Trap
from golem_host.errors import InvalidRequestError
from golem_host.failures import GuestError
from golem_host.files.part import Files
from golem_host.interfaces.adapted import Adapter, adapter_of
from golem_host.replay import Divergence, LookReplay, Perform, Replay
from golem_host.status import Status
from golem_host.trace_context import begun_trace
from golem_host.wire import Wire
from golem_host.worker.handles import HandleAccount
from golem_host.worker.render import divergence_error
from golem_host.worker.request import Request
from golem_host.worker.stderr import exception_line, traceback_in
from golem_oplog.cbor import decode_args, encode_value
from golem_oplog.entries import (
    BeginAtomicRegion,
    ChangePersistenceLevel,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    PersistenceLevel,
    Restart,
)
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.protocol import Oplog
from golem_oplog.regions import RegionSet
from golem_oplog.types import FunctionType

SAVE = ("golem:api/save-snapshot", "save")
LOAD = ("golem:api/load-snapshot", "load")


class SnapshotError(Exception):
    """The guest cannot save or load a snapshot, in words for people."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where an instance of a worker begins."""

    linked: LinkedComponent
    snapshot: bytes | None = None
    """What the guest loads first: the state that an earlier version saved."""
    first_index: int = 2
    """The first entry that is replayed."""
    compare_from: int = maxsize
    """Requests of entries behind this index must equal the recorded ones."""
    is_ephemeral: bool = False
    """Nothing is replayed: every invocation begins with fresh memory."""
    is_look: bool = False
    """It ends with `EndOfLogSignal`, or between two invocations, where the log does."""


@dataclass(frozen=True, slots=True)
class Export:
    """A function of the component, as it is called and as it is."""

    type: FunctionType
    """As it is called."""
    inner: ExportedFunction
    adapter: Adapter | None

    @classmethod
    def of(cls, inner: ExportedFunction) -> Export:
        adapter = adapter_of(inner)
        return cls(inner.type if adapter is None else adapter.type, inner, adapter)

    def call(self, instance: Instance, context: InstanceContext, args: list[Wire]) -> Wire:
        if self.adapter is None:
            return instance.call(self.inner, args)
        inner_args, finish = self.adapter.enter(context, args)
        instance.call(self.inner, inner_args)
        return finish()


class Session:
    """
    A live instance.

    Args:
        start: Where it begins.
        on_live: Called when the log is used up, before the first live host call.
        on_completed: Called with key and CBOR result once a completion is durable.
    """

    def __init__(
        self,
        start: Start,
        *,
        oplog: Oplog,
        status: Status,
        services: Services,
        is_last_attempt: Callable[[], bool],
        on_live: Callable[[], None],
        on_completed: Callable[[str, bytes | None], None],
    ) -> None:
        self._start = start
        self._oplog = oplog
        self._status = status
        self._on_live = on_live
        self._on_completed = on_completed
        self._exports = {e.type.name: e for e in map(Export.of, start.linked.component.exports)}
        target = oplog.last_index
        replay = (LookReplay if start.is_look else Replay)(
            () if start.is_ephemeral else oplog.read(start.first_index, target),
            regions=RegionSet() if start.is_ephemeral else status.skipped,
            target=target,
            open_begins=frozenset(status.open_begins),
            same_function=self._same_function,
            compare_from=start.compare_from,
            on_live=self._went_live,
        )
        replay.on_updated = self.move_files_on
        self.context = InstanceContext(oplog=oplog, replay=replay, status=status, services=services)
        self.context.is_last_attempt = is_last_attempt
        self._handles = HandleAccount(
            self.context, start.linked.component, is_ephemeral=start.is_ephemeral
        )
        self._instance: Instance | None = None

    @property
    def is_ephemeral(self) -> bool:
        return self._start.is_ephemeral

    @property
    def is_log_over(self) -> bool:
        """Whether a look has come to the end of the log."""
        replay = self.context.replay
        return isinstance(replay, LookReplay) and replay.is_over

    def check(self, request: Request) -> None:
        """
        Raises:
            InvalidRequestError: This instance cannot run the request. The worker itself is well.
            ParamTypeMismatchError: So it is: an update has changed what the export takes.
        """
        export = self._exports.get(request.function.name)
        if export is None:
            # An update came in between.
            version = self._status.component_version
            raise InvalidRequestError(
                reason=f"version {version} of the component has no export {request.function.name}"
            )
        if export.adapter is None:
            assert self._instance is not None
            self._handles.check(self._instance, export.inner, request.args)

    @property
    def requests_differing(self) -> int:
        """Replayed calls with the recorded name and other arguments, made by another version."""
        return self.context.replay.requests_differing

    def catch_up(self) -> None:
        """Build the instance and replay the log; an unfinished last invocation is finished."""
        context = self.context
        was_live = context.replay.live
        if self._start.is_ephemeral and not self._start.is_look:
            context.append(Restart(context.clock_ns()))
        with _Rendered(self._oplog):
            if was_live:
                self._leave_zone()
            if self._start.snapshot is None:
                self._instance = self._start.linked.instantiate(context)
            else:
                self._load(self._start.snapshot)
            if was_live:
                self._on_live()
            while (replayed := context.replay.invocation()) is not None:
                entry = replayed.entry
                export = self._export(self._oplog.function(entry.function).name)
                args = decode_args(self._oplog.load(entry.request))
                self._handles.begin(replayed.oplog_index)
                self._call(export, args, entry)

    def move_files_on(self, version: int) -> None:
        """
        The worker is of this version from here on; so are its initial files.

        Raises:
            BlockedError: One of them has no place.
        """
        self.context.replay.updated_to = version
        files = self.context.existing(Files)
        if files is not None:
            files.move_on(version)

    def _went_live(self) -> None:
        self._on_live()
        self._leave_zone()

    def _leave_zone(self) -> None:
        """
        The log ends inside of a persist-nothing zone that the guest is about to enter anew, if at
        all: what it does until then is kept.
        """
        if self._status.in_zone:
            # Not by the context, which would take it for the guest's progress: what the guest has
            # written before the zone it is about to write again (R50).
            smart = ChangePersistenceLevel(self.context.clock_ns(), PersistenceLevel.SMART)
            self._status.append(self._oplog, smart)

    def run(self, request: Request) -> None:
        """Run an invocation that is not in the log yet."""
        export = self._export(request.function.name)
        context = self.context
        with _Rendered(self._oplog):
            context.replay.begin_live_invocation()
            trace_id, states, spans = begun_trace(request.trace, context.services.random)
            entry = ExportedFunctionInvoked(
                context.clock_ns(),
                self._oplog.define(request.function),
                request.payload,
                request.key,
                trace_id,
                states,
                spans,
            )
            # Rides with the first commit that follows: nothing outside depends on it before.
            index = context.append(entry)
            self._handles.begin(index)
            self._call(export, request.args, entry)

    def save(self) -> bytes:
        """
        The guest's own picture of its state.

        Raises:
            SnapshotError: It exports no ``save``, or that gave something else.
        """
        assert self._instance is not None
        export = self._snapshot_export(SAVE)
        with self.context.unrecorded() as output, _told(output):
            snapshot = self._instance.call(export, [])
        if not isinstance(snapshot, bytes):
            raise SnapshotError(f"{export.type.name} does not return list<u8>")
        return snapshot

    def _load(self, snapshot: bytes) -> None:
        """Source: spec 2.9.2, with the project's remark R4: on every rebuild."""
        with self.context.unrecorded() as output, _told(output):
            self._instance = self._start.linked.instantiate(self.context)
            export = self._snapshot_export(LOAD)
            result = self._instance.call(export, [snapshot])
        if not isinstance(result, tuple):
            raise SnapshotError(f"{export.type.name} does not return a result")
        is_error, reason = result
        if is_error:
            raise SnapshotError(f"the guest refused the snapshot: {reason}")

    def close(self) -> None:
        if self._instance is not None:
            self._instance.close()
            self._instance = None
        self.context.close()

    def _call(self, export: Export, args: list[Wire], invoked: ExportedFunctionInvoked) -> None:
        assert self._instance is not None
        context = self.context
        context.invoked, context.key = invoked, invoked.idempotency_key
        result = export.call(self._instance, context, args)
        payload = None if export.type.result is None else encode_value(result)
        if context.replay.live:
            self._close_zones()
        if not isinstance(context.replay.completion(payload), Perform):
            self._handles.completed_in_replay()
            return
        self._handles.completed()
        context.append(ExportedFunctionCompleted(context.clock_ns(), payload))
        self._oplog.commit()
        self._on_completed(invoked.idempotency_key, payload)

    def _close_zones(self) -> None:
        """What must not outlive an invocation: R5 and R6."""
        for begin, kind in self._status.open_begins.items():
            if kind is BeginAtomicRegion:
                # Else the next recovery would discard later, completed invocations with it.
                raise GuestError(
                    f"the invocation ended inside of the region begun at index {begin}"
                )
        context = self.context
        if context.persistence_level == PersistenceLevel.PERSIST_NOTHING:
            # Else the zone would swallow the completion, and the next replay diverge.
            context.persistence_level = PersistenceLevel.SMART
            context.append(ChangePersistenceLevel(context.clock_ns(), PersistenceLevel.SMART))

    def _export(self, name: str) -> Export:
        export = self._exports.get(name)
        if export is None:
            raise GuestError(f"this version of the component has no export {name}")
        return export

    def _snapshot_export(self, wanted: tuple[str, str]) -> ExportedFunction:
        """By interface and name, whatever the version (spec 1.8)."""
        for export in (each.inner for each in self._exports.values()):
            if (without_version(export.interface), export.name) == wanted:
                return export
        raise SnapshotError(f"the component does not export {wanted[0]}")

    def _same_function(self, recorded: int, ours: int) -> bool:
        return self._oplog.function(recorded).name == self._oplog.function(ours).name


@contextmanager
def _told(output: Iterable[bytes]) -> Iterator[None]:
    """A trap while a snapshot is saved or loaded, in the guest's words: no log has them."""
    try:
        yield
    except Trap as trap:
        told = exception_line(traceback_in(b"".join(output).decode("utf-8", "replace")))
        if not told:
            raise
        raise SnapshotError(told) from trap


class _Rendered:
    """Turns the core's `Divergence` into the public `DivergenceError`."""

    def __init__(self, oplog: Oplog) -> None:
        self._oplog = oplog

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, raised: BaseException | None, trace: object) -> None:
        if isinstance(raised, Divergence):
            raise divergence_error(self._oplog, raised) from None
