"""
``wasi:sockets/tcp``: connections to the outside, and such with both ends in one guest.

What follows from the state of a socket is answered from it, unrecorded; what the operating system
said is recorded: the address that was bound, how a connection came about, who was accepted.

A socket has options and an address also while it connects and after that failed, as in POSIX and
unlike in wasmtime: wasi-libc asks for them, and ends the program when it is told ``invalid-state``.

Source: WASI 0.2 ``wasi:sockets/tcp``; ARCHITECTURE 11 for 4.8; error codes as wasi-libc bears them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Final, ParamSpec

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
from golem_host.interfaces.wasi.sockets.addresses import (
    ANYWHERE,
    ERROR_CODE,
    SOCKET_ADDRESS,
    SocketAddress,
)
from golem_host.interfaces.wasi.sockets.network import Network
from golem_host.interfaces.wasi.sockets.pairs import PairInput, PairOutput, pair
from golem_host.interfaces.wasi.sockets.tcp_socket import State, TcpPollable, TcpSocket
from golem_host.interfaces.wasi.sockets.tcp_streams import TcpInput, TcpOutput, answered
from golem_host.net import sockets as os_side
from golem_host.net.options import COUNT_MAX, buffer_bytes, whole_seconds
from golem_host.net.sockets import BACKLOG_MAX, NetError
from golem_host.wire import Public, Wire
from golem_oplog.types import FunctionType, Prim, ResultType, TupleType
from golem_oplog.values import Err, Ok

Q = ParamSpec("Q")

_SOCKET: Final = ("socket", Prim.U32)
_ENDS: Final = ResultType(TupleType((SOCKET_ADDRESS, SOCKET_ADDRESS)), ERROR_CODE)
BIND: Final = Recorded(
    WRITE_LOCAL,
    FunctionType(
        "sockets::tcp::bind",
        (_SOCKET, ("local-address", SOCKET_ADDRESS)),
        ResultType(SOCKET_ADDRESS, ERROR_CODE),
    ),
)
LISTEN: Final = Recorded(
    WRITE_LOCAL, FunctionType("sockets::tcp::listen", (_SOCKET,), ResultType(None, ERROR_CODE))
)
CONNECT: Final = Recorded(
    READ_REMOTE,
    FunctionType(
        "sockets::tcp::finish_connect", (_SOCKET, ("remote-address", SOCKET_ADDRESS)), _ENDS
    ),
)
ACCEPT: Final = Recorded(READ_REMOTE, FunctionType("sockets::tcp::accept", (_SOCKET,), _ENDS))

Streams = tuple[object, object]


def fallible(action: Callable[Q, Public]) -> Callable[Q, Ok[object] | Err[object]]:
    """What a method gives, and the code that it raises, as the interface's ``result``."""

    @wraps(action)
    def answer(*args: Q.args, **named: Q.kwargs) -> Ok[object] | Err[object]:
        try:
            return Ok(action(*args, **named))
        except NetError as error:
            return Err(error.code)

    return answer


def checked(result: Wire) -> Wire:
    """What was recorded as ``result``; raises its error."""
    case, value = result
    if case:
        raise NetError(ERROR_CODE.names[value])
    return value


def require(condition: object, code: str = "invalid-state") -> None:
    if not condition:
        raise NetError(code)


def _streams(made: TcpSocket) -> Streams:
    if made.pair is not None:
        return PairInput(made.pair.incoming, made), PairOutput(made.pair.outgoing, made)
    made.input, made.output = streams = TcpInput(made), TcpOutput(made)
    return streams


def _put(of: TcpSocket, name: str, given: int, value: int) -> None:
    require(given, "invalid-argument")
    _set(of, name, value)


def _set(of: TcpSocket, name: str, value: int) -> None:
    of.options.put(name, value)
    of.apply_options()


@resource("wasi:sockets/tcp", "tcp-socket")
class TcpSocketResource:
    @function(UNRECORDED)
    @fallible
    def start_bind(
        self, context: InstanceContext, of: TcpSocket, network: Network, local_address: Public
    ) -> None:
        address = SocketAddress.of_public(local_address)
        require(address.is_v6 == of.is_v6 and address.is_unicast, "invalid-argument")
        require(of.state is State.UNBOUND)
        part = of.part
        if part.grants.listens(address.ip, address.port):
            require(address.port == 0 or not part.is_taken(part.tcp, address), "address-in-use")
            require(part.take_os(of.number), "new-socket-limit")
            request = (of.number, address.wire())
            result = recorded_call(
                context, BIND, request, lambda: answered(lambda: of.bind(address).wire())
            )
            if result[0]:
                part.with_os.discard(of.number)
            of.local = SocketAddress.of_wire(checked(result))
            of.is_within = False
        else:
            part.require_listen(address.ip.is_loopback, address)
            if address.port:
                require(not part.is_taken(part.tcp, address), "address-in-use")
                of.local = address
            else:
                of.local = part.free_port(part.tcp, address)
                require(of.local, "address-in-use")
        part.tcp[of.number] = of
        of.state = State.BIND_STARTED

    @function(UNRECORDED)
    @fallible
    def finish_bind(self, context: InstanceContext, of: TcpSocket) -> None:
        require(of.state is State.BIND_STARTED, "not-in-progress")
        of.state = State.BOUND

    @function(UNRECORDED)
    @fallible
    def start_connect(
        self, context: InstanceContext, of: TcpSocket, network: Network, remote_address: Public
    ) -> None:
        address = SocketAddress.of_public(remote_address)
        require(of.state is not State.CONNECTING, "concurrency-conflict")
        require(of.state in (State.UNBOUND, State.BOUND))
        fits = address.is_v6 == of.is_v6 and address.is_unicast and address.is_remote
        require(fits, "invalid-argument")
        part = of.part
        for found in part.found(part.tcp, address):
            if isinstance(found, TcpSocket) and found.state is State.LISTENING:
                self._meet(of, found, address)
                return
        part.require_connect(address)
        require(part.take_os(of.number), "new-socket-limit")
        of.remote = address
        of.state = State.CONNECTING

    @staticmethod
    def _meet(of: TcpSocket, listener: TcpSocket, address: SocketAddress) -> None:
        """Connect to a listener of the same guest; it is decided at once."""
        part = of.part
        if len(listener.waiting) >= listener.options.backlog:
            of.remote = address
            of.state = State.CONNECTING
            of.is_refused = True
            return
        if of.local is None:
            of.local = part.free_port(part.tcp, address)
            require(of.local, "address-in-use")
            part.tcp[of.number] = of
        assert of.local is not None
        of.remote = address
        of.state = State.CONNECTING
        of.pair, there = pair()
        listener.waiting.append((there, address, of.local))

    @function(UNRECORDED)
    @fallible
    def finish_connect(self, context: InstanceContext, of: TcpSocket) -> Streams:
        require(of.state is State.CONNECTING, "not-in-progress")
        if of.pair is None:
            assert of.remote is not None
            request = (of.number, of.remote.wire())

            def perform() -> Wire:
                local, remote = of.finish_connect()
                return [local.wire(), remote.wire()]

            try:
                require(not of.is_refused, "connection-refused")
                ends = checked(recorded_call(context, CONNECT, request, lambda: answered(perform)))
            except NetError as error:
                if error.code != "would-block":
                    of.state = State.CLOSED
                    of.release()
                raise
            of.local, of.remote = map(SocketAddress.of_wire, ends)
            of.is_within = False
        of.connect_to(of.pair, of.connection)
        return _streams(of)

    @function(UNRECORDED)
    @fallible
    def start_listen(self, context: InstanceContext, of: TcpSocket) -> None:
        require(of.state is State.BOUND)
        if not of.is_within:
            checked(recorded_call(context, LISTEN, (of.number,), lambda: answered(of.listen)))
        of.state = State.LISTEN_STARTED

    @function(UNRECORDED)
    @fallible
    def finish_listen(self, context: InstanceContext, of: TcpSocket) -> None:
        require(of.state is State.LISTEN_STARTED, "not-in-progress")
        of.state = State.LISTENING

    @function(UNRECORDED)
    @fallible
    def accept(self, context: InstanceContext, of: TcpSocket) -> tuple[object, ...]:
        require(of.state is State.LISTENING)
        part = of.part
        require(of.waiting or not of.is_within, "would-block")
        require(not part.is_full, "new-socket-limit")
        connection = None
        if of.waiting:
            end, local, remote = of.waiting.popleft()
        else:
            end = None
            require(part.has_os_room, "new-socket-limit")

            def perform() -> Wire:
                nonlocal connection
                connection, here, there = os_side.accept(of.listener())
                return [SocketAddress.of_endpoint(each).wire() for each in (here, there)]

            ends = checked(recorded_call(context, ACCEPT, (of.number,), lambda: answered(perform)))
            local, remote = map(SocketAddress.of_wire, ends)
        made = TcpSocket(context, is_v6=of.is_v6)
        made.options = of.options.inherited()
        made.local, made.remote = local, remote
        if end is None:
            part.take_os(made.number)
            made.is_within = False
            if connection is not None:
                made.made = connection.socket
                made.apply_options()
        made.connect_to(end, connection)
        return (made, *_streams(made))

    @function(UNRECORDED)
    @fallible
    def local_address(self, context: InstanceContext, of: TcpSocket) -> Public:
        if of.state in (State.CONNECTING, State.CLOSED):
            return (of.local or ANYWHERE[of.is_v6]).public()
        require(of.state in (State.BOUND, State.LISTENING, State.CONNECTED))
        assert of.local is not None
        return of.local.public()

    @function(UNRECORDED)
    @fallible
    def remote_address(self, context: InstanceContext, of: TcpSocket) -> Public:
        require(of.state is State.CONNECTED)
        assert of.remote is not None
        return of.remote.public()

    @function(UNRECORDED)
    def is_listening(self, context: InstanceContext, of: TcpSocket) -> bool:
        return of.state is State.LISTENING

    @function(UNRECORDED)
    def address_family(self, context: InstanceContext, of: TcpSocket) -> str:
        return "ipv6" if of.is_v6 else "ipv4"

    @function(UNRECORDED)
    @fallible
    def set_listen_backlog_size(self, context: InstanceContext, of: TcpSocket, value: int) -> None:
        require(value, "invalid-argument")
        require(of.state in (State.UNBOUND, State.BOUND, State.LISTENING))
        of.options.put("backlog", min(value, BACKLOG_MAX))
        if of.state is State.LISTENING and of.made is not None:
            # Told as other options are: after a replay there is nobody to answer.
            with suppress(NetError):
                os_side.listen(of.made, of.options.backlog)

    @function(UNRECORDED)
    @fallible
    def keep_alive_enabled(self, context: InstanceContext, of: TcpSocket) -> bool:
        return bool(of.options.keep_alive_enabled)

    @function(UNRECORDED)
    @fallible
    def set_keep_alive_enabled(self, context: InstanceContext, of: TcpSocket, value: bool) -> None:
        _set(of, "keep_alive_enabled", value)

    @function(UNRECORDED)
    @fallible
    def keep_alive_idle_time(self, context: InstanceContext, of: TcpSocket) -> int:
        return of.options.keep_alive_idle_time

    @function(UNRECORDED)
    @fallible
    def set_keep_alive_idle_time(self, context: InstanceContext, of: TcpSocket, value: int) -> None:
        _put(of, "keep_alive_idle_time", value, whole_seconds(value))

    @function(UNRECORDED)
    @fallible
    def keep_alive_interval(self, context: InstanceContext, of: TcpSocket) -> int:
        return of.options.keep_alive_interval

    @function(UNRECORDED)
    @fallible
    def set_keep_alive_interval(self, context: InstanceContext, of: TcpSocket, value: int) -> None:
        _put(of, "keep_alive_interval", value, whole_seconds(value))

    @function(UNRECORDED)
    @fallible
    def keep_alive_count(self, context: InstanceContext, of: TcpSocket) -> int:
        return of.options.keep_alive_count

    @function(UNRECORDED)
    @fallible
    def set_keep_alive_count(self, context: InstanceContext, of: TcpSocket, value: int) -> None:
        _put(of, "keep_alive_count", value, min(value, COUNT_MAX))

    @function(UNRECORDED)
    @fallible
    def hop_limit(self, context: InstanceContext, of: TcpSocket) -> int:
        return of.options.hop_limit

    @function(UNRECORDED)
    @fallible
    def set_hop_limit(self, context: InstanceContext, of: TcpSocket, value: int) -> None:
        _put(of, "hop_limit", value, value)

    @function(UNRECORDED)
    @fallible
    def receive_buffer_size(self, context: InstanceContext, of: TcpSocket) -> int:
        return of.options.receive_buffer_size

    @function(UNRECORDED)
    @fallible
    def set_receive_buffer_size(self, context: InstanceContext, of: TcpSocket, value: int) -> None:
        _put(of, "receive_buffer_size", value, buffer_bytes(value))

    @function(UNRECORDED)
    @fallible
    def send_buffer_size(self, context: InstanceContext, of: TcpSocket) -> int:
        return of.options.send_buffer_size

    @function(UNRECORDED)
    @fallible
    def set_send_buffer_size(self, context: InstanceContext, of: TcpSocket, value: int) -> None:
        _put(of, "send_buffer_size", value, buffer_bytes(value))

    @function(UNRECORDED)
    def subscribe(self, context: InstanceContext, of: TcpSocket) -> TcpPollable:
        return TcpPollable(of)

    @function(UNRECORDED)
    @fallible
    def shutdown(self, context: InstanceContext, of: TcpSocket, shutdown_type: str) -> None:
        require(of.state is State.CONNECTED)
        of.shut(sending=shutdown_type != "receive", receiving=shutdown_type != "send")

    @on_drop
    def dropped(self, context: InstanceContext, of: TcpSocket) -> None:
        of.dropped()
