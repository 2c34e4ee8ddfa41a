"""
Committed entries on their way to plugins.

Nothing is buffered: what a plugin has seen is a position in the log of a worker, and the next batch
is read from there.  A commit only says which worker has something new.  Each plugin has a thread of
its own while there is something for it, so that none holds up another, and no worker waits for any.

A batch is one call of ``process``, of a worker of the plugin's component, under a key made of the
watched worker and the first index.  A batch that was handed over before a crash is therefore handed
over once: the processor's log knows its key, and how long it was.

Source: spec 1.8 and appendix A, with the task's remark that the processor is a durable worker.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from golem_host.errors import HostError, StateDirError, WorkerNotFoundError
from golem_host.interfaces.golem.api.oplog_entry import PAYLOAD_BYTES_MAX
from golem_host.services.peers import WorkerRef
from golem_host.services.plugins import Plugin, Plugins
from golem_host.services.unfinished import WorkerKey
from golem_host.wire import Wire
from golem_host.worker.metadata import metadata_of
from golem_host.worker.processor import (
    RESOURCE,
    entry_wires,
    new_args,
    process_args,
    processor_exports,
)
from golem_oplog.cbor import encode_args
from golem_oplog.errors import OplogError
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.public import Err, ResourceRef
from golem_oplog.query import view_entries

if TYPE_CHECKING:
    from golem_host.services.components import Components
    from golem_host.services.workers import Workers
    from golem_host.worker.parts import Parts
    from golem_host.worker.request import Call
    from golem_host.worker.worker import Worker

_LOG: Final = logging.getLogger(__name__)

BATCH_ENTRIES_MAX: Final = 256
BATCH_BYTES_MAX: Final = 256 << 10
"""A batch ends with the entry that brings it above: what a processor is given lies in its log."""
RETRY_S_FIRST: Final = 1.0
RETRY_S_MAX: Final = 60.0


class _ClosedError(Exception):
    """The host is being closed: the next one goes on."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries of one worker, in order, that a plugin sees next."""

    worker: WorkerRef
    born_ns: int
    first_index: int
    args: list[Wire]
    """For the method, all but its processor."""
    count: int


class Deliveries:
    """Those of one host."""

    def __init__(self, workers: Workers, components: Components, plugins: Plugins) -> None:
        self._workers = workers
        self._components = components
        self._plugins = plugins
        self._lock = threading.Condition()
        self._lanes: dict[str, _Lane] = {}
        self._sweeping: threading.Thread | None = None
        self._is_closed = False

    def note(self, key: WorkerKey) -> None:
        """A worker has committed entries, or a plugin was switched for it."""
        for plugin in self._plugins.list():
            if self._plugins.sees(plugin, key.component):
                self._put(plugin, key)

    def revive(self) -> None:
        """Look through all workers for what an earlier host did not hand over; takes its time."""
        sweep = threading.Thread(target=self._sweep, name="golem-plugins", daemon=True)
        with self._lock:
            if self._is_closed:
                return
            self._sweeping = sweep
        sweep.start()

    def _sweep(self) -> None:
        try:
            for plugin in self._plugins.list():
                self._plugins.finish(plugin, lambda: self._is_closed)
                for key in self._plugins.workers_of(plugin):
                    if self._is_closed:
                        return
                    self._put(plugin, key)
        except (HostError, OplogError) as error:
            # What commits is noted all the same.
            _LOG.warning("plugins do not see every worker", extra={"reason": str(error)})

    def problem(self, plugin: Plugin) -> str:
        """Why a plugin does not go on; empty if it does."""
        lane = self._lanes.get(plugin.id)
        return "" if lane is None else lane.problem

    def forget(self, plugin: Plugin) -> None:
        """It is not installed any more; returns when nothing of it is under way."""
        with self._lock:
            lane = self._lanes.pop(plugin.id, None)
        if lane is not None:
            lane.close()

    def close(self) -> None:
        """Stop handing over; returns when no thread of ours is left."""
        with self._lock:
            self._is_closed = True
            lanes = list(self._lanes.values())
        if self._sweeping is not None:
            self._sweeping.join()
        for lane in lanes:
            lane.close()

    def _put(self, plugin: Plugin, key: WorkerKey) -> None:
        with self._lock:
            if self._is_closed:
                return
            lane = self._lanes.get(plugin.id)
            if lane is None:
                lane = self._lanes[plugin.id] = _Lane(self, plugin)
        lane.put(key)

    # -- one batch, in the thread of its lane ---------------------------------------------------

    def deliver(self, plugin: Plugin, key: WorkerKey, lane: _Lane) -> bool:
        """
        Hand one batch over; whether there may be another one.

        Raises:
            HostError, OplogError: It was not processed.
        """
        if self._plugins.by_id(plugin.id) is None:
            return False
        try:
            batch = self._next_batch(plugin, key)
        except (OplogError, StateDirError) as error:
            # It cannot be read: no matter of the others, and seen again with its next commit.
            _LOG.warning("a log is not processed", extra={"worker": key, "reason": str(error)})
            return False
        if batch is None:
            return False
        processor = self._processor(plugin, batch.worker.component_id)
        name = f"{batch.worker.component_id}/{batch.worker.worker_name}"
        call_key = f"{name}/{batch.born_ns}/{batch.first_index}"
        call, count = processor.call(call_key), batch.count
        if call is None:
            _, process = processor_exports(processor.component)
            handle = self._handle(plugin, processor, batch.worker.component_id, lane)
            call = processor.begin_wire(process, [handle, *batch.args], call_key)
        else:
            # Handed over before a crash: what was in that batch, and no more, is dealt with.
            count = len(call.wire_args[-1])
        outcome = lane.outcome(call)
        if isinstance(outcome, Err):
            _LOG.warning(
                "a plugin could not process entries",
                extra={"plugin": plugin.name, "worker": name, "reason": outcome.value},
            )
        self._plugins.advance(plugin, key, batch.born_ns, batch.first_index + count)
        return True

    def _next_batch(self, plugin: Plugin, key: WorkerKey) -> Batch | None:
        if self._is_done(plugin, key):
            return None
        return self._workers.on_parts(key, lambda parts: self._batch(plugin, key, parts))

    def _batch(self, plugin: Plugin, key: WorkerKey, parts: Parts) -> Batch | None:
        # Else the commits of this worker would tell nobody.
        parts.watch_commits(self.note)
        self._plugins.tell(plugin, parts)
        status, create = parts.status, parts.status.create
        assert create is not None
        position = self._plugins.position(plugin, key, create.timestamp)
        span = status.plugins.span(plugin.id, position)
        committed = parts.oplog.committed_index
        if span is None:
            return None
        first, last = max(position, span.first), min(span.last or committed, committed)
        if first > last:
            return None
        worker = WorkerRef(create.component_id, create.worker_name)
        views = view_entries(parts.oplog, first, last, payload_bytes_max=PAYLOAD_BYTES_MAX)
        entries: list[tuple[int, Wire]] = []
        size_bytes = 0
        for entry in entry_wires(worker, views):
            entries.append(entry)
            size_bytes += len(encode_args([entry[1]]))
            if len(entries) >= BATCH_ENTRIES_MAX or size_bytes >= BATCH_BYTES_MAX:
                break
        metadata = metadata_of(key.component, status, parts.oplog.last_index)
        args = process_args(0, worker, metadata, entries)[1:]
        return Batch(worker, create.timestamp, first, args, len(entries))

    def _is_done(self, plugin: Plugin, key: WorkerKey) -> bool:
        """Whether a worker that is not in memory has nothing new, found out without loading it."""
        found = self._workers.resting_log(key)
        if found is None:
            return False
        born_ns, last_index = found
        return self._plugins.position(plugin, key, born_ns) > last_index

    def _processor(self, plugin: Plugin, component_id: str) -> Worker:
        component = self._components.get(plugin.component)
        return self._workers.get_or_create(component, f"plugin-{plugin.id}-{component_id}")

    def _handle(self, plugin: Plugin, processor: Worker, component_id: str, lane: _Lane) -> int:
        """The processor for one component: made once, and again where an update has ended it."""
        held = [ref for ref in processor.metadata().resources if ref.resource == RESOURCE]
        if held:
            return held[-1].handle
        component = processor.component
        new, _ = processor_exports(component)
        args = new_args(component_id, plugin.config)
        made = lane.outcome(processor.begin_wire(new, args, f"new-{component.version}"))
        assert isinstance(made, ResourceRef)
        return made.handle


class _Lane:
    """What one plugin has to look at, and its thread, there while that is something."""

    def __init__(self, deliveries: Deliveries, plugin: Plugin) -> None:
        self._deliveries = deliveries
        self._plugin = plugin
        self._changed = threading.Condition()
        self._waiting: dict[WorkerKey, None] = {}
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._retry_s = RETRY_S_FIRST
        self.problem = ""

    def put(self, key: WorkerKey) -> None:
        with self._changed:
            if self._is_closed:
                return
            self._waiting[key] = None
            if self._thread is None:
                name = f"golem-plugin-{self._plugin.name}"
                self._thread = threading.Thread(target=self._run, name=name, daemon=True)
                self._thread.start()

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def outcome(self, call: Call) -> object:
        """Wait for what a call returns."""
        done = threading.Event()

        def finish() -> None:
            with self._changed:
                done.set()
                self._changed.notify_all()

        end = call.watch(finish)
        try:
            with self._changed:
                self._changed.wait_for(lambda: done.is_set() or self._is_closed)
        finally:
            end()
        if not done.is_set():
            raise _ClosedError
        return call.result(0)

    def _run(self) -> None:
        while (key := self._next()) is not None:
            try:
                self._look_at(key)
            except _ClosedError:
                return
            except Exception as error:  # noqa: BLE001 - a plugin's trouble is nobody else's
                if not self._wait_after(key, error):
                    return

    def _next(self) -> WorkerKey | None:
        with self._changed:
            if self._is_closed or not self._waiting:
                self._thread = None
                return None
            key = next(iter(self._waiting))
            del self._waiting[key]
            return key

    def _look_at(self, key: WorkerKey) -> None:
        try:
            is_more = self._deliveries.deliver(self._plugin, key, self)
        except WorkerNotFoundError:
            # It was deleted.
            return
        self.problem, self._retry_s = "", RETRY_S_FIRST
        if is_more:
            # Behind the others, so that one that writes without end does not hold them up.
            self.put(key)

    def _wait_after(self, key: WorkerKey, error: Exception) -> bool:
        """Try again later; False when the host is being closed."""
        if not isinstance(error, HostError | OplogError):
            _LOG.exception("a plugin's thread met a fault of the host")
        with self._changed:
            if self._is_closed:
                return False
            self.problem = str(error) or type(error).__name__
            _LOG.warning(
                "a plugin does not go on",
                extra={"plugin": self._plugin.name, "worker": key, "reason": self.problem},
            )
            self._waiting[key] = None
            retry_s, self._retry_s = self._retry_s, min(self._retry_s * 2, RETRY_S_MAX)
            return not self._changed.wait_for(lambda: self._is_closed, retry_s)
