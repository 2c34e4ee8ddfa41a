"""Servers on loopback for tests: each in a thread of its own, gone when its context ends."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from tests.support.waiting import PATIENCE_S

HOST: Final = "127.0.0.1"

Handle = Callable[[socket.socket], None]


class Server:
    """One that answers so many connections at once."""

    def __init__(self, listener: socket.socket, handle: Handle, at_once: int) -> None:
        self.port: int = listener.getsockname()[1]
        self.accepted = 0
        self._listener = listener
        self._handle = handle
        self._threads = [threading.Thread(target=self._serve) for _ in range(at_once)]
        for thread in self._threads:
            thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            connection.settimeout(PATIENCE_S)
            # A guest that is killed breaks its connection wherever it is.
            with connection, suppress(OSError):
                self._handle(connection)

    def close(self) -> None:
        with suppress(OSError):
            # `close` alone wakes nobody who waits in `accept`.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


@contextmanager
def serving(handle: Handle, *, at_once: int = 1) -> Iterator[Server]:
    with socket.create_server((HOST, 0)) as listener:
        server = Server(listener, handle, at_once)
        try:
            yield server
        finally:
            server.close()


@contextmanager
def echoing_datagrams() -> Iterator[int]:
    """The port of a server that sends every datagram back in upper case."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind((HOST, 0))
        port: int = made.getsockname()[1]

        def serve() -> None:
            while True:
                data, sender = made.recvfrom(65_536)
                if not data:
                    return
                made.sendto(data.upper(), sender)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield port
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", (HOST, port))
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def free_port() -> int:
    """One at which nobody listens: bound once, and given back."""
    with socket.socket() as made:
        made.bind((HOST, 0))
        port: int = made.getsockname()[1]
    return port


# -- what servers do -------------------------------------------------------------------------------


def echo(connection: socket.socket) -> None:
    """Everything back in upper case, until the other side has written all."""
    while data := connection.recv(65_536):
        connection.sendall(data.upper())


def reset(connection: socket.socket) -> None:
    """Break the connection after the first bytes."""
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang_up(_: socket.socket) -> None:
    """Say nothing."""


def cut_short(connection: socket.socket) -> None:
    """Promise more than is sent."""
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\nshort")


def talk_nonsense(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(bytes(range(256)) * 256)


def answer_http(connection: socket.socket) -> None:
    """One request, one answer."""
    request = b""
    while b"\r\n\r\n" not in request and (data := connection.recv(65_536)):
        request += data
    path = request.split(b" ")[1]
    body = b"you asked for " + path
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    connection.sendall(head + body)


def swallow(connection: socket.socket) -> None:
    """Everything until the other side is done."""
    while connection.recv(65_536):
        pass
