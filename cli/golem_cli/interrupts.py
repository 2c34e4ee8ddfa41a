"""
Ctrl-C while a guest runs: the first asks the worker to stop in a way it can continue from, the
second ends this process as if nothing had been said.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType
from typing import Final

REPEAT_S: Final = 0.2
"""A request that comes just before an invocation begins finds nothing to stop: it is repeated."""

_LOG: Final = logging.getLogger(__name__)


class StopRequest:
    """Whether somebody asked for the end, and the thread that passes it on to the worker."""

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt
        self._reachable = False
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._finished = threading.Event()
        self.requested = False

    def request(self) -> None:
        # Called by a signal handler in the middle of anything, so nothing here takes a lock.
        self.requested = True
        self._wake.put(None)

    @contextmanager
    def reaching(self) -> Iterator[None]:
        """While an invocation of this process goes on: nothing else is ever interrupted."""
        self._reachable = True
        try:
            yield
        finally:
            self._reachable = False

    def serve(self) -> None:
        self._wake.get()
        while not self._finished.is_set():
            if self._reachable:
                try:
                    self._interrupt()
                except Exception:  # noqa: BLE001 - the main thread meets the same, and reports it
                    _LOG.debug("interrupting failed", exc_info=True)
            self._finished.wait(REPEAT_S)

    def finish(self) -> None:
        self._finished.set()
        self._wake.put(None)


@contextmanager
def stopping(interrupt: Callable[[], None]) -> Iterator[StopRequest]:
    """
    Within the block the first SIGINT calls `interrupt`, from another thread.

    From then on the system's own handler is in place, so that the second one kills.
    """
    stop = StopRequest(interrupt)
    server = threading.Thread(target=stop.serve, name="golem-host-stop", daemon=True)
    server.start()

    def on_signal(number: int, frame: FrameType | None) -> None:
        del frame
        signal.signal(number, signal.SIG_DFL)
        stop.request()

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
        stop.finish()
        server.join()
