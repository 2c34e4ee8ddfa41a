"""
One worker in this process, as its callers in other threads see it.

They only put requests into the ledger, say when to stop, and wait; what is done about it happens on
the worker's own thread, in `golem_host.worker.drive`.

Source: spec 5.2, 5.4 and 5.5.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final, TypeVar

from golem_host.context import InstanceContext
from golem_host.errors import (
    ConflictError,
    HostClosedError,
    InvalidRequestError,
    InvocationGoneError,
    InvocationInterruptedError,
    QueueFullError,
    StateDirError,
)
from golem_host.services.console import Source
from golem_host.services.output import Watcher
from golem_host.services.slots import Slot
from golem_host.signals import InterruptSignal
from golem_host.status import INTERRUPTED, SUSPENDED
from golem_host.trace_context import TraceContext
from golem_host.worker.drive import Drive, GiveUpSignal
from golem_host.worker.parts import Parts
from golem_host.worker.request import Request
from golem_oplog.entries import (
    CancelPendingInvocation,
    Entry,
    PendingWorkerInvocation,
)
from golem_oplog.errors import OplogError

T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)
_OWN_TRACE: Final = TraceContext("")
"""Of a call that came with none: it gets its own when it begins."""

KEY_BYTES_MAX: Final = 1024
"""Of an idempotency key.  Every key that was ever used stays in memory with its worker."""
PAUSE_LOOK_S: Final = 0.05
"""How often a caller that waits for a worker to stand still looks whether it should give up."""


class RetiredError(Exception):
    """The worker was put away: ask the host for it again."""


def on_runner(get: Callable[[], Runner], act: Callable[[Runner], T]) -> T:
    """Act on a worker's runner; on a new one if it was put away at this very moment."""
    while True:
        try:
            return act(get())
        except RetiredError:
            continue


class Runner:
    """Runs one worker.  Every public method may be called from any thread."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._drive = drive = Drive(parts)
        self.ledger = drive.ledger
        self._lock = drive.lock
        self._ends = drive.ends
        self._users = 0
        """How many are in the middle of something for which the worker must not be put away."""

    # -- requests -----------------------------------------------------------------------------

    def submit(self, asked: Request, *, durable: bool) -> Request:
        """
        Accept an invocation, or attach to the one that has this key.

        With ``durable`` it survives any crash from the moment this returns; without, nothing is
        promised before its result.

        Raises:
            InvalidRequestError: The key is longer than `KEY_BYTES_MAX`.
            QueueFullError: So many wait already.
        """
        with self.held():
            with self._lock:
                request = self.ledger.known(asked)
                if request is None:
                    self.ledger.refuse_if_over()
                    self._refuse_if_too_much(asked)
                    request = asked
                    self.ledger.add(request)
                request.retry = request.retry and asked.retry
                if durable and not request.done and not self.ledger.is_durable(request.key):
                    self._accept(request)
            if durable:
                self.parts.oplog.commit()
            if not request.done:
                self.wake()
        return request

    def _refuse_if_too_much(self, asked: Request) -> None:
        """A worker that stands still must not fill the memory with those who call it."""
        if len(asked.key.encode()) > KEY_BYTES_MAX:
            raise InvalidRequestError(
                reason=f"an idempotency key has at most {KEY_BYTES_MAX} bytes of UTF-8"
            )
        pending_max = self.parts.shared.config.pending_max
        if len(self.ledger.queue) >= pending_max:
            component, worker = self.parts.key
            raise QueueFullError(component=component, worker=worker, pending_max=pending_max)

    def _accept(self, request: Request) -> None:
        self._drive.agenda.mark_active()
        version = request.target_version
        number = None if version is not None else self.parts.oplog.define(request.function)
        trace = request.trace or _OWN_TRACE
        self._ends.append(
            PendingWorkerInvocation(
                self._ends.now(),
                request.key,
                number,
                request.payload,
                version,
                request.not_before,
                trace.trace_id,
                trace.states,
                trace.spans,
            )
        )

    def append_durably(self, entry: Entry) -> None:
        """Append what somebody outside wants the log to say; on disk when this returns."""
        with self.held():
            with self._lock:
                self._drive.agenda.mark_active()
                self._ends.append(entry)
            self.parts.oplog.commit()

    def attach(self, key: str) -> Request | None:
        """The request under a key, whether it waits, runs or is done; it goes on if it rested."""
        with self.held():
            with self._lock:
                request = self.ledger.find(key)
            if request is not None and not request.done:
                self.wake()
        return request

    def outcome(self, key: str) -> Request | None:
        """
        The request of a key that was accepted for good, once it is done; wakes nobody.

        Raises:
            InvocationGoneError: It never will be.
        """
        with self.held(), self._lock:
            if self.is_open(key):
                return None
            found = self.ledger.find(key)
            if found is None:
                over = self.ledger.over()
                label = self.parts.label
                raise over or InvocationGoneError(worker=label, idempotency_key=key)
            return found

    def is_open(self, key: str) -> bool:
        """Whether the log has the invocation of a key, and no outcome of it on disk."""
        with self._lock:
            return self.ledger.is_open(key)

    def go_on(self, key: str) -> bool:
        """
        Whether the log has the invocation of a key; then it goes on, unless it was interrupted.

        It is on disk when this returns.
        """
        with self.held():
            with self._lock:
                if key in self.parts.status.results:
                    return True
                if not self.ledger.is_durable(key):
                    return False
            self.parts.oplog.commit()
            self.wake(by_event=True)
        return True

    def rejoin(self, key: str) -> Request | None:
        """As `attach`, for who has waited for it before: what rests goes on resting."""
        with self._lock:
            self._refuse_if_unusable()
            request = self.ledger.find(key)
            if request is not None and not request.done and self._ends.interrupted:
                self._ends.fail_running(InvocationInterruptedError(kind="interrupt"))
            return request

    def give_up(self, request: Request) -> None:
        """
        A caller waits no longer: stop the invocation, or take it out of the queue.

        One that was accepted for good and has not begun keeps its place.
        """
        with self._lock:
            if not self.ledger.withdraw(request):
                self.interrupt(GiveUpSignal(request))

    def cancel(self, key: str) -> bool:
        """Take a request out of the queue: False when it has its result already."""
        with self.held():
            with self._lock:
                request = self.ledger.take_out(key)
                if request is None:
                    if key in self.parts.status.results:
                        return False
                    running = self.parts.status.running
                    state = "is running" if running and running.key == key else "is unknown here"
                    raise InvalidRequestError(
                        reason=f"invocation {key!r} {state}: nothing to cancel"
                    )
                self._ends.append(CancelPendingInvocation(self._ends.now(), key))
                if not self._drive.is_active:
                    # It may have been what the worker was to go on for.
                    self._drive.note_rest()
            self.parts.oplog.commit()
            request.fail(ConflictError(reason=f"invocation {key!r} was canceled before it began"))
            self.ledger.tell_callers(key)
        return True

    # -- steering -----------------------------------------------------------------------------

    def wake(self, *, by_event: bool = False) -> None:
        """
        Go on with whatever is unfinished, unless the worker is over.

        ``by_event`` is for what nobody asked for in person: it does not wake an interrupted worker,
        and is lost on one that was put away.
        """
        with self._lock:
            if self._drive.is_retired and not by_event:
                raise RetiredError
            if self._may_wake(by_event=by_event):
                self._drive.start()
                self._lock.notify_all()

    def _may_wake(self, *, by_event: bool) -> bool:
        if not self._drive.is_usable or self.ledger.over() is not None:
            return False
        if by_event and self._ends.interrupted:
            return False
        self._ends.parked = self._ends.interrupted = False
        return True

    def wake_on(self, slot: Slot, *, by_event: bool) -> None:
        """
        As `wake`, from a thread that holds a slot and works itself if none does yet.

        Raises:
            RetiredError: The worker was put away meanwhile.
        """
        drive = self._drive
        with self._lock:
            if drive.is_retired:
                raise RetiredError
            if drive.is_active:
                self.wake(by_event=by_event)
                return
            if not self._may_wake(by_event=by_event) or drive.pauses:
                # It is looked after: nobody need come for it again.
                drive.note_rest()
                return
            drive.is_starting = True
        drive.run_on(slot)

    def interrupt(self, signal: InterruptSignal, *, wait: bool = True) -> None:
        """Stop what runs, or keep what waits from going on; returns when that is in the log."""
        drive = self._drive
        with self._lock:
            self._refuse_if_unusable()
            if drive.thread is None:
                if not signal.restart:
                    self._ends.interrupt_at_rest()
                    drive.note_rest()
                return
            drive.stop = signal
            drive.poke()
            if wait:
                self._lock.wait_for(lambda: drive.stop is not signal or drive.thread is None)

    @contextmanager
    def paused(self, check: Callable[[], None]) -> Iterator[None]:
        """
        While nothing of the worker runs; what has come in meanwhile and what ran goes on after.

        Args:
            check: Called while this waits; may raise to give up waiting.
        """
        drive = self._drive
        with self._lock:
            self._refuse_if_unusable()
            drive.pauses += 1
        try:
            with self._lock:
                while drive.thread is not None:
                    drive.stop = drive.stop or InterruptSignal(restart=True)
                    drive.poke()
                    check()
                    self._lock.wait(PAUSE_LOOK_S)
                self._refuse_if_unusable()
                yield
        finally:
            with self._lock:
                drive.pauses -= 1
                self._go_on_after_pause()

    def _go_on_after_pause(self) -> None:
        is_left = self.ledger.queue or (not self._ends.parked and self._drive.agenda.is_unfinished)
        if is_left and not self._drive.pauses:
            self.wake(by_event=True)

    def after_revert(self, accepted: frozenset[str]) -> None:
        """
        The past has changed while the worker was `paused`: answer whom that concerns.

        ``accepted`` are the keys that were pending before.
        """
        with self._lock:
            self.ledger.follow_revert(accepted)
            self._ends.parked = True
            self._ends.interrupted = False
            self._drive.note_rest()

    # -- being there --------------------------------------------------------------------------

    @contextmanager
    def held(self) -> Iterator[Parts]:
        """While this lasts the worker is not put away."""
        with self._lock:
            self._refuse_if_unusable()
            self._users += 1
        try:
            yield self.parts
        finally:
            with self._lock:
                self._users -= 1
                is_left = not (self._users or self._drive.is_active)
            if is_left and self.parts.status.status == SUSPENDED:
                # It was suspended meanwhile, and could not be put away when its thread ended.
                self.parts.shared.hub.retire(self.parts.key)

    @contextmanager
    def resting(self) -> Iterator[InstanceContext | None]:
        """The idle instance's context, if there is one, which does nothing while this lasts."""
        with ExitStack() as stack:
            self._lock.acquire()
            stack.callback(self._lock.release)
            context = self._drive.resting
            if context is None:
                # Whoever goes on without it holds up nobody.
                stack.close()
            yield context

    @contextmanager
    def watch(
        self, watcher: Watcher, source: Source | None = None, keys: Collection[str] | None = None
    ) -> Iterator[None]:
        with ExitStack() as stack:
            with self._lock:
                self._refuse_if_unusable()
                stack.enter_context(self.parts.output.watched_by(watcher))
                if source is not None:
                    stack.enter_context(self.parts.console.lent(source, keys))
            yield

    def look_again(self) -> None:
        """The clock was set: whatever waits for a time here looks whether it has come."""
        with self._lock:
            self._drive.poke()

    @property
    def waits_until_ns(self) -> int | None:
        """Unix time for which the guest waits with its instance; None where it does not."""
        return self._drive.waits_until_ns

    @property
    def broken(self) -> StateDirError | None:
        """Set when the log takes no more entries: this runner is of no use any more."""
        return self._ends.broken

    @property
    def is_retired(self) -> bool:
        return self._drive.is_retired

    @property
    def is_active(self) -> bool:
        return self._drive.is_active

    def retire(self) -> bool:
        """
        Close an idle worker that nobody waits for or watches; False when it is in use.

        Whoever holds it still gets `RetiredError` and asks the host for it again.
        """
        drive = self._drive
        with self._lock:
            if self._is_in_use() or not self.ledger.detach():
                return False
            drive.is_retired = True
        self._close_log()
        return True

    def _is_in_use(self) -> bool:
        drive = self._drive
        if not drive.is_usable or drive.is_active or drive.pauses or self._users:
            return True
        # That it is held back is not in the log where nothing had begun.
        is_held_back = self._ends.interrupted and self.parts.status.status != INTERRUPTED
        return is_held_back or self.parts.output.is_watched

    def begin_close(self) -> None:
        """Ask the thread to end: what it holds may be what another one waits for."""
        drive = self._drive
        with self._lock:
            drive.is_closing = True
            drive.stop = drive.stop or InterruptSignal(restart=True)
            drive.poke()

    def close(self, reason: str = "the host was closed") -> None:
        """End the thread without a trace in the log, and close the log: as a crash would."""
        self.begin_close()
        with self._lock:
            self._lock.wait_for(lambda: self._drive.thread is None)
            self.ledger.fail_all(InvocationInterruptedError(kind=reason))
        self._close_log()

    def _close_log(self) -> None:
        try:
            self.parts.output.flush()
            self.parts.oplog.close()
        except OplogError as error:
            # Nothing was promised for what could not be written any more.
            _LOG.warning("closing a log failed", extra={"worker": self.parts.label, "error": error})

    def _refuse_if_unusable(self) -> None:
        if self._drive.is_retired:
            raise RetiredError
        if self._ends.broken is not None:
            raise StateDirError(path=self._ends.broken.path, reason=self._ends.broken.reason)
        if self._drive.is_closing:
            raise HostClosedError
