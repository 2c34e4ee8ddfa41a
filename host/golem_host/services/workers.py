"""``host.workers``: every worker of a state directory, by component and name."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from golem_host.component import Component
from golem_host.errors import (
    InvalidRequestError,
    InvocationInterruptedError,
    WorkerExistsError,
    WorkerNotFoundError,
)
from golem_host.services.output import WorkerOutput
from golem_host.signals import InterruptSignal
from golem_host.status import SUSPENDED, fold
from golem_host.storage.layout import StateLayout
from golem_host.worker.parts import Looked, Parts, Shared, View
from golem_host.worker.runner import Runner
from golem_host.worker.worker import Worker
from golem_oplog.entries import Create
from golem_oplog.errors import OplogError
from golem_oplog.reader import OplogReader
from golem_oplog.store import OplogStore

NAME_BYTES_MAX: Final = 512
LOADED_MAX: Final = 1_000
"""Workers whose log is held open; idle ones beyond that are closed, the longest unused first."""


class Workers:
    """Creates, finds and deletes workers; keeps the ones in use loaded."""

    def __init__(
        self, *, store: OplogStore, layout: StateLayout, shared: Shared, read_only: bool
    ) -> None:
        self._store = store
        self._layout = layout
        self._shared = shared
        self._read_only = read_only
        self._lock = threading.RLock()
        self._loaded: OrderedDict[tuple[str, str], Runner] = OrderedDict()
        self._viewed: dict[tuple[str, str], tuple[Looked, OplogReader]] = {}

    def create(
        self,
        component: Component,
        name: str,
        *,
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        config_vars: Mapping[str, str] | None = None,
    ) -> Worker:
        """
        A new worker; its first entry is on disk when this returns.

        Raises:
            WorkerExistsError: The name is taken.
            InvalidRequestError: The name is not 1 to 512 bytes without whitespace and ``/``, or
                begins with ``-``.
        """
        check_worker_name(name)
        with self._lock:
            if self._exists(component.name, name):
                raise WorkerExistsError(component=component.name, worker=name)
            self._create(component, name, args, env or {}, config_vars or {})
        return self._worker(component.name, name)

    def get_or_create(
        self,
        component: Component,
        name: str,
        *,
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        config_vars: Mapping[str, str] | None = None,
    ) -> Worker:
        """The worker of this name; ``args``, ``env`` and ``config_vars`` only for a new one."""
        check_worker_name(name)
        with self._lock:
            if not self._exists(component.name, name):
                self._create(component, name, args, env or {}, config_vars or {})
        return self._worker(component.name, name)

    def get(self, component: Component | str, name: str) -> Worker:
        """
        Raises:
            WorkerNotFoundError: There is none of this name.
        """
        component_name = component if isinstance(component, str) else component.name
        with self._lock:
            if not self._exists(component_name, name):
                raise WorkerNotFoundError(component=component_name, worker=name)
        return self._worker(component_name, name)

    def list(self, component: Component | str | None = None) -> Iterator[Worker]:
        """Workers of one component or of all, sorted; those whose log is damaged are among them."""
        if component is None:
            names = sorted({c.name for c in self._shared.all_components()})
        else:
            names = [component if isinstance(component, str) else component.name]
        for component_name in names:
            for key in self._layout.component_workers(component_name):
                yield self._worker(component_name, self._name_in(key))

    def close(self) -> None:
        with self._lock:
            runners = list(self._loaded.values())
            self._loaded.clear()
            readers = [reader for _, reader in self._viewed.values()]
            self._viewed.clear()
        for reader in readers:
            reader.close()
        # All first, then one after the other: each may hold what another one waits for.
        for runner in runners:
            runner.begin_close()
        for runner in runners:
            runner.close()

    # -- loading ----------------------------------------------------------------------------

    def _worker(self, component_name: str, name: str) -> Worker:
        key = (component_name, name)
        return Worker(
            component_name,
            name,
            view=partial(self._view, key),
            runner=partial(self._runner, key),
            delete=partial(self._delete, key),
            new_key=self._shared.config.random.uuid,
        )

    def _view(self, key: tuple[str, str]) -> View:
        if not self._read_only:
            return self._runner(key).parts
        with self._lock:
            view, reader = self._viewed.get(key) or self._look_at(key)
            # Somebody else writes this log: what was folded may be old.
            if reader.last_index > view.status.last_index:
                view.status.refold(reader.skim)
            return view

    def _look_at(self, key: tuple[str, str]) -> tuple[Looked, OplogReader]:
        if not self._exists(*key):
            raise WorkerNotFoundError(component=key[0], worker=key[1])
        reader = self._store.reader(self._layout.worker_key(*key))
        try:
            status = fold(reader.skim)
        except OplogError:
            reader.close()
            raise
        view = Looked(*key, oplog=reader, status=status, shared=self._shared)
        self._viewed[key] = view, reader
        return view, reader

    def _refuse_if_read_only(self) -> None:
        if self._read_only:
            raise InvalidRequestError(reason="this host was opened for reading only")

    def _runner(self, key: tuple[str, str]) -> Runner:
        self._refuse_if_read_only()
        with self._lock:
            runner = self._loaded.get(key)
            if runner is not None and runner.broken is None:
                self._loaded.move_to_end(key)
                return runner
            if runner is not None:
                # Its log refused an entry: opening it anew recovers what was promised.
                del self._loaded[key]
                runner.close()
            if not self._exists(*key):
                raise WorkerNotFoundError(component=key[0], worker=key[1])
            runner = self._loaded[key] = self._load(*key)
            self._evict()
            return runner

    def _load(self, component_name: str, name: str) -> Runner:
        oplog = self._store.open(self._layout.worker_key(component_name, name))
        try:
            status = fold(oplog.skim)
        except OplogError:
            oplog.close()
            raise
        parts = Parts(
            component_name=component_name,
            worker_name=name,
            oplog=oplog,
            status=status,
            output=WorkerOutput(oplog, self._shared.flusher),
            shared=self._shared,
        )
        runner = Runner(parts)
        if status.status == SUSPENDED and status.suspend and status.suspend.wake_at is not None:
            self._shared.scheduler.at(status.suspend.wake_at, runner.wake)
        return runner

    def _evict(self) -> None:
        if len(self._loaded) <= LOADED_MAX:
            return
        for key, runner in list(self._loaded.items()):
            if not runner.is_active and runner.parts.status.status != SUSPENDED:
                del self._loaded[key]
                runner.close()
                return

    def _create(
        self,
        component: Component,
        name: str,
        args: Sequence[str],
        env: Mapping[str, str],
        config_vars: Mapping[str, str],
    ) -> None:
        self._refuse_if_read_only()
        create = Create(
            timestamp=self._shared.config.clock.unix_ns(),
            component_id=component.id,
            worker_name=name,
            component_version=component.version,
            args=tuple(args),
            env=tuple(env.items()),
            config_vars=tuple(sorted({**dict(component.config_vars), **config_vars}.items())),
            component_size_bytes=component.size_bytes,
            initial_memory_bytes=component.initial_memory_bytes,
        )
        self._store.create(self._layout.worker_key(component.name, name), create).close()

    def _delete(self, key: tuple[str, str]) -> None:
        self._refuse_if_read_only()
        with self._lock:
            if not self._exists(*key):
                raise WorkerNotFoundError(component=key[0], worker=key[1])
            # One that is not in use is not loaded for it: its log may be damaged.
            runner = self._loaded.get(key)
            if runner is not None:
                if runner.is_active and runner.broken is None:
                    runner.interrupt(InterruptSignal())
                del self._loaded[key]
                runner.close()
                runner.ledger.fail_all(InvocationInterruptedError(kind="the worker was deleted"))
            self._store.delete(self._layout.worker_key(*key))

    def _exists(self, component_name: str, name: str) -> bool:
        return self._layout.has_worker(component_name, name)

    def _name_in(self, key: str) -> str:
        """The directory's name may be cut short: the manifest says whose it is."""
        try:
            return self._store.created(key).worker_name
        except OplogError:
            return self._layout.guess_worker(key)


def check_worker_name(name: str) -> None:
    """Source: spec 2.11."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        size = 0
    if (
        not 1 <= size <= NAME_BYTES_MAX
        or name.startswith("-")
        or "/" in name
        or "\0" in name
        or any(c.isspace() for c in name)
    ):
        raise InvalidRequestError(
            reason=f"a worker name is 1 to {NAME_BYTES_MAX} bytes, without whitespace or '/', "
            f"and does not begin with '-': {name!r}"
        )
