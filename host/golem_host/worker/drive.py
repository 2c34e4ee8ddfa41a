"""
A worker's thread, there while it has something to do, and what it does.

It takes one piece of work after another: finish what the log says is unfinished, then the queue.
Everything that concerns guest code happens on it; `golem_host.worker.runner` is the side of the
callers, and both work on the state that is kept here, under `Drive.lock`.

Source: spec 5.3, 5.6, 6.1 and 6.8.
"""

from __future__ import annotations

import logging
import threading
from typing import Final

from golem_host.context import InstanceContext
from golem_host.errors import (
    InvalidRequestError,
    InvocationLostError,
    ParamTypeMismatchError,
    StateDirError,
)
from golem_host.services.slots import Slot
from golem_host.signals import InterruptSignal
from golem_host.status import RUNNING, SUSPENDED
from golem_host.status_records import PendingUpdateAt
from golem_host.system import THREAD_WAIT_S_MAX, thread_cpu_s
from golem_host.worker import outcome as ends
from golem_host.worker.agenda import Agenda
from golem_host.worker.endings import Endings
from golem_host.worker.ledger import Ledger
from golem_host.worker.parts import NS_PER_S, Parts
from golem_host.worker.rebuild import build_session, outcome_of_attempt, save_snapshot
from golem_host.worker.request import Request
from golem_host.worker.session import Session

_LOG: Final = logging.getLogger(__name__)


class GiveUpSignal(InterruptSignal):
    """An interrupt on behalf of one caller: it concerns no other invocation."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        self.request = request


class Drive:
    """One worker's; any thread may use what has no underscore, under the lock."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.lock = threading.Condition(threading.RLock())
        self.ledger = Ledger(parts)
        self.ends = Endings(parts, self.ledger, self.lock)
        self.agenda = Agenda(parts, self.ledger, self.ends)
        self.thread: threading.Thread | None = None
        self.is_starting = False
        """Whether a thread comes as soon as a slot is free."""
        self.stop: InterruptSignal | None = None
        """What the thread has to end with next."""
        self.pauses = 0
        """How many wait for it to stand still, or use that."""
        self.is_closing = False
        self.is_retired = False
        self._slot: Slot | None = None
        self._session: Session | None = None
        self._built_from_s = 0.0
        """Where the thread's computing stood before it built the session."""
        self._update: PendingUpdateAt | None = None
        """What the session was built to bring about."""
        self._is_resting = False

    # -- for the side of the callers ----------------------------------------------------------

    @property
    def is_usable(self) -> bool:
        return not (self.is_closing or self.is_retired or self.ends.broken is not None)

    @property
    def is_active(self) -> bool:
        return self.thread is not None or (self.is_starting and self.is_usable)

    def start(self) -> None:
        """See to it that a thread comes, unless there is one or the worker has to stand still."""
        if self.thread is not None or self.is_starting or self.pauses:
            return
        self.agenda.mark_active()
        self.is_starting = True
        try:
            self.parts.shared.slots.start(self._begin_thread)
        except BaseException:
            self.is_starting = False
            raise

    def poke(self) -> None:
        """Reach a guest that runs, a host call that waits, or a thread between two of them."""
        if self._session is not None:
            self._session.context.kill = self.stop
            self._session.context.wake.set()
        if self._slot is not None:
            self._slot.poke()
        self.lock.notify_all()

    @property
    def resting(self) -> InstanceContext | None:
        """The idle instance's, if there is one: it stays as it is while the lock is held."""
        if self._session is None or not self._is_resting or self._session.is_ephemeral:
            return None
        return self._session.context

    @property
    def waits_until_ns(self) -> int | None:
        session = self._session
        return None if session is None else session.context.wake.until_ns

    def note_rest(self) -> None:
        try:
            if self.ends.broken is None:
                self.agenda.note_rest(is_closing=self.is_closing)
                return
        except StateDirError as error:
            self.ends.break_off(error)
        self.agenda.note_broken(is_closing=self.is_closing)

    # -- the thread ---------------------------------------------------------------------------

    def _begin_thread(self, slot: Slot) -> None:
        name = f"golem-worker-{self.parts.label}"
        threading.Thread(target=self.run_on, args=(slot,), name=name, daemon=True).start()

    def run_on(self, slot: Slot) -> None:
        """Work in this thread, which holds a slot, until there is nothing to do."""
        try:
            if not self._adopt(slot):
                return
            while self._work():
                pass
        except BaseException as error:  # noqa: BLE001 - reported below, to log and callers
            # A fault of the host itself: whoever waits must learn of it.
            _LOG.exception("worker thread failed", extra={"worker": self.parts.label})
            # What memory says of it may be wrong by now; its log is opened anew.
            self.ends.break_off(error)
        finally:
            try:
                with self.lock:
                    # A thread that ended for lack of work may have a successor already.
                    if self.thread is threading.current_thread():
                        self._end_thread()
                    self.lock.notify_all()
            finally:
                slot.give()
        if self.parts.status.status == SUSPENDED:
            self.parts.shared.hub.retire(self.parts.key)

    def _adopt(self, slot: Slot) -> bool:
        with self.lock:
            self.is_starting = False
            if self.thread is not None or not self.is_usable:
                return False
            self.thread = threading.current_thread()
            self._slot = slot
            slot.is_stopped = self._must_stop
            return True

    def _end_thread(self) -> None:
        self._drop_session()
        self.thread = self._slot = self.stop = None
        self.lock.notify_all()
        if not self.is_retired:
            self.note_rest()

    def _work(self) -> bool:
        """One piece of work; False when the thread should end."""
        with self.lock:
            stop = None if self.is_closing or self.ends.broken is not None else self.stop
            if stop is None and not self._may_go_on():
                # Under the lock that `wake` takes: whoever comes now starts a new thread.
                self._end_thread()
                return False
            task = (
                None
                if stop is not None
                else self.agenda.next_task(has_session=self._session is not None)
            )
        if stop is not None:
            self._end(ends.outcome_of(stop), None, stop)
            return True
        if task is None:
            return self._wait_for_work()
        request = task if isinstance(task, Request) else None
        assert self._slot is not None
        if self._slot.take():
            self._attempt(request)
        elif request is not None:
            self._put_back(request)
        return True

    def _may_go_on(self) -> bool:
        return self.is_usable and not (self.ends.parked or self.pauses)

    def _wait_for_work(self) -> bool:
        assert self._slot is not None
        self._slot.give()
        # A replay computes what was computed since, and waits for nothing.
        rebuild_s = 0.0 if self._session is None else thread_cpu_s() - self._built_from_s
        with self.lock:
            self._is_resting = True
            self.lock.wait_for(self._has_work, timeout=self.agenda.idle_s(rebuild_s))
            self._is_resting = False
            if not self._has_work():
                # Under the lock that `wake` takes: a request that comes now starts a new thread.
                self._end_thread()
                return False
        return True

    def _has_work(self) -> bool:
        return self._must_stop() or not self._may_go_on() or self.agenda.has_due()

    # -- attempts -----------------------------------------------------------------------------

    def _attempt(self, request: Request | None) -> None:
        first_index = self.parts.oplog.last_index + 1
        try:
            if request is None:
                # What the instance was built for is over: another version comes next.
                self._drop_session()
            if self._session is None:
                self._wait_until_due()
                self._catch_up(self._build())
            if request is not None and not request.done:
                self._run(request)
        except BaseException as raised:  # noqa: BLE001 - every end of an attempt is classified
            self._drop_session()
            stop = raised if isinstance(raised, InterruptSignal) else None
            outcome = outcome_of_attempt(self.parts, raised, first_index, self._update)
            self._end(outcome, request, stop)

    def _build(self) -> Session:
        assert self._slot is not None
        self._update = self.parts.status.pending_update
        self._built_from_s = thread_cpu_s()
        session = build_session(
            self.parts, self._slot, self.ends.is_last_attempt, self._completed, self._update
        )
        with self.lock:
            # From here on `interrupt` reaches the guest through the context.
            self._session = session
            if self.stop is not None:
                session.context.kill = self.stop
            if self.parts.status.is_unfinished:
                self.parts.status.status = RUNNING
        return session

    def _catch_up(self, session: Session) -> None:
        status = self.parts.status
        abandoned = status.running if session.is_ephemeral and status.is_unfinished else None
        try:
            session.catch_up()
        finally:
            if abandoned is not None and status.running is None:
                self.parts.oplog.commit()
                with self.lock:
                    self.ledger.fail(abandoned.key, InvocationLostError())
        self.parts.output.flush()

    def _run(self, request: Request) -> None:
        session = self._session
        assert session is not None
        if request.target_version is not None:
            save_snapshot(self.parts, session, request)
            with self.lock:
                self.ledger.forget(request.key)
            self._drop_session()
            return
        try:
            session.check(request)
        except (InvalidRequestError, ParamTypeMismatchError) as error:
            self.ends.refuse(request, error)
            return
        session.run(request)
        if session.is_ephemeral:
            self._drop_session()

    def _completed(self, key: str, payload: bytes | None) -> None:
        self.parts.output.flush()
        with self.lock:
            self.ledger.settle(key, payload)

    def _drop_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _end(
        self, outcome: ends.Outcome, request: Request | None, stop: InterruptSignal | None
    ) -> None:
        """
        Append what the end of an attempt means, and answer whom it concerns.

        Only the ``stop`` that caused it is done with; one that has come meanwhile is next.
        """
        self._drop_session()
        if request is not None and not request.done and not self._is_running(request):
            self._put_back(request)
        if isinstance(stop, GiveUpSignal) and not self.parts.status.is_unfinished:
            # It was done just before, or had not begun: the others are not concerned.
            outcome = ends.Again()
            with self.lock:
                self.ledger.withdraw(stop.request)
        self.ends.carry_out(outcome)
        with self.lock:
            if self.stop is stop:
                self.stop = None
            self.lock.notify_all()

    def _put_back(self, request: Request) -> None:
        with self.lock:
            self.ledger.put_back(request)

    def _wait_until_due(self) -> None:
        """Keep to the schedule of retries, also across restarts of the host."""
        if self.agenda.retry_in_ns() <= 0:
            return
        assert self._slot is not None
        with self._slot.released(), self.lock:
            while not self._must_stop() and (wait_ns := self.agenda.retry_in_ns()) > 0:
                self.lock.wait(min(wait_ns / NS_PER_S, THREAD_WAIT_S_MAX))
        if self.stop is not None:
            raise self.stop

    def _must_stop(self) -> bool:
        return self.stop is not None or self.is_closing

    def _is_running(self, request: Request) -> bool:
        running = self.parts.status.running
        return running is not None and running.key == request.key
