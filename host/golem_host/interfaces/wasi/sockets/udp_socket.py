"""
A UDP socket: bound within the guest only, or with the operating system as well.

What is sent to another socket of the same guest is put into its queue and never recorded.  Datagrams
may be lost, so a socket that a replay has left behind is simply made again.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from golem_host.context import InstanceContext
from golem_host.interfaces.wasi.io.pollables import Unwatched
from golem_host.interfaces.wasi.sockets.addresses import SocketAddress
from golem_host.interfaces.wasi.sockets.part import Sockets
from golem_host.interfaces.wasi.sockets.tcp_socket import State
from golem_host.net import sockets as os_side
from golem_host.net.options import Options
from golem_host.net.sockets import NetError, OsSocket
from golem_host.wake import READABLE, Watched

QUEUE_BYTES_MAX: Final = 262_144
DATAGRAM_COST_BYTES: Final = 256
"""What a datagram takes beyond its bytes: empty ones are not free."""

Datagram = tuple[bytes, SocketAddress]


class UdpSocket:
    """Behind a ``udp-socket`` handle."""

    def __init__(self, context: InstanceContext, *, is_v6: bool) -> None:
        self.part = context.part(Sockets)
        self.number = self.part.enter(self)
        self.is_v6 = is_v6
        self.state = State.UNBOUND
        self.options = Options()
        self.local: SocketAddress | None = None
        self.remote: SocketAddress | None = None
        """What it is connected to; of the operating system's socket, once it is made, too."""
        self.outside: SocketAddress | None = None
        """Where it is bound with the operating system; None while it is within the guest only."""
        self.shown: SocketAddress | None = None
        """Where it is seen to send from, once it is connected to the outside."""
        self.may_listen = False
        """Whether anybody may send to it, and not only those that it may send to."""
        self.queue: deque[Datagram] = deque()
        self._queued_bytes = 0
        self._made: OsSocket | None = None
        self.streams = 0
        """How often streams were made: only the last ones are alive."""

    @property
    def is_within(self) -> bool:
        return self.outside is None

    def dropped(self) -> None:
        self.part.leave(self.number)
        self.state = State.CLOSED
        self.release()

    @property
    def is_open(self) -> bool:
        return self._made is not None

    def release(self) -> None:
        if self._made is not None:
            self._made.close()
        self._made = None

    # -- within -------------------------------------------------------------------------------

    def put(self, data: bytes, sender: SocketAddress) -> None:
        """Take a datagram, or lose it where the queue is full or it is not for us."""
        cost = len(data) + DATAGRAM_COST_BYTES
        if self._queued_bytes + cost > QUEUE_BYTES_MAX:
            return
        if self.remote is None or self.remote == sender:
            self.queue.append((data, sender))
            self._queued_bytes += cost

    def take(self) -> Datagram:
        data, sender = self.queue.popleft()
        self._queued_bytes -= len(data) + DATAGRAM_COST_BYTES
        return data, sender

    def keep_only(self, sender: SocketAddress | None) -> None:
        """What came before the streams were made stays, as far as it is for them."""
        kept = [each for each in self.queue if sender in (None, each[1])]
        self.queue = deque(kept)
        self._queued_bytes = sum(len(data) + DATAGRAM_COST_BYTES for data, _ in kept)

    # -- the operating system's side; live only -----------------------------------------------

    def bind(self, address: SocketAddress) -> SocketAddress:
        self._made = os_side.open_socket(is_v6=self.is_v6, is_stream=False)
        self.options.apply(self._made, is_v6=self.is_v6)
        try:
            endpoint = os_side.bind(self._made, address.endpoint(), reuse=False)
        except NetError:
            self.release()
            raise
        return SocketAddress.of_endpoint(endpoint)

    def os_socket(self) -> OsSocket:
        """Made again where it is gone."""
        if self._made is None:
            self._restore()
        assert self._made is not None
        return self._made

    def _restore(self) -> None:
        assert self.outside is not None
        self.bind(self.outside)
        if self.remote is not None:
            self._connect(self.remote)

    def connect(self, remote: SocketAddress | None) -> SocketAddress:
        """
        To another one than before, or to none; where it is seen to send from.

        What has come for it and was not received is lost.
        """
        self.release()
        assert self.outside is not None
        bound = self.bind(self.outside)
        return bound if remote is None else self._connect(remote)

    def _connect(self, remote: SocketAddress) -> SocketAddress:
        assert self._made is not None
        try:
            endpoint = os_side.connect_datagrams(self._made, remote.endpoint())
        except NetError:
            # Not left bound alone: it would be taken for connected.
            self.release()
            raise
        return SocketAddress.of_endpoint(endpoint)

    def watched(self) -> Watched | None:
        return None if self._made is None else (self._made.fileno(), READABLE)

    def apply_options(self) -> None:
        if self._made is not None:
            self.options.apply(self._made, is_v6=self.is_v6)


class HasDatagram(Unwatched):
    __slots__ = ("_socket",)

    def __init__(self, of: UdpSocket) -> None:
        self._socket = of

    def ready(self, now_ns: int) -> bool:
        of = self._socket
        if of.state is State.CLOSED:
            return True
        if of.queue or of.is_within:
            return bool(of.queue)
        try:
            return os_side.is_ready(of.os_socket().fileno(), READABLE)
        except NetError:
            return True

    def watched(self) -> Watched | None:
        return self._socket.watched()

    def deadline_ns(self) -> int | None:
        return None

    def suspends(self) -> bool:
        return self._socket.is_within
