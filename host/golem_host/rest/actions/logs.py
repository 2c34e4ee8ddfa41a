"""A worker's oplog, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator

from golem_host.errors import InvalidRequestError
from golem_host.rest.actions.lookup import path_worker
from golem_host.rest.actions.workers import page_size
from golem_host.rest.bodies import OplogPage, OplogQuery
from golem_host.rest.bounds import PAGE_BYTES_MAX
from golem_host.rest.exchange import Exchange
from golem_host.rest.shapes import Json
from golem_host.worker.worker import Worker
from golem_oplog.documents import entry_document
from golem_oplog.views import EntryView


def read_oplog(x: Exchange) -> OplogPage:
    query = x.query(OplogQuery)
    count, first = page_size(query.count), _first(query)
    worker = path_worker(x)
    last_index = worker.metadata().oplog_index
    entries: list[Json] = []
    size_bytes = 0
    for view in _entries(worker, first, query.query):
        if len(entries) == count or size_bytes > PAGE_BYTES_MAX:
            return OplogPage(tuple(entries), str(view.index), last_index)
        document = entry_document(view)
        size_bytes += len(json.dumps(document))
        entries.append(Json(document))
    return OplogPage(tuple(entries), None, last_index)


def _first(query: OplogQuery) -> int:
    if query.cursor is None:
        return query.from_
    if not (query.cursor.isascii() and query.cursor.isdigit() and len(query.cursor) <= 20):
        raise InvalidRequestError(reason="query parameter cursor: not from a page of an oplog")
    return int(query.cursor)


def _entries(worker: Worker, first: int, query: str | None) -> Iterator[EntryView]:
    first = max(first, 1)
    return worker.oplog(first) if query is None else worker.search_oplog(query, first)
