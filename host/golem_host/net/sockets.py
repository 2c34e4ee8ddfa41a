"""
Sockets of the operating system, none of which ever blocks; errors by their name in WASI.

Source: WASI 0.2 ``wasi:sockets/network.error-code``.
"""

from __future__ import annotations

import errno
import resource
import select
import socket
import threading
from contextlib import suppress
from math import inf
from typing import Final, TypeAlias

from golem_host.net import lingering
from golem_host.system import monotonic_s
from golem_host.wake import WRITABLE

Endpoint: TypeAlias = tuple[str, int] | tuple[str, int, int, int]
"""An address as the operating system's functions take it."""

OsSocket: TypeAlias = socket.socket

ROOM_BYTES: Final = 65_536
"""What a connection keeps for the guest beyond what the operating system takes."""
LOOK_MS: Final = 1_000
"""How often a connection that cannot send looks whether it was closed meanwhile."""
BACKLOG_MAX: Final = 128
DATAGRAM_BYTES_MAX: Final = 65_535
RESERVED_PART: Final = 4
"""One part in so many of this process's descriptors is never a guest's socket."""

_ERRORS: Final = {
    errno.EACCES: "access-denied",
    errno.EPERM: "access-denied",
    errno.EADDRINUSE: "address-in-use",
    errno.EADDRNOTAVAIL: "address-not-bindable",
    errno.ECONNREFUSED: "connection-refused",
    errno.ECONNRESET: "connection-reset",
    errno.EPIPE: "connection-reset",
    errno.ENOTCONN: "connection-reset",
    errno.ECONNABORTED: "connection-aborted",
    errno.ETIMEDOUT: "timeout",
    errno.ENETUNREACH: "remote-unreachable",
    errno.EHOSTUNREACH: "remote-unreachable",
    errno.EHOSTDOWN: "remote-unreachable",
    errno.ENETDOWN: "remote-unreachable",
    errno.EMSGSIZE: "datagram-too-large",
    errno.EMFILE: "new-socket-limit",
    errno.ENFILE: "new-socket-limit",
    errno.ENOMEM: "out-of-memory",
    errno.ENOBUFS: "out-of-memory",
    errno.EOPNOTSUPP: "not-supported",
    errno.EAFNOSUPPORT: "not-supported",
    errno.EPROTONOSUPPORT: "not-supported",
    errno.EINVAL: "invalid-argument",
    errno.EAGAIN: "would-block",
}


class NetError(Exception):
    """The operating system refused; ``code`` is a case of ``error-code``."""

    def __init__(self, code: str) -> None:
        super().__init__(code.replace("-", " "))
        self.code = code


def failed(error: OSError | int) -> NetError:
    number = error if isinstance(error, int) else error.errno
    return NetError(_ERRORS.get(number or 0, "unknown"))


def is_ready(descriptor: int, events: int) -> bool:
    """Whether it can be used now, or has failed."""
    poll = select.poll()
    poll.register(descriptor, events)
    return bool(poll.poll(0))


def open_socket(*, is_v6: bool, is_stream: bool) -> socket.socket:
    try:
        made = socket.socket(
            socket.AF_INET6 if is_v6 else socket.AF_INET,
            socket.SOCK_STREAM if is_stream else socket.SOCK_DGRAM,
        )
    except OSError as error:
        raise failed(error) from error
    _refuse_the_last(made)
    made.setblocking(False)
    if is_v6:
        with suppress(OSError):
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return made


def _refuse_the_last(made: socket.socket) -> None:
    """
    Leave the host enough descriptors for its logs, whatever all guests together open.

    The system gives the lowest that is free: a high one says that few are left.
    """
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit != resource.RLIM_INFINITY and made.fileno() >= limit - limit // RESERVED_PART:
        made.close()
        raise NetError("new-socket-limit")


def bind(made: socket.socket, endpoint: Endpoint, *, reuse: bool) -> Endpoint:
    """Where it is bound; with ``reuse`` past connections there do not matter."""
    try:
        if reuse:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(endpoint)
        return local_of(made)
    except OSError as error:
        raise failed(error) from error


def listen(made: socket.socket, backlog: int) -> None:
    try:
        made.listen(backlog)
    except OSError as error:
        raise failed(error) from error


def accept(made: socket.socket) -> tuple[Connection, Endpoint, Endpoint]:
    """A connection with its two ends, ours first; `would-block` where nobody waits."""
    try:
        accepted, remote = made.accept()
    except OSError as error:
        raise failed(error) from error
    _refuse_the_last(accepted)
    accepted.setblocking(False)
    try:
        return Connection(accepted), local_of(accepted), remote
    except OSError as error:
        accepted.close()
        raise failed(error) from error


def begin_connect(made: socket.socket, endpoint: Endpoint) -> None:
    """Raises what is known at once; `finish_connect` says the rest."""
    number = made.connect_ex(endpoint)
    if number not in (0, errno.EINPROGRESS):
        raise failed(number)


def finish_connect(made: socket.socket) -> tuple[Endpoint, Endpoint]:
    """Both ends, ours first; `would-block` while it is not decided."""
    if not is_ready(made.fileno(), WRITABLE):
        raise NetError("would-block")
    number = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        raise failed(number)
    try:
        return local_of(made), made.getpeername()
    except OSError as error:
        raise failed(error) from error


def local_of(made: socket.socket) -> Endpoint:
    name: Endpoint = made.getsockname()
    return name


def receive_from(made: socket.socket) -> tuple[bytes, Endpoint]:
    """The next datagram; `would-block` where there is none."""
    try:
        data, sender = made.recvfrom(DATAGRAM_BYTES_MAX)
    except OSError as error:
        raise failed(error) from error
    return data, sender


def send_to(made: socket.socket, data: bytes, endpoint: Endpoint | None) -> None:
    """Send one datagram, to where the socket is connected where no endpoint is given."""
    try:
        if endpoint is None:
            made.send(data)
        else:
            made.sendto(data, endpoint)
    except OSError as error:
        raise failed(error) from error


def connect_datagrams(made: socket.socket, endpoint: Endpoint) -> Endpoint:
    """From now on to and from there only; our own end."""
    try:
        made.connect(endpoint)
        return local_of(made)
    except OSError as error:
        raise failed(error) from error


class Connection:
    """
    A connected TCP socket that takes `ROOM_BYTES` more than the operating system.

    What it keeps is sent by a thread of its own, which lives only as long as there is some.
    """

    def __init__(self, made: socket.socket) -> None:
        self.socket = made
        self._lock = threading.Lock()
        self._kept = bytearray()
        self._error: NetError | None = None
        self._sender: threading.Thread | None = None
        self._gives_up_s = inf
        self._is_closing = self._is_shut = False

    def fileno(self) -> int:
        return self.socket.fileno()

    def read(self, size_max: int) -> bytes | None:
        """What is there, empty where nothing is yet; None at the end."""
        try:
            data = self.socket.recv(size_max)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise failed(error) from error
        return data or None

    def write(self, data: bytes) -> int:
        """How much room is left afterwards; ``data`` fits into what was left before."""
        with self._lock:
            self._kept += data
            self._push()
            if self._kept and self._sender is None:
                self._begin_sending()
            return ROOM_BYTES - len(self._kept)

    def _begin_sending(self) -> None:
        self._sender = threading.Thread(target=self._send, name="golem-net-send", daemon=True)
        try:
            self._sender.start()
        except RuntimeError:  # The system has no thread left.
            self._sender = None
            self._kept.clear()
            self._error = NetError("out-of-memory")
            raise self._error from None

    def room(self) -> int:
        with self._lock:
            self._push()
            return ROOM_BYTES - len(self._kept)

    def shut(self, *, sending: bool, receiving: bool) -> None:
        if receiving:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RD)
        if sending:
            with self._lock:
                self._is_shut = True
                self._end()

    def close(self) -> None:
        with self._lock:
            self._is_closing = True
            self._gives_up_s = monotonic_s() + lingering.LINGER_S
            if self._sender is not None:
                lingering.enter(self._sender)
            self._end()

    def _push(self) -> None:
        """
        Raises:
            NetError: It is broken; every time.
        """
        if self._error is not None:
            raise self._error
        try:
            while self._kept:
                del self._kept[: self.socket.send(self._kept)]
        except BlockingIOError:
            return
        except OSError as error:
            self._kept.clear()
            self._error = failed(error)
            raise self._error from error

    def _end(self) -> None:
        """Once everything is sent: what was asked to come after it."""
        if self._kept:
            return
        if self._is_shut:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
        if self._is_closing:
            self.socket.close()

    def _send(self) -> None:
        while True:
            poll = select.poll()
            with self._lock:
                if self._kept and monotonic_s() < self._gives_up_s:
                    poll.register(self.socket.fileno(), WRITABLE)
                else:
                    self._kept.clear()
                    self._sender = None
                    self._end()
                    lingering.leave(threading.current_thread())
                    return
            poll.poll(LOOK_MS)
            with self._lock, suppress(NetError):
                self._push()
