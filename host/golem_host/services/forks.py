"""Workers with the past of other workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from golem_host.errors import InvalidRequestError, WorkerExistsError, WorkerNotFoundError
from golem_host.services.loaded import LoadedWorkers
from golem_host.services.unfinished import NOW, WorkerKey
from golem_host.storage.layout import StateLayout
from golem_host.worker.parts import Shared
from golem_oplog.errors import OplogExistsError
from golem_oplog.store import OplogStore

if TYPE_CHECKING:
    from golem_oplog.sequel import Sequel


class Forks:
    """Forks the logs of one state directory."""

    def __init__(
        self, *, store: OplogStore, layout: StateLayout, shared: Shared, loaded: LoadedWorkers
    ) -> None:
        self._store = store
        self._layout = layout
        self._shared = shared
        self._loaded = loaded

    def fork(
        self,
        source: WorkerKey,
        target: WorkerKey,
        cut: int | None,
        token: str,
        extra: Sequence[Sequel],
    ) -> bool:
        """
        See `golem_host.services.workers.Workers.fork`; the new worker does not go on yet.

        Returns:
            Whether it has never gone on: by the token it may be an earlier fork's.
        """
        if self._is_forked(target, token):
            return cut is not None and self._last_index(target) == cut + len(extra)
        last_index = self._last_index(source)
        if cut is None:
            cut = last_index
        if not 1 <= cut <= last_index:
            raise InvalidRequestError(
                reason=f"cannot fork at index {cut}: the log has entries 1 to {last_index}"
            )
        self._fork(source, target, cut, token, extra)
        return True

    def _last_index(self, worker: WorkerKey) -> int:
        """Of its entries, all on disk now; one that is not in memory is not loaded for this."""
        with self._loaded.locked(worker):
            runner = self._loaded.find(worker)
            if runner is not None:
                runner.parts.oplog.seal()
                return runner.parts.oplog.last_index
            if not self._layout.has_worker(*worker):
                raise WorkerNotFoundError(component=worker.component, worker=worker.worker)
            with self._store.reader(self._layout.worker_key(*worker)) as reader:
                return reader.last_index

    def _is_forked(self, target: WorkerKey, token: str) -> bool:
        """Whether the fork of this token is there already."""
        if not self._layout.has_worker(*target):
            return False
        if not token or self._store.created(self._layout.worker_key(*target)).token != token:
            raise WorkerExistsError(component=target.component, worker=target.worker)
        return True

    def _fork(
        self, source: WorkerKey, target: WorkerKey, cut: int, token: str, extra: Sequence[Sequel]
    ) -> None:
        source_key, target_key = self._layout.worker_key(*source), self._layout.worker_key(*target)
        create = self._store.created(source_key)
        create = create._replace(
            timestamp=self._shared.config.clock.unix_ns(),
            worker_name=target.worker,
            parent=(create.component_id, create.worker_name),
            token=token,
        )
        # First, so that no crash leaves a fork that nobody would set going.
        self._shared.unfinished.mark(target, NOW)
        if self._shared.dirs is not None:
            self._shared.dirs.pass_on(source, target)
        try:
            with self._loaded.locked(target):
                self._store.fork(source_key, target_key, cut, create, extra).close()
        except OplogExistsError:
            raise WorkerExistsError(component=target.component, worker=target.worker) from None
