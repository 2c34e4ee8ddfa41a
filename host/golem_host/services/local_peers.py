"""The host as one of its own workers may use it: `Peers` over `Workers` and `Components`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING

from golem_host.errors import ComponentNotFoundError, InvalidRequestError, WorkerNotFoundError
from golem_host.services.peers import WorkerRef, shown
from golem_host.services.unfinished import WorkerKey
from golem_host.worker.runner import on_runner
from golem_host.worker.surgery import revert, update
from golem_oplog.protocol import ReadableOplog
from golem_oplog.sequel import Sequel

if TYPE_CHECKING:
    from golem_host.services.components import Components
    from golem_host.services.local_calls import LocalCalls
    from golem_host.services.promises import Promises
    from golem_host.services.results import Results
    from golem_host.services.workers import Workers
    from golem_host.worker.metadata import WorkerMetadata


class LocalPeers:
    """See `Peers`."""

    def __init__(
        self, workers: Workers, components: Components, promises: Promises, results: Results
    ) -> None:
        self._workers = workers
        self._components = components
        self._results = results
        self.promises = promises
        self._making = threading.Lock()
        self._calls: LocalCalls | None = None

    @cached_property
    def calls(self) -> LocalCalls:
        # Few hosts have workers that call each other.
        from golem_host.services.local_calls import LocalCalls  # noqa: PLC0415 - start-up

        with self._making:
            # One for all threads: what it knows of circles is nowhere else.
            if self._calls is None:
                self._calls = LocalCalls(self._workers, self._components, self._results)
            return self._calls

    def metadata(self, worker: WorkerRef) -> WorkerMetadata | None:
        key = self._find(worker)
        return None if key is None else self._workers.metadata(key)

    def log(self, worker: WorkerRef) -> AbstractContextManager[tuple[ReadableOplog, int]]:
        return self._workers.log(self._existing(worker))

    def page(self, component_id: str, cursor: str, count: int) -> tuple[list[WorkerMetadata], str]:
        name = self._components.name_of(component_id)
        if name is None:
            raise ComponentNotFoundError(component=component_id)
        return self._workers.page(name, cursor, count)

    def exists(self, worker: WorkerRef) -> bool:
        key = self._find(worker)
        return key is not None and self._workers.exists(key)

    def component_id_of(self, reference: str) -> str | None:
        return self._components.id_of(reference)

    def component_name_of(self, component_id: str) -> str | None:
        return self._components.name_of(component_id)

    def fork(
        self, source: WorkerRef, target: WorkerRef, cut: int, token: str, extra: Sequence[Sequel]
    ) -> None:
        if target.component_id != source.component_id:
            raise InvalidRequestError(reason="a fork has the same component as its source")
        key = self._existing(source)
        self._workers.fork(key, target.worker_name, cut, token=token, extra=extra)

    def revert(
        self,
        worker: WorkerRef,
        *,
        to_index: int | None,
        last_invocations: int | None,
        token: str,
        check_kill: Callable[[], None],
    ) -> None:
        key = self._existing(worker)
        on_runner(
            lambda: self._workers.runner(key),
            lambda runner: revert(
                runner,
                to_index=to_index,
                last_invocations=last_invocations,
                token=token,
                check=check_kill,
            ),
        )

    def update(self, worker: WorkerRef, version: int, mode: str, token: str) -> None:
        key = self._existing(worker)
        on_runner(
            lambda: self._workers.runner(key),
            lambda runner: update(runner, version, mode, token),
        )

    def _find(self, worker: WorkerRef) -> WorkerKey | None:
        name = self._components.name_of(worker.component_id)
        return None if name is None else WorkerKey(name, worker.worker_name)

    def _existing(self, worker: WorkerRef) -> WorkerKey:
        key = self._find(worker)
        if key is None or not self._workers.exists(key):
            raise WorkerNotFoundError(
                component=worker.component_id if key is None else key.component,
                worker=shown(worker.worker_name),
            )
        return key
