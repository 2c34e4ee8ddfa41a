"""
The web application that a component is: each request becomes one call of its handler.

Without a rule every request has an instance of its own, of which nothing remains.  With one it is
an invocation of a worker, durable like any other: a client that asks again with the same
``Idempotency-Key`` gets the first answer, and a request whose client went away is finished.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from golem_host.errors import (
    ConflictError,
    InvalidRequestError,
    InvocationExitedError,
    InvocationFailedError,
    InvocationInterruptedError,
    PreviousInvocationFailedError,
)
from golem_host.interfaces.wasi.http.incoming_handler import TYPE
from golem_host.rest.app import read_body
from golem_host.rest.bounds import RETRY_AFTER_S, Bounds
from golem_host.rest.errors import BodyTooLargeError, HostClosingError, SlowClientError
from golem_host.rest.exchange import Waits, outcome
from golem_host.rest.guard import drain
from golem_host.services.worker_name import check_worker_name
from golem_host.trace_context import TRACE_PARENT, TRACE_STATE, TraceContext
from golem_host.web.instances import Instances, retrieve
from golem_host.web.messages import Answer, answer_of, arguments, problem, target_of
from golem_host.web.outputs import Outputs
from golem_host.web.rule import Asked, WorkerRule
from golem_host.wire import Public
from golem_oplog.data_error import DataError
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.values import Err

if TYPE_CHECKING:
    from golem_host.component import Component
    from golem_host.host import Host
    from golem_host.services.once import OneTimeCall
    from golem_host.worker.request import Call
    from golem_host.worker.worker import Worker

_LOG: Final = logging.getLogger(__name__)
KEY_HEADER: Final = "idempotency-key"
TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Served:
    """Which component answers, and how."""

    component: Component
    """The version that answers without a worker, and that new workers have."""
    rule: WorkerRule | None
    """Which worker a request is for; None for an instance of its own."""
    timeout_s: float = TIMEOUT_S
    """How long a client waits.  A worker goes on after that, an instance of its own ends."""


class HttpApp:
    """
    An ASGI application.

    Args:
        host: Runs the calls.
        served: What it is.
        outputs: Shows what guests write.
        waits: Of the event loop.
        pool: For what blocks.
        bounds: What is taken on.
    """

    def __init__(
        self,
        host: Host,
        served: Served,
        outputs: Outputs,
        waits: Waits,
        pool: Executor,
        bounds: Bounds,
    ) -> None:
        self._host = host
        self._component = served.component
        self._rule = served.rule
        self._timeout_s = served.timeout_s
        self._outputs = outputs
        self._waits = waits
        self._pool = pool
        self._bounds = bounds
        self._instances = Instances(pool, bounds.threads_max)
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if self._requests >= self._bounds.requests_max:
            await drain(receive, self._bounds.drain_s)
            await _send(send, _overloaded(self._bounds.requests_max))
            return
        self._requests += 1
        try:
            await _send(send, await self._answer(Request(scope, receive)))
        except ClientDisconnect:
            # Nobody is left to be answered.
            return
        finally:
            self._requests -= 1

    async def _answer(self, request: Request) -> Answer:
        try:
            body = await read_body(request, self._bounds.body_bytes_max, self._bounds.body_s)
        except (BodyTooLargeError, SlowClientError) as error:
            await drain(request.receive, self._bounds.drain_s)
            return problem(413 if isinstance(error, BodyTooLargeError) else 408, str(error))
        if request.method == "CONNECT":
            # What it opens would be no more requests.
            return problem(501, "this server opens no tunnels")
        target = target_of(request.scope)
        headers = _first_of_each(request)
        name = None
        if self._rule is not None:
            try:
                name = self._rule.worker_of(Asked(target.path, headers))
                check_worker_name(name)
            except InvalidRequestError as error:
                return problem(400, str(error))
        args = arguments(request.scope, target, body)
        trace = TraceContext.of_headers(headers.get(TRACE_PARENT), headers.get(TRACE_STATE))
        try:
            if name is None:
                value = await self._call_once(request, args, trace)
            else:
                value = await self._call(name, headers.get(KEY_HEADER) or None, args, trace)
        except TimeoutError:
            return problem(504, f"no answer within {self._timeout_s:g} seconds")
        except (DataError, OSError) as error:
            return _failed(error)
        if isinstance(value, Err):
            return _refused(value.value)
        return answer_of(value.value, request.method)

    async def _call(
        self, name: str, key: str | None, args: tuple[Public, ...], trace: TraceContext | None
    ) -> Public:
        def begin() -> tuple[Call, ExitStack]:
            worker = self._host.workers.get_or_create(self._component, name)
            watching = ExitStack()
            watching.enter_context(self._outputs.shown(worker))
            try:
                return _begin(worker, key, args, trace), watching
            except BaseException:
                watching.close()
                raise

        work = self._waits.loop.run_in_executor
        call, watching = await work(self._pool, begin)
        try:
            # The client that leaves is not looked for: its request is done either way.
            if not await outcome(self._waits, self._pool, call, self._timeout_s):
                raise TimeoutError
            return await work(self._pool, lambda: call.result(0))
        finally:
            await asyncio.shield(work(self._pool, watching.close))

    async def _call_once(
        self, request: Request, args: tuple[Public, ...], trace: TraceContext | None
    ) -> Public:
        def prepare() -> OneTimeCall:
            return self._host.once.prepare(
                self._component, TYPE.name, *args, on_output=self._outputs.show, trace=trace
            )

        over: asyncio.Future[None] = self._waits.loop.create_future()

        def settle(task: asyncio.Future[Public]) -> None:
            retrieve(task)
            if not over.done():
                over.set_result(None)

        answering = asyncio.ensure_future(self._instances.run(prepare))
        leaving = asyncio.ensure_future(_left(request))
        try:
            answering.add_done_callback(settle)
            leaving.add_done_callback(settle)
            if not await self._waits.wait(over, self._timeout_s):
                raise TimeoutError
            if not answering.done():
                raise ClientDisconnect
            return answering.result()
        finally:
            leaving.cancel()
            answering.cancel()


def _begin(
    worker: Worker, key: str | None, args: tuple[Public, ...], trace: TraceContext | None
) -> Call:
    call = _known(worker, key, args)
    if call is not None:
        return call
    try:
        return worker.begin(TYPE.name, *args, idempotency_key=key, trace=trace)
    except ConflictError:
        # Another request with the key may have come in between.
        call = _known(worker, key, args)
        if call is None:
            raise
        return call


def _known(worker: Worker, key: str | None, args: tuple[Public, ...]) -> Call | None:
    """
    The call that a client makes again.

    Its headers may differ: what traces it, says when it was sent, or names another of our
    addresses.  Method, path, body and who asks may not: `Worker.begin` then refuses.
    """
    call = None if key is None else worker.call(key)
    if call is None or call.function != TYPE or _essence(call.args) != _essence(args):
        return None
    return call


def _essence(args: tuple[Public, ...]) -> tuple[Public, ...]:
    method, _scheme, _authority, path, headers, body = args
    return method, path, [each for each in headers if each[0].lower() in _WHO_ASKS], body


_WHO_ASKS: Final = frozenset(("authorization", "cookie"))
"""A key that somebody else has guessed must not give them the answer."""


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _first_of_each(request: Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        found.setdefault(name, value)
    return found


_STATUS_OF_CODE: Final = {
    "HTTP-request-body-size": 413,
    "HTTP-request-denied": 403,
    "HTTP-request-method-invalid": 405,
    "HTTP-request-URI-invalid": 400,
    "HTTP-request-URI-too-long": 414,
    "HTTP-response-timeout": 504,
    "connection-read-timeout": 504,
    "connection-timeout": 504,
    "destination-not-found": 404,
}
"""What a handler's own error is answered with, where it is no failure of the server."""


def _refused(code: Public) -> Answer:
    return problem(_STATUS_OF_CODE.get(code.case, 500), f"error: {code.case}")


def _failed(error: BaseException) -> Answer:
    match error:
        case ConflictError():
            return problem(409, str(error))
        case InvocationFailedError() | PreviousInvocationFailedError():
            _LOG.warning("a handler failed", extra={"error": error})
            return problem(500, "the component failed")
        case InvocationInterruptedError() | HostClosingError():
            return problem(503, "the request was interrupted; try again")
        case InvocationExitedError():
            return problem(500, str(error))
    # Paths, indexes and functions are for whoever runs the server.
    _LOG.error("a request failed: %s", error, extra={"error": error})
    return problem(500, "the worker cannot be used")


def _overloaded(requests_max: int) -> Answer:
    answer = problem(503, f"more than {requests_max} requests at once; try again")
    answer.headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    answer.headers.append((b"connection", b"close"))
    return answer


async def _send(send: Send, answer: Answer) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
