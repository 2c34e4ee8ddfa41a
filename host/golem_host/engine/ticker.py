"""
The clock that lets a running guest be stopped.

Guest code looks at its store only when the engine's epoch has moved, and the look costs a call into
Python.  So the epoch moves only while some running instance is to be killed: with nobody to kill,
the thread sleeps and no guest is disturbed.  One tick would not do, since the guest may be between
its look and setting its next deadline.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from golem_host.engine.context import StoreContext


class Ticker:
    """Moves an engine's epoch while killed instances are still running."""

    def __init__(self, tick: Callable[[], None], tick_ms: int) -> None:
        self._tick = tick
        self._tick_s = tick_ms / 1000
        self._wanted = threading.Condition()
        # By identity: a host's subclass may define equality.
        self._killed: dict[int, StoreContext] = {}
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="golem-host-epoch", daemon=True)
        self._thread.start()

    def press(self, context: StoreContext) -> None:
        with self._wanted:
            self._killed[id(context)] = context
            self._wanted.notify()

    def close(self) -> None:
        """Stop ticking.  Guests that run on can no longer be killed."""
        with self._wanted:
            self._closed = True
            self._wanted.notify()
        self._thread.join()

    def _run(self) -> None:
        with self._wanted:
            while not self._closed:
                # Whoever is not running sees the kill before it enters the guest.
                self._killed = {key: c for key, c in self._killed.items() if c.running}
                if self._killed:
                    self._tick()
                    self._wanted.wait(self._tick_s)
                else:
                    self._wanted.wait()
