"""
Something to do at a time: one thread and one heap for a whole host.

Nothing is kept here that is not also in a log or in the database; a new host schedules it again.
"""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Callable
from typing import Final

from golem_host.services.world import Clock

_LOG: Final = logging.getLogger(__name__)

WAIT_NS_MAX: Final = 60 * 1_000_000_000
"""The thread looks at the clock at least this often: the clock may be set, a laptop may sleep."""


class Scheduler:
    """Calls back from its own thread, which exists only while something is due some time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Condition()
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._number = 0
        self._thread: threading.Thread | None = None
        self._closed = False

    def at(self, unix_ns: int, action: Callable[[], None]) -> None:
        """Call ``action`` once, at or soon after a time.  It must be quick."""
        with self._lock:
            if self._closed:
                return
            self._number += 1
            heapq.heappush(self._heap, (unix_ns, self._number, action))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="golem-scheduler", daemon=True
                )
                self._thread.start()
            self._lock.notify()

    def close(self) -> None:
        """Forget everything and end the thread."""
        with self._lock:
            self._closed = True
            self._heap.clear()
            self._lock.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while (action := self._next()) is not None:
            try:
                action()
            except Exception:  # noqa: BLE001 - others wait for this thread as well
                _LOG.exception("a scheduled action failed")

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            while self._heap:
                wait_ns = self._heap[0][0] - self._clock.unix_ns()
                if wait_ns <= 0:
                    return heapq.heappop(self._heap)[2]
                self._lock.wait(min(wait_ns, WAIT_NS_MAX) / 1e9)
            self._thread = None
            return None
