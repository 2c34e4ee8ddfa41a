"""
``host.collect()``: removing from a state directory what nothing refers to any more.

===============  =================================================================================
what             is removed where
===============  =================================================================================
blobs            no log refers to them.  Jumped or reverted entries count as well: a fork may go
                 back there
component files  no deployed version has them
promises         the worker that made them is gone
leftovers        a crash came between the files of a log and its manifest
===============  =================================================================================

Workers may run meanwhile: what is stored after the collection has begun is spared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from golem_host.errors import StateDirError
from golem_host.services.components import Components
from golem_host.services.promises import Promises
from golem_host.services.stores.stores import Stores
from golem_host.services.unfinished import WorkerKey
from golem_host.storage.disk import DiskUse, disk_use
from golem_host.storage.layout import StateLayout
from golem_host.worker.runner import RetiredError, Runner
from golem_oplog.blobs import BlobStore
from golem_oplog.errors import OplogError, OplogNotFoundError
from golem_oplog.examine import reachable_blobs
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.protocol import ReadableOplog
from golem_oplog.store import OplogStore


@dataclass(frozen=True, slots=True)
class Removed:
    """How much of one kind."""

    count: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What a collection has removed, or would remove."""

    blobs: Removed
    components: Removed
    promises: Removed
    leftovers: Removed
    kept: str
    """Why no blob was removed; empty where that was not so."""
    before: DiskUse
    after: DiskUse


class Collector:
    """Collects in one state directory, whose owner it belongs to."""

    def __init__(  # noqa: PLR0913 - one for each kind of thing
        self,
        *,
        layout: StateLayout,
        store: OplogStore,
        blobs: BlobStore,
        components: Components,
        promises: Promises,
        stores: Stores,
        find_runner: Callable[[WorkerKey], Runner | None],
        is_scratch: Callable[[str], bool],
    ) -> None:
        """``is_scratch``: whether an instance without a worker runs under that name."""
        self._layout = layout
        self._is_scratch = is_scratch
        self._store = store
        self._blobs = blobs
        self._components = components
        self._promises = promises
        self._stores = stores
        self._find_runner = find_runner

    def collect(self, *, dry_run: bool) -> Collected:
        before = disk_use(self._layout.root)
        promises = self._collect_promises(dry_run=dry_run)
        components = Removed(*self._components.collect_files(dry_run=dry_run))
        blobs, kept = self._collect_blobs(dry_run=dry_run)
        leftovers = self._collect_leftovers(dry_run=dry_run)
        return Collected(
            blobs=blobs,
            components=components,
            promises=promises,
            leftovers=leftovers,
            kept=kept,
            before=before,
            after=disk_use(self._layout.root),
        )

    def _collect_promises(self, *, dry_run: bool) -> Removed:
        is_worker = self._worker_finder()
        count = size_bytes = 0
        for promise in self._promises.list():
            if is_worker(promise.id.component_id, promise.id.worker_name):
                continue
            count += 1
            size_bytes += promise.size_bytes
            if not dry_run:
                self._promises.delete(promise.id)
        return Removed(count, size_bytes)

    def _collect_leftovers(self, *, dry_run: bool) -> Removed:
        """Of crashes, and in the stores; what guests have stored stays."""
        found = self._store.sweep(dry_run=dry_run)
        unused = self._stores.collect(dry_run=dry_run, is_worker=self._worker_finder())
        return Removed(found[0] + unused[0], found[1] + unused[1])

    def _worker_finder(self) -> Callable[[str, str], bool]:
        """Says whether there is a worker, by the id of its component and its name."""
        names: dict[str, str | None] = {}

        def is_worker(component_id: str, worker: str) -> bool:
            if component_id not in names:
                names[component_id] = self._components.name_of(component_id)
            name = names[component_id]
            is_kept = name is not None and self._layout.has_worker(name, worker)
            return is_kept or self._is_scratch(worker)

        return is_worker

    def _collect_blobs(self, *, dry_run: bool) -> tuple[Removed, str]:
        self._blobs.start_sweep()
        try:
            reachable = self._reachable()
        except OplogError as error:
            # Nobody knows what a damaged log refers to: another look may still rescue it.
            self._blobs.abandon_sweep()
            return Removed(), str(error)
        except BaseException:
            self._blobs.abandon_sweep()
            raise
        return Removed(*self._blobs.finish_sweep(reachable, dry_run=dry_run)), ""

    def _reachable(self) -> set[bytes]:
        """
        The blobs of all logs.

        A worker may be forked, and its source deleted, before the source is read.  The fork is in
        the next list then, so logs are listed until there is no new one.
        """
        reachable: set[bytes] = set()
        read: set[str] = set()
        while unread := set(self._store.list()) - read:
            for directory in unread:
                try:
                    with self._opened(directory) as log:
                        reachable |= reachable_blobs(log)
                except OplogNotFoundError:
                    pass  # Deleted meanwhile.
            read |= unread
        return reachable

    def _opened(self, directory: str) -> AbstractContextManager[ReadableOplog]:
        """A log; through its writer where it has one, which knows what is not on disk yet."""
        create = self._store.created(directory)
        name = self._components.name_of(create.component_id)
        if name is not None:
            runner = self._find_runner(WorkerKey(name, create.worker_name))
            if runner is not None:
                return self._held(runner, directory)
        return self._store.reader(directory)

    @contextmanager
    def _held(self, runner: Runner, directory: str) -> Iterator[ReadableOplog]:
        with ExitStack() as stack:
            log: ReadableOplog
            try:
                log = stack.enter_context(runner.held()).oplog
            except (RetiredError, StateDirError):
                # Put away just now: everything is on disk.
                log = stack.enter_context(self._store.reader(directory))
            yield log
