"""One connection, as h11 and the event loop's streams make it; one exchange at a time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import h11

from golem_host.net.http.errors import HttpError
from golem_host.net.http.request import Origin

HEAD_BYTES_MAX: Final = 65_536
"""Of a status line with its headers, and of trailers."""
FIELDS_MAX: Final = 1_024
READ_BYTES: Final = 32_768

_FIELDS_TOO_LARGE: Final = 431


class Connection:
    def __init__(
        self, origin: Origin, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.origin = origin
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES_MAX)
        self.has_ended = False
        """Whether the other side has closed it."""
        self._idle: asyncio.Task[bytes] | None = None
        self.is_used = False
        """Whether there was an exchange on it before."""
        self.has_received = False
        """Whether anything came in since the last request."""

    async def send(self, event: h11.Event) -> None:
        """
        Raises:
            OSError: It is broken.
        """
        data = self._http.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()

    async def receive(self) -> h11.Event:
        """
        The next event; may be cancelled and called again.

        Raises:
            OSError: It is broken.
            h11.RemoteProtocolError: It does not speak HTTP, or has ended too early.
        """
        while True:
            event = self._http.next_event()
            if event is h11.PAUSED:
                raise h11.RemoteProtocolError("more data than the response has")
            if isinstance(event, h11.Event):
                return event
            data = await self._reader.read(READ_BYTES)
            self.has_ended = not data
            self.has_received = self.has_received or bool(data)
            self._http.receive_data(data)

    @property
    def is_done(self) -> bool:
        """Whether both sides have said everything, and another request may follow."""
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    # -- between two exchanges ------------------------------------------------------------------

    @property
    def is_parked(self) -> bool:
        return self._idle is not None

    def park(self) -> asyncio.Task[bytes]:
        """Nothing is expected until `unpark`; the task ends where something comes, or the end."""
        self._http.start_next_cycle()
        self._idle = asyncio.get_running_loop().create_task(self._reader.read(1))
        return self._idle

    async def unpark(self) -> bool:
        """Whether it can still be used."""
        assert self._idle is not None
        idle, self._idle = self._idle, None
        self.is_used, self.has_received = True, False
        is_alive = not idle.done() and not self._writer.is_closing()
        idle.cancel()
        with suppress(asyncio.CancelledError, OSError):
            await idle
        return is_alive

    def close(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        # Whatever has not been sent yet is not worth waiting for.
        self._writer.transport.abort()


def fields_of(
    event: h11.Response | h11.EndOfMessage, too_large: HttpError
) -> list[tuple[str, bytes]]:
    """
    In order, with the names as they were written.

    Raises:
        HttpError: There are too many.
    """
    found = event.headers.raw_items()
    if len(found) > FIELDS_MAX:
        raise too_large
    return [(name.decode("ascii"), value) for name, value in found]


def is_too_large(error: Exception) -> bool:
    """Whether h11 refused to keep as much as one event needs."""
    return getattr(error, "error_status_hint", 0) == _FIELDS_TOO_LARGE
