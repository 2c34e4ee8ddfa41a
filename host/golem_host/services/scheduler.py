"""
Something to do at a time: one thread and one heap for a whole host.

Nothing is kept here that is not also in a log or in the database; a new host schedules it again.
"""

from __future__ import annotations

import heapq
import logging
import threading
from collections.abc import Callable, Hashable
from typing import Final

from golem_host.services.world import Clock

_LOG: Final = logging.getLogger(__name__)

WAIT_NS_MAX: Final = 60 * 1_000_000_000
"""The thread looks at the clock at least this often: the clock may be set, a laptop may sleep."""


class Scheduler:
    """Calls back from its own thread, which exists only while something is due some time."""

    def __init__(self, clock: Clock, act: Callable[[Hashable], None]) -> None:
        """
        Args:
            clock: The time of day.
            act: Called with the key of what is due.  It must be quick.
        """
        self._clock = clock
        self._act = act
        self._lock = threading.Condition()
        self._due: dict[Hashable, int] = {}
        # May hold times that are no longer meant: only what `_due` says counts.
        self._heap: list[tuple[int, int, Hashable]] = []
        self._number = 0
        self._thread: threading.Thread | None = None
        self._closed = False

    def at(self, key: Hashable, unix_ns: int) -> None:
        """Act on ``key`` once, at or soon after a time; in place of its earlier time, if any."""
        with self._lock:
            if self._closed or self._due.get(key) == unix_ns:
                return
            self._due[key] = unix_ns
            self._number += 1
            heapq.heappush(self._heap, (unix_ns, self._number, key))
            if len(self._heap) > 2 * len(self._due) + 64:
                self._drop_stale()
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="golem-scheduler", daemon=True
                )
                self._thread.start()
            self._lock.notify()

    def forget(self, key: Hashable) -> None:
        with self._lock:
            self._due.pop(key, None)

    def look_again(self) -> None:
        """The clock was set."""
        with self._lock:
            self._lock.notify()

    def close(self) -> None:
        """Forget everything and end the thread."""
        with self._lock:
            self._closed = True
            self._heap.clear()
            self._due.clear()
            self._lock.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _drop_stale(self) -> None:
        self._heap = [item for item in self._heap if self._due.get(item[2]) == item[0]]
        heapq.heapify(self._heap)

    def _run(self) -> None:
        while (found := self._next()) is not None:
            (key,) = found
            try:
                self._act(key)
            except Exception:  # noqa: BLE001 - others wait for this thread as well
                _LOG.exception("a scheduled action failed")

    def _next(self) -> tuple[Hashable] | None:
        with self._lock:
            while self._heap:
                due_ns, _, key = self._heap[0]
                if self._due.get(key) != due_ns:
                    heapq.heappop(self._heap)
                    continue
                wait_ns = due_ns - self._clock.unix_ns()
                if wait_ns <= 0:
                    heapq.heappop(self._heap)
                    del self._due[key]
                    return (key,)
                self._lock.wait(min(wait_ns, WAIT_NS_MAX) / 1e9)
            self._thread = None
            return None
