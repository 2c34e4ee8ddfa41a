"""Calls that no worker is asked for, each in an instance of its own: see `worker.scratch`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from golem_host.component import Component
from golem_host.errors import InvocationInterruptedError
from golem_host.services.output import Watcher
from golem_host.trace_context import TraceContext
from golem_host.wire import Public
from golem_host.worker.arguments import wire_args
from golem_host.worker.names import export_type
from golem_host.worker.parts import Shared
from golem_host.worker.request import Request
from golem_host.worker.scratch import Scratch
from golem_oplog.cbor import encode_args


def _unheard(*_: object) -> None:
    """Nobody watches."""


class OneTimeCall:
    """One that has not been made."""

    def __init__(self, calls: OneTimeCalls, scratch: Scratch, request: Request) -> None:
        self._calls = calls
        self._scratch = scratch
        self._request = request

    def run(self) -> Public:
        """
        Make it, in this thread.

        Raises:
            HostError: How it failed; `InvocationInterruptedError` after `stop`, and where the host
                is closed.
        """
        with self._calls.running(self._scratch):
            self._scratch.run()
        return self._request.result(0)

    def stop(self) -> None:
        """Give it up, from any thread, whether it has begun or not."""
        self._scratch.stop()


class OneTimeCalls:
    """Those of one host."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._lock = threading.Condition()
        self._open: set[Scratch] = set()
        self._is_closed = False

    def prepare(
        self,
        component: Component,
        function: str,
        *args: Public,
        on_output: Callable[[str, bytes], None] = _unheard,
        trace: TraceContext | None = None,
    ) -> OneTimeCall:
        """
        A call in an instance of its own: with no past, no future and no second attempt.

        Args:
            component: The version that is called.
            function: As for `Worker.invoke`.
            args: Public form.
            on_output: Called with ``stdout`` or ``stderr`` and what the guest writes.
            trace: As for `Worker.invoke`.

        Raises:
            InvalidRequestError: No such function.
            ParamTypeMismatchError: An argument does not fit.
        """
        if trace is not None:
            trace.check()
        ty = export_type(component, function)
        wire = wire_args(ty, args)
        key = self._shared.config.random.uuid()
        request = Request(key, ty, wire, encode_args(wire))
        request.trace = trace
        watcher = Watcher(on_output, _unheard)
        scratch = Scratch(self._shared, component, request, f"once-{key}", watcher)
        return OneTimeCall(self, scratch, request)

    @contextmanager
    def running(self, scratch: Scratch) -> Iterator[None]:
        """While this lasts, `close` waits."""
        with self._lock:
            if self._is_closed:
                raise InvocationInterruptedError(kind="the host is closed")
            self._open.add(scratch)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(scratch)
                self._lock.notify_all()

    def runs(self, name: str) -> bool:
        """Whether one of this name is under way."""
        with self._lock:
            return any(scratch.name == name for scratch in self._open)

    def close(self) -> None:
        """Stop what runs; returns when it has ended."""
        with self._lock:
            self._is_closed = True
            for scratch in self._open:
                scratch.stop()
            self._lock.wait_for(lambda: not self._open)
