"""Where the body of a request goes to: into a window of its own, and once it is sent, outside."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import WRITE_REMOTE_BATCHED, Recorded
from golem_host.failures import GuestError
from golem_host.interfaces.wasi.http.exchange import Exchange
from golem_host.interfaces.wasi.http.part import Http
from golem_host.interfaces.wasi.io.poll import recorded_wait, wait_for
from golem_host.interfaces.wasi.io.pollables import Pollable, Unwatched
from golem_host.interfaces.wasi.io.streams import StreamClosedError
from golem_host.net.http.errors import HttpError
from golem_host.net.http.exchange import Exchange as Outside
from golem_host.net.http.pipe import WINDOW_BYTES, Bells, Fields
from golem_host.net.http.upload import Upload
from golem_host.wire import Wire
from golem_oplog.types import FunctionType, OptionType, Prim

_ROOM: Final = Recorded(
    WRITE_REMOTE_BATCHED,
    FunctionType("http::types::outgoing_body_stream::check_write", (), OptionType(Prim.U64)),
)


class RequestSink:
    """A `Sink`."""

    too_long = "HTTP-request-body-size"

    def __init__(self) -> None:
        self.upload = Upload(Bells())
        self.exchange: Exchange | None = None
        """Once it is sent."""
        self._held_by: Http | None = None
        self._held_bytes = 0
        self._room = WINDOW_BYTES
        """As of the last recorded answer; there may be more by now."""
        self._is_closed = self._is_told = False
        self.is_ended = self.is_failed = False
        self.size = 0
        self.has_trailers = False

    def room(self, context: InstanceContext) -> int:
        exchange = self.exchange
        if self._is_closed or (exchange is not None and exchange.is_over):
            raise StreamClosedError
        if self._room == 0 and exchange is not None:
            before = context.oplog.last_index
            found = exchange.batch.call(_ROOM, (), lambda: self._look(context, exchange))
            self._is_told = False
            exchange.part.note_room(before)
            if found is None:
                self._is_closed = True
                raise StreamClosedError
            self._room = found[0]
        return self._room

    def _look(self, context: InstanceContext, exchange: Exchange) -> Wire:
        try:
            exchange.outside()
        except HttpError:
            return None
        if self._is_told:
            # The guest counts on it, though after a replay it may have to come about again.
            wait_for(context, [self.pollable()])
        return None if self.upload.is_cut else (self.upload.room,)

    def wait(self, context: InstanceContext) -> None:
        if self.exchange is None:
            raise GuestError(
                f"a body of more than {WINDOW_BYTES} bytes was written before its request was sent"
            )
        recorded_wait(context, self.pollable())

    def put(self, context: InstanceContext, data: bytes) -> None:
        if self.exchange is None:
            self._held_by = context.part(Http)
            self._held_by.hold(len(data))
            self._held_bytes += len(data)
        self._room -= len(data)
        self.size += len(data)
        self._tell(lambda: self.upload.put(data))

    def end(self, trailers: Fields) -> None:
        self.is_ended = True
        self.has_trailers = bool(trailers)
        self._tell(lambda: self.upload.end(trailers))

    def fail(self, error: HttpError) -> None:
        self.is_failed = True
        if self.exchange is None:
            self._let_go()
        self._tell(lambda: self.upload.fail(error))

    def give_up(self, error: HttpError) -> None:
        """There is no request any more: whoever still writes has nobody who reads."""
        self.fail(error)
        self.upload.cut()
        self._is_closed = True

    def attach(self, exchange: Exchange) -> None:
        """The request is sent."""
        self._let_go()
        self.exchange = exchange

    def _let_go(self) -> None:
        if self._held_by is not None:
            self._held_by.hold(-self._held_bytes)
        self._held_bytes = 0

    def _tell(self, what: Callable[[], None]) -> None:
        exchange = self.exchange
        if exchange is not None and exchange.rest is not None and not exchange.is_over:
            # It leaves the process.
            exchange.part.before_output()
        what()

    def pollable(self) -> Pollable:
        return _HasRoom(self)

    def told(self) -> None:
        """The guest has learned that there is room."""
        self._is_told = True

    @property
    def has_room(self) -> bool:
        """Whether `room` would say something else than 0."""
        exchange = self.exchange
        if self._room or self._is_closed:
            return True
        return exchange is not None and exchange.is_ready(self._look_at)

    def _look_at(self, outside: Outside) -> bool:
        return self.upload.is_cut or self.upload.room > 0


class _HasRoom(Unwatched):
    __slots__ = ("_sink",)

    def __init__(self, sink: RequestSink) -> None:
        self._sink = sink

    def ready(self, now_ns: int) -> bool:
        return self._sink.has_room

    def waking(self, wake: threading.Event) -> AbstractContextManager[None]:
        return self._sink.upload.bells.hung(wake)

    def told(self) -> None:
        self._sink.told()

    def deadline_ns(self) -> int | None:
        return None

    def suspends(self) -> bool:
        # Before it is sent only the guest itself can do anything about it.
        return self._sink.exchange is None
