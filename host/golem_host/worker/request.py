"""One invocation as its callers hold it: what was asked, and the outcome when there is one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias

from golem_host.wire import Public, Wire
from golem_oplog.cbor import decode_value, fingerprint
from golem_oplog.types import FunctionType
from golem_oplog.values import from_wire

Cancel: TypeAlias = Callable[[str], bool]


class Request:
    """
    An invocation that somebody waits for in this process.

    Settled once, by the worker's thread; read by any number of callers.
    """

    __slots__ = ("_done", "_error", "_payload", "args", "function", "key", "payload")

    def __init__(self, key: str, function: FunctionType, args: list[Wire], payload: bytes) -> None:
        self.key = key
        self.function = function
        self.args = args
        """Wire form."""
        self.payload = payload
        """The same as canonical CBOR."""
        self._done = threading.Event()
        self._payload: bytes | None = None
        self._error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self._done.is_set()

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.function, self.args)

    def settle(self, payload: bytes | None) -> None:
        """The export returned; ``payload`` is the CBOR of its result."""
        self._payload = payload
        self._done.set()

    def fail(self, error: BaseException) -> None:
        self._error = error
        self._done.set()

    def result(self, timeout: float | None = None) -> Public:
        """
        Wait for the outcome: the value in public form.

        Raises:
            TimeoutError: Not yet; the invocation goes on.
            HostError: How it failed.
        """
        if not self._done.wait(timeout):
            raise TimeoutError(f"{self.function.name} is still running")
        if self._error is not None:
            # Several callers may share one outcome: none may see another's traceback.
            raise self._error.with_traceback(None)
        return public_result(self.function, self._payload)


def public_result(function: FunctionType, payload: bytes | None) -> Public:
    """A recorded result in public form; None where the function has none."""
    if function.result is None or payload is None:
        return None
    return from_wire(function.result)(decode_value(payload))


class Call:
    """What `Worker.enqueue` returns: an invocation that is accepted and will be done."""

    def __init__(self, request: Request, cancel: Cancel) -> None:
        self._request = request
        self._cancel = cancel

    @property
    def key(self) -> str:
        """Its idempotency key: with it the result can be asked for at any later time."""
        return self._request.key

    def result(self, timeout: float | None = None) -> Public:
        """Wait at most ``timeout`` seconds for the value; see `Request.result`."""
        return self._request.result(timeout)

    def cancel(self) -> bool:
        """
        Take it out of the queue; False when it is done already.

        Raises:
            InvalidRequestError: It is running: interrupt the worker instead.
        """
        return self._cancel(self._request.key)
