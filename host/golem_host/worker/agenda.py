"""
What a worker has to do next, and when it goes on by itself.

Used under the runner's lock.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final, NamedTuple

from golem_host.errors import StateDirError
from golem_host.services.unfinished import NOW
from golem_host.status import RETRYING, SUSPENDED
from golem_host.system import THREAD_WAIT_S_MAX
from golem_host.worker.endings import Endings
from golem_host.worker.ledger import Ledger
from golem_host.worker.parts import NS_PER_S, Parts
from golem_host.worker.request import Request

BROKEN_RETRY_NS: Final = 5 * NS_PER_S
"""After this a worker whose log took no more is tried again."""
KEPT_FOR: Final = 10.0
"""How many times ``idle_after_s`` an instance is kept for each second of its rebuilding."""
KEPT_MAX: Final = 60.0
"""And at most how many times: else workers that many call now and then were all kept for good."""


class Rebuild:
    """A piece of work: bring the worker to where its log ends, and on."""


REBUILD: Final = Rebuild()


class _Left(NamedTuple):
    """What is left to do while the worker has no thread."""

    due_ns: int | None
    """Unix time at which it goes on; None where only an event moves it."""
    promise: str | None = None


class Agenda:
    """One worker's."""

    def __init__(self, parts: Parts, ledger: Ledger, ends: Endings) -> None:
        self._parts = parts
        self._ledger = ledger
        self._ends = ends

    def next_task(self, *, has_session: bool) -> Request | Rebuild | None:
        status = self._parts.status
        if (not has_session and status.is_unfinished) or status.pending_update is not None:
            return None if self._retry_is_far() else REBUILD
        return self._ledger.next_due(self._ends.now())

    @property
    def is_unfinished(self) -> bool:
        """Whether there is something to rebuild the worker for."""
        status = self._parts.status
        return status.is_unfinished or status.pending_update is not None

    def has_due(self) -> bool:
        """Whether something in the queue may begin."""
        due_ns = None if self._parts.status.is_unfinished else self._ledger.next_due_ns()
        return due_ns is not None and (due_ns == NOW or due_ns <= self._ends.now())

    def retry_in_ns(self) -> int:
        """How long until the next attempt is due, by the schedule that the log has."""
        return max(self._retry_at() - self._ends.now(), 0)

    def _retry_at(self) -> int:
        """When the next attempt is due."""
        status = self._parts.status
        if status.status != RETRYING or status.error is None:
            return NOW
        return status.error.retry_at or NOW

    def _retry_is_far(self) -> bool:
        """Whether the next attempt is so late that the thread is better given up."""
        return self.retry_in_ns() > self._parts.shared.config.idle_after_s * NS_PER_S

    def idle_s(self, rebuild_s: float) -> float:
        """
        How long to wait for work: not longer than until something in the queue is due.

        Args:
            rebuild_s: Computing that it takes to have the instance again.
        """
        # One that is called every few seconds must not be replayed from its beginning each time.
        idle_after_s = self._parts.shared.config.idle_after_s
        idle_s = min(
            idle_after_s * max(1.0, min(KEPT_FOR * rebuild_s, KEPT_MAX)), THREAD_WAIT_S_MAX
        )
        due_ns = None if self._parts.status.is_unfinished else self._ledger.next_due_ns()
        if due_ns is None:
            return idle_s
        return min(idle_s, max(due_ns - self._ends.now(), 0) / NS_PER_S)

    def mark_active(self) -> None:
        """From now on a crash leaves something to go on with."""
        self._parts.shared.unfinished.mark(self._parts.key, NOW)

    def note_rest(self, *, is_closing: bool) -> None:
        """The worker has no thread: write down when it goes on by itself."""
        left = self._what_is_left()
        shared, key = self._parts.shared, self._parts.key
        if left is None:
            shared.scheduler.forget(key)
            shared.unfinished.clear(key)
            return
        if left.due_ns is not None and not is_closing:
            # Before the row.  Whoever settles a call writes the row first and then schedules: what
            # was replaced here is seen by `rest`, and what finds the row of `rest` comes after.
            shared.scheduler.at(key, left.due_ns)
        if left.promise is None:
            shared.unfinished.mark(key, left.due_ns)
            return
        waits = shared.unfinished.rest(key, left.due_ns, left.promise)
        # One that only stands still for a while goes on after that without being called.
        if not waits and self._ends.parked and not is_closing:
            shared.scheduler.at(key, NOW)

    def note_broken(self, *, is_closing: bool) -> None:
        """Nobody knows what the disk has: look again, at the latest when the next host opens."""
        shared, key = self._parts.shared, self._parts.key
        # The disk that refused an entry may refuse this as well.
        with suppress(StateDirError):
            shared.unfinished.mark(key, NOW)
        if not is_closing:
            shared.scheduler.at(key, self._ends.now() + BROKEN_RETRY_NS)

    def _what_is_left(self) -> _Left | None:
        status = self._parts.status
        if self._ends.interrupted or self._ledger.over() is not None:
            return None
        if status.status == SUSPENDED and status.suspend is not None:
            return _Left(status.suspend.wake_at, status.suspend.promise or None)
        if self.is_unfinished:
            return None if self._ends.parked else _Left(self._retry_at())
        due_ns = min((e.not_before or NOW for _, e in status.pending.values()), default=None)
        return None if due_ns is None else _Left(due_ns)
