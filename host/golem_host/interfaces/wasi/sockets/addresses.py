"""
Addresses of sockets, in the forms of guests, of logs and of the operating system.

Source: WASI 0.2 ``wasi:sockets/network``.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Final, Self

from golem_host.net.sockets import Endpoint
from golem_host.wire import Public, Wire
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import EnumType, Prim, RecordType, TupleType, VariantType
from golem_oplog.values import Variant

_V4: Final = TupleType((Prim.U8,) * 4)
_V6: Final = TupleType((Prim.U16,) * 8)
IP_ADDRESS: Final = VariantType((("ipv4", _V4), ("ipv6", _V6)))
SOCKET_ADDRESS: Final = VariantType(
    (
        ("ipv4", RecordType((("port", Prim.U16), ("address", _V4)))),
        (
            "ipv6",
            RecordType(
                (
                    ("port", Prim.U16),
                    ("flow-info", Prim.U32),
                    ("address", _V6),
                    ("scope-id", Prim.U32),
                )
            ),
        ),
    )
)
ERROR_CODE: Final = EnumType(
    (
        "unknown",
        "access-denied",
        "not-supported",
        "invalid-argument",
        "out-of-memory",
        "timeout",
        "concurrency-conflict",
        "not-in-progress",
        "would-block",
        "invalid-state",
        "new-socket-limit",
        "address-not-bindable",
        "address-in-use",
        "remote-unreachable",
        "connection-refused",
        "connection-reset",
        "connection-aborted",
        "datagram-too-large",
        "name-unresolvable",
        "temporary-resolver-failure",
        "permanent-resolver-failure",
    )
)

IpAddress = IPv4Address | IPv6Address

FLOW_INFO_MASK: Final = 0xF_FFFF
"""A guest may give 32 bits; a packet has room for 20."""


def error_wire(code: str) -> Wire:
    """``result::err`` of a code."""
    return (1, ERROR_CODE.names.index(code))


def ip_wire(address: IpAddress) -> Wire:
    """``ip-address``."""
    if isinstance(address, IPv4Address):
        return (0, list(address.packed))
    packed = address.packed
    return (1, [packed[i] << 8 | packed[i + 1] for i in range(0, 16, 2)])


def ip_from_wire(wire: Wire) -> IpAddress:
    case, parts = wire
    if case == 0:
        return IPv4Address(bytes(parts))
    return IPv6Address(b"".join(part.to_bytes(2) for part in parts))


def ip_public(address: IpAddress) -> Public:
    case, parts = ip_wire(address)
    return Variant(("ipv4", "ipv6")[case], tuple(parts))


@dataclass(frozen=True, slots=True)
class SocketAddress:
    ip: IpAddress
    port: int
    flow_info: int = 0
    scope_id: int = 0

    @classmethod
    def of_public(cls, given: Public) -> Self:
        fields = given.value
        case = int(given.case == "ipv6")
        ip = ip_from_wire((case, fields["address"]))
        return cls(ip, fields["port"], fields.get("flow-info", 0), fields.get("scope-id", 0))

    @classmethod
    def of_wire(cls, wire: Wire) -> Self:
        case, fields = wire
        if case == 0:
            return cls(ip_from_wire((0, fields[1])), fields[0])
        return cls(ip_from_wire((1, fields[2])), fields[0], fields[1], fields[3])

    @classmethod
    def of_endpoint(cls, endpoint: Endpoint) -> Self:
        if len(endpoint) == 2:
            return cls(IPv4Address(endpoint[0]), endpoint[1])
        host, port, flow_info, scope_id = endpoint
        return cls(IPv6Address(host.partition("%")[0]), port, flow_info, scope_id)

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if self.is_v6 else f"{self.ip}:{self.port}"

    @property
    def is_v6(self) -> bool:
        return isinstance(self.ip, IPv6Address)

    def wire(self) -> Wire:
        _, parts = ip_wire(self.ip)
        if not self.is_v6:
            return (0, [self.port, parts])
        return (1, [self.port, self.flow_info, parts, self.scope_id])

    def public(self) -> Public:
        address = ip_public(self.ip)
        if not self.is_v6:
            return Variant("ipv4", {"port": self.port, "address": address.value})
        return Variant(
            "ipv6",
            {
                "port": self.port,
                "flow-info": self.flow_info,
                "address": address.value,
                "scope-id": self.scope_id,
            },
        )

    def endpoint(self) -> Endpoint:
        if not self.is_v6:
            return (str(self.ip), self.port)
        return (str(self.ip), self.port, self.flow_info & FLOW_INFO_MASK, self.scope_id)

    def at(self, port: int) -> SocketAddress:
        return SocketAddress(self.ip, port, self.flow_info, self.scope_id)

    @property
    def is_unicast(self) -> bool:
        """Whether a TCP socket can have it: one machine's, and no IPv4 in the guise of IPv6."""
        ip = self.ip
        if isinstance(ip, IPv4Address):
            return not ip.is_multicast and ip.packed != b"\xff" * 4
        return not ip.is_multicast and not self.is_mapped

    @property
    def is_mapped(self) -> bool:
        """An address of IPv4 that is written as one of IPv6, in either of the two ways."""
        packed = self.ip.packed
        mapped = packed[:10] == bytes(10) and packed[10:12] in (b"\0\0", b"\xff\xff")
        return self.is_v6 and mapped and packed[12:] not in (bytes(4), b"\0\0\0\1")

    @property
    def is_remote(self) -> bool:
        """Whether something can be there to be talked to."""
        return self.port != 0 and not self.ip.is_unspecified

    def reaches(self, bound: SocketAddress) -> bool:
        """Whether what is sent here within one machine arrives at a socket bound there."""
        if self.port != bound.port or self.is_v6 != bound.is_v6:
            return False
        return self.ip == bound.ip or (bound.ip.is_unspecified and self.ip.is_loopback)


ANYWHERE: Final = (SocketAddress(IPv4Address(0), 0), SocketAddress(IPv6Address(0), 0))
"""Any of this machine's addresses and any free port, of IPv4 and of IPv6."""
