"""Requests and responses between ASGI and the values of ``golem:http/incoming-handler``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from starlette.types import Scope

from golem_host.interfaces.wasi.http.syntax import FORBIDDEN
from golem_host.wire import Public
from golem_oplog.lazy_dataclass import dataclass

Headers = list[tuple[bytes, bytes]]

_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
_SERVERS: Final = FORBIDDEN | {"date"}
"""Fields of a response that the server alone sets."""
_URI: Final = re.compile(r"https?://(?P<authority>[^/]*)(?P<path>/.*)?", re.IGNORECASE)
_BODILESS: Final = frozenset((204, 304))
_STATUS: Final = range(200, 600)
"""What ends a request and has a meaning for every client (RFC 9110, 15)."""
_LENGTH: Final = re.compile(rb"[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: int
    headers: Headers
    body: bytes = b""


def problem(status: int, text: str) -> Answer:
    """An answer of the server itself: one line."""
    body = f"{text}\n".encode()
    return Answer(status, [_TEXT, _length(len(body))], body)


class Target(NamedTuple):
    """What a request is for."""

    authority: str | None
    path: str
    """Percent-encoded, without the query."""


def target_of(scope: Scope) -> Target:
    """A whole URI is as good as a path, and its authority better than the header's (RFC 9112, 3.2.2)."""
    sent = scope["raw_path"].decode("latin-1")
    uri = _URI.fullmatch(sent)
    if uri is not None:
        return Target(uri["authority"], uri["path"] or "/")
    host = next((value.decode("latin-1") for n, value in scope["headers"] if n == b"host"), None)
    return Target(host, sent)


def arguments(scope: Scope, target: Target, body: bytes) -> tuple[Public, ...]:
    """
    A request as the handler takes it.

    What only concerns the connection is the server's (RFC 9110, 7.6.1), and no header of the guest.
    """
    headers = [(name.decode("latin-1"), value) for name, value in scope["headers"]]
    options = b",".join(value for name, value in headers if name == "connection")
    of_connection = {option.strip().lower() for option in options.decode("latin-1").split(",")}
    query = scope["query_string"].decode("latin-1")
    return (
        scope["method"],
        scope["scheme"],
        target.authority,
        f"{target.path}?{query}" if query else target.path,
        [
            (name, value)
            for name, value in headers
            if name not in FORBIDDEN and name not in of_connection
        ],
        body,
    )


def answer_of(response: Mapping[str, Public], method: str) -> Answer:
    """
    A handler's response, its length said by the server.

    Only where no body may follow it is the guest's to say: what `GET` would give, or would have
    given, nobody else knows.
    """
    status: int = response["status"]
    if status not in _STATUS:
        return problem(502, f"the component answered with status {status}, not one of 200 to 599")
    body: bytes = response["body"] if status not in _BODILESS else b""
    headers = [
        (name.encode("latin-1"), value.strip(b" \t"))
        for name, value in response["headers"]
        if name.lower() not in _SERVERS
    ]
    others = [each for each in headers if each[0].lower() != b"content-length"]
    if status == 204:
        return Answer(status, others)
    if status != 304 and method != "HEAD":
        return Answer(status, [*others, _length(len(body))], body)
    said = {value for name, value in headers if name.lower() == b"content-length"}
    if len(said) == 1 and _LENGTH.fullmatch(value := said.pop()):
        others.append(_length(int(value)))
    elif body:
        others.append(_length(len(body)))
    return Answer(status, others)


def _length(size_bytes: int) -> tuple[bytes, bytes]:
    return b"content-length", str(size_bytes).encode()
