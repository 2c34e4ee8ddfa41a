"""
HTTP to the owner of a state directory, and the errors that come back, raised as they were there.

`golem_host.rest.remote` has the methods of a host on top of it.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from golem_host.rest.bounds import RETRY_AFTER_S
from golem_host.rest.errors import HostClosingError, InternalError, OverloadedError, error_of
from golem_host.rest.exchange import JSON
from golem_host.rest.sockets import connect_unix, hang_up, known_path
from golem_host.storage.layout import StateLayout
from golem_host.system import monotonic_s
from golem_oplog.lazy_dataclass import dataclass

CONNECT_S: Final = 5.0
OWNER_S: Final = 2.0
"""How long an owner may take between its lock and its socket."""
LOOK_S: Final = 0.02
PIECE_BYTES: Final = 64 << 10
RETRIES_MAX: Final = 30
"""How often a request that the owner had no room for is made again."""

Query = list[tuple[str, str]]


class OwnerGoneError(HostClosingError):
    """The owner has ended, or is ending: take the state directory, or find its next owner."""


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, answer_s: float | None) -> None:
        super().__init__("localhost")
        self._path = path
        self._answer_s = answer_s

    def connect(self) -> None:
        self.sock = connect_unix(self._path, CONNECT_S)
        self.sock.settimeout(self._answer_s)

    def hang_up(self) -> None:
        """Have whoever reads from it read its end; from any thread."""
        if self.sock is not None:
            hang_up(self.sock)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for."""

    method: str
    path: str
    query: Query
    content: bytes | None
    headers: Mapping[str, str]

    @property
    def target(self) -> str:
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


def path_of(*names: str) -> str:
    """A path below ``/v1`` from names that may hold anything."""
    return "/v1/" + "/".join(quote(name, safe="") for name in names)


class Client:
    """One owner, asked over a connection for each request; any thread may ask."""

    def __init__(self, socket_path: Path, answer_s: float | None = None) -> None:
        self._socket_path = socket_path
        self._answer_s = answer_s

    @classmethod
    def of_owner(
        cls, state_dir: Path, wait_s: float = OWNER_S, answer_s: float | None = None
    ) -> Client | None:
        """
        The owner of a state directory; None where nobody answers.

        Args:
            state_dir: The directory.
            wait_s: For an owner that has the lock and not yet the socket.
            answer_s: How long the owner may take to say something; None for ever.
        """
        layout = StateLayout(state_dir.absolute())
        ends_at = monotonic_s() + wait_s
        while True:
            path = known_path(layout)
            try:
                connect_unix(path, CONNECT_S).close()
            except OSError:
                if monotonic_s() >= ends_at:
                    return None
                threading.Event().wait(LOOK_S)
            else:
                return cls(path, answer_s)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> object:
        """
        The document of the answer, or its bytes where it is no JSON.

        Raises:
            HostError, OplogError: As the owner raised it.
            OwnerGoneError: The owner has ended; whether it did what was asked is not known.
        """
        given = dict(headers or {})
        if body is not None:
            content = json.dumps(body).encode()
            given["content-type"] = JSON
        request = Request(method, path, query or [], content, given)
        for _ in range(RETRIES_MAX):
            try:
                return self._ask(request)
            except OverloadedError:
                threading.Event().wait(RETRY_AFTER_S)
        return self._ask(request)

    def _ask(self, request: Request) -> object:
        with self._answer(request) as (response, _):
            content = _read(response)
            is_json = response.headers.get_content_type() == JSON
        return _document(content) if is_json else content

    @contextmanager
    def lines(
        self, path: str, query: Query, *, method: str = "GET", body: object = None
    ) -> Iterator[Lines]:
        """The documents of a stream as they come; ends with the block."""
        content = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"content-type": JSON}
        request = Request(method, path, query, content, headers)
        with self._answer(request) as (response, connection):
            yield Lines(response, connection.hang_up)

    def pieces(self, path: str) -> Iterator[bytes]:
        """The bytes of an answer as they come; `OwnerGoneError` where they end too early."""
        with self._answer(Request("GET", path, [], None, {})) as (response, _):
            while True:
                with _owner_answers():
                    piece = response.read(PIECE_BYTES)
                if not piece:
                    return
                yield piece

    @contextmanager
    def _answer(
        self, request: Request
    ) -> Iterator[tuple[http.client.HTTPResponse, _UnixConnection]]:
        with closing(_UnixConnection(self._socket_path, self._answer_s)) as connection:
            with _owner_answers():
                connection.request(
                    request.method, request.target, request.content, dict(request.headers)
                )
                response = connection.getresponse()
            with response:
                if response.status >= http.HTTPStatus.BAD_REQUEST:
                    raise _error(response.status, _read(response))
                yield response, connection


@contextmanager
def _owner_answers() -> Iterator[None]:
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        raise OwnerGoneError(reason="the owner of the state directory has ended") from error


def _read(response: http.client.HTTPResponse) -> bytes:
    with _owner_answers():
        return response.read()


class Lines:
    """The documents of one stream."""

    def __init__(self, response: http.client.HTTPResponse, stop: Callable[[], None]) -> None:
        self._response = response
        self.stop = stop
        """End it, from any thread."""

    def __iter__(self) -> Iterator[dict[str, object]]:
        """
        Raises:
            OwnerGoneError, HostError, OplogError: The stream was cut off, or ended with an error.
        """
        while True:
            with _owner_answers():
                line = self._response.readline()
            if not line:
                return
            document = _document(line)
            if isinstance(document, dict):
                if "error" in document:
                    raise _error(http.HTTPStatus.INTERNAL_SERVER_ERROR, line)
                yield document


def _document(content: bytes) -> object:
    try:
        document: object = json.loads(content)
    except ValueError as error:
        raise OwnerGoneError(reason="the owner's answer was cut off") from error
    return document


def _error(status: int, content: bytes) -> BaseException:
    try:
        found = error_of(json.loads(content))
    except ValueError:
        found = None
    if type(found) is HostClosingError:
        return OwnerGoneError(reason=found.reason)
    if found is None:
        said = content[:200].decode("utf-8", "replace")
        found = InternalError(reason=f"the owner answered with status {status}: {said}")
    return found
