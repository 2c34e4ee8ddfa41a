"""What the guests of a server write, shown in one place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from golem_host.worker.worker import Worker


class Outputs:
    """
    Args:
        show: Called with ``stdout`` or ``stderr`` and bytes, from any thread.
        note: Called with a line for people.
    """

    def __init__(self, show: Callable[[str, bytes], None], note: Callable[[str], None]) -> None:
        self.show = show
        self._note = note
        self._lock = threading.Lock()
        self._shown: dict[str, tuple[int, ExitStack]] = {}

    @contextmanager
    def shown(self, worker: Worker) -> Iterator[None]:
        """
        While requests of this worker are under way it is watched, once.

        For no longer: a worker that is watched is not put away.
        """
        self._enter(worker)
        try:
            yield
        finally:
            self._leave(worker.name)

    def _enter(self, worker: Worker) -> None:
        with self._lock:
            count, watching = self._shown.get(worker.name, (0, ExitStack()))
            if count == 0:
                watching.enter_context(
                    worker.attach(self.show, lambda text: self._note(f"{worker.name}: {text}"))
                )
            self._shown[worker.name] = count + 1, watching

    def _leave(self, name: str) -> None:
        with self._lock:
            count, watching = self._shown.pop(name)
            if count > 1:
                self._shown[name] = count - 1, watching
                return
        watching.close()
