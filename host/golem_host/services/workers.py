"""``host.workers``: every worker of a state directory, by component and name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from golem_host.component import Component
from golem_host.errors import (
    InvalidRequestError,
    WorkerExistsError,
    WorkerNotFoundError,
)
from golem_host.files.live.grants import checked_dirs
from golem_host.files.mapping import Mapping as Granted
from golem_host.net.access import NetAccess
from golem_host.services.calls import CallRef
from golem_host.services.forks import Forks
from golem_host.services.loaded import LoadedWorkers
from golem_host.services.looks import Looks
from golem_host.services.output import WorkerOutput
from golem_host.services.peers import WorkerRef
from golem_host.services.revival import Revival
from golem_host.services.transfer import Transfers
from golem_host.services.unfinished import WorkerKey
from golem_host.services.worker_name import check_worker_name
from golem_host.status import fold
from golem_host.storage.layout import StateLayout
from golem_host.worker.metadata import WorkerMetadata, metadata_of
from golem_host.worker.parts import Parts, Shared, View, first_entry, forked_from
from golem_host.worker.runner import Runner
from golem_host.worker.worker import Access, Worker
from golem_oplog.errors import OplogError
from golem_oplog.protocol import ReadableOplog
from golem_oplog.store import OplogStore

if TYPE_CHECKING:
    from golem_oplog.sequel import Sequel

T = TypeVar("T")


class Workers:
    """Creates, finds, forks and deletes workers."""

    def __init__(
        self,
        *,
        store: OplogStore,
        layout: StateLayout,
        share: Callable[[Workers], Shared],
        read_only: bool,
    ) -> None:
        self._store = store
        self._layout = layout
        self._shared = shared = share(self)
        self._read_only = read_only
        self._lock = threading.RLock()
        self._loaded = LoadedWorkers(self._load, shared.slots)
        self._forks = Forks(store=store, layout=layout, shared=shared, loaded=self._loaded)
        self._looks = Looks(store, layout, shared)
        self._transfers = Transfers(store=store, layout=layout, shared=shared, loaded=self._loaded)
        self._revival = Revival(
            layout=layout, shared=shared, loaded=self._loaded, name_in=self._name_in
        )

    def create(
        self,
        component: Component,
        name: str,
        *,
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        config_vars: Mapping[str, str] | None = None,
        dirs: Sequence[str] = (),
    ) -> Worker:
        """
        A new worker; its first entry is on disk when this returns.

        ``dirs`` are directories of this machine that it may use, beyond those of `HostConfig`:
        ``HOST::GUEST``, both absolute, and with ``::ro`` behind only for reading.  Its forks may use
        them too; they stay behind where it is exported.

        Raises:
            WorkerExistsError: The name is taken.
            InvalidRequestError: The name is not 1 to 512 bytes without whitespace and ``/``, or
                begins with ``-``; or a directory cannot be granted.
        """
        check_worker_name(name)
        granted = checked_dirs(dirs)
        with self._lock:
            if self._exists(component.name, name):
                raise WorkerExistsError(component=component.name, worker=name)
            self._grant(WorkerKey(component.name, name), granted)
            self._create(component, name, args, env or {}, config_vars or {})
        return self._worker(WorkerKey(component.name, name))

    def get_or_create(
        self,
        component: Component,
        name: str,
        *,
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        config_vars: Mapping[str, str] | None = None,
        called: tuple[WorkerRef, CallRef] | None = None,
    ) -> Worker:
        """
        The worker of this name; everything else is only for a new one.

        ``called`` are the worker that calls it into being, and the call.
        """
        check_worker_name(name)
        with self._lock:
            if not self._exists(component.name, name):
                self._grant(WorkerKey(component.name, name), ())
                self._create(component, name, args, env or {}, config_vars or {}, called)
        return self._worker(WorkerKey(component.name, name))

    def _grant(self, key: WorkerKey, granted: Sequence[Granted]) -> None:
        # First, so that no crash leaves a worker without them, nor one of that name with others'.
        dirs = self._shared.dirs
        if dirs is not None and (granted or dirs.of(key)):
            self._refuse_if_read_only()
            dirs.grant(key, granted)

    def dirs_of(self, key: WorkerKey) -> tuple[str, ...]:
        """The directories of this machine that a worker was granted."""
        found = () if self._shared.dirs is None else self._shared.dirs.of(key)
        return tuple(str(each) for each in found)

    def get(self, component: Component | str, name: str) -> Worker:
        """
        Raises:
            WorkerNotFoundError: There is none of this name.
        """
        component_name = component if isinstance(component, str) else component.name
        if not self._exists(component_name, name):
            raise WorkerNotFoundError(component=component_name, worker=name)
        return self._worker(WorkerKey(component_name, name))

    def page(self, component: str, cursor: str, count: int) -> tuple[list[WorkerMetadata], str]:
        """See `Peers.page`; the cursor is the directory that comes last in the page."""
        found: list[WorkerMetadata] = []
        for directory in self._layout.component_workers(component):
            if directory <= cursor:
                continue
            if len(found) == count:
                return found, cursor
            metadata = self.metadata(WorkerKey(component, self._name_in(directory)))
            if metadata is not None:
                found.append(metadata)
            cursor = directory
        return found, ""

    def list(
        self,
        component: Component | str | None = None,
        filter: Callable[[WorkerMetadata], bool] | None = None,  # noqa: A002 - the field's word
    ) -> Iterator[Worker]:
        """
        Workers of one component or of all, sorted; those whose log is damaged are among them.

        Args:
            component: Only this one's.
            filter: Only those of whose metadata this is true; see `golem_host.worker.filters`.

        Raises:
            OplogError: With a filter, where a log cannot be read.
        """
        if component is None:
            names = sorted({c.name for c in self._shared.all_components()})
        else:
            names = [component if isinstance(component, str) else component.name]
        for component_name in names:
            for directory in self._layout.component_workers(component_name):
                worker = self._worker(WorkerKey(component_name, self._name_in(directory)))
                if filter is None or filter(worker.metadata()):
                    yield worker

    def after(self, component: str, cursor: str = "") -> Iterator[tuple[str, Worker]]:
        """
        The workers of a component behind a cursor, each with the cursor behind it.

        Raises:
            OplogError: In the middle, where not even the name of one can be read.
        """
        for directory in self._layout.component_workers(component):
            if directory > cursor:
                yield directory, self._worker(WorkerKey(component, self._name_in(directory)))

    def metadata(self, key: WorkerKey) -> WorkerMetadata | None:
        """What can be said of a worker, without loading one that rests; None if there is none."""
        runner = None if self._read_only else self._loaded.find(key)
        if runner is not None:
            return metadata_of(key.component, runner.parts.status, runner.parts.oplog.last_index)
        if not self._exists(*key):
            return None
        with self._store.reader(self._layout.worker_key(*key)) as reader:
            return metadata_of(key.component, fold(reader.skim), reader.last_index)

    @contextmanager
    def log(self, key: WorkerKey) -> Iterator[tuple[ReadableOplog, int]]:
        """See `Peers.log`."""
        runner = None if self._read_only else self._loaded.find(key)
        if runner is not None:
            oplog = runner.parts.oplog
            yield oplog, oplog.committed_index
            return
        with self._store.reader(self._layout.worker_key(*key)) as reader:
            yield reader, reader.last_index

    def find_runner(self, key: WorkerKey) -> Runner | None:
        """The worker's runner, if it is in memory."""
        return self._loaded.find(key)

    def exists(self, key: WorkerKey) -> bool:
        return self._exists(*key)

    def fork(
        self,
        source: WorkerKey,
        name: str,
        cut: int | None = None,
        *,
        token: str = "",
        extra: Sequence[Sequel] = (),
    ) -> Worker:
        """
        A new worker with the past of another one, up to and with entry ``cut``; it goes on at once.

        Args:
            source: The other one; it is not disturbed.
            name: Of the new one, in the same component.
            cut: None for everything up to now.
            token: Names the effect; with that of an earlier fork its worker is returned.
            extra: Entries that the new worker has right behind the cut.

        Raises:
            InvalidRequestError: The name or the cut cannot be.
            WorkerExistsError: The name is taken.
            WorkerNotFoundError: There is no such source.
        """
        check_worker_name(name)
        self._refuse_if_read_only()
        target = WorkerKey(source.component, name)
        is_new = self._forks.fork(source, target, cut, token, extra)
        # Also where the source stood interrupted (spec 2.12); but whoever asks for the fork once
        # more does not wake one that was interrupted itself.
        self._loaded.wake(target, by_event=not is_new)
        plugins = self._shared.plugins
        if plugins is not None and plugins.list():
            plugins.on_active(target)
        return self._worker(target)

    def export(self, key: WorkerKey) -> Iterator[bytes]:
        """See `golem_host.worker.worker.Worker.export`."""
        if not self._read_only:
            # What its writer still holds back is for the file too.
            self.runner(key).parts.oplog.commit()
        return self._transfers.export(key, self._view(key))

    def take_in(
        self, component: Component, name: str, file: BinaryIO, label: str = "the file"
    ) -> Worker:
        """
        A new worker from a file that `Worker.export` has made; it goes on where that one was.

        Promises that it waits for stay where they are: only its log comes with it.

        Args:
            component: Whose worker it is to be; it must have the version that the worker runs.
            name: Of the new worker.
            file: Read to its end.
            label: What errors call the file.

        Raises:
            MalformedExportError, UnsupportedFormatError: The file is damaged or of another kind;
                nothing is made of it.
            ConflictError: The component does not have the worker's version.
            WorkerExistsError: The name is taken.
        """
        check_worker_name(name)
        self._refuse_if_read_only()
        key = WorkerKey(component.name, name)
        if self._exists(*key):
            raise WorkerExistsError(component=key.component, worker=key.worker)
        self._transfers.take_in(component, key, file, label)
        self._loaded.wake(key)
        return self._worker(key)

    def delete(self, key: WorkerKey) -> None:
        """Stop a worker, remove its log, damaged or not, and its promises; what it stored stays."""
        self._refuse_if_read_only()
        if not self._exists(*key):
            raise WorkerNotFoundError(component=key.component, worker=key.worker)
        component_id = self._component_id(key)
        loaded = self._loaded.find(key)
        with self._loaded.deleting(key):
            self._store.delete(self._layout.worker_key(*key))
            self._shared.scheduler.forget(key)
            self._shared.unfinished.clear(key)
            self._shared.grants.forget(key)
            if self._shared.plugins is not None:
                self._shared.plugins.forget(key)
            if self._shared.dirs is not None:
                self._shared.dirs.forget(key)
            if component_id is not None:
                self._shared.promises.delete_of(component_id, key.worker)
                self._shared.stores.forget(component_id, key.worker)
        if component_id is not None:
            self._shared.results.gone(WorkerRef(component_id, key.worker))
        if loaded is not None:
            loaded.parts.output.notify("the worker was deleted")

    def _component_id(self, key: WorkerKey) -> str | None:
        return next((c.id for c in self._shared.all_components() if c.name == key.component), None)

    # -- going on ---------------------------------------------------------------------------

    def revive(self) -> None:
        """Let everything go on that an earlier host left unfinished, now or at its time (R14)."""
        self._revival.revive()

    def wake(self, key: object) -> None:
        """A time has come or an event has happened."""
        assert isinstance(key, WorkerKey)
        self._loaded.wake(key)

    def retire(self, key: WorkerKey) -> None:
        self._loaded.retire(key)

    def close(self) -> None:
        self._loaded.close()
        self._looks.close()

    # -- loading ----------------------------------------------------------------------------

    def runner(self, key: WorkerKey) -> Runner:
        self._refuse_if_read_only()
        return self._loaded.get(key)

    def on_parts(self, key: WorkerKey, act: Callable[[Parts], T]) -> T:
        """See `LoadedWorkers.on_parts`."""
        self._refuse_if_read_only()
        return self._loaded.on_parts(key, act)

    def resting_log(self, key: WorkerKey) -> tuple[int, int] | None:
        """When a worker that is not in memory was made, and its last entry; None: it is loaded."""
        with self._loaded.locked(key):
            if self._loaded.find(key) is not None:
                return None
            if not self._exists(*key):
                raise WorkerNotFoundError(component=key.component, worker=key.worker)
            worker_key = self._layout.worker_key(*key)
            with self._store.reader(worker_key) as reader:
                return self._store.created(worker_key).timestamp, reader.last_index

    def _worker(self, key: WorkerKey) -> Worker:
        access = Access(
            view=partial(self._view, key),
            runner=partial(self.runner, key),
            delete=partial(self.delete, key),
            fork=partial(self.fork, key),
            export=partial(self.export, key),
            new_key=self._shared.config.random.uuid,
            dirs=partial(self.dirs_of, key),
        )
        return Worker(key.component, key.worker, access)

    def _view(self, key: WorkerKey) -> View:
        if not self._read_only:
            return self.runner(key).parts
        return self._looks.view(key)

    def _refuse_if_read_only(self) -> None:
        if self._read_only:
            raise InvalidRequestError(reason="this host was opened for reading only")

    def _load(self, key: WorkerKey) -> Runner:
        if not self._exists(*key):
            raise WorkerNotFoundError(component=key.component, worker=key.worker)
        oplog = self._store.open(self._layout.worker_key(*key))
        try:
            status = fold(oplog.skim)
        except OplogError:
            oplog.close()
            raise
        source = None if status.create is None else forked_from(status.create)
        if source is not None:
            self._shared.grants.inherit(key, WorkerKey(key.component, source))
        parts = Parts(
            component_name=key.component,
            worker_name=key.worker,
            oplog=oplog,
            status=status,
            output=WorkerOutput(oplog, self._shared.flusher),
            shared=self._shared,
            net=NetAccess(self._shared.grants.of(key)),
        )
        plugins = self._shared.plugins
        if plugins is not None and (status.plugins.active or plugins.is_unfinished):
            parts.watch_commits(plugins.on_active)
        runner = Runner(parts)
        # A crash may have come between what it has done and those who wait for that.
        self._shared.results.loaded(parts.ref, runner.is_open)
        return runner

    def _create(
        self,
        component: Component,
        name: str,
        args: Sequence[str],
        env: Mapping[str, str],
        config_vars: Mapping[str, str],
        called: tuple[WorkerRef, CallRef] | None = None,
    ) -> None:
        self._refuse_if_read_only()
        given = tuple(env.items()), tuple(config_vars.items())
        create = first_entry(self._shared, component, name, args, *given, called)
        plugins = self._shared.plugins
        key = WorkerKey(component.name, name)
        with (
            self._loaded.locked(key),
            nullcontext(()) if plugins is None else plugins.ids_for(component.name) as ids,
        ):
            create = create._replace(plugins=ids)
            self._store.create(self._layout.worker_key(*key), create).close()
        if ids and plugins is not None:
            plugins.on_active(key)

    def _exists(self, component_name: str, name: str) -> bool:
        return self._layout.has_worker(component_name, name)

    def _name_in(self, key: str) -> str:
        """The directory's name may be cut short: the manifest says whose it is."""
        try:
            return self._store.created(key).worker_name
        except OplogError:
            return self._layout.guess_worker(key)
