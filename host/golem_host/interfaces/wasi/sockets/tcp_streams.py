"""
The streams of a TCP connection to the outside: what was read and whether a write failed is recorded.

A connection that is gone after a replay fails each of its streams once, and is closed from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import READ_REMOTE, WRITE_LOCAL, Recorded
from golem_host.dispatch import recorded_call
from golem_host.interfaces.wasi.io.error import IoError
from golem_host.interfaces.wasi.io.poll import recorded_wait, wait_for
from golem_host.interfaces.wasi.io.pollables import Unwatched
from golem_host.interfaces.wasi.io.streams import StreamClosedError, StreamFailedError
from golem_host.interfaces.wasi.sockets.addresses import ERROR_CODE, error_wire
from golem_host.interfaces.wasi.sockets.tcp_socket import Endable, TcpSocket
from golem_host.net.sockets import ROOM_BYTES, NetError, is_ready
from golem_host.wake import READABLE, WRITABLE, Watched
from golem_host.wire import Wire
from golem_oplog.types import FunctionType, ListType, OptionType, Prim, ResultType

DOMAIN: Final = "wasi:sockets"

_SOCKET: Final = ("socket", Prim.U32)
READ: Final = Recorded(
    READ_REMOTE,
    FunctionType(
        "sockets::tcp::read",
        (_SOCKET, ("size", Prim.U64), ("waits", Prim.BOOL)),
        ResultType(OptionType(ListType(Prim.U8)), ERROR_CODE),
    ),
)
# Not remote writes: they commit before by themselves, and what a crash leaves open fails at once.
WRITE: Final = Recorded(
    WRITE_LOCAL,
    FunctionType(
        "sockets::tcp::write",
        (_SOCKET, ("size", Prim.U64)),
        ResultType(Prim.U64, ERROR_CODE),
    ),
)
ROOM: Final = Recorded(
    READ_REMOTE,
    FunctionType("sockets::tcp::room", (_SOCKET,), ResultType(Prim.U64, ERROR_CODE)),
)


def answered(perform: Callable[[], Wire]) -> Wire:
    """As ``result`` in wire form."""
    try:
        return (0, perform())
    except NetError as error:
        return error_wire(error.code)


class _Stream(Endable):
    def __init__(self, of: TcpSocket) -> None:
        self.socket = of

    def checked(self, result: Wire) -> Wire:
        case, value = result
        if case == 0:
            return value
        self.is_over = True
        code = ERROR_CODE.names[value]
        raise StreamFailedError(IoError(code.replace("-", " "), DOMAIN, code))

    def refuse_over(self) -> None:
        if self.is_over:
            raise StreamClosedError

    def dropped(self, context: InstanceContext) -> None:
        self.is_over = True
        self.socket.dropped()


class _Usable(Unwatched):
    """Ready when the stream can go on, has failed, or is lost."""

    events = READABLE

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def ready(self, now_ns: int) -> bool:
        connection = self._stream.socket.connection
        if self._stream.is_over or connection is None:
            return True
        return self.usable(connection.fileno())

    def usable(self, descriptor: int) -> bool:
        return is_ready(descriptor, self.events)

    def watched(self) -> Watched | None:
        connection = self._stream.socket.connection
        if self._stream.is_over or connection is None:
            return None
        return connection.fileno(), self.events

    def deadline_ns(self) -> int | None:
        return None

    def suspends(self) -> bool:
        return False


class _HasRoom(_Usable):
    events = WRITABLE

    def usable(self, descriptor: int) -> bool:
        with suppress(NetError):
            return self._stream.socket.established().room() > 0
        return True


class TcpInput(_Stream):
    def read(self, context: InstanceContext, size_max: int, *, waits: bool) -> bytes:
        self.refuse_over()
        if size_max == 0:
            return b""

        def receive() -> Wire:
            while True:
                data = self.socket.established().read(size_max)
                if data is None:
                    return None
                if data or not waits:
                    return (data,)
                wait_for(context, [self.pollable()])

        request = (self.socket.number, size_max, waits)
        found = self.checked(recorded_call(context, READ, request, lambda: answered(receive)))
        if found is None:
            self.is_over = True
            raise StreamClosedError
        return bytes(found[0])

    def skip(self, context: InstanceContext, size_max: int, *, waits: bool) -> int:
        return len(self.read(context, size_max, waits=waits))

    def pollable(self) -> _Usable:
        return _Usable(self)


class TcpOutput(_Stream):
    def __init__(self, of: TcpSocket) -> None:
        super().__init__(of)
        self._room = ROOM_BYTES
        """As of the last recorded answer; there may be more by now."""

    def writable_bytes(self, context: InstanceContext) -> int:
        self.refuse_over()
        if self._room == 0:
            self._look(context)
        return self._room

    def _look(self, context: InstanceContext) -> None:
        request = (self.socket.number,)
        self._room = self.checked(
            recorded_call(
                context, ROOM, request, lambda: answered(lambda: self.socket.established().room())
            )
        )

    def wait(self, context: InstanceContext) -> None:
        recorded_wait(context, self.pollable())

    def write(self, context: InstanceContext, data: bytes) -> None:
        self.refuse_over()
        if not data:
            return
        part = self.socket.part
        sent = False

        def send() -> Wire:
            nonlocal sent
            connection = self.socket.established()
            part.before_output()
            sent = True
            return connection.write(data)

        request = (self.socket.number, len(data))
        result = recorded_call(context, WRITE, request, lambda: answered(send))
        if sent:
            part.after_output()
        self._room = self.checked(result)

    def flush(self, context: InstanceContext, *, waits: bool) -> None:
        """What is kept is sent as soon as it can be, without being asked."""
        self.refuse_over()
        while waits and self._room == 0:
            self.wait(context)
            self._look(context)

    def pollable(self) -> _HasRoom:
        return _HasRoom(self)
