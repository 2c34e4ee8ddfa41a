"""Events that are set when something with a name happens."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class Waking:
    """Who waits in memory, by the name of what for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[Hashable, list[threading.Event]] = {}

    def __len__(self) -> int:
        """How many names are waited for."""
        return len(self._events)

    @contextmanager
    def waking(self, name: Hashable, event: threading.Event) -> Iterator[None]:
        """While this lasts, `ring` of the name sets the event."""
        with self._lock:
            self._events.setdefault(name, []).append(event)
        try:
            yield
        finally:
            with self._lock:
                waiters = self._events[name]
                waiters.remove(event)
                if not waiters:
                    del self._events[name]

    def names(self) -> list[Hashable]:
        with self._lock:
            return list(self._events)

    def ring(self, name: Hashable) -> None:
        with self._lock:
            for event in self._events.get(name, ()):
                event.set()
