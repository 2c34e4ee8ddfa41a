"""What a component answers over HTTP, asked by a client on loopback."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from typing import Final

from golem_host import Host
from golem_host.rest.bounds import Bounds
from golem_host.rest.sockets import listen_tcp
from golem_host.web.app import Served
from golem_host.web.outputs import Outputs
from golem_host.web.rule import WorkerRule
from golem_host.web.server import BOUNDS, app_server
from golem_host.worker.retry import RetryPolicy
from tests.support.hosts import QUICK

PATIENCE_S: Final = 60.0
CONFIG: Final = replace(QUICK, retry_policy=RetryPolicy(max_attempts=0), suspend_after_s=3600)


@dataclass(frozen=True)
class Got:
    status: int
    body: bytes
    headers: list[tuple[str, str]]


@dataclass
class Site:
    """A server, and everything that its guests wrote."""

    port: int
    stop: Callable[[], None] = lambda: None
    written: list[tuple[str, bytes]] = field(default_factory=list)

    @contextmanager
    def connected(self) -> Iterator[HTTPConnection]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            yield connection
        finally:
            connection.close()

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Got:
        with self.connected() as connection:
            return ask(connection, path, method=method, body=body, headers=headers)


def ask(
    connection: HTTPConnection,
    path: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Got:
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    return Got(response.status, response.read(), response.getheaders())


@contextmanager
def serving(
    host: Host, rule: WorkerRule | None = None, timeout_s: float = PATIENCE_S, **bounds: float
) -> Iterator[Site]:
    listener = listen_tcp("127.0.0.1", 0)
    site = Site(listener.getsockname()[1])
    outputs = Outputs(lambda *piece: site.written.append(piece), lambda _text: None)
    served = Served(host.components.get("web"), rule, timeout_s)
    taken: Bounds = replace(BOUNDS, **bounds)  # type: ignore[arg-type]
    server = app_server(host, served, outputs, listener, taken)
    site.stop = server.stop
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield site
    finally:
        server.stop()
        thread.join()
