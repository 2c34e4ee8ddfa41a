"""Connections that wait for the next request to the same origin; all of it runs on the loop."""

from __future__ import annotations

import asyncio
from typing import Final

from golem_host.net.http.connection import Connection
from golem_host.net.http.request import Origin

IDLE_MAX: Final = 64
"""Of one host."""
IDLE_OF_ORIGIN_MAX: Final = 8
IDLE_S: Final = 15.0
"""Servers mostly wait longer, so that few requests meet a connection that is just being closed."""


class Pool:
    def __init__(self) -> None:
        # In the order in which they were put in.
        self._idle: dict[Connection, asyncio.TimerHandle] = {}

    def put(self, connection: Connection) -> None:
        """Keep it, or close it where it cannot be used again or there are enough."""
        of_origin = sum(each.origin == connection.origin for each in self._idle)
        if not connection.is_done or of_origin >= IDLE_OF_ORIGIN_MAX:
            connection.close()
            return
        if len(self._idle) >= IDLE_MAX:
            self._drop(next(iter(self._idle)))
        loop = asyncio.get_running_loop()
        self._idle[connection] = loop.call_later(IDLE_S, self._drop, connection)
        connection.park().add_done_callback(lambda task: self._ended(connection, task))

    async def take(self, origin: Origin) -> Connection | None:
        """The one that was used last."""
        while True:
            found = [each for each in self._idle if each.origin == origin]
            if not found:
                return None
            connection = found[-1]
            self._idle.pop(connection).cancel()
            if await connection.unpark():
                return connection
            connection.close()

    def close(self) -> None:
        for connection in list(self._idle):
            self._drop(connection)

    def _ended(self, connection: Connection, task: asyncio.Task[bytes]) -> None:
        if not task.cancelled():
            # Asked for, so that nobody complains about it.
            task.exception()
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        timer = self._idle.pop(connection, None)
        if timer is not None:
            timer.cancel()
            connection.close()
