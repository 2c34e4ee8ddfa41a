"""
How an attempt ends: what is appended about it, who is answered, and whether the worker rests.

`golem_host.worker.outcome` says what an end means; here it is carried out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from golem_host.errors import (
    HostClosedError,
    HostError,
    InvocationExitedError,
    InvocationInterruptedError,
    StateDirError,
)
from golem_host.services.calls import CallRef
from golem_host.status import INTERRUPTED, RETRYING, RUNNING, SUSPENDED
from golem_host.worker import outcome as ends
from golem_host.worker.ledger import Ledger
from golem_host.worker.parts import Parts
from golem_host.worker.request import Request
from golem_host.worker.retry import MS, NO_RETRY, RetryPolicy
from golem_host.worker.stderr import searched_since
from golem_oplog.entries import (
    CancelPendingInvocation,
    Entry,
    Error,
    ErrorKind,
    Exited,
    ExportedFunctionInvoked,
    FailedUpdate,
    Interrupted,
    Jump,
    Suspend,
)
from golem_oplog.errors import OplogError

CANCELED_TOGETHER_MAX: Final = 16
"""Queued calls whose end rides in the chunk of the worker's: keys may be long."""


class Endings:
    """
    One worker's ends.

    Args:
        lock: The runner's; held for every change that callers in other threads look at.
    """

    def __init__(self, parts: Parts, ledger: Ledger, lock: threading.Condition) -> None:
        self._parts = parts
        self._ledger = ledger
        self._lock = lock
        self.parked = False
        """Nothing is done before the worker is woken: suspended, interrupted, failed, exited."""
        self.interrupted = parts.status.status == INTERRUPTED
        """Parked on demand: only a caller wakes the worker, no timer and no promise (R37)."""
        self.broken: StateDirError | None = None
        """Set when the log takes no more entries."""

    def carry_out(self, outcome: ends.Outcome) -> None:
        """Append what an end means and answer whom it concerns; the instance is gone already."""
        try:
            self._record(outcome)
        except (OplogError, StateDirError) as error:
            self.break_off(error)
        finally:
            self._parts.shared.results.rests(self._parts.ref)

    def _record(self, outcome: ends.Outcome) -> None:
        match outcome:
            case ends.Again():
                pass
            case ends.Suspended():
                self._suspend(outcome)
            case ends.Interrupted() if not self._parts.status.is_unfinished:
                with self._lock:
                    self._hold_back()
            case ends.Interrupted():
                self._park(Interrupted(self.now()))
                with self._lock:
                    self.interrupted = True
                self.fail_running(InvocationInterruptedError(kind="interrupt"))
            case ends.UpdateFailed():
                self._update_failed(outcome)
            case ends.Exited(exit_code=code) if self._is_disposable():
                self._record_only(Exited(self.now(), code))
                self.fail_running(InvocationExitedError(exit_code=code))
            case ends.Exited(exit_code=code):
                self._park(Exited(self.now(), code), is_over=True)
                self._ledger.fail_all(InvocationExitedError(exit_code=code))
            case ends.Failed():
                self._failed(outcome)
            case ends.Refused():
                self._refused(outcome)
            case ends.BrokenOff():
                self.break_off(outcome.error)

    def _failed(self, failed: ends.Failed) -> None:
        failures = self._parts.status.failures
        policy = self.policy()
        delay = policy.delay_ns(failures, self._parts.shared.config.random.uniform())
        if not failed.retryable or self._parts.is_ephemeral:
            # The next instance of an ephemeral worker knows nothing of what this one did.
            delay = None
        now = self.now()
        error = self._error_entry(failed, now, None if delay is None else now + delay)
        if delay is not None:
            self.append(error)
            self._parts.oplog.commit()
            self._parts.output.flush()
            self._parts.output.notify(
                f"attempt failed: {error.message}; "
                f"retry {failures + 1} of {policy.max_attempts} in {round(delay / MS)} ms"
            )
            return
        self._give_up(error, failed)

    def _give_up(self, error: Error, failed: ends.Failed) -> None:
        """Permanent failure: nothing that is queued will ever run (R27)."""
        is_disposable = self._is_disposable()
        if is_disposable:
            self._record_only(error)
        else:
            self._park(error, is_over=True)
        running = self._parts.status.running
        failure = failed.error or self._ledger.failure(error, running.oplog_index if running else 1)
        with self._lock:
            if running is not None:
                self._ledger.fail(running.key, failure)
            if is_disposable:
                return
            if running is not None:
                self._ledger.fail_all(self._ledger.over() or failure)
            else:
                # It failed before any invocation had begun: that is why none could.
                self._ledger.fail_all(failure)

    def _is_disposable(self) -> bool:
        """Whether the end of what runs is nobody else's: the next one has an instance of its own."""
        return self._parts.is_ephemeral and self._parts.status.is_unfinished

    def _record_only(self, entry: Entry) -> None:
        with self._lock:
            self.append(entry)
        self._parts.oplog.commit()
        self._parts.output.flush()

    def refuse(self, request: Request, error: HostError) -> None:
        """A request that cannot be done leaves the queue for good; the guest was not entered."""
        if self._ledger.is_durable(request.key):
            now, oplog = self.now(), self._parts.oplog
            begun = ExportedFunctionInvoked(
                now, oplog.define(request.function), request.payload, request.key
            )
            failed = self._refusal(error, now)
            with self._lock:
                self._append_together(lambda at: (begun, failed, Jump(now, at, at + 2)))
            oplog.commit()
        with self._lock:
            self._ledger.fail(request.key, error)

    def _refused(self, refused: ends.Refused) -> None:
        """Take one invocation out of the worker's past: it fails, and replay never meets it."""
        running = self._parts.status.running
        if running is None:
            self._ledger.fail_all(refused.error)
            return
        now = self.now()
        error = self._refusal(refused.error, now)
        with self._lock:
            # A crash in between would leave the outcome, and the invocation in what is replayed.
            self._append_together(lambda at: (error, Jump(now, running.oplog_index, at + 1)))
        self._parts.oplog.commit()
        self._parts.output.flush()
        with self._lock:
            self._ledger.fail(running.key, refused.error)

    def _refusal(self, error: HostError, now: int) -> Error:
        return Error(now, ErrorKind.INVALID_REQUEST, str(error), self._parts.status.origin, None)

    def break_off(self, error: BaseException) -> None:
        """The worker cannot be used until its log is opened anew; whoever waits is told."""
        with self._lock:
            if self.broken is None:
                self.broken = error if isinstance(error, StateDirError) else self._unusable(error)
            told = self._unusable(error) if isinstance(error, OplogError) else error
            self._ledger.fail_all(told)

    def _unusable(self, error: BaseException) -> StateDirError:
        return StateDirError(path=self._parts.label, reason=str(error) or repr(error))

    def _error_entry(self, failed: ends.Failed, now: int, retry_at: int | None) -> Error:
        running = self._parts.status.running
        stderr = searched_since(self._parts.oplog, running.oplog_index if running else 1)
        message, traceback = ends.told(failed, stderr)
        return Error(
            now, failed.kind, message, self._parts.status.origin, retry_at, detail=traceback
        )

    def _park(self, entry: Entry, *, is_over: bool = False) -> None:
        """Append why the worker rests; when it is over, nothing that is queued will ever run."""
        with self._lock:
            # Together, and before the commit: whoever wakes the worker from now on is heard.
            keys = list(self._parts.status.pending) if is_over else []
            canceled = [CancelPendingInvocation(self.now(), key) for key in keys]
            first = canceled[:CANCELED_TOGETHER_MAX]
            self._append_together(lambda _: (entry, *first))
            for each in canceled[len(first) :]:
                self.append(each)
            self.parked = True
        self._parts.oplog.commit()
        self._parts.output.flush()

    def _suspend(self, suspended: ends.Suspended) -> None:
        shared = self._parts.shared
        # First, so that no crash leaves a suspended worker that nobody would wake.
        shared.results.expect(self._parts.key, suspended.promise)
        shared.unfinished.mark(self._parts.key, suspended.wake_at, suspended.promise or None)
        self._park(Suspend(self.now(), suspended.reason, suspended.wake_at, suspended.promise))
        self._parts.output.notify(f"suspended: {suspended.reason}")
        if suspended.promise and self._is_settled(suspended.promise):
            # It was completed, or deleted, before the row above could be found.
            with self._lock:
                self.parked = False

    def _is_settled(self, awaited: str) -> bool:
        calls, shared = CallRef.parse_all(awaited), self._parts.shared
        if not calls:
            return shared.promises.is_settled(awaited)
        try:
            return any(shared.peers.calls.is_settled(call) for call in calls)
        except HostClosedError:
            return False

    def _update_failed(self, failed: ends.UpdateFailed) -> None:
        """The old version goes on; what the new one did on its way here never happened."""
        now, status = self.now(), self._parts.status
        with self._lock:
            entry = FailedUpdate(now, failed.target_version, failed.details)
            if failed.first_index <= status.last_index:
                # Parted from it, the old version would meet what only the new one did.
                self._append_together(lambda at: (entry, Jump(now, failed.first_index, at + 1)))
            else:
                self.append(entry)
        self._parts.oplog.commit()
        self._parts.output.notify(
            f"update to version {failed.target_version} failed: {failed.details}"
        )

    def fail_running(self, error: BaseException) -> None:
        running = self._parts.status.running
        with self._lock:
            if running is not None:
                self._ledger.fail(running.key, error)

    def interrupt_at_rest(self) -> None:
        """R37: a suspended or waiting worker is kept from waking up, and the log says so."""
        status = self._parts.status
        if not status.is_unfinished and status.pending_update is None:
            self._hold_back()
            return
        self.parked = self.interrupted = True
        waits = status.status in {SUSPENDED, RETRYING, RUNNING}
        if not waits or not status.is_unfinished:
            return
        self.append(Interrupted(self.now()))
        self._parts.oplog.commit()
        self.fail_running(InvocationInterruptedError(kind="interrupt"))

    def _hold_back(self) -> None:
        """Nothing has begun: what was about to waits, and an idle worker is not concerned."""
        due_ns = self._ledger.next_due_ns()
        if due_ns is not None and due_ns <= self.now():
            self.parked = self.interrupted = True

    def is_last_attempt(self) -> bool:
        """Whether a failure here and now would leave no retry."""
        return self._parts.status.failures >= self.policy().max_attempts

    def policy(self) -> RetryPolicy:
        running = self._parts.status.running
        if running is not None and not self._ledger.is_retried(running.key):
            return NO_RETRY
        own = self._parts.status.retry_policy
        if own is None:
            return self._parts.shared.config.retry_policy
        return RetryPolicy(
            own.max_attempts,
            own.min_delay_ns,
            own.max_delay_ns,
            own.multiplier,
            own.max_jitter_factor,
        )

    def _append_together(self, make: Callable[[int], Sequence[Entry]]) -> None:
        self._parts.status.append_together(self._parts.oplog, make)

    def append(self, entry: Entry) -> int:
        return self._parts.status.append(self._parts.oplog, entry)

    def now(self) -> int:
        return self._parts.shared.config.clock.unix_ns()
