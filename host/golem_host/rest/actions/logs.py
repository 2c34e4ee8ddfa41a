"""A worker's oplog, page by page and as one file."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Final

from golem_host.errors import InvalidRequestError
from golem_host.rest.actions.lookup import path_component, path_worker
from golem_host.rest.actions.workers import page_size
from golem_host.rest.bodies import OplogPage, OplogQuery, WorkerCreated, WorkerId
from golem_host.rest.bounds import PAGE_BYTES_MAX, SCAN_COST_MAX, SCAN_ENTRIES_MAX
from golem_host.rest.exchange import BYTES, Exchange, Stream
from golem_host.rest.shapes import Json
from golem_oplog.documents import entry_document
from golem_oplog.search import Search

SPOOL_BYTES: Final = 1 << 20
"""What is kept in memory of an export, and sent at once."""


def read_oplog(x: Exchange) -> OplogPage:
    query = x.query(OplogQuery)
    count, first = page_size(query.count), max(_first(query), 1)
    worker = path_worker(x)
    last_index = worker.metadata().oplog_index
    search = None if query.query is None else Search(query.query)
    entries: list[Json] = []
    size_bytes = 0
    for view in worker.oplog(first):
        is_long = search is not None and search.cost >= SCAN_COST_MAX
        if is_long or len(entries) == count or view.index - first >= SCAN_ENTRIES_MAX:
            return OplogPage(tuple(entries), str(view.index), last_index)
        if search is None or search.matches(view):
            if size_bytes > PAGE_BYTES_MAX:
                return OplogPage(tuple(entries), str(view.index), last_index)
            document = entry_document(view)
            size_bytes += len(json.dumps(document))
            entries.append(Json(document))
    return OplogPage(tuple(entries), None, last_index)


async def export_worker(x: Exchange) -> Stream:
    # As a whole before the first byte is sent: then damage is an answer, and a slow reader holds up
    # no log.
    spool = await x.work(lambda: _spooled(path_worker(x).export()))
    return Stream(_pieces(x, spool), BYTES)


def _spooled(pieces: Iterator[bytes]) -> IO[bytes]:
    with ExitStack() as stack:
        spool = stack.enter_context(SpooledTemporaryFile(SPOOL_BYTES))
        for piece in pieces:
            spool.write(piece)
        spool.seek(0)
        stack.pop_all()
    return spool


async def _pieces(x: Exchange, spool: IO[bytes]) -> AsyncIterator[bytes]:
    try:
        while piece := await x.work(lambda: spool.read(SPOOL_BYTES)):
            yield piece
    finally:
        spool.close()


def import_worker(x: Exchange) -> WorkerCreated:
    component = path_component(x)
    worker = x.host.workers.take_in(component, x.named("worker"), BytesIO(x.content), "the body")
    return WorkerCreated(WorkerId(component.id, worker.name), worker.metadata().component_version)


def _first(query: OplogQuery) -> int:
    if query.cursor is None:
        return query.from_
    if not (query.cursor.isascii() and query.cursor.isdigit() and len(query.cursor) <= 20):
        raise InvalidRequestError(reason="query parameter cursor: not from a page of an oplog")
    return int(query.cursor)
