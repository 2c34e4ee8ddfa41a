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
from typing import Final

from golem_host.errors import (
    ConflictError,
    InvalidRequestError,
    InvocationInterruptedError,
    StateDirError,
)
from golem_host.signals import InterruptSignal
from golem_host.status import RETRYING, RUNNING
from golem_host.wire import Wire
from golem_host.worker import outcome as ends
from golem_host.worker.endings import Endings
from golem_host.worker.ledger import Ledger
from golem_host.worker.parts import Parts
from golem_host.worker.request import Request
from golem_host.worker.session import Session
from golem_oplog.entries import (
    CancelPendingInvocation,
    PendingWorkerInvocation,
)
from golem_oplog.errors import OplogError
from golem_oplog.types import FunctionType

_LOG: Final = logging.getLogger(__name__)


class Runner:
    """Runs one worker.  Every public method may be called from any thread."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.ledger = Ledger(parts)
        self._changed = threading.Condition(threading.RLock())
        self._ends = Endings(parts, self.ledger, self._changed, self.wake)
        self._thread: threading.Thread | None = None
        self._session: Session | None = None
        self._stop: InterruptSignal | None = None
        self._closing = False

    # -- for callers ------------------------------------------------------------------------

    def submit(
        self, key: str, function: FunctionType, args: list[Wire], payload: bytes, *, durable: bool
    ) -> Request:
        """
        Accept an invocation, or attach to the one that has this key.

        With ``durable`` it survives any crash from the moment this returns; without, nothing is
        promised before its result.
        """
        with self._changed:
            self._refuse_if_unusable()
            request = self.ledger.known(key, function, args)
            if request is None:
                self.ledger.refuse_if_over()
                request = Request(key, function, args, payload)
                self.ledger.add(request)
            if durable and not request.done and not self.ledger.is_durable(key):
                number = self.parts.oplog.define(function)
                self._ends.append(PendingWorkerInvocation(self._ends.now(), key, number, payload))
        if durable:
            self.parts.oplog.commit()
        if not request.done:
            self.wake()
        return request

    def attach(self, key: str) -> Request | None:
        """The request under a key, whether it waits, runs or is done."""
        with self._changed:
            self._refuse_if_unusable()
            request = self.ledger.find(key)
        if request is not None and not request.done:
            self.wake()
        return request

    def wake(self) -> None:
        """Go on with whatever is unfinished, unless the worker is over."""
        with self._changed:
            if self._closing or self._ends.broken is not None or self.ledger.over() is not None:
                return
            self._ends.parked = False
            if self._thread is None:
                name = f"golem-worker-{self.parts.label}"
                self._thread = threading.Thread(target=self._main, name=name, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def interrupt(self, signal: InterruptSignal) -> None:
        """Stop what runs, or keep what waits from going on; returns when that is in the log."""
        with self._changed:
            self._refuse_if_unusable()
            if self._thread is None:
                self._ends.interrupt_at_rest(restart=signal.restart)
                return
            self._stop = signal
            self._poke()
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

    @property
    def broken(self) -> OplogError | StateDirError | None:
        """Set when the log takes no more entries: this runner is of no use any more."""
        return self._ends.broken

    @property
    def is_active(self) -> bool:
        return self._thread is not None

    def begin_close(self) -> None:
        """Ask the thread to end: what it holds may be what another one waits for."""
        with self._changed:
            self._closing = True
            self._stop = self._stop or InterruptSignal(restart=True)
            self._poke()

    def close(self) -> None:
        """End the thread without a trace in the log, and close the log: as a crash would."""
        self.begin_close()
        with self._changed:
            self._changed.wait_for(lambda: self._thread is None)
            self.ledger.fail_all(InvocationInterruptedError(kind="the host was closed"))
        try:
            self.parts.output.flush()
            self.parts.oplog.close()
        except OplogError as error:
            # Nothing was promised for what could not be written any more.
            _LOG.warning("closing a log failed", extra={"worker": self.parts.label, "error": error})

    # -- the thread -------------------------------------------------------------------------

    def _main(self) -> None:
        try:
            with self.parts.shared.slots.held():
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
                    self._drop_session()
                    self._thread = None
                    self._stop = None
                self._changed.notify_all()

    def _work(self) -> bool:
        """One piece of work; False when the thread should end."""
        with self._changed:
            stop = None if self._closing or self._ends.broken is not None else self._stop
            if stop is None and not self._may_go_on():
                # Under the lock that `wake` takes: whoever comes now starts a new thread.
                self._drop_session()
                self._thread = self._stop = None
                self._changed.notify_all()
                return False
            unfinished = self._session is None and self.parts.status.is_unfinished
            request = None
            if stop is None and not unfinished:
                request = self._next_request()
        if stop is not None:
            self._end(ends.outcome_of(stop), None, stop)
            return True
        if not unfinished and request is None:
            return self._wait_for_work()
        self._attempt(request)
        return True

    def _may_go_on(self) -> bool:
        return not (self._closing or self._ends.parked or self._ends.broken is not None)

    def _next_request(self) -> Request | None:
        while self.ledger.queue:
            request = self.ledger.queue.popleft()
            if not request.done:
                return request
        return None

    def _wait_for_work(self) -> bool:
        idle_s = self.parts.shared.config.idle_after_s
        with self.parts.shared.slots.released(), self._changed:
            self._changed.wait_for(self._has_work, timeout=idle_s)
            if not self._has_work():
                # Under the lock that `wake` takes: a request that comes now starts a new thread.
                self._drop_session()
                self._thread = None
                return False
        return True

    def _has_work(self) -> bool:
        return bool(self.ledger.queue) or self._stop is not None or self._closing

    def _attempt(self, request: Request | None) -> None:
        try:
            if self._session is None:
                self._wait_until_due()
                self._session = session = self._build()
                session.catch_up()
                self.parts.output.flush()
            if request is not None and not request.done:
                self._session.run(request)
        except BaseException as raised:  # noqa: BLE001 - every end of an attempt is classified
            self._drop_session()
            stop = raised if isinstance(raised, InterruptSignal) else None
            self._end(ends.outcome_of(raised), request, stop)

    def _build(self) -> Session:
        parts, status = self.parts, self.parts.status
        component = parts.component()
        session = Session(
            linked=parts.shared.link(component),
            oplog=parts.oplog,
            status=status,
            services=parts.services(component),
            compare_requests=parts.shared.config.compare_requests,
            is_last_attempt=self._ends.is_last_attempt,
            on_completed=self._completed,
        )
        with self._changed:
            # From here on `interrupt` reaches the guest through the context.
            self._session = session
            if self._stop is not None:
                session.context.kill = self._stop
            if self.parts.status.is_unfinished:
                status.status = RUNNING
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
        status = self.parts.status
        error = status.error
        if status.status != RETRYING or error is None or error.retry_at is None:
            return
        with self.parts.shared.slots.released(), self._changed:
            while self._stop is None and not self._closing:
                wait_ns = error.retry_at - self._ends.now()
                if wait_ns <= 0:
                    break
                self._changed.wait(wait_ns / 1e9)
            if self._stop is not None:
                raise self._stop

    def _poke(self) -> None:
        """Reach a guest that runs, a host call that waits, or a thread between two of them."""
        if self._session is not None:
            self._session.context.kill = self._stop
            self._session.context.wake.set()
        self._changed.notify_all()

    def _is_running(self, request: Request) -> bool:
        running = self.parts.status.running
        return running is not None and running.key == request.key

    def _refuse_if_unusable(self) -> None:
        if self._ends.broken is not None:
            raise StateDirError(path=self.parts.label, reason=str(self._ends.broken))
        if self._closing:
            raise InvalidRequestError(reason="the host is closed")
