"""A host served over REST, and the simplest client that there can be."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from golem_host import Host
from golem_host.rest.bounds import Bounds
from golem_host.rest.guard import LOOPBACK, Policy
from golem_host.rest.server import RestServer
from golem_host.rest.sockets import listen_tcp

DEADLINE_S = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.content)

    @property
    def error(self) -> tuple[int, str]:
        """Status and class."""
        return self.status, self.document["error"]["class"]


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=DEADLINE_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(DEADLINE_S)
        self.sock.connect(str(self._path))


class Web:
    """A listener, asked over a connection for each request."""

    def __init__(self, address: Path | tuple[str, int]) -> None:
        self.address = address

    def connect(self) -> http.client.HTTPConnection:
        if isinstance(self.address, Path):
            return UnixConnection(self.address)
        return http.client.HTTPConnection(*self.address, timeout=DEADLINE_S)

    def ask(
        self,
        method: str,
        path: str,
        document: object = None,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        given = dict(headers or {})
        if document is not None:
            content = json.dumps(document).encode()
            given.setdefault("content-type", "application/json")
        connection = self.connect()
        try:
            connection.request(method, path, content, given)
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, document: object = None, **headers: str) -> Answer:
        spelled = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", path, document, headers=spelled)

    def put(self, path: str, document: object) -> Answer:
        return self.ask("PUT", path, document)

    def call(self, component: str, worker: str, call: str, **headers: str) -> Answer:
        """Invoke and await, in WAVE."""
        path = f"/v1/components/{component}/workers/{quote(worker, safe='')}/invoke-and-await"
        return self.post(path, {"call": call}, **headers)

    def raw(self) -> socket.socket:
        """A connected socket, for what no well-behaved client sends."""
        if isinstance(self.address, Path):
            found = socket.socket(socket.AF_UNIX)
            found.settimeout(DEADLINE_S)
            found.connect(str(self.address))
            return found
        return socket.create_connection(self.address, timeout=DEADLINE_S)


def control(state_dir: Path) -> Web:
    """The control socket of a state directory."""
    return Web(state_dir / "control.sock")


@contextmanager
def served(host: Host, *, token: str | None = None, bounds: Bounds | None = None) -> Iterator[Web]:
    """A host on a free port of loopback."""
    listener = listen_tcp("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    server = RestServer(host, listener, Policy(token, LOOPBACK), bounds or Bounds())
    thread = threading.Thread(target=server.serve, name="rest-under-test")
    thread.start()
    try:
        yield Web(("127.0.0.1", port))
    finally:
        server.stop()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


def read_until_closed(connection: socket.socket) -> bytes:
    """Everything that the other side sends; it must close or reset the connection."""
    pieces = []
    try:
        while piece := connection.recv(1 << 16):
            pieces.append(piece)
    except ConnectionResetError:
        pass
    return b"".join(pieces)
