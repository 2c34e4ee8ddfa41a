"""Looking at workers whose logs somebody else writes."""

from __future__ import annotations

import threading

from golem_host.errors import WorkerNotFoundError
from golem_host.services.unfinished import WorkerKey
from golem_host.status import fold
from golem_host.storage.layout import StateLayout
from golem_host.worker.parts import Looked, Shared, View
from golem_oplog.errors import OplogError
from golem_oplog.reader import OplogReader
from golem_oplog.store import OplogStore


class Looks:
    """Views of the workers of a host that was opened for reading only."""

    def __init__(self, store: OplogStore, layout: StateLayout, shared: Shared) -> None:
        self._store = store
        self._layout = layout
        self._shared = shared
        self._lock = threading.Lock()
        self._viewed: dict[WorkerKey, tuple[Looked, OplogReader]] = {}

    def view(self, key: WorkerKey) -> View:
        """
        Raises:
            WorkerNotFoundError: There is no such worker.
            OplogError: Its log cannot be read.
        """
        with self._lock:
            view, reader = self._viewed.get(key) or self._look_at(key)
            # Somebody else writes this log: what was folded may be old.
            if reader.last_index > view.status.last_index:
                view.status.refold(reader.skim)
            return view

    def _look_at(self, key: WorkerKey) -> tuple[Looked, OplogReader]:
        if not self._layout.has_worker(*key):
            raise WorkerNotFoundError(component=key.component, worker=key.worker)
        reader = self._store.reader(self._layout.worker_key(*key))
        try:
            status = fold(reader.skim)
        except OplogError:
            reader.close()
            raise
        view = Looked(*key, oplog=reader, status=status, shared=self._shared)
        self._viewed[key] = view, reader
        return view, reader

    def close(self) -> None:
        with self._lock:
            readers = [reader for _, reader in self._viewed.values()]
            self._viewed.clear()
        for reader in readers:
            reader.close()
