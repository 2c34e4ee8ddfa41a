"""Promises: what workers wait for and anybody may complete."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from itertools import islice

from golem_host.errors import InvalidRequestError
from golem_host.rest.actions.lookup import path_component
from golem_host.rest.actions.workers import page_size
from golem_host.rest.bodies import (
    CompleteBody,
    Nothing,
    PromiseForm,
    PromiseListQuery,
    PromisePage,
    PromiseValue,
    WorkerId,
)
from golem_host.rest.exchange import Exchange
from golem_host.rest.shapes import Json
from golem_host.services.promises import PromiseId, PromiseInfo
from golem_oplog.documents import precise_time


def complete_promise(x: Exchange) -> bool:
    body = x.body(CompleteBody)
    promise = PromiseId(path_component(x).id, x.named("worker"), body.oplog_idx)
    return x.host.promises.complete(promise, _data(body))


def list_all_promises(x: Exchange) -> PromisePage:
    return _page(x, x.host.promises.list())


def list_worker_promises(x: Exchange) -> PromisePage:
    return _page(x, x.host.promises.list(path_component(x).id, x.named("worker")))


def get_promise(x: Exchange) -> PromiseValue:
    promise = _path_promise(x)
    data = x.host.promises.get(promise)
    encoded = None if data is None else b64encode(data).decode()
    return PromiseValue(str(promise), data is not None, encoded)


def delete_promise(x: Exchange) -> Nothing:
    x.host.promises.delete(_path_promise(x))
    return Nothing()


def _path_promise(x: Exchange) -> PromiseId:
    return PromiseId(path_component(x).id, x.named("worker"), x.index("index"))


def _page(x: Exchange, found: Iterator[PromiseInfo]) -> PromisePage:
    query = x.query(PromiseListQuery)
    count, skipped = page_size(query.count), _skipped(query.cursor)
    # One more than wanted tells whether there is a next page.
    page = list(islice(found, skipped, skipped + count + 1))
    cursor = str(skipped + count) if len(page) > count else None
    return PromisePage(tuple(_form(each) for each in page[:count]), cursor)


def _skipped(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 9):
        raise InvalidRequestError(reason="query parameter cursor: not from a page of promises")
    return int(cursor)


def _form(info: PromiseInfo) -> PromiseForm:
    promise = info.id
    return PromiseForm(
        promise_id=str(promise),
        worker_id=WorkerId(promise.component_id, promise.worker_name),
        oplog_idx=promise.oplog_index,
        completed=info.completed,
        size_bytes=info.size_bytes,
        created_at=precise_time(info.created_ns),
    )


def _data(body: CompleteBody) -> bytes:
    match body.data, body.data_base64:
        case Json([*numbers]), None:
            octets = [n for n in numbers if type(n) is int and 0 <= n <= 255]
            if len(octets) == len(numbers):
                return bytes(octets)
            reason = "body.data: expected one number from 0 to 255 per byte"
            raise InvalidRequestError(reason=reason)
        case None, str(text):
            try:
                return b64decode(text, validate=True)
            except ValueError as error:
                raise InvalidRequestError(reason=f"body.dataBase64: {error}") from error
        case _:
            raise InvalidRequestError(reason="body: give data or dataBase64, one of them")
