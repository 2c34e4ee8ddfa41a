"""What an earlier host left unfinished, and what waits for an event, goes on."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet

from golem_host.services.calls import CallRef
from golem_host.services.loaded import LoadedWorkers
from golem_host.services.unfinished import NOW, Unfinished, WorkerKey
from golem_host.storage.layout import StateLayout
from golem_host.worker.parts import Shared
from golem_oplog.errors import OplogError


class Revival:
    """
    Wakes workers.

    Args:
        layout: Where their directories are.
        shared: What they share.
        loaded: Those in memory.
        name_in: The name of the worker of a directory.
    """

    def __init__(
        self,
        *,
        layout: StateLayout,
        shared: Shared,
        loaded: LoadedWorkers,
        name_in: Callable[[str], str],
    ) -> None:
        self._layout = layout
        self._shared = shared
        self._loaded = loaded
        self._name_in = name_in
        shared.promises.on_completed = self._promise_completed

    def revive(self) -> None:
        """Let everything go on that an earlier host left unfinished, now or at its time (R14)."""
        unfinished, now = self._shared.unfinished, self._shared.config.clock.unix_ns()
        if not unfinished.is_trusted():
            self._index_all(unfinished)
            unfinished.trust()
        left = unfinished.all()
        busy = {waiting.key for waiting in left}
        for waiting in left:
            if not self._layout.has_worker(*waiting.key):
                # Its fork came to nothing, or a crash came between its log and this row.
                unfinished.clear(waiting.key)
                continue
            settled = waiting.promise and self._is_settled(waiting.promise, busy)
            if settled or (waiting.due_ns is not None and waiting.due_ns <= now):
                self._loaded.wake(waiting.key)
            elif waiting.due_ns is not None:
                self._shared.scheduler.at(waiting.key, waiting.due_ns)

    def _is_settled(self, awaited: str, busy: AbstractSet[WorkerKey]) -> bool:
        """
        Whether who waits for this has to look.

        A called worker that has something left to do tells its callers by itself: see `Results`.
        """
        calls = CallRef.parse_all(awaited)
        if not calls:
            return self._shared.promises.is_settled(awaited)
        peers = self._shared.peers
        names = [peers.component_name_of(call.worker.component_id) for call in calls]
        return any(
            name is None or WorkerKey(name, call.worker.worker_name) not in busy
            for name, call in zip(names, calls, strict=True)
        )

    def _index_all(self, unfinished: Unfinished) -> None:
        """A worker with nothing to do is found out when it is woken, and forgotten again."""
        for component in {c.name for c in self._shared.all_components()}:
            for directory in self._layout.component_workers(component):
                try:
                    unfinished.mark(WorkerKey(component, self._name_in(directory)), NOW)
                except OplogError:
                    continue  # Damaged: shown where workers are listed.

    def _promise_completed(self, promise: object) -> None:
        """R10: whoever waits goes on, whoever completed it."""
        for key in self._shared.unfinished.waiting_for(str(promise)):
            self._loaded.wake(key)
