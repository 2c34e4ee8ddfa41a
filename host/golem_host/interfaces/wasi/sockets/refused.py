"""
``wasi:sockets``: links, and lets nobody onto the network yet.

Making a socket or looking up a name answers ``access-denied``, which wasi-libc turns into EACCES
and a guest can handle; no method of a socket can be reached without one.
"""

from __future__ import annotations

from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, Refused, function, interface, resource
from golem_host.interfaces.wasi.io.pollables import Ready
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.values import Err

_TCP: Final = (
    "start-bind",
    "finish-bind",
    "start-connect",
    "finish-connect",
    "start-listen",
    "finish-listen",
    "accept",
    "local-address",
    "remote-address",
    "set-listen-backlog-size",
    "keep-alive-enabled",
    "set-keep-alive-enabled",
    "keep-alive-idle-time",
    "set-keep-alive-idle-time",
    "keep-alive-interval",
    "set-keep-alive-interval",
    "keep-alive-count",
    "set-keep-alive-count",
    "hop-limit",
    "set-hop-limit",
    "receive-buffer-size",
    "set-receive-buffer-size",
    "send-buffer-size",
    "set-send-buffer-size",
    "shutdown",
)
_UDP: Final = (
    "start-bind",
    "finish-bind",
    "stream",
    "local-address",
    "remote-address",
    "unicast-hop-limit",
    "set-unicast-hop-limit",
    "receive-buffer-size",
    "set-receive-buffer-size",
    "send-buffer-size",
    "set-send-buffer-size",
)
_DENIED: Final = Err("access-denied")


@dataclass(frozen=True, slots=True)
class Network:
    """Behind a ``wasi:sockets/network.network`` handle: no power by itself."""


@interface("wasi:sockets/instance-network")
class InstanceNetwork:
    @function(UNRECORDED)
    def instance_network(self, context: InstanceContext) -> Network:
        return Network()


@resource("wasi:sockets/network", "network")
class NetworkResource:
    """No method."""


def _methods(resource_name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"[method]{resource_name}.{name}" for name in names)


SOCKETS: Final = (
    InstanceNetwork(),
    NetworkResource(),
    Refused("wasi:sockets/network", ("network-error-code",), None),
    Refused(
        "wasi:sockets/ip-name-lookup",
        ("resolve-addresses", "[method]resolve-address-stream.resolve-next-address"),
        _DENIED,
        ("resolve-address-stream",),
    ),
    Refused("wasi:sockets/ip-name-lookup", ("[method]resolve-address-stream.subscribe",), Ready()),
    Refused("wasi:sockets/tcp-create-socket", ("create-tcp-socket",), _DENIED),
    Refused("wasi:sockets/tcp", _methods("tcp-socket", _TCP), _DENIED, ("tcp-socket",)),
    Refused("wasi:sockets/tcp", ("[method]tcp-socket.is-listening",), False),
    Refused("wasi:sockets/tcp", ("[method]tcp-socket.address-family",), "ipv4"),
    Refused("wasi:sockets/tcp", ("[method]tcp-socket.subscribe",), Ready()),
    Refused("wasi:sockets/udp-create-socket", ("create-udp-socket",), _DENIED),
    Refused(
        "wasi:sockets/udp",
        (
            *_methods("udp-socket", _UDP),
            "[method]incoming-datagram-stream.receive",
            "[method]outgoing-datagram-stream.check-send",
            "[method]outgoing-datagram-stream.send",
        ),
        _DENIED,
        ("udp-socket", "incoming-datagram-stream", "outgoing-datagram-stream"),
    ),
    Refused("wasi:sockets/udp", ("[method]udp-socket.address-family",), "ipv4"),
    Refused(
        "wasi:sockets/udp",
        (
            "[method]udp-socket.subscribe",
            "[method]incoming-datagram-stream.subscribe",
            "[method]outgoing-datagram-stream.subscribe",
        ),
        Ready(),
    ),
)
