"""``wasi:sockets/instance-network``: the network that every guest has a handle to."""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, interface
from golem_host.interfaces.wasi.sockets.network import Network


@interface("wasi:sockets/instance-network")
class InstanceNetwork:
    @function(UNRECORDED)
    def instance_network(self, context: InstanceContext) -> Network:
        return Network()
