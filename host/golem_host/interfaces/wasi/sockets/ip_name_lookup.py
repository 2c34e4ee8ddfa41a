"""
``wasi:sockets/ip-name-lookup``: all addresses of a name, recorded as one list.

Addresses and ``localhost`` need nobody who is asked, no grant and no record.  Another name that is
not granted answers ``access-denied``: which wasi-libc makes EACCES, so that a guest's author sees
that a grant is missing and not that the name is wrong.

Source: WASI 0.2 ``wasi:sockets/ip-name-lookup``; spec 4.8.
"""

from __future__ import annotations

import re
from collections import deque
from ipaddress import ip_address
from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import READ_REMOTE, UNRECORDED, Recorded, function, interface, resource
from golem_host.dispatch import recorded_call
from golem_host.interfaces.wasi.io.pollables import Ready
from golem_host.interfaces.wasi.sockets.addresses import (
    ERROR_CODE,
    IP_ADDRESS,
    IpAddress,
    ip_from_wire,
    ip_public,
    ip_wire,
)
from golem_host.interfaces.wasi.sockets.network import Network
from golem_host.interfaces.wasi.sockets.part import LOOPBACK, Sockets
from golem_host.interfaces.wasi.sockets.tcp import checked, fallible, require
from golem_host.interfaces.wasi.sockets.tcp_streams import answered
from golem_host.net.grants import LOCALHOST, normal_name, unmapped
from golem_host.net.lookup import Lookup
from golem_host.net.sockets import NetError
from golem_host.wire import Public, Wire
from golem_oplog.types import FunctionType, ListType, Prim, ResultType

TIMEOUT_NS: Final = 30_000_000_000
NAME_BYTES_MAX: Final = 253

RESOLVE: Final = Recorded(
    READ_REMOTE,
    FunctionType(
        "sockets::ip_name_lookup::resolve_addresses",
        (("name", Prim.STRING),),
        ResultType(ListType(IP_ADDRESS), ERROR_CODE),
    ),
)
_NAME: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", re.ASCII | re.IGNORECASE)


class Addresses:
    """Behind a ``resolve-address-stream`` handle: what is left of a list, or why there is none."""

    def __init__(self, addresses: list[IpAddress], error: NetError | None = None) -> None:
        self.left = deque(addresses)
        self.error = error


def _in_ascii(name: str) -> str:
    """
    Raises:
        NetError: It is no name.
    """
    try:
        text = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        raise NetError("invalid-argument") from None
    require(_NAME.fullmatch(text), "invalid-argument")
    if len(text) > NAME_BYTES_MAX:
        raise NetError("name-unresolvable")
    return text


def _literal(name: str) -> IpAddress | None:
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    try:
        return ip_address(bare)
    except ValueError:
        return None


def _ask(context: InstanceContext, name: str) -> Wire:
    lookup = Lookup(name, context.wake)
    deadline = context.clock_ns() + TIMEOUT_NS
    while True:
        found = lookup.answer()
        if found is not None:
            return [ip_wire(ip_address(each)) for each in found]
        if context.clock_ns() >= deadline:
            raise NetError("temporary-resolver-failure")
        context.wait_until(deadline)


@interface("wasi:sockets/ip-name-lookup")
class IpNameLookup:
    @function(UNRECORDED)
    @fallible
    def resolve_addresses(self, context: InstanceContext, network: Network, name: str) -> Addresses:
        literal = _literal(name)
        if literal is not None:
            return Addresses([literal])
        try:
            text = _in_ascii(name)
        except NetError as error:
            if error.code == "invalid-argument":
                raise
            return Addresses([], error)
        if normal_name(text) == LOCALHOST:
            return Addresses(list(LOOPBACK))
        part = context.part(Sockets)
        part.require_lookup(text)
        result = recorded_call(
            context, RESOLVE, (text,), lambda: answered(lambda: _ask(context, text))
        )
        try:
            found = [ip_from_wire(each) for each in checked(result)]
        except NetError as error:
            return Addresses([], error)
        for each in found:
            part.names.setdefault(unmapped(each), set()).add(text)
        return Addresses(found)


@resource("wasi:sockets/ip-name-lookup", "resolve-address-stream")
class ResolveAddressStream:
    @function(UNRECORDED)
    @fallible
    def resolve_next_address(self, context: InstanceContext, stream: Addresses) -> Public:
        if stream.error is not None:
            raise stream.error
        return ip_public(stream.left.popleft()) if stream.left else None

    @function(UNRECORDED)
    def subscribe(self, context: InstanceContext, stream: Addresses) -> Ready:
        return Ready()
