"""One invocation as its callers hold it: what was asked, and the outcome when there is one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from golem_host.errors import InvalidRequestError
from golem_host.system import THREAD_WAIT_S_MAX, monotonic_s
from golem_host.trace_context import TraceContext
from golem_host.wire import Public, Wire
from golem_host.worker.arguments import public_args
from golem_oplog.cbor import decode_value, fingerprint
from golem_oplog.types import FunctionType
from golem_oplog.values import from_wire

Cancel: TypeAlias = Callable[[str], bool]

_WAITERS: Final = threading.Lock()
"""Guards who waits for which request: a worker is put away only while nobody waits for it."""


class DetachedError(Exception):
    """The worker was put away while nobody waited: ask for the request again, by its key."""


class Request:
    """
    An invocation that somebody waits for in this process.

    Settled once, by the worker's thread; read by any number of callers.
    """

    __slots__ = (
        "_detached",
        "_done",
        "_error",
        "_payload",
        "_waiters",
        "_watchers",
        "args",
        "function",
        "key",
        "not_before",
        "payload",
        "retry",
        "target_version",
        "trace",
    )

    def __init__(
        self,
        key: str,
        function: FunctionType,
        args: list[Wire],
        payload: bytes,
        *,
        not_before: int | None = None,
        target_version: int | None = None,
        retry: bool = True,
    ) -> None:
        self.key = key
        self.function = function
        self.args = args
        """Wire form."""
        self.payload = payload
        """The same as canonical CBOR."""
        self.not_before = not_before
        """Unix nanoseconds before which it does not begin."""
        self.target_version = target_version
        """For a snapshot-based update, which waits in the queue like an invocation."""
        self.retry = retry
        """Whether an attempt that traps is made again; False where one of its callers says so."""
        self.trace: TraceContext | None = None
        """What it is traced by; None for a trace of its own."""
        self._done = threading.Event()
        self._payload: bytes | None = None
        self._error: BaseException | None = None
        self._waiters = 0
        self._watchers: list[Callable[[], None]] = []
        self._detached = False

    @property
    def done(self) -> bool:
        return self._done.is_set()

    @property
    def is_detached(self) -> bool:
        """Whether the worker was put away, so that this request learns nothing more."""
        return self._detached

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.function, self.args)

    def settle(self, payload: bytes | None) -> None:
        """The export returned; ``payload`` is the CBOR of its result."""
        self._payload = payload
        self._finish()

    def fail(self, error: BaseException) -> None:
        self._error = error
        self._finish()

    def _finish(self) -> None:
        with _WAITERS:
            self._done.set()
            watchers, self._watchers = self._watchers, []
        for on_done in watchers:
            on_done()

    def watch(self, on_done: Callable[[], None]) -> Callable[[], None]:
        """
        Wait without a thread: ``on_done`` is called once, from any thread, at once if it is done.

        It must be quick and must not raise.  What is returned ends the waiting.

        Raises:
            DetachedError: The worker was put away; `Call` asks again.
        """
        with _WAITERS:
            if self._detached:
                raise DetachedError
            self._waiters += 1
            is_done = self._done.is_set()
            if not is_done:
                self._watchers.append(on_done)
        if is_done:
            on_done()

        def end() -> None:
            with _WAITERS:
                self._waiters -= 1
                if on_done in self._watchers:
                    self._watchers.remove(on_done)

        return end

    def result(self, timeout: float | None = None) -> Public:
        """
        Wait for the outcome: the value in public form.

        Raises:
            TimeoutError: Not yet; the invocation goes on.
            DetachedError: The worker was put away; `Call` asks again.
            HostError: How it failed.
        """
        with _WAITERS:
            if self._detached:
                raise DetachedError
            self._waiters += 1
        try:
            is_done = self._done.wait(None if timeout is None else min(timeout, THREAD_WAIT_S_MAX))
        finally:
            with _WAITERS:
                self._waiters -= 1
        if not is_done:
            raise TimeoutError(f"{self.function.name} is still running")
        return public_result(self.function, self.payload_of_result())

    def payload_of_result(self) -> bytes | None:
        """
        The CBOR of the result, once it is done.

        Raises:
            HostError: How it failed.
        """
        assert self.done
        if self._error is not None:
            # Several callers may share one outcome: none may see another's traceback.
            raise self._error.with_traceback(None)
        return self._payload


def detach(requests: Iterable[Request]) -> bool:
    """Give up requests that nobody waits for: all, or with False none."""
    asked = list(requests)
    with _WAITERS:
        if any(request._waiters for request in asked):  # noqa: SLF001 - the lock is shared
            return False
        for request in asked:
            request._detached = True  # noqa: SLF001 - the lock is shared
    return True


def public_result(function: FunctionType, payload: bytes | None) -> Public:
    """A recorded result in public form; None where the function has none."""
    if function.result is None or payload is None:
        return None
    return from_wire(function.result)(decode_value(payload))


class Call:
    """What `Worker.enqueue` returns: an invocation that is accepted and will be done."""

    def __init__(
        self, request: Request, cancel: Cancel, again: Callable[[str], Request | None]
    ) -> None:
        self._request = request
        self._cancel = cancel
        self._again = again

    @property
    def key(self) -> str:
        """Its idempotency key: with it the result can be asked for at any later time."""
        return self._request.key

    @property
    def done(self) -> bool:
        """Whether its outcome is known: then `result` returns at once."""
        if self._request.is_detached:
            try:
                self._ask_again()
            except InvalidRequestError:
                return True
        return self._request.done

    def result(self, timeout: float | None = None) -> Public:
        """Wait at most ``timeout`` seconds for the value; see `Request.result`."""
        ends_at = None if timeout is None else monotonic_s() + timeout
        while True:
            left = None if ends_at is None else max(ends_at - monotonic_s(), 0)
            try:
                return self._request.result(left)
            except DetachedError:
                self._ask_again()

    def watch(self, on_done: Callable[[], None]) -> Callable[[], None]:
        """Wait without a thread; see `Request.watch`."""
        while True:
            try:
                return self._request.watch(on_done)
            except DetachedError:
                self._ask_again()

    @property
    def function(self) -> FunctionType:
        """The export that is called."""
        return self._request.function

    @property
    def args(self) -> tuple[Public, ...]:
        """What it is called with, in public form."""
        return public_args(self._request.function, self._request.args)

    @property
    def wire_args(self) -> list[Wire]:
        """The same in wire form."""
        return self._request.args

    def _ask_again(self) -> None:
        found = self._again(self.key)
        if found is None:
            raise InvalidRequestError(
                reason=f"invocation {self.key!r} was taken out of the worker's past"
            )
        self._request = found

    def give_up(self, stop: Callable[[Request], None]) -> None:
        """Wait no longer; ``stop`` is told which request that concerns."""
        stop(self._request)

    def cancel(self) -> bool:
        """
        Take it out of the queue; False when it is done already.

        Raises:
            InvalidRequestError: It is running: interrupt the worker instead.
        """
        return self._cancel(self._request.key)
