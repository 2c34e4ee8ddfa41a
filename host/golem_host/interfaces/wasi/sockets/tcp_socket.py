"""
A TCP socket: its state as plain data, and behind it nothing, a pair, or the operating system.

The state follows from the guest's calls and the record, live and on replay alike.  A socket of the
operating system is made when it is first needed.  After a replay there is none: a listener and a
connection that is still being made begin again, an established connection is lost.

Source: WASI 0.2 ``wasi:sockets/tcp``; the answers in each state are those of wasmtime 47.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from enum import Enum
from typing import Final

from golem_host.context import InstanceContext
from golem_host.interfaces.wasi.io.pollables import Unwatched
from golem_host.interfaces.wasi.sockets.addresses import SocketAddress
from golem_host.interfaces.wasi.sockets.pairs import PairEnd
from golem_host.interfaces.wasi.sockets.part import Sockets
from golem_host.net import sockets as os_side
from golem_host.net.options import TcpOptions
from golem_host.net.sockets import Connection, NetError, OsSocket
from golem_host.wake import READABLE, WRITABLE, Watched

HANDLES: Final = 3
"""A connection lasts until its socket and both of its streams are dropped."""


class State(Enum):
    UNBOUND = "unbound"
    BIND_STARTED = "bind started"
    BOUND = "bound"
    LISTEN_STARTED = "listen started"
    LISTENING = "listening"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    CLOSED = "closed"


class Endable:
    """A stream that the guest itself can end."""

    is_over = False


class TcpSocket:
    """Behind a ``tcp-socket`` handle."""

    def __init__(self, context: InstanceContext, *, is_v6: bool) -> None:
        self.context = context
        self.part = context.part(Sockets)
        self.number = self.part.enter(self)
        self.is_v6 = is_v6
        self.state = State.UNBOUND
        self.options = TcpOptions()
        self.local: SocketAddress | None = None
        self.remote: SocketAddress | None = None
        self.is_within = True
        """Whether what it is bound to exists inside of the guest only."""
        self.waiting: deque[tuple[PairEnd, SocketAddress, SocketAddress]] = deque()
        """Listening: connections from within, with their ends as seen from here."""
        self.pair: PairEnd | None = None
        self.made: OsSocket | None = None
        self.connection: Connection | None = None
        self.handles = 1
        self.is_refused = False
        """By a listener of the same guest, for which too many wait already."""
        self.input: Endable | None = None
        self.output: Endable | None = None
        self._connect_error: NetError | None = None

    # -- life ---------------------------------------------------------------------------------

    def connect_to(self, pair: PairEnd | None, connection: Connection | None) -> None:
        self.state = State.CONNECTED
        self.pair, self.connection = pair, connection
        self.handles = HANDLES

    def dropped(self) -> None:
        """A handle of it, or of its streams, is given up."""
        self.handles -= 1
        if self.handles:
            return
        # What still polls it must not make it again.
        self.state = State.CLOSED
        self.part.leave(self.number)
        for waiting, _, _ in self.waiting:
            waiting.close()
        self.waiting.clear()
        if self.pair is not None:
            self.pair.close()
        if self.connection is not None:
            self.part.before_output()
        self.release()

    @property
    def is_open(self) -> bool:
        return self.made is not None

    def release(self) -> None:
        if self.connection is not None:
            # It may still have something to send.
            self.connection.close()
        elif self.made is not None:
            self.made.close()
        self.made = self.connection = None

    # -- the operating system's side; live only -----------------------------------------------

    def bind(self, address: SocketAddress) -> SocketAddress:
        self.made = os_side.open_socket(is_v6=self.is_v6, is_stream=True)
        self.options.apply(self.made, is_v6=self.is_v6)
        try:
            endpoint = os_side.bind(self.made, address.endpoint(), reuse=address.port != 0)
        except NetError:
            self.made.close()
            self.made = None
            raise
        return SocketAddress.of_endpoint(endpoint)

    def listen(self) -> None:
        """Binds again after a replay."""
        if self.made is None:
            assert self.local is not None
            self.bind(self.local)
        assert self.made is not None
        try:
            os_side.listen(self.made, self.options.backlog)
        except NetError:
            self.release()
            raise

    def listener(self) -> OsSocket:
        """The listening socket, made again after a replay."""
        if self.made is None:
            self.listen()
        assert self.made is not None
        return self.made

    def shut(self, *, sending: bool, receiving: bool) -> None:
        """A connection that is gone is shut as well: its streams tell."""
        if self.pair is not None:
            self.pair.shut(sending=sending, receiving=receiving)
            return
        if self.connection is not None:
            if sending:
                self.part.before_output()
            self.connection.shut(sending=sending, receiving=receiving)
        for stream, is_over in ((self.input, receiving), (self.output, sending)):
            if is_over and stream is not None:
                stream.is_over = True

    def connecting(self) -> OsSocket:
        """The socket that is being connected, begun again after a replay."""
        if self._connect_error is not None:
            raise self._connect_error
        if self.made is None or self.connection is None:
            self._begin_connect()
        assert self.made is not None
        return self.made

    def _begin_connect(self) -> None:
        assert self.remote is not None
        self.part.before_output()
        try:
            if self.made is None:
                # A port within the guest is none that the outside could answer to.
                if self.local is not None and not self.is_within:
                    self.bind(self.local)
                else:
                    self.made = os_side.open_socket(is_v6=self.is_v6, is_stream=True)
                    self.options.apply(self.made, is_v6=self.is_v6)
            assert self.made is not None
            os_side.begin_connect(self.made, self.remote.endpoint())
            self.connection = Connection(self.made)
        except NetError as error:
            self._connect_error = error
            raise

    def finish_connect(self) -> tuple[SocketAddress, SocketAddress]:
        ends = os_side.finish_connect(self.connecting())
        return SocketAddress.of_endpoint(ends[0]), SocketAddress.of_endpoint(ends[1])

    def established(self) -> Connection:
        """
        Raises:
            NetError: It is gone with an earlier instance.
        """
        if self.connection is None:
            raise NetError("connection-reset")
        return self.connection

    def apply_options(self) -> None:
        if self.made is not None:
            self.options.apply(self.made, is_v6=self.is_v6)


class TcpPollable(Unwatched):
    """Ready when the operation that has been started can be finished, or accepted from."""

    __slots__ = ("_socket",)

    def __init__(self, of: TcpSocket) -> None:
        self._socket = of

    def ready(self, now_ns: int) -> bool:
        of = self._socket
        if of.state is State.LISTENING:
            if of.waiting or of.is_within:
                return bool(of.waiting)
            with suppress(NetError):
                return os_side.is_ready(of.listener().fileno(), READABLE)
        elif of.state is State.CONNECTING and of.pair is None and not of.is_refused:
            with suppress(NetError):
                return os_side.is_ready(of.connecting().fileno(), WRITABLE)
        # A connection within is decided at once, and there is nothing else to wait for.
        return True

    def watched(self) -> Watched | None:
        of = self._socket
        if of.made is None:
            return None
        if of.state is State.LISTENING:
            return of.made.fileno(), READABLE
        return (of.made.fileno(), WRITABLE) if of.state is State.CONNECTING else None

    def deadline_ns(self) -> int | None:
        return None

    def suspends(self) -> bool:
        return self._socket.state is State.LISTENING and self._socket.is_within
