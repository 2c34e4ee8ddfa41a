"""
The right to run guest code: a bound on busy threads, given back while the host waits.

Nobody waits here without being reachable: a worker that has work gets its thread only together
with a slot, and a thread that takes its slot again after a wait stops waiting when it is told to.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, Protocol

WAITS_MAX: Final = 1_000
"""Threads of one host that wait without a slot, beyond which a worker gives up its instance."""


class _Waiter(Protocol):
    def receive(self) -> bool:
        """Take a slot that has become free; False when it is not wanted any more."""
        ...


class RunSlots:
    """At most ``slots_max`` threads run guest code at the same time; first come, first served."""

    def __init__(self, slots_max: int, waits_max: int = WAITS_MAX) -> None:
        self._lock = threading.Lock()
        self._free = slots_max
        self._waiters: deque[_Waiter] = deque()
        self._waits_max = waits_max
        self._waiting = 0

    def start(self, begin: Callable[[Slot], None]) -> None:
        """
        Call ``begin`` with a slot held as soon as one is free: now, or from the thread that frees
        one.  It must be quick, take no lock, and see to it that the slot is given back.
        """
        starter = _Starter(self, begin)
        if self._take_or_queue(starter):
            starter.receive()

    def slot(self, is_stopped: Callable[[], bool]) -> Slot:
        """A slot that is not held yet."""
        return Slot(self, is_stopped)

    def is_crowded(self) -> bool:
        return self._waiting >= self._waits_max

    def _leave_queue(self, waiter: _Waiter) -> None:
        with self._lock, suppress(ValueError):
            self._waiters.remove(waiter)

    def _take_or_queue(self, waiter: _Waiter) -> bool:
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            self._waiters.append(waiter)
            return False

    def _give(self) -> None:
        """Hand a slot to whoever waits longest and still wants it."""
        while True:
            with self._lock:
                if not self._waiters:
                    self._free += 1
                    return
                waiter = self._waiters.popleft()
            if waiter.receive():
                return

    def _count_wait(self, change: int) -> None:
        with self._lock:
            self._waiting += change


class Slot:
    """One thread's slot.  `held` and `released` belong to that thread, `poke` to any."""

    def __init__(self, slots: RunSlots, is_stopped: Callable[[], bool]) -> None:
        self._slots = slots
        self.is_stopped = is_stopped
        self.held = False
        self._wait = threading.Condition()

    def take(self) -> bool:
        """Wait for a slot; False when the worker was told to stop meanwhile."""
        if self.held:
            return True
        # A ticket per wait: one that was given up must not be taken for a later one.
        ticket = _Ticket(self._wait)
        if self._slots._take_or_queue(ticket):  # noqa: SLF001 - the two halves of one thing
            self.held = True
            return True
        with self._wait:
            self._wait.wait_for(lambda: ticket.is_granted or self.is_stopped())
            # From here on a slot that becomes free goes to somebody else.
            ticket.is_wanted = False
        if not ticket.is_granted:
            self._slots._leave_queue(ticket)  # noqa: SLF001 - the two halves of one thing
        self.held = ticket.is_granted
        return self.held

    def give(self) -> None:
        if self.held:
            self.held = False
            self._slots._give()  # noqa: SLF001 - the two halves of one thing

    def poke(self) -> None:
        """Let a thread that waits here look at whether it should stop."""
        with self._wait:
            self._wait.notify_all()

    @contextmanager
    def released(self) -> Iterator[None]:
        """
        Wait without the slot, then take one again.

        Not held afterwards if the worker was told to stop: then no guest code may run.
        """
        self.give()
        self._slots._count_wait(1)  # noqa: SLF001 - the two halves of one thing
        try:
            yield
        finally:
            self._slots._count_wait(-1)  # noqa: SLF001 - the two halves of one thing
            self.take()

    def is_crowded(self) -> bool:
        return self._slots.is_crowded()


class _Ticket:
    """One wait of a thread for a slot."""

    def __init__(self, wait: threading.Condition) -> None:
        self._wait = wait
        self.is_granted = False
        self.is_wanted = True

    def receive(self) -> bool:
        with self._wait:
            if not self.is_wanted:
                return False
            self.is_granted = True
            self._wait.notify_all()
            return True


class _Starter:
    """Something that begins with a slot of its own."""

    def __init__(self, slots: RunSlots, begin: Callable[[Slot], None]) -> None:
        self._slots = slots
        self._begin = begin

    def receive(self) -> bool:
        slot = self._slots.slot(_never)
        slot.held = True
        try:
            self._begin(slot)
        except BaseException:
            # No thread could be made: it must not keep what it cannot use.
            slot.give()
            raise
        return True


def _never() -> bool:
    return False
