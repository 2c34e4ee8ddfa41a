"""
HTTP servers on loopback that end by themselves: one that keeps the rules and writes down what it was
asked, and one that answers with given bytes.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, TypeAlias

_TLS: Final = Path(__file__).with_name("tls")
CA_FILE: Final = _TLS / "ca.pem"
PATIENCE_S: Final = 30.0
"""No socket of a server waits longer."""


@dataclass
class Asked:
    """One request as a server got it."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    connection: int
    """A number for the connection it came on."""

    def header(self, name: str) -> str | None:
        return next((v for n, v in self.headers if n.lower() == name), None)


Answer: TypeAlias = tuple[int, list[tuple[str, str]], bytes]


@dataclass
class Served:
    """A running server."""

    port: int
    asked: list[Asked] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    connections: int = 0
    handle: Callable[[Asked], Answer] | None = None

    is_tls: bool = False

    @property
    def url(self) -> str:
        return f"http{'s' * self.is_tls}://127.0.0.1:{self.port}"

    def keys(self) -> Counter[str | None]:
        """How many requests came with each idempotency key."""
        return Counter(each.header("idempotency-key") for each in self.asked)


def echo(asked: Asked) -> Answer:
    headers = [("content-type", "text/plain"), ("x-method", asked.method)]
    return 200, headers, asked.target.encode() + b" " + asked.body


def _chunks(body: bytes) -> bytes:
    pieces = [body[at : at + 1_000] for at in range(0, len(body), 1_000)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return chunks + b"0\r\nx-size: %d\r\nX-Last: yes\r\n\r\n" % len(body)


@contextmanager
def serving(
    handle: Callable[[Asked], Answer] = echo, tls: ssl.SSLContext | None = None
) -> Iterator[Served]:
    """
    A server that answers each request with what ``handle`` says, and keeps connections.

    With a header ``transfer-encoding`` the body is sent in chunks, and trailers behind it.
    """
    served = Served(0, handle=handle, is_tls=tls is not None)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            self.request.settimeout(PATIENCE_S)
            with served.lock:
                served.connections += 1
                self.number = served.connections
            super().setup()

        def handle_one_request(self) -> None:
            with suppress(OSError):
                super().handle_one_request()
                return
            self.close_connection = True

        def do_GET(self) -> None:
            asked = Asked(self.command, self.path, self.headers.items(), self._body(), self.number)
            with served.lock:
                served.asked.append(asked)
            assert served.handle is not None
            status, headers, body = served.handle(asked)
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            names = {name.lower() for name, _ in headers}
            if not names & {"content-length", "transfer-encoding"}:
                self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(_chunks(body) if "transfer-encoding" in names else body)

        do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_GET  # noqa: N815

        def _body(self) -> bytes:
            if self.headers.get("transfer-encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("content-length", 0)))
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                pieces.append(b"|" + line.strip())
            return b"".join(pieces)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: Any) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        served.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join(PATIENCE_S)


@dataclass
class Raw:
    """A running server of `raw_server`."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    """The heads of requests, one for each connection."""
    done: threading.Event = field(default_factory=threading.Event)
    """Ends what a connection waits for."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def raw_server(
    behave: Callable[[socket.socket, Raw], None], *, reads: bool = True
) -> Iterator[Raw]:
    """
    A server that reads the head of a request and then leaves the connection to ``behave``.

    Without ``reads`` it does not wait for one.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        raw = Raw(listener.getsockname()[1])

        def serve(connection: socket.socket) -> None:
            connection.settimeout(PATIENCE_S)
            with connection, suppress(OSError):
                head = b""
                while reads and b"\r\n\r\n" not in head:
                    # What follows is for `behave`.
                    piece = connection.recv(1)
                    if not piece:
                        return
                    head += piece
                raw.requests.append(head)
                behave(connection, raw)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=serve, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield raw
        finally:
            raw.done.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join(PATIENCE_S)


def answering(data: bytes) -> Callable[[socket.socket, Raw], None]:
    """Send these bytes and close."""

    def behave(connection: socket.socket, _: Raw) -> None:
        connection.sendall(data)

    return behave


def server_tls() -> ssl.SSLContext:
    """TLS of a server whose certificate is signed by `CA_FILE`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_TLS / "server.pem", _TLS / "server.key")
    return context
