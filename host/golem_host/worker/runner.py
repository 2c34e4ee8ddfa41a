"""
One worker's life in this process: a thread while there is something to do, and what it does.

The thread takes one piece of work after another: finish what the log says is unfinished, then the
queue.  Callers in other threads only put requests into the ledger and wait; everything that
concerns guest code happens on the worker's own thread.

Source: spec 5.2 to 5.6, 6.1 and 6.8.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from golem_host.errors import (
    ConflictError,
    InvalidRequestError,
    InvocationInterruptedError,
    StateDirError,
)
from golem_host.services.output import Watcher
from golem_host.services.slots import Slot
from golem_host.signals import InterruptSignal
from golem_host.status import RUNNING, SUSPENDED
from golem_host.worker import outcome as ends
from golem_host.worker.agenda import Agenda
from golem_host.worker.endings import Endings
from golem_host.worker.ledger import Ledger
from golem_host.worker.parts import NS_PER_S, Parts
from golem_host.worker.rebuild import build_session, outcome_of_attempt, save_snapshot
from golem_host.worker.request import Request
from golem_host.worker.session import Session
from golem_oplog.entries import (
    CancelPendingInvocation,
    Entry,
    PendingWorkerInvocation,
)
from golem_oplog.errors import OplogError

_LOG: Final = logging.getLogger(__name__)

PAUSE_LOOK_S: Final = 0.05
"""How often a caller that waits for a worker to stand still looks whether it should give up."""


class RetiredError(Exception):
    """The worker was put away: ask the host for it again."""


class Runner:
    """Runs one worker.  Every public method may be called from any thread."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.ledger = Ledger(parts)
        self._changed = threading.Condition(threading.RLock())
        self._ends = Endings(parts, self.ledger, self._changed)
        self._agenda = Agenda(parts, self.ledger, self._ends)
        self._thread: threading.Thread | None = None
        self._starting = False
        """Whether a thread comes as soon as a slot is free."""
        self._slot: Slot | None = None
        self._session: Session | None = None
        self._stop: InterruptSignal | None = None
        self._pauses = 0
        self._closing = False
        self._retired = False

    # -- for callers ------------------------------------------------------------------------

    def submit(self, asked: Request, *, durable: bool) -> Request:
        """
        Accept an invocation, or attach to the one that has this key.

        With ``durable`` it survives any crash from the moment this returns; without, nothing is
        promised before its result.
        """
        with self._changed:
            self._refuse_if_unusable()
            request = self.ledger.known(asked)
            if request is None:
                self.ledger.refuse_if_over()
                request = asked
                self.ledger.add(request)
            if durable and not request.done and not self.ledger.is_durable(request.key):
                self._accept(request)
        if durable:
            self.parts.oplog.commit()
        if not request.done:
            self.wake()
        return request

    def _accept(self, request: Request) -> None:
        self._agenda.mark_active()
        version = request.target_version
        number = None if version is not None else self.parts.oplog.define(request.function)
        self._ends.append(
            PendingWorkerInvocation(
                self._ends.now(), request.key, number, request.payload, version, request.not_before
            )
        )

    def append_durably(self, entry: Entry) -> None:
        """Append what somebody outside wants the log to say; on disk when this returns."""
        with self._changed:
            self._refuse_if_unusable()
            self._agenda.mark_active()
            self._ends.append(entry)
        self.parts.oplog.commit()

    def attach(self, key: str) -> Request | None:
        """The request under a key, whether it waits, runs or is done."""
        with self._changed:
            self._refuse_if_unusable()
            request = self.ledger.find(key)
        if request is not None and not request.done:
            self.wake()
        return request

    def wake(self, *, by_event: bool = False) -> None:
        """
        Go on with whatever is unfinished, unless the worker is over.

        ``by_event`` is for what nobody asked for in person: it does not wake an interrupted worker.
        """
        with self._changed:
            if not self._is_usable() or self.ledger.over() is not None:
                return
            if by_event and self._ends.interrupted:
                return
            self._ends.parked = self._ends.interrupted = False
            self._start()
            self._changed.notify_all()

    def _start(self) -> None:
        if self._thread is None and not self._starting and not self._pauses:
            self._starting = True
            self._agenda.mark_active()
            self.parts.shared.slots.start(self._begin_thread)

    def interrupt(self, signal: InterruptSignal, *, wait: bool = True) -> None:
        """Stop what runs, or keep what waits from going on; returns when that is in the log."""
        with self._changed:
            self._refuse_if_unusable()
            if self._thread is None:
                self._ends.interrupt_at_rest(restart=signal.restart)
                self._agenda.note_rest(is_closing=self._closing)
                return
            self._stop = signal
            self._poke()
            if wait:
                self._changed.wait_for(lambda: self._stop is not signal or self._thread is None)

    def give_up(self, request: Request) -> None:
        """
        A caller waits no longer: stop the invocation, or take it out of the queue.

        One that was accepted for good and has not begun keeps its place.
        """
        if not self._forget(request):
            self.interrupt(InterruptSignal())
            # It may have been about to begin, and be waiting again.
            self._forget(request)

    def _forget(self, request: Request) -> bool:
        """Whether nothing of it runs; what is not in the log is gone."""
        with self._changed:
            if request.done or request not in self.ledger.queue:
                return request.done
            if not self.ledger.is_durable(request.key):
                self.ledger.take_out(request.key)
                request.fail(InvocationInterruptedError(kind="timeout"))
            return True

    def cancel(self, key: str) -> bool:
        """Take a request out of the queue: False when it has its result already."""
        with self._changed:
            self._refuse_if_unusable()
            request = self.ledger.take_out(key)
            if request is None:
                if key in self.parts.status.results:
                    return False
                running = self.parts.status.running
                state = "is running" if running and running.key == key else "is unknown here"
                raise InvalidRequestError(reason=f"invocation {key!r} {state}: nothing to cancel")
            self._ends.append(CancelPendingInvocation(self._ends.now(), key))
        self.parts.oplog.commit()
        request.fail(ConflictError(reason=f"invocation {key!r} was canceled before it began"))
        return True

    def watch(self, watcher: Watcher) -> AbstractContextManager[None]:
        with self._changed:
            self._refuse_if_unusable()
            return self.parts.output.watched_by(watcher)

    @contextmanager
    def paused(self, check: Callable[[], None]) -> Iterator[None]:
        """
        While nothing of the worker runs; what did run goes on afterwards only if it is woken.

        Args:
            check: Called while this waits; may raise to give up waiting.
        """
        with self._changed:
            self._refuse_if_unusable()
            self._pauses += 1
        try:
            with self._changed:
                while self._thread is not None:
                    self._stop = self._stop or InterruptSignal(restart=True)
                    self._poke()
                    check()
                    self._changed.wait(PAUSE_LOOK_S)
                yield
        finally:
            with self._changed:
                self._pauses -= 1
                self._stop = None if self._thread is None else self._stop

    def after_revert(self) -> None:
        """The past has changed while the worker was `paused`: answer whom that concerns."""
        with self._changed:
            self.ledger.follow_revert()
            self._ends.parked = True
            self._ends.interrupted = False
            self._agenda.note_rest(is_closing=self._closing)

    @property
    def broken(self) -> OplogError | StateDirError | None:
        """Set when the log takes no more entries: this runner is of no use any more."""
        return self._ends.broken

    @property
    def is_retired(self) -> bool:
        return self._retired

    def may_wake_by_event(self) -> bool:
        """Whether there is something that an event lets go on."""
        with self._changed:
            if not self._is_usable() or self._ends.interrupted or self.ledger.over() is not None:
                return False
            self._ends.parked = False
            return True

    @property
    def is_active(self) -> bool:
        return self._thread is not None or (self._starting and self._is_usable())

    def retire(self) -> bool:
        """
        Close an idle worker that nobody waits for or watches; False when it is in use.

        Whoever holds it still gets `RetiredError` and asks the host for it again.
        """
        with self._changed:
            if self.is_active or self._closing or self._pauses or self.parts.output.is_watched:
                return False
            if not self.ledger.detach():
                return False
            self._retired = True
        self._close_log()
        return True

    def begin_close(self) -> None:
        """Ask the thread to end: what it holds may be what another one waits for."""
        with self._changed:
            self._closing = True
            self._stop = self._stop or InterruptSignal(restart=True)
            self._poke()

    def close(self, reason: str = "the host was closed") -> None:
        """End the thread without a trace in the log, and close the log: as a crash would."""
        self.begin_close()
        with self._changed:
            self._changed.wait_for(lambda: self._thread is None)
            self.ledger.fail_all(InvocationInterruptedError(kind=reason))
        self._close_log()

    def _close_log(self) -> None:
        try:
            self.parts.output.flush()
            self.parts.oplog.close()
        except OplogError as error:
            # Nothing was promised for what could not be written any more.
            _LOG.warning("closing a log failed", extra={"worker": self.parts.label, "error": error})

    # -- the thread -------------------------------------------------------------------------

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
            with self._changed:
                self.ledger.fail_all(error)
        finally:
            with self._changed:
                # A thread that ended for lack of work may have a successor already.
                if self._thread is threading.current_thread():
                    self._end_thread()
                self._changed.notify_all()
            slot.give()
        if self.parts.status.status == SUSPENDED:
            self.parts.shared.hub.retire(self.parts.key)

    def _adopt(self, slot: Slot) -> bool:
        with self._changed:
            self._starting = False
            if self._thread is not None or not self._is_usable():
                return False
            self._thread = threading.current_thread()
            self._slot = slot
            slot.is_stopped = self._must_stop
            return True

    def _end_thread(self) -> None:
        self._drop_session()
        self._thread = self._slot = self._stop = None
        if not self._retired:
            self._agenda.note_rest(is_closing=self._closing)
        self._changed.notify_all()

    def _work(self) -> bool:
        """One piece of work; False when the thread should end."""
        with self._changed:
            stop = None if self._closing or self._ends.broken is not None else self._stop
            if stop is None and not self._may_go_on():
                # Under the lock that `wake` takes: whoever comes now starts a new thread.
                self._end_thread()
                return False
            task = (
                None
                if stop is not None
                else self._agenda.next_task(has_session=self._session is not None)
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
            self.ledger.put_back(request)
        return True

    def _may_go_on(self) -> bool:
        return self._is_usable() and not (self._ends.parked or self._pauses)

    def _wait_for_work(self) -> bool:
        assert self._slot is not None
        self._slot.give()
        with self._changed:
            self._changed.wait_for(self._has_work, timeout=self._agenda.idle_s())
            if not self._has_work() and self._agenda.idle_s() > 0:
                # Under the lock that `wake` takes: a request that comes now starts a new thread.
                self._end_thread()
                return False
        return True

    def _has_work(self) -> bool:
        return self._must_stop() or not self._may_go_on() or self._agenda.has_due()

    def _attempt(self, request: Request | None) -> None:
        first_index = self.parts.oplog.last_index + 1
        try:
            if self._session is None:
                self._wait_until_due()
                self._build().catch_up()
                self.parts.output.flush()
            if request is None or request.done:
                return
            session = self._session
            assert session is not None
            if request.target_version is not None:
                save_snapshot(self.parts, session, request)
                with self._changed:
                    self.ledger.forget(request.key)
                self._drop_session()
            else:
                session.run(request)
                if session.is_ephemeral:
                    self._drop_session()
        except BaseException as raised:  # noqa: BLE001 - every end of an attempt is classified
            self._drop_session()
            stop = raised if isinstance(raised, InterruptSignal) else None
            self._end(outcome_of_attempt(self.parts, raised, first_index), request, stop)

    def _build(self) -> Session:
        assert self._slot is not None
        session = build_session(self.parts, self._slot, self._ends.is_last_attempt, self._completed)
        with self._changed:
            # From here on `interrupt` reaches the guest through the context.
            self._session = session
            if self._stop is not None:
                session.context.kill = self._stop
            if self.parts.status.is_unfinished:
                self.parts.status.status = RUNNING
        return session

    def _completed(self, key: str, payload: bytes | None) -> None:
        self.parts.output.flush()
        with self._changed:
            self.ledger.settle(key, payload)

    def _drop_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    # -- ends of an attempt -----------------------------------------------------------------

    def _end(
        self, outcome: ends.Outcome, request: Request | None, stop: InterruptSignal | None
    ) -> None:
        """
        Append what the end of an attempt means, and answer whom it concerns.

        Only the ``stop`` that caused it is done with; one that has come meanwhile is next.
        """
        self._drop_session()
        if request is not None and not request.done and not self._is_running(request):
            self.ledger.put_back(request)
        self._ends.carry_out(outcome)
        with self._changed:
            if self._stop is stop:
                self._stop = None
            self._changed.notify_all()

    # -- small things -----------------------------------------------------------------------

    def _wait_until_due(self) -> None:
        """Keep to the schedule of retries, also across restarts of the host."""
        if self._agenda.retry_in_ns() <= 0:
            return
        assert self._slot is not None
        with self._slot.released(), self._changed:
            while not self._must_stop() and (wait_ns := self._agenda.retry_in_ns()) > 0:
                self._changed.wait(wait_ns / NS_PER_S)
        if self._stop is not None:
            raise self._stop

    def _poke(self) -> None:
        """Reach a guest that runs, a host call that waits, or a thread between two of them."""
        if self._session is not None:
            self._session.context.kill = self._stop
            self._session.context.wake.set()
        if self._slot is not None:
            self._slot.poke()
        self._changed.notify_all()

    def _must_stop(self) -> bool:
        return self._stop is not None or self._closing

    def _is_running(self, request: Request) -> bool:
        running = self.parts.status.running
        return running is not None and running.key == request.key

    def _is_usable(self) -> bool:
        return not (self._closing or self._retired or self._ends.broken is not None)

    def _refuse_if_unusable(self) -> None:
        if self._retired:
            raise RetiredError
        if self._ends.broken is not None:
            raise StateDirError(path=self.parts.label, reason=str(self._ends.broken))
        if self._closing:
            raise InvalidRequestError(reason="the host is closed")
