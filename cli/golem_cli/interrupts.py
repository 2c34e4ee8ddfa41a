"""
Ctrl-C while a guest runs: the first asks the worker to stop in a way it can continue from, the
second ends this process as if it had crashed.

Python runs signal handlers on the main thread, and only when that comes round to it; one that
waits without a timeout may never do so.  So calls are made by a thread of their own, and the
main thread waits in short turns.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Final, Generic, TypeVar

T = TypeVar("T")

TURN_S: Final = 0.2
STOP_TURNS_MAX: Final = 10
"""How often a worker is asked to stop before its log is left as a crash would leave it."""


class _Attempt(Generic[T]):
    """A call on its way, and what has become of it."""

    def __init__(self, call: Callable[[], T], wake: Callable[[], None]) -> None:
        self._call = call
        self._wake = wake
        self._value: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="golem-host-call", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value.append(self._call())
        except BaseException as error:  # noqa: BLE001 - raised again where the call is waited for
            self._error = error
        self._wake()

    @property
    def is_over(self) -> bool:
        return bool(self._value) or self._error is not None

    def outcome(self) -> T:
        if self._error is not None:
            raise self._error
        return self._value[0]


class StopRequest:
    """Whether somebody asked for the end."""

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt
        self._inbox: SimpleQueue[None] = SimpleQueue()
        self.requested = False

    def request(self) -> None:
        """Ask for the end, from any thread and from a signal handler: this takes no lock."""
        self.requested = True
        self._inbox.put(None)

    def attend(self, call: Callable[[], T], stopped: Callable[[], BaseException]) -> T:
        """
        The outcome of a call; main thread only.

        On request the worker is interrupted.  If that leaves the call without an outcome (it had
        not begun), what `stopped` makes is raised.
        """
        attempt = _Attempt(call, lambda: self._inbox.put(None))
        turns = 0
        while not attempt.is_over:
            with suppress(Empty):
                self._inbox.get(timeout=TURN_S)
            if self.requested and not attempt.is_over:
                if turns == STOP_TURNS_MAX:
                    raise stopped()
                turns += 1
                self._pass_on()
        return attempt.outcome()

    def _pass_on(self) -> None:
        # Asked for again each turn: what is not yet begun cannot be stopped yet.
        try:
            self._interrupt()
        except Exception:
            # The call meets the same, and that is reported.
            import logging

            logging.getLogger(__name__).debug("interrupting failed", exc_info=True)


@contextmanager
def stopping(interrupt: Callable[[], None]) -> Iterator[StopRequest]:
    """
    Within the block the first SIGINT is a request to stop.

    From then on the system's own handler is in place, so that the second one kills.
    """
    stop = StopRequest(interrupt)

    def on_signal(number: int, frame: FrameType | None) -> None:
        del frame
        signal.signal(number, signal.SIG_DFL)
        stop.request()

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
