"""The HTTP client of one host: a loop in a thread of its own, started by the first request."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

    # Slow to import, and most hosts send nothing.
    from golem_host.net.http.connect import Connector
    from golem_host.net.http.connection import Connection
    from golem_host.net.http.exchange import Exchange
    from golem_host.net.http.pipe import Bells
    from golem_host.net.http.pool import Pool
    from golem_host.net.http.request import Request, Resumed
    from golem_host.net.http.upload import Upload

CONNECTIONS_MAX: Final = 512
"""Exchanges of one host at the same time; further ones wait, which their connect timeout ends."""
CLOSE_S: Final = 5.0


class HttpClient:
    """
    Args:
        ca_file: As `golem_host.net.http.connect.Connector` takes it.
    """

    asks_grants: bool = True
    """Whether what is asked for must be granted; False where nothing reaches the network."""

    def __init__(self, ca_file: Path | None = None) -> None:
        self._ca_file = ca_file
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._pool: Pool
        self._connector: Connector
        self._slots: asyncio.Semaphore

    def send(
        self, request: Request, upload: Upload, bells: Bells, resumed: Resumed | None
    ) -> Exchange:
        """Begin an exchange; never waits and never fails, since the exchange tells."""
        from golem_host.net.http.exchange import Exchange  # noqa: PLC0415 - see above

        exchange = Exchange(request, upload, bells, resumed)
        loop = self._running()
        loop.call_soon_threadsafe(exchange.start, loop, self._carry_out(exchange))
        return exchange

    def close(self) -> None:
        """End every exchange and the thread."""
        with self._lock:
            self._is_closed = True
            loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(loop.stop)
        thread.join(CLOSE_S)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            assert not self._is_closed, "workers are closed before what they use"
            if self._loop is None:
                import asyncio  # noqa: PLC0415 - see above

                from golem_host.net.http.connect import Connector  # noqa: PLC0415
                from golem_host.net.http.pool import Pool  # noqa: PLC0415

                self._loop = asyncio.new_event_loop()
                self._pool = Pool()
                self._connector = Connector(self._ca_file)
                self._slots = asyncio.Semaphore(CONNECTIONS_MAX)
                self._thread = threading.Thread(
                    target=self._run, args=(self._loop,), name="golem-http", daemon=True
                )
                self._thread.start()
            return self._loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        import asyncio  # noqa: PLC0415 - see above

        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            self._pool.close()
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            # Transports that were aborted close in the next round.
            loop.run_until_complete(asyncio.sleep(0))
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    async def _carry_out(self, exchange: Exchange) -> None:
        import asyncio  # noqa: PLC0415 - see above

        from golem_host.net.http.errors import HttpError  # noqa: PLC0415

        try:
            async with asyncio.timeout(exchange.request.timeouts.connect):
                await self._slots.acquire()
        except TimeoutError:
            exchange.fail(HttpError("connection-limit-reached"))
            return
        try:
            await exchange.run(self._connect, self._pool.put)
        finally:
            self._slots.release()

    async def _connect(self, request: Request, may_be_used: bool) -> Connection:
        found = await self._pool.take(request.origin) if may_be_used else None
        return found or await self._connector.connect(request)
