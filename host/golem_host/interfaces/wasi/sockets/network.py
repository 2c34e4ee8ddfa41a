"""``wasi:sockets/network``: a handle without power of its own, and codes of failed streams."""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, interface, resource
from golem_host.interfaces.wasi.io.error import IoError
from golem_host.interfaces.wasi.sockets.tcp_streams import DOMAIN
from golem_host.wire import Public
from golem_oplog.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Network:
    """Behind a ``network`` handle: what a guest may do is said by its grants."""


@resource("wasi:sockets/network", "network")
class NetworkResource:
    """No method."""


@interface("wasi:sockets/network")
class NetworkErrors:
    @function(UNRECORDED)
    def network_error_code(self, context: InstanceContext, error: IoError) -> Public:
        return error.code if error.domain == DOMAIN else None
