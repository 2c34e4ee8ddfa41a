"""
Invocations: made, waited for, asked after, cancelled.

Who waits holds no thread.  A client that goes away leaves its invocation running: asking again
with the same ``Idempotency-Key`` gives its outcome.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from golem_host.component import Component
from golem_host.errors import HostError, InvalidRequestError
from golem_host.rest.actions.lookup import path_component, path_worker
from golem_host.rest.bodies import (
    Canceled,
    EnqueueQuery,
    InvocationAccepted,
    InvocationForm,
    InvocationQuery,
    InvocationResult,
    InvokeBody,
    InvokeQuery,
    UnfinishedForm,
    UnfinishedList,
)
from golem_host.rest.bounds import WAIT_S_MAX
from golem_host.rest.errors import InvocationNotFoundError, document_of
from golem_host.rest.exchange import Exchange
from golem_host.rest.shapes import Json
from golem_host.rest.times import NS_PER_S, time_of
from golem_host.rest.typed import arguments, type_document, value_document
from golem_host.services.unfinished import WorkerKey
from golem_host.worker.names import export_type
from golem_host.worker.request import Call
from golem_host.worker.worker import Unfinished, Worker
from golem_oplog.errors import OplogError
from golem_oplog.jsonform import to_json
from golem_oplog.types import FunctionType
from golem_oplog.wave import parse_args, parse_call


async def invoke_and_await(x: Exchange) -> InvocationResult:
    query, body = x.query(InvokeQuery), x.body(InvokeBody)
    timeout_s = None if query.timeout is None else _seconds("timeout", query.timeout)

    def begin() -> tuple[Worker, Call]:
        worker, function, args = _prepare(x, query.function, body)
        return worker, worker.begin(
            function.name, *args, idempotency_key=_key(x), retry=query.retry, trace=x.trace
        )

    worker, call = await x.work(begin)
    is_done = await x.outcome(call, timeout_s)

    def finish() -> InvocationResult:
        value = call.result(0) if is_done else worker.give_up(call)
        result = value_document(call.function.result, value)
        return InvocationResult(Json(result), call.key, worker.durable_index)

    return await x.work(finish)


def invoke(x: Exchange) -> InvocationAccepted:
    query, body = x.query(EnqueueQuery), x.body(InvokeBody)
    at = None if query.at is None else _moment(query.at)
    worker, function, args = _prepare(x, query.function, body)
    call = worker.enqueue(function.name, *args, idempotency_key=_key(x), at=at, trace=x.trace)
    return InvocationAccepted(call.key)


async def get_invocation(x: Exchange) -> InvocationForm:
    wait_s = _seconds("wait", x.query(InvocationQuery).wait)
    key = x.named("key")
    call = await x.work(lambda: path_worker(x).call(key))
    if call is None:
        raise InvocationNotFoundError(reason=f"no invocation {key!r} was accepted by this worker")
    if wait_s and not call.done:
        await x.outcome(call, wait_s)
    return await x.work(lambda: _form(call))


def list_unfinished(x: Exchange) -> UnfinishedList:
    worker = path_worker(x)
    return UnfinishedList(tuple(_unfinished(worker, item) for item in worker.unfinished()))


def cancel_invocation(x: Exchange) -> Canceled:
    worker, key = path_worker(x), x.named("key")
    call = worker.call(key)
    if call is None:
        raise InvocationNotFoundError(reason=f"no invocation {key!r} was accepted by this worker")
    return Canceled(call.cancel())


def _key(x: Exchange) -> str | None:
    key = x.idempotency_key
    if key is not None and not key.strip():
        raise InvalidRequestError(reason="the header Idempotency-Key is empty")
    return key


def _prepare(
    x: Exchange, name: str | None, body: InvokeBody
) -> tuple[Worker, FunctionType, list[object]]:
    """The worker, made if there is none of this name, and a call that fits it."""
    worker_name = x.named("worker")
    component = path_component(x)
    # A mistake in the call makes no worker.
    exists = x.host.workers.exists(WorkerKey(component.name, worker_name))
    worker = x.host.workers.get(component.name, worker_name) if exists else None
    function, args = _call(component if worker is None else worker.component, name, body)
    return worker or x.host.workers.get_or_create(component, worker_name), function, args


def _call(
    component: Component, name: str | None, body: InvokeBody
) -> tuple[FunctionType, list[object]]:
    if body.call is not None:
        if name is not None or body.params is not None:
            raise InvalidRequestError(reason="body: call stands alone, without function or params")
        parsed = parse_call(body.call)
        function = export_type(component, parsed.name)
        return function, parse_args(parsed, function)
    if name is None or body.params is None:
        raise InvalidRequestError(
            reason="give the query parameter function and the body's params, or the body's call"
        )
    function = export_type(component, name)
    return function, arguments(function, [each.value for each in body.params])


def _form(call: Call) -> InvocationForm:
    result: object = None
    error: object = None
    is_done = call.done
    if is_done:
        try:
            result = value_document(call.function.result, call.result(0))
        except (HostError, OplogError) as failure:
            error = document_of(failure)["error"]
    return InvocationForm(call.key, call.function.name, is_done, Json(result), Json(error))


def _unfinished(worker: Worker, item: Unfinished) -> UnfinishedForm:
    params = worker.resolve(item.function).params
    documents = [
        Json({"name": name, "typ": type_document(ty), "value": to_json(ty, arg)})
        for (name, ty), arg in zip(params, item.args, strict=True)
    ]
    return UnfinishedForm(item.key, item.function, tuple(documents), item.running)


def _seconds(parameter: str, seconds: float) -> float:
    if seconds > WAIT_S_MAX:
        raise InvalidRequestError(
            reason=f"query parameter {parameter}: at most {WAIT_S_MAX:.0f} seconds"
        )
    return seconds


def _moment(text: str) -> datetime:
    seconds, rest_ns = divmod(time_of(text), NS_PER_S)
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=rest_ns // 1000)
