"""
The body of a response and its stream: what was read is recorded.

Source: WASI 0.2 ``wasi:http/types.incoming-body``; spec 4.7, steps 5 and 7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import WRITE_REMOTE_BATCHED, Recorded
from golem_host.interfaces.wasi.http.codes import (
    STREAM_ERROR,
    code_wire,
    error_of_wire,
    io_error,
)
from golem_host.interfaces.wasi.http.exchange import Exchange
from golem_host.interfaces.wasi.http.pollables import Awaited
from golem_host.interfaces.wasi.http.trailers import FutureTrailers
from golem_host.interfaces.wasi.io.poll import wait_for
from golem_host.interfaces.wasi.io.pollables import Pollable, Ready
from golem_host.interfaces.wasi.io.streams import StreamClosedError, StreamFailedError
from golem_host.net.http.errors import HttpError
from golem_host.wire import Wire
from golem_oplog.types import FunctionType, ListType, Prim, ResultType, WitType

_SIZE: Final = (("size", Prim.U64),)


def _step(name: str, result: WitType) -> Recorded:
    return Recorded(
        WRITE_REMOTE_BATCHED,
        FunctionType(
            f"http::types::incoming_body_stream::{name}", _SIZE, ResultType(result, STREAM_ERROR)
        ),
    )


_BYTES: Final = ListType(Prim.U8)
_READS: Final = {False: _step("read", _BYTES), True: _step("blocking_read", _BYTES)}
_SKIPS: Final = {False: _step("skip", Prim.U64), True: _step("blocking_skip", Prim.U64)}
_FAILED, _CLOSED = range(2)


class ResponseBody:
    """A `Source`: the body of a response."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._stream: BodyInput | None = None
        self._is_dropped = False
        exchange.own(self)

    @property
    def is_open(self) -> bool:
        return self._stream is not None and not self._stream.is_dropped

    def stream(self) -> BodyInput:
        self._stream = BodyInput(self._exchange, self)
        return self._stream

    def stream_dropped(self) -> None:
        self._exchange.finish()
        if self._is_dropped:
            # Else its trailers may still be wanted.
            self._exchange.release()

    def finish(self) -> FutureTrailers:
        exchange = self._exchange
        if exchange.is_read:
            return FutureTrailers(exchange.trailers)
        exchange.finish()
        return FutureTrailers(None, exchange)

    def dropped(self) -> None:
        self._is_dropped = True
        if not self.is_open:
            self._exchange.end()


class BodyInput:
    """An `InputStream`."""

    def __init__(self, exchange: Exchange, body: ResponseBody) -> None:
        self._exchange = exchange
        self._body = body
        self._awaited = Awaited(exchange, lambda outside: outside.body.is_ready)
        self._is_over = False
        self.is_dropped = False
        exchange.own(self)

    def read(self, context: InstanceContext, size_max: int, *, waits: bool) -> bytes:
        if size_max == 0:
            self._refuse_over()
            return b""
        found = self._step(
            _READS[waits], size_max, lambda: self._take(context, size_max, waits=waits)
        )
        data = bytes(found)
        self._exchange.note_read(data)
        return data

    def skip(self, context: InstanceContext, size_max: int, *, waits: bool) -> int:
        if size_max == 0:
            self._refuse_over()
            return 0
        size: int = self._step(
            _SKIPS[waits], size_max, lambda: len(self._take(context, size_max, waits=waits))
        )
        self._exchange.note_skipped(size)
        return size

    def _refuse_over(self) -> None:
        if self._is_over:
            raise StreamClosedError

    def _step(self, recorded: Recorded, size: int, perform: Callable[[], Wire]) -> Wire:
        self._refuse_over()
        exchange = self._exchange

        def answer() -> Wire:
            try:
                return (0, perform())
            except StreamClosedError:
                return (1, (_CLOSED, None))
            except HttpError as error:
                return (1, (_FAILED, code_wire(error)))

        exchange.recall_trailers()
        case, value = exchange.batch.call(recorded, (size,), answer)
        self._awaited.forget()
        if case == 0:
            return value
        self._is_over = True
        if value[0] == _CLOSED:
            exchange.is_read = True
            exchange.end()
            raise StreamClosedError
        exchange.part.commit()
        raise StreamFailedError(io_error(error_of_wire(value[1])))

    def _take(self, context: InstanceContext, size_max: int, *, waits: bool) -> bytes:
        body = self._exchange.outside().body
        self._awaited.keep_word(context)
        while True:
            data = body.take(size_max)
            if data is None:
                self._exchange.note_trailers(body.trailers)
                raise StreamClosedError
            if data or not waits:
                return data
            wait_for(context, [self.pollable()])

    def pollable(self) -> Pollable:
        if self._is_over:
            return Ready()
        return self._awaited

    def dropped(self, context: InstanceContext) -> None:
        self.is_dropped = True
        self._body.stream_dropped()
