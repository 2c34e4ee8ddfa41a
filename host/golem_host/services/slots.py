"""The right to run guest code: a bound on busy threads, given back while the host waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class RunSlots:
    """At most ``slots_max`` threads run guest code at the same time."""

    def __init__(self, slots_max: int) -> None:
        self._semaphore = threading.BoundedSemaphore(slots_max)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Run with a slot; waits for one."""
        with self._semaphore:
            yield

    @contextmanager
    def released(self) -> Iterator[None]:
        """Wait without the slot that this thread holds, then take one again."""
        self._semaphore.release()
        try:
            yield
        finally:
            self._semaphore.acquire()
