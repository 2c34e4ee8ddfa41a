"""``wasi:sockets/tcp-create-socket``: as many as `SOCKETS_MAX`, whatever is granted."""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, interface
from golem_host.interfaces.wasi.sockets.part import Sockets
from golem_host.interfaces.wasi.sockets.tcp_socket import TcpSocket
from golem_oplog.values import Err, Ok


@interface("wasi:sockets/tcp-create-socket")
class TcpCreateSocket:
    @function(UNRECORDED)
    def create_tcp_socket(
        self, context: InstanceContext, address_family: str
    ) -> Ok[object] | Err[object]:
        if context.part(Sockets).is_full:
            return Err("new-socket-limit")
        return Ok(TcpSocket(context, is_v6=address_family == "ipv6"))
