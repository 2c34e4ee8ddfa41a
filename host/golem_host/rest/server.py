"""The web server of one listener, in the thread that calls `serve`."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeAlias

import uvicorn
from starlette.types import ASGIApp

from golem_host.rest.app import Api
from golem_host.rest.bounds import Bounds
from golem_host.rest.connection import BoundedProtocol
from golem_host.rest.exchange import Waits
from golem_host.rest.guard import Guard, Policy
from golem_host.rest.sockets import Listener

if TYPE_CHECKING:
    from golem_host.host import Host

# What uvicorn has to say is for whoever configures logging, not for a command's stderr.
logging.getLogger("uvicorn").addHandler(logging.NullHandler())

_DEFAULTS: Final = Bounds()
_LOG: Final = logging.getLogger(__name__)


MakeApp: TypeAlias = Callable[[Waits, Executor], ASGIApp]


class WebServer:
    """Serves an application on a listening socket until `stop`."""

    def __init__(self, make_app: MakeApp, listener: Listener, bounds: Bounds = _DEFAULTS) -> None:
        """``make_app`` is called once, in the server's event loop."""
        self._make_app = make_app
        self._listener = listener
        self._bounds = bounds
        self._lock = threading.Lock()
        self._stopped = False
        self._waits: Waits | None = None
        self._server: uvicorn.Server | None = None

    def serve(self) -> None:
        """Returns after `stop`; the socket is closed then."""
        asyncio.run(self._serve())

    def stop(self) -> None:
        """End everything that waits, and the server; from any thread."""
        with self._lock:
            self._stopped = True
            waits = self._waits
        if waits is not None:
            waits.notify(self._end)

    def _end(self) -> None:
        assert self._waits is not None
        assert self._server is not None
        self._waits.close()
        self._server.should_exit = True

    async def _serve(self) -> None:
        waits = Waits(asyncio.get_running_loop())
        bounds = self._bounds
        pool = ThreadPoolExecutor(bounds.threads_max, thread_name_prefix="golem-rest")
        config = uvicorn.Config(
            self._make_app(waits, pool),
            http=type("Connection", (BoundedProtocol,), {"bounds": bounds}),
            ws="none",
            loop="asyncio",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=bounds.head_bytes_max,
            timeout_keep_alive=bounds.keep_alive_s,
            timeout_graceful_shutdown=bounds.shutdown_s,
        )
        with self._lock:
            self._server = uvicorn.Server(config)
            self._waits = waits
            if self._stopped:
                self._listener.close()
                return
        _LOG.info("serving", extra={"address": str(self._listener.getsockname())})
        try:
            await self._server.serve(sockets=[self._listener])
        finally:
            waits.close()
            pool.shutdown(wait=False, cancel_futures=True)


class RestServer(WebServer):
    """The REST API of a host."""

    def __init__(
        self, host: Host, listener: Listener, policy: Policy, bounds: Bounds = _DEFAULTS
    ) -> None:
        super().__init__(
            lambda waits, pool: Guard(Api(host, waits, pool, bounds).app(), policy, bounds),
            listener,
            bounds,
        )
