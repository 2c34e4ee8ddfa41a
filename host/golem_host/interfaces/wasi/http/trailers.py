"""``future-trailers``: known with the end of the body, or else waited for and recorded."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from typing import Final

from golem_host.interfaces.wasi.http.codes import code_wire
from golem_host.interfaces.wasi.http.exchange import Exchange
from golem_host.interfaces.wasi.io.pollables import Pollable, Ready, Unwatched
from golem_host.net.http.errors import HttpError
from golem_host.net.http.exchange import Exchange as Outside
from golem_host.net.http.pipe import Fields
from golem_host.wire import Wire

UNREAD_BYTES_MAX: Final = 4 << 20
"""Of a body that the guest has finished early: behind more of it nobody looks for trailers."""
PIECE_BYTES: Final = 65_536


class FutureTrailers:
    """Behind a ``future-trailers`` handle; known, or the exchange to have them from."""

    def __init__(self, known: Fields | None, exchange: Exchange | None = None) -> None:
        self._known = known
        self._exchange = exchange
        self._outside: Outside | None = None if exchange is None else exchange.rest
        self._unread_bytes = 0
        self.is_taken = False

    def look(self) -> Wire:
        """``option<result<option<fields>, error-code>>`` in wire form."""
        if self._exchange is None:
            known = [[name, value] for name, value in self._known or ()]
            return ((0, (known,) if known else None),)
        found = self._exchange.get_trailers(self._look_outside)
        if found is not None:
            self._exchange.part.commit()
        return found

    def _look_outside(self) -> Wire:
        try:
            if not self.is_ready():
                return None
            if self._outside is None:
                return ((1, code_wire(HttpError("connection-terminated"))),)
            self._outside.body.take(1)
            trailers = [[name, value] for name, value in self._outside.body.trailers]
        except HttpError as error:
            return ((1, code_wire(error)),)
        return ((0, (trailers,) if trailers else None),)

    def is_ready(self) -> bool:
        """Whether they are there; what comes before them is thrown away."""
        if self._outside is None:
            return True
        body = self._outside.body
        try:
            while data := body.take(PIECE_BYTES):
                self._unread_bytes += len(data)
                if self._unread_bytes > UNREAD_BYTES_MAX:
                    body.fail(HttpError("HTTP-response-body-size", self._unread_bytes))
                    self._outside.abort()
        except HttpError:
            return True
        return data is None

    def pollable(self) -> Pollable:
        if self._exchange is None or self._outside is None:
            return Ready()
        return _HasTrailers(self, self._outside)

    def release(self) -> None:
        if self._exchange is not None:
            self._exchange.release()


class _HasTrailers(Unwatched):
    __slots__ = ("_future", "_outside")

    def __init__(self, future: FutureTrailers, outside: Outside) -> None:
        self._future = future
        self._outside = outside

    def ready(self, now_ns: int) -> bool:
        return self._future.is_ready()

    def waking(self, wake: threading.Event) -> AbstractContextManager[None]:
        return self._outside.bells.hung(wake)

    def deadline_ns(self) -> int | None:
        return None

    def suspends(self) -> bool:
        return False
