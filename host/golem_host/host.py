"""The host of one state directory."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from golem_host.config import HostConfig
from golem_host.dispatch import Dispatcher
from golem_host.engine import Engine, EngineConfig
from golem_host.errors import InvalidRequestError, StateDirError, os_reason
from golem_host.interfaces.offered import registry
from golem_host.net import lingering
from golem_host.net.access import WorkerGrants
from golem_host.net.http.client import HttpClient
from golem_host.rest.control import ControlSocket
from golem_host.services.collect import Collected, Collector
from golem_host.services.components import Components
from golem_host.services.local_peers import LocalPeers
from golem_host.services.once import OneTimeCalls
from golem_host.services.output import OutputFlusher
from golem_host.services.plugins import Plugins
from golem_host.services.promises import Promises
from golem_host.services.results import Results
from golem_host.services.scheduler import Scheduler
from golem_host.services.slots import RunSlots
from golem_host.services.stores.stores import Stores
from golem_host.services.unfinished import Unfinished
from golem_host.services.worker_dirs import WorkerDirs
from golem_host.services.workers import Workers
from golem_host.storage.database import Database
from golem_host.storage.layout import StateLayout, default_cache_dir
from golem_host.storage.lock import StateLock
from golem_host.system import boot_id
from golem_host.worker.parts import Shared
from golem_oplog.blobs import BlobStore
from golem_oplog.closing import ClosesOnExit
from golem_oplog.files import OsFiles
from golem_oplog.log import SegmentedOplog
from golem_oplog.store import MakeLog, OplogStore

if TYPE_CHECKING:
    from golem_host.services.deliveries import Deliveries


class Host(ClosesOnExit):
    """
    Owns a state directory from `open` to `close`; use it as a context manager.

    Attributes:
        components: Deployed components.
        workers: Their workers.
        promises: What workers wait for and anybody may complete.
        plugins: Components that are given what others write to their logs.
    """

    components: Components
    workers: Workers
    promises: Promises
    plugins: Plugins

    def __init__(
        self, root: Path, config: HostConfig, resources: ExitStack, *, read_only: bool
    ) -> None:
        self._config = config
        self._resources = resources
        self._engine: Engine | None = None
        self._engine_lock = threading.Lock()
        layout = StateLayout(root)
        files = OsFiles()
        database = Database(layout.database, read_only=read_only)
        resources.callback(database.close)
        self.components = Components(
            database=database,
            layout=layout,
            files=files,
            engine=self._get_engine,
            dispatcher=Dispatcher(registry(config.interfaces)),
            clock=config.clock,
            random=config.random,
        )
        blobs = BlobStore(layout.blobs, files, config.sync_level)
        self.promises = promises = Promises(database, config.clock)
        self.plugins = plugins = Plugins(database, self.components, config.clock, config.random)
        scheduler = Scheduler(config.clock, self._due)
        unfinished = Unfinished(database, boot_id())
        results = Results(unfinished, scheduler)
        flusher = OutputFlusher()
        http = self._http_client()
        stores = Stores(layout.stores, config.clock, config.stores_bytes_max, config.sync_level)
        resources.callback(stores.close)

        def share(workers: Workers) -> Shared:
            shared = Shared(
                config=config,
                slots=RunSlots(config.threads_max),
                scheduler=scheduler,
                flusher=flusher,
                unfinished=unfinished,
                promises=promises,
                results=results,
                find_component=self.components.by_id,
                all_components=self.components.all,
                link=self.components.linked,
                hub=workers,
                peers=LocalPeers(workers, self.components, promises, results),
                grants=WorkerGrants(config.net),
                locate_file=self.components.locate_file,
                dirs=WorkerDirs(database),
                scratch=layout.scratch,
                http=http,
                stores=stores,
                plugins=plugins,
            )
            self.once = OneTimeCalls(shared)
            return shared

        store = OplogStore(
            layout.workers,
            files,
            config.sync_level,
            blobs,
            self._log_maker(),
        )
        self.workers = Workers(store=store, layout=layout, share=share, read_only=read_only)
        self._collector = Collector(
            layout=layout,
            store=store,
            blobs=blobs,
            components=self.components,
            promises=promises,
            stores=stores,
            find_runner=self.workers.find_runner,
            is_scratch=self.once.runs,
        )
        self._scheduler, self._unfinished = scheduler, unfinished
        self._databases = (database, stores)
        self._deliveries: Deliveries | None = None
        self._deliveries_lock = threading.Lock()
        self._is_closing = False
        if not read_only:
            plugins.workers = self.workers
            plugins.on_active = lambda key: self._get_deliveries().note(key)
            plugins.on_uninstalled = lambda plugin: self._get_deliveries().forget(plugin)
            plugins.problem_of = lambda plugin: self._get_deliveries().problem(plugin)
        self._read_only = read_only
        # Closed in the opposite order: workers first, then what they use.
        resources.callback(self._close_engine)
        resources.callback(flusher.close)
        resources.callback(http.close)
        resources.callback(lingering.wait)
        resources.callback(self.workers.close)
        resources.callback(self.once.close)
        resources.callback(scheduler.close)
        resources.callback(self._close_deliveries)

    @classmethod
    def open(
        cls,
        state_dir: str | Path,
        config: HostConfig | None = None,
        *,
        read_only: bool = False,
        revive: bool = True,
    ) -> Self:
        """
        Take ownership of a state directory, made if it is not there.

        Args:
            state_dir: The directory.
            config: Settings.
            read_only: Nothing is locked, made or run: components and workers can be looked at,
                also while another process owns them.
            revive: Let workers go on that an earlier host left running, waiting, or about to be
                tried again.  Without it each goes on when it is resumed or invoked.

        Raises:
            StateDirLockedError: Another process owns it; ``pid`` names it.
            StateDirError: It cannot be used.
        """
        root = Path(state_dir).absolute()
        with ExitStack() as stack:
            lock = None
            if not read_only:
                _make_directories(root)
                lock = stack.enter_context(StateLock(StateLayout(root).lock))
            host = cls(root, config or HostConfig(), stack, read_only=read_only)
            if lock is not None and host._config.control_socket:
                stack.enter_context(ControlSocket(host, StateLayout(root), lock))
            host._resources = stack.pop_all()
        if revive and not read_only:
            host.workers.revive()
            if host.plugins.list():
                host._get_deliveries().revive()
        return host

    def collect(self, *, dry_run: bool = False) -> Collected:
        """
        Remove what nothing refers to any more; workers may run meanwhile.

        With ``dry_run`` it is only counted.  Every log is read for it.

        Raises:
            InvalidRequestError: The host was opened for reading only.
            OplogWriteError: The disk refused; what was removed is gone.
        """
        if self._read_only:
            raise InvalidRequestError(reason="this host was opened for reading only")
        return self._collector.collect(dry_run=dry_run)

    def close(self) -> None:
        """End every worker's thread, as a crash would, and let go of the directory."""
        self._resources.close()

    # What `golem_host.testing` puts something else in place of.

    def _make_engine(self, config: EngineConfig) -> Engine:
        return Engine(config)

    def _http_client(self) -> HttpClient:
        return HttpClient(self._config.tls_ca_file)

    def _log_maker(self) -> MakeLog:
        return SegmentedOplog

    def _due(self, key: object) -> None:
        self.workers.wake(key)

    def _get_deliveries(self) -> Deliveries:
        """Made on first use: most hosts have no plugin."""
        from golem_host.services.deliveries import Deliveries  # noqa: PLC0415 - start-up

        with self._deliveries_lock:
            if self._deliveries is None:
                self._deliveries = Deliveries(self.workers, self.components, self.plugins)
                if self._is_closing:
                    self._deliveries.close()
            return self._deliveries

    def _close_deliveries(self) -> None:
        with self._deliveries_lock:
            self._is_closing = True
            deliveries = self._deliveries
        if deliveries is not None:
            deliveries.close()

    def _get_engine(self) -> Engine:
        """Made on first use: listing and dumping need none."""
        with self._engine_lock:
            if self._engine is None:
                cache = self._config.cache_dir or default_cache_dir()
                self._engine = self._make_engine(
                    EngineConfig(
                        cache_dir=cache / "compiled", memory_bytes_max=self._config.memory_bytes_max
                    )
                )
            return self._engine

    def _close_engine(self) -> None:
        if self._engine is not None:
            self._engine.close()


def _directories(layout: StateLayout) -> tuple[Path, ...]:
    return layout.root, layout.workers, layout.blobs, layout.components, layout.scratch


def _make_directories(root: Path) -> None:
    try:
        for directory in _directories(StateLayout(root)):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StateDirError(path=str(root), reason=os_reason(error)) from error


assert os.name == "posix", "golem-host runs on Linux and macOS"
