"""The server of a component that answers HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from golem_host.rest.bounds import Bounds
from golem_host.rest.server import WebServer
from golem_host.web.app import HttpApp, Served

if TYPE_CHECKING:
    from golem_host.host import Host
    from golem_host.rest.sockets import Listener
    from golem_host.web.outputs import Outputs

BOUNDS: Final = Bounds(threads_max=256)
"""A request with an instance of its own holds a thread, also while its guest waits."""


def app_server(
    host: Host, served: Served, outputs: Outputs, listener: Listener, bounds: Bounds = BOUNDS
) -> WebServer:
    """Serves until `stop`; what has begun in a worker by then goes on when that is next run."""
    return WebServer(
        lambda waits, pool: HttpApp(host, served, outputs, waits, pool, bounds), listener, bounds
    )
