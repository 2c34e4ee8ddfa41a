"""
A worker's promises to its callers: queue, requests under way, results by key.

Everything here follows from the log and can be read from it again; what is in memory are the
callers that wait.  Used under the runner's lock.

Source: spec 5.2, 5.5 and 5.8, with ARCHITECTURE section 6: the same key with another input is
refused.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from golem_host.errors import (
    ConflictError,
    HostError,
    InvalidRequestError,
    InvocationExitedError,
    InvocationFailedError,
    InvocationInterruptedError,
    InvocationLostError,
    PreviousInvocationFailedError,
)
from golem_host.services.calls import CallRef
from golem_host.status import EXITED, FAILED
from golem_host.status_records import Outcome
from golem_host.trace_context import TraceContext
from golem_host.worker.parts import Parts
from golem_host.worker.request import Request, detach
from golem_host.worker.stderr import stderr_since
from golem_oplog.cbor import decode_args
from golem_oplog.entries import (
    Error,
    ErrorKind,
    Exited,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    PendingWorkerInvocation,
    Restart,
)
from golem_oplog.types import FunctionType, ListType, Prim

FINGERPRINT_CHARS: Final = 16
SAVE_FUNCTION: Final = FunctionType("golem:api/save-snapshot.{save}", (), ListType(Prim.U8))


def update_request(key: str, target_version: int | None) -> Request:
    """A snapshot-based update on its way through the queue."""
    return Request(key, SAVE_FUNCTION, [], b"", target_version=target_version)


class Ledger:
    """Requests by idempotency key."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.queue: deque[Request] = deque()
        self._open: dict[str, Request] = {}
        if self.over() is not None:
            # Nothing will run them, and so nobody may wait for them.
            return
        self._fill()

    def _fill(self) -> None:
        """Queue what the log says is pending and is not queued."""
        for key, (_, entry) in self._parts.status.pending.items():
            if key not in self._open:
                self._enqueue(self._from_pending(key, entry))

    def known(self, asked: Request) -> Request | None:
        """
        The request that already stands under the key of ``asked``.

        Raises:
            ConflictError: It has another function or other arguments.
        """
        found = self.find(asked.key)
        if found is None:
            return None
        if found.fingerprint != asked.fingerprint:
            raise ConflictError(
                reason=f"idempotency key {asked.key!r} belongs to {found.function.name} with input "
                f"{found.fingerprint[:FINGERPRINT_CHARS]}, not to {asked.function.name} with input "
                f"{asked.fingerprint[:FINGERPRINT_CHARS]}"
            )
        return found

    def find(self, key: str) -> Request | None:
        """As `known`, whatever the input was."""
        status = self._parts.status
        if key in self._open:
            return self._open[key]
        if status.running is not None and status.running.key == key and key not in status.results:
            return self._opened(self._from_invoked(key, status.running.entry))
        outcome = status.results.get(key)
        return None if outcome is None else self._settled(key, outcome)

    def refuse_if_over(self) -> None:
        """
        Raises:
            PreviousInvocationFailedError: The worker has failed for good.
            InvocationExitedError: It has exited.
        """
        error = self.over()
        if error is not None:
            raise error

    def over(self) -> HostError | None:
        status = self._parts.status
        if status.status not in {FAILED, EXITED} or self._parts.is_ephemeral:
            return None
        if status.status == FAILED and status.error is not None:
            stderr = stderr_since(
                self._parts.oplog, status.running.oplog_index if status.running else 1
            )
            return PreviousInvocationFailedError(error=status.error.message, stderr=stderr)
        return InvocationExitedError(exit_code=status.exit_code or 0)

    def next_due(self, now: int) -> Request | None:
        """Take out the first request that may begin."""
        for request in self.queue:
            if not request.done and (request.not_before is None or request.not_before <= now):
                self.queue.remove(request)
                return request
        return None

    def next_due_ns(self) -> int | None:
        """When the first request may begin: 0 for one that may at once, None for an empty queue."""
        if not self.queue:
            return None
        return min((r.not_before or 0 for r in self.queue if not r.done), default=None)

    def forget(self, key: str) -> None:
        """What stood in the queue under this key is dealt with and has no result."""
        self._open.pop(key, None)

    def follow_revert(self, accepted: frozenset[str]) -> None:
        """
        The past has changed: what was begun may be pending again, or be gone.

        Args:
            accepted: The keys that were pending in the log before.
        """
        status = self._parts.status
        self._parts.shared.results.forget(self._parts.ref)
        # What no log ever had is not concerned: its caller still waits for it to begin.
        gone = accepted - status.pending.keys()
        self.queue = deque(request for request in self.queue if request.key not in gone)
        waiting = {request.key for request in self.queue}
        running = status.running.key if status.running is not None else None
        for key in list(self._open):
            if key in waiting or key in status.pending or key == running:
                continue
            self.fail(key, InvocationInterruptedError(kind="the worker was reverted"))
        # A begun one is opened anew where it is pending again: its old request is as good.
        for key in status.pending:
            if key in self._open and key not in waiting:
                self.queue.append(self._open[key])
        self._fill()
        # Nor has every call that had begun a request here, and its caller waits all the same.
        self._parts.shared.results.reverted(self._parts.ref, self.is_open)

    def detach(self) -> bool:
        """
        Give up all requests, to be asked for again.

        False when somebody waits for one, or the log could not bring one back.
        """
        if not all(self.is_durable(key) for key in self._open):
            return False
        return detach(self._open.values())

    def add(self, request: Request) -> None:
        self._enqueue(request)

    def put_back(self, request: Request) -> None:
        """It did not get so far as to be in the log."""
        self.queue.appendleft(request)

    def take_out(self, key: str) -> Request | None:
        """Remove a request that still waits in the queue."""
        for request in self.queue:
            if request.key == key:
                self.queue.remove(request)
                return self._open.pop(key)
        return None

    def withdraw(self, request: Request) -> bool:
        """
        A caller gives up: whether nothing of its request runs.

        One that waits is gone, unless it was accepted for good: then it keeps its place.
        """
        if request.done or request not in self.queue:
            return request.done
        if not self.is_durable(request.key):
            self.take_out(request.key)
            request.fail(InvocationInterruptedError(kind="timeout"))
        return True

    def is_durable(self, key: str) -> bool:
        """Whether the log has the request: it was accepted for good, has begun, or is done."""
        return key in self._parts.status.pending or self._parts.status.is_begun(key)

    def is_awaited(self, key: str) -> bool:
        """Whether there is a request of this key that nobody has answered."""
        request = self._open.get(key)
        return request is not None and not request.done

    def is_open(self, key: str) -> bool:
        """Whether somebody may wait for a key: it is in the log, or about to be, without outcome."""
        if self.is_awaited(key):
            return True
        return key not in self._parts.status.results and self.is_durable(key)

    def is_retried(self, key: str) -> bool:
        """Whether nobody who waits for it wants it to be given up at the first trap."""
        request = self._open.get(key)
        return request is None or request.retry

    def settle(self, key: str, payload: bytes | None) -> None:
        request = self._open.pop(key, None)
        if request is not None:
            request.settle(payload)
        self.tell_callers(key, request)

    def fail(self, key: str, error: BaseException) -> None:
        request = self._open.pop(key, None)
        if request is not None:
            request.fail(error)
        self.tell_callers(key, request)

    def tell_callers(self, key: str, done: Request | None = None) -> None:
        """Other workers may wait for this one's answer: for what the log says of it, no less."""
        call, results = CallRef(self._parts.ref, key), self._parts.shared.results
        if key in self._parts.status.results:
            results.settled(call, done)
        elif not self.is_durable(key):
            results.settled(call)
        else:
            results.look(call)

    def fail_all(self, error: BaseException) -> None:
        """Answer everybody here.  What became of a call is for the log to say, not for the error."""
        self.queue.clear()
        for key in list(self._open):
            self._open.pop(key).fail(error)
            self.tell_callers(key)

    def unfinished(self) -> list[tuple[Request, bool]]:
        """Requests accepted and not completed, the running one first and marked."""
        running = self._parts.status.running
        listed: list[tuple[Request, bool]] = []
        if running is not None and self._parts.status.is_unfinished:
            request = self._open.get(running.key)
            listed.append((request or self._from_invoked(running.key, running.entry), True))
        listed.extend((request, False) for request in self.queue)
        return listed

    def _enqueue(self, request: Request) -> None:
        self.queue.append(self._opened(request))

    def _opened(self, request: Request) -> Request:
        self._open[request.key] = request
        return request

    def _from_pending(self, key: str, entry: PendingWorkerInvocation) -> Request:
        if entry.function is None:
            return update_request(key, entry.target_version)
        payload = self._parts.oplog.load(entry.request)
        function = self._parts.oplog.function(entry.function)
        args = decode_args(payload)
        request = Request(key, function, args, payload, not_before=entry.not_before)
        if entry.trace_id:
            request.trace = TraceContext(entry.trace_id, entry.trace_states, entry.spans)
        return request

    def _from_invoked(self, key: str, entry: ExportedFunctionInvoked) -> Request:
        payload = self._parts.oplog.load(entry.request)
        function = self._parts.oplog.function(entry.function)
        return Request(key, function, decode_args(payload), payload)

    def _settled(self, key: str, outcome: Outcome) -> Request:
        oplog = self._parts.oplog
        if outcome.oplog_index > oplog.committed_index:
            # Nobody learns of an outcome that a crash could take back.
            oplog.commit()
        invoked = oplog.entry(outcome.invoked_index)
        assert isinstance(invoked, ExportedFunctionInvoked)
        request = self._from_invoked(key, invoked)
        match oplog.entry(outcome.oplog_index):
            case ExportedFunctionCompleted(response=response):
                request.settle(None if response is None else oplog.load(response))
            case Error() as error:
                request.fail(self._error_of(error, outcome.invoked_index))
            case Exited(exit_code=code):
                request.fail(InvocationExitedError(exit_code=code))
            case Restart():
                request.fail(InvocationLostError())
            case other:
                raise AssertionError(f"{other} is no outcome")
        return request

    def _error_of(self, error: Error, invoked_index: int) -> HostError:
        if error.kind == ErrorKind.INVALID_REQUEST:
            return InvalidRequestError(reason=error.message)
        return self.failure(error, invoked_index)

    def failure(self, error: Error, invoked_index: int) -> InvocationFailedError:
        stderr = stderr_since(self._parts.oplog, invoked_index)
        return InvocationFailedError(error=error.message, stderr=stderr, traceback=error.detail)
