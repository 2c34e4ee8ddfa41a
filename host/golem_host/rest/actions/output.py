"""
What a guest writes, as it writes it: one JSON document per line, or server-sent events.

``{"index": 7, "stream": "stdout", "text": "..."}`` (``base64`` in place of ``text`` where it is not
UTF-8), ``{"notice": "..."}`` for what the host has to say, ``{"index": 9}`` for "nothing up to
here, and I am still there", ``{"error": ...}`` as the last one if something went wrong.

Output comes from the log, and watching only says when to look.  So a slow reader holds up nobody
and costs no memory, and one that was cut off goes on behind the last index that it has seen.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from typing import Final, NamedTuple

from golem_host.errors import HostError, InvalidRequestError, WorkerNotFoundError
from golem_host.rest.actions.lookup import path_worker
from golem_host.rest.bell import Bell
from golem_host.rest.bodies import OutputQuery
from golem_host.rest.bounds import NOTICES_MAX
from golem_host.rest.errors import document_of
from golem_host.rest.exchange import EVENTS, LINES, Exchange, Stream, Waits
from golem_host.worker.output_line import OutputLine
from golem_host.worker.worker import Worker
from golem_oplog.errors import OplogError

BATCH_BYTES: Final = 256 << 10
"""Output read from the log at once."""


async def stream_output(x: Exchange) -> Stream:
    query = x.query(OutputQuery)
    as_events = EVENTS in x.headers.get("accept", "")
    frame = _event if as_events else _line
    worker = await x.work(lambda: path_worker(x))
    durable = await x.work(lambda: worker.durable_index)
    first = _first(query, x.headers.get("last-event-id"), durable)
    pieces = _follow(x, worker, first, frame) if query.follow else _all(x, worker, first, frame)
    return Stream(pieces, EVENTS if as_events else LINES)


def _first(query: OutputQuery, last_event_id: str | None, durable: int) -> int:
    if last_event_id is not None:
        if not (last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) <= 20):
            raise InvalidRequestError(reason="the header Last-Event-ID is not an oplog index")
        return int(last_event_id) + 1
    if query.from_ is not None:
        return max(query.from_, 1)
    return durable + 1 if query.follow else 1


class _Batch(NamedTuple):
    lines: list[OutputLine]
    next: int
    """Where to go on."""
    is_full: bool


def _read(worker: Worker, first: int, born_ns: int | None = None) -> _Batch:
    if born_ns not in {None, worker.metadata().created_ns}:
        # Another one of this name, whose log has nothing to do with what was read so far.
        raise WorkerNotFoundError(component=worker.component_name, worker=worker.name)
    durable = worker.durable_index
    lines: list[OutputLine] = []
    size_bytes = 0
    if first <= durable:
        for line in worker.output(first):
            if line.index > durable:
                break
            if size_bytes > BATCH_BYTES:
                return _Batch(lines, line.index, is_full=True)
            size_bytes += len(line.data)
            lines.append(line)
    return _Batch(lines, max(first, durable + 1), is_full=False)


Frame = Callable[[dict[str, object]], bytes]


async def _all(x: Exchange, worker: Worker, first: int, frame: Frame) -> AsyncIterator[bytes]:
    try:
        while True:
            batch = await x.work(lambda at=first: _read(worker, at))  # type: ignore[misc]
            for line in batch.lines:
                yield frame(_document(line))
            if not batch.is_full:
                return
            first = batch.next
    except (HostError, OplogError) as error:
        yield frame(document_of(error))


async def _follow(x: Exchange, worker: Worker, first: int, frame: Frame) -> AsyncIterator[bytes]:
    bell = _OutputBell(x.waits)
    watching = ExitStack()
    begun = asyncio.ensure_future(
        x.work(lambda: watching.enter_context(worker.attach(bell.on_output, bell.on_notice)))
    )
    try:
        # Not cancelled in the middle: what has begun must be ended.
        await asyncio.shield(begun)
        born_ns = await x.work(lambda: worker.metadata().created_ns)
        while True:
            # Taken first and told last: the output that went before it is in the batch.
            notices = bell.take_notices()
            batch = await x.work(lambda at=first: _read(worker, at, born_ns))  # type: ignore[misc]
            for line in batch.lines:
                yield frame(_document(line))
            for notice in notices:
                yield frame({"notice": notice})
            first = batch.next
            if not batch.is_full and not await bell.rung():
                yield frame({"index": first - 1})
    except (HostError, OplogError) as error:
        yield frame(document_of(error))
    finally:
        begun.add_done_callback(lambda _: watching.close())


class _OutputBell(Bell):
    """Rung by output, and by notices, which it keeps."""

    def __init__(self, waits: Waits) -> None:
        super().__init__(waits)
        self._notices: deque[str] = deque(maxlen=NOTICES_MAX)

    def on_output(self, _stream: str, _data: bytes) -> None:
        self.ring()

    def on_notice(self, text: str) -> None:
        self._notices.append(text)
        self.ring()

    def take_notices(self) -> list[str]:
        taken: list[str] = []
        while self._notices:
            taken.append(self._notices.popleft())
        return taken


def _document(line: OutputLine) -> dict[str, object]:
    document: dict[str, object] = {"index": line.index, "stream": line.stream}
    try:
        document["text"] = line.data.decode()
    except UnicodeDecodeError:
        document["base64"] = b64encode(line.data).decode()
    return document


def _line(document: dict[str, object]) -> bytes:
    return f"{json.dumps(document)}\n".encode()


def _event(document: dict[str, object]) -> bytes:
    index = document.get("index")
    identity = "" if index is None else f"id: {index}\n"
    return f"{identity}data: {json.dumps(document)}\n\n".encode()
