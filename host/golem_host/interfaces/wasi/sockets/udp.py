"""
``wasi:sockets/udp``: datagrams to and from the outside, recorded, and within one guest.

Source: WASI 0.2 ``wasi:sockets/udp``; the answers in each state are those of wasmtime 47.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import (
    READ_REMOTE,
    UNRECORDED,
    WRITE_LOCAL,
    Recorded,
    function,
    on_drop,
    resource,
)
from golem_host.dispatch import recorded_call
from golem_host.failures import GuestError
from golem_host.interfaces.wasi.io.pollables import Ready
from golem_host.interfaces.wasi.sockets.addresses import (
    ANYWHERE,
    ERROR_CODE,
    SOCKET_ADDRESS,
    SocketAddress,
)
from golem_host.interfaces.wasi.sockets.network import Network
from golem_host.interfaces.wasi.sockets.tcp import checked, fallible, require
from golem_host.interfaces.wasi.sockets.tcp_socket import State
from golem_host.interfaces.wasi.sockets.tcp_streams import answered
from golem_host.interfaces.wasi.sockets.udp_socket import HasDatagram, UdpSocket
from golem_host.net import sockets as os_side
from golem_host.net.options import buffer_bytes
from golem_host.net.sockets import NetError
from golem_host.wire import Public, Wire
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import (
    FunctionType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
)

SENT_MAX: Final = 16
"""Most that one call sends or receives."""
DATAGRAM_BYTES_MAX: Final = 65_507
LOOKS_MAX: Final = 256
"""How many datagrams one call takes from the operating system, those that are refused included."""

_SOCKET: Final = ("socket", Prim.U32)
BIND: Final = Recorded(
    WRITE_LOCAL,
    FunctionType(
        "sockets::udp::bind",
        (_SOCKET, ("local-address", SOCKET_ADDRESS)),
        ResultType(SOCKET_ADDRESS, ERROR_CODE),
    ),
)
STREAM: Final = Recorded(
    WRITE_LOCAL,
    FunctionType(
        "sockets::udp::stream",
        (_SOCKET, ("remote-address", OptionType(SOCKET_ADDRESS))),
        ResultType(SOCKET_ADDRESS, ERROR_CODE),
    ),
)
RECEIVE: Final = Recorded(
    READ_REMOTE,
    FunctionType(
        "sockets::udp::receive",
        (_SOCKET, ("max-results", Prim.U64)),
        ResultType(
            ListType(RecordType((("data", ListType(Prim.U8)), ("remote-address", SOCKET_ADDRESS)))),
            ERROR_CODE,
        ),
    ),
)
# Not a remote write: it commits before by itself, and a datagram that is sent twice is UDP.
SEND: Final = Recorded(
    WRITE_LOCAL,
    FunctionType(
        "sockets::udp::send",
        (_SOCKET, ("datagrams", ListType(TupleType((Prim.U32, SOCKET_ADDRESS))))),
        ResultType(Prim.U64, ERROR_CODE),
    ),
)


@dataclass(slots=True)
class Datagrams:
    """Behind the handle of either stream."""

    of: UdpSocket
    generation: int
    permitted: int = 0

    def alive(self) -> UdpSocket:
        """The socket, unless it is dropped or has made other streams since."""
        require(self.of.streams == self.generation and self.of.state is State.BOUND)
        return self.of


class Incoming(Datagrams):
    """Behind an ``incoming-datagram-stream`` handle."""


class Outgoing(Datagrams):
    """Behind an ``outgoing-datagram-stream`` handle."""


def _bind_outside(context: InstanceContext, of: UdpSocket, address: SocketAddress) -> SocketAddress:
    """Bind with the operating system, recorded; where."""
    part = of.part
    require(part.take_os(of.number), "new-socket-limit")
    request = (of.number, address.wire())
    result = recorded_call(
        context, BIND, request, lambda: answered(lambda: of.bind(address).wire())
    )
    if result[0]:
        part.with_os.discard(of.number)
    of.outside = SocketAddress.of_wire(checked(result))
    return of.outside


def _reach_out(context: InstanceContext, of: UdpSocket) -> None:
    """Before something is sent to the outside for the first time: as through an address translation."""
    if of.is_within:
        _bind_outside(context, of, ANYWHERE[of.is_v6])


@resource("wasi:sockets/udp", "udp-socket")
class UdpSocketResource:
    @function(UNRECORDED)
    @fallible
    def start_bind(
        self, context: InstanceContext, of: UdpSocket, network: Network, local_address: Public
    ) -> None:
        address = SocketAddress.of_public(local_address)
        require(address.is_v6 == of.is_v6 and not address.is_mapped, "invalid-argument")
        require(of.state is State.UNBOUND)
        part = of.part
        of.may_listen = part.grants.listens(address.ip, address.port)
        is_anybody = address.port == 0 and address.ip.is_unspecified
        part.require_listen(of.may_listen or is_anybody or address.ip.is_loopback, address)
        require(address.port == 0 or not part.is_taken(part.udp, address), "address-in-use")
        if of.may_listen:
            of.local = _bind_outside(context, of, address)
        else:
            of.local = address if address.port else part.free_port(part.udp, address)
            require(of.local, "address-in-use")
        part.udp[of.number] = of
        of.state = State.BIND_STARTED

    @function(UNRECORDED)
    @fallible
    def finish_bind(self, context: InstanceContext, of: UdpSocket) -> None:
        require(of.state is State.BIND_STARTED, "not-in-progress")
        of.state = State.BOUND

    @function(UNRECORDED)
    @fallible
    def stream(
        self, context: InstanceContext, of: UdpSocket, remote_address: Public
    ) -> tuple[Incoming, Outgoing]:
        require(of.state is State.BOUND)
        remote = None if remote_address is None else SocketAddress.of_public(remote_address)
        if remote is not None:
            fits = remote.is_v6 == of.is_v6 and not remote.is_mapped and remote.is_remote
            require(fits, "invalid-argument")
            within = next(of.part.found(of.part.udp, remote), None)
            if within is None:
                of.part.require_connect(remote)
                _reach_out(context, of)
        shown = None
        if not of.is_within and (remote is not None or of.remote is not None):
            request = (of.number, None if remote is None else (remote.wire(),))
            result = recorded_call(
                context, STREAM, request, lambda: answered(lambda: of.connect(remote).wire())
            )
            shown = SocketAddress.of_wire(checked(result))
        of.shown = None if remote is None else shown
        of.remote = remote
        of.keep_only(remote)
        of.streams += 1
        return Incoming(of, of.streams), Outgoing(of, of.streams)

    @function(UNRECORDED)
    @fallible
    def local_address(self, context: InstanceContext, of: UdpSocket) -> Public:
        require(of.state is State.BOUND)
        assert of.local is not None
        seen = of.local if of.remote is None else _seen(of.local, of.remote)
        return (of.shown or seen).public()

    @function(UNRECORDED)
    @fallible
    def remote_address(self, context: InstanceContext, of: UdpSocket) -> Public:
        require(of.remote)
        assert of.remote is not None
        return of.remote.public()

    @function(UNRECORDED)
    def address_family(self, context: InstanceContext, of: UdpSocket) -> str:
        return "ipv6" if of.is_v6 else "ipv4"

    @function(UNRECORDED)
    @fallible
    def unicast_hop_limit(self, context: InstanceContext, of: UdpSocket) -> int:
        return of.options.hop_limit

    @function(UNRECORDED)
    @fallible
    def set_unicast_hop_limit(self, context: InstanceContext, of: UdpSocket, value: int) -> None:
        _put(of, "hop_limit", value, value)

    @function(UNRECORDED)
    @fallible
    def receive_buffer_size(self, context: InstanceContext, of: UdpSocket) -> int:
        return of.options.receive_buffer_size

    @function(UNRECORDED)
    @fallible
    def set_receive_buffer_size(self, context: InstanceContext, of: UdpSocket, value: int) -> None:
        _put(of, "receive_buffer_size", value, buffer_bytes(value))

    @function(UNRECORDED)
    @fallible
    def send_buffer_size(self, context: InstanceContext, of: UdpSocket) -> int:
        return of.options.send_buffer_size

    @function(UNRECORDED)
    @fallible
    def set_send_buffer_size(self, context: InstanceContext, of: UdpSocket, value: int) -> None:
        _put(of, "send_buffer_size", value, buffer_bytes(value))

    @function(UNRECORDED)
    def subscribe(self, context: InstanceContext, of: UdpSocket) -> Ready:
        return Ready()

    @on_drop
    def dropped(self, context: InstanceContext, of: UdpSocket) -> None:
        of.dropped()


def _put(of: UdpSocket, name: str, given: int, value: int) -> None:
    require(given, "invalid-argument")
    of.options.put(name, value)
    of.apply_options()


@resource("wasi:sockets/udp", "incoming-datagram-stream")
class IncomingDatagrams:
    @function(UNRECORDED)
    @fallible
    def receive(self, context: InstanceContext, stream: Incoming, max_results: int) -> list[Public]:
        of = stream.alive()
        count = min(max_results, SENT_MAX)
        if count == 0:
            return []
        if of.queue or of.is_within:
            return [_public(*of.take()) for _ in range(min(count, len(of.queue)))]
        # Known before the call that is recorded: to learn it may be recorded as well.
        senders = None if of.may_listen else of.part.connectable()
        request = (of.number, count)
        found = checked(
            recorded_call(
                context, RECEIVE, request, lambda: answered(lambda: _received(of, count, senders))
            )
        )
        return [_public(bytes(data), SocketAddress.of_wire(sender)) for data, sender in found]

    @function(UNRECORDED)
    def subscribe(self, context: InstanceContext, stream: Incoming) -> HasDatagram:
        return HasDatagram(stream.of)


def _public(data: bytes, sender: SocketAddress) -> Public:
    return {"data": data, "remote-address": sender.public()}


def _received(of: UdpSocket, count: int, senders: Callable[[SocketAddress], bool] | None) -> Wire:
    """What the operating system has, from whom the guest may hear: from anybody, with None."""
    found: list[Wire] = []
    # Bounded, because those who may not be heard may send without end.
    for _ in range(LOOKS_MAX):
        if len(found) == count:
            break
        try:
            data, endpoint = os_side.receive_from(of.os_socket())
        except NetError as error:
            if found or error.code == "would-block":
                break
            raise
        sender = SocketAddress.of_endpoint(endpoint)
        if senders is None or senders(sender):
            found.append([data, sender.wire()])
    return found


@resource("wasi:sockets/udp", "outgoing-datagram-stream")
class OutgoingDatagrams:
    @function(UNRECORDED)
    @fallible
    def check_send(self, context: InstanceContext, stream: Outgoing) -> int:
        stream.alive()
        stream.permitted = SENT_MAX
        return SENT_MAX

    @function(UNRECORDED)
    @fallible
    def send(self, context: InstanceContext, stream: Outgoing, datagrams: Sequence[Public]) -> int:
        if len(datagrams) > stream.permitted:
            raise GuestError("send of more datagrams than check-send permitted")
        of = stream.alive()
        stream.permitted -= len(datagrams)
        sent = 0
        try:
            for each in datagrams:
                _send(context, of, each)
                sent += 1
        except NetError:
            # The first one that fails is told when it is tried again.
            if sent == 0:
                raise
        return sent

    @function(UNRECORDED)
    def subscribe(self, context: InstanceContext, stream: Outgoing) -> Ready:
        return Ready()


def _send(context: InstanceContext, of: UdpSocket, datagram: Public) -> None:
    data, given = datagram["data"], datagram["remote-address"]
    to = of.remote if given is None else SocketAddress.of_public(given)
    if to is None or (of.remote is not None and to != of.remote):
        raise NetError("invalid-argument")
    require(to.is_v6 == of.is_v6 and not to.is_mapped and to.is_remote, "invalid-argument")
    require(len(data) <= DATAGRAM_BYTES_MAX, "datagram-too-large")
    assert of.local is not None
    part = of.part
    for found in part.found(part.udp, to):
        if isinstance(found, UdpSocket):
            found.put(data, _seen(of.local, to))
        return
    part.require_connect(to)
    _reach_out(context, of)
    sent = False

    def perform() -> Wire:
        nonlocal sent
        part.before_output()
        made = of.os_socket()
        sent = True
        os_side.send_to(made, data, None if of.remote is not None else to.endpoint())
        return 1

    request = (of.number, [(len(data), to.wire())])
    result = recorded_call(context, SEND, request, lambda: answered(perform))
    if sent:
        part.after_output()
    if result[0] == 0 or ERROR_CODE.names[result[1]] != "would-block":
        checked(result)


def _seen(local: SocketAddress, to: SocketAddress) -> SocketAddress:
    """Where a datagram within comes from: what is bound to any address sends from the same one."""
    return SocketAddress(to.ip, local.port) if local.ip.is_unspecified else local
