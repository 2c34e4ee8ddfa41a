"""
One connection: uvicorn's, with the deadlines that it lacks.

Whoever sends the head of a request too slowly, or does not read what we have for them, is
disconnected; beyond `Bounds.connections_max` a connection is told so and closed.
"""

from __future__ import annotations

import asyncio
import json
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from golem_host.rest.bounds import RETRY_AFTER_S, Bounds
from golem_host.rest.errors import OverloadedError, document_of
from golem_host.rest.exchange import JSON

_FULL_BODY: Final = json.dumps(
    document_of(OverloadedError(reason="too many connections; try again"))
).encode()
_FULL: Final = (
    f"HTTP/1.1 503 Service Unavailable\r\ncontent-type: {JSON}\r\n"
    f"content-length: {len(_FULL_BODY)}\r\nretry-after: {RETRY_AFTER_S}\r\n"
    "connection: close\r\n\r\n"
).encode() + _FULL_BODY


class BoundedProtocol(H11Protocol):
    """See the module."""

    bounds = Bounds()

    _head_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.bounds.connections_max:
            transport.write(_FULL)
            self._close()
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._is_between_requests() and self._head_timer is None:
            self._await_head()
        super().data_received(data)
        if not self._is_between_requests() and self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_timer = self.loop.call_later(self.bounds.write_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._abort_later()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._abort_later()

    def shutdown(self) -> None:
        super().shutdown()
        if self.transport.is_closing():
            self._abort_later()

    def _is_between_requests(self) -> bool:
        return self.conn.their_state is h11.IDLE

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self.bounds.head_s, self._close)

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
        self._abort_later()

    def _abort_later(self) -> None:
        """A closed transport still waits, without end, for the peer to read what is left."""
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self.bounds.write_s, self.transport.abort)

    def _cancel_timers(self) -> None:
        for timer in (self._head_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        self._head_timer = self._write_timer = None
