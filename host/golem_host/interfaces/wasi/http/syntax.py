"""
What HTTP allows to be said, of methods, URIs and fields.

Source: RFC 9110 and RFC 3986; the forbidden names are those of wasmtime.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import Final, NamedTuple

METHOD_BYTES_MAX: Final = 256
TARGET_BYTES_MAX: Final = 16_384
AUTHORITY_BYTES_MAX: Final = 1_024

FORBIDDEN: Final = frozenset(
    (
        "connection",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "transfer-encoding",
        "upgrade",
    )
)
"""Fields of a message that the host alone sets."""
FORBIDDEN_TRAILERS: Final = FORBIDDEN | {"content-length", "trailer", "content-encoding"}
"""They would have to be known before the body."""

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*", re.ASCII)
_TARGET: Final = re.compile(r"[\x21\x22\x24-\x7e]*", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?", re.ASCII)
_AUTHORITY: Final = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\[\]:@/?#]+))(?::(?P<port>[0-9]{0,5}))?", re.ASCII
)
_PORT_MAX: Final = 65_535


class Authority(NamedTuple):
    host: str
    """Without brackets."""
    port: int | None


def is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


def is_method(text: str) -> bool:
    return len(text) <= METHOD_BYTES_MAX and is_token(text)


def is_value(value: bytes) -> bool:
    return _VALUE.fullmatch(value) is not None


def is_scheme(text: str) -> bool:
    return len(text) <= METHOD_BYTES_MAX and _SCHEME.fullmatch(text) is not None


def is_target(text: str) -> bool:
    """A path, perhaps with a query: from `/` or `?` on, or ``*``, or nothing."""
    return _TARGET.fullmatch(text) is not None and (text[:1] in ("", "/", "?") or text == "*")


def authority(text: str) -> Authority | None:
    """None where it is none, or has a user in it: a host is not told passwords this way."""
    form = _AUTHORITY.fullmatch(text) if len(text) <= AUTHORITY_BYTES_MAX else None
    if form is None:
        return None
    port = int(form["port"]) if form["port"] else None
    if port is not None and not 0 < port <= _PORT_MAX:
        return None
    if form["six"] is None:
        return Authority(form["host"], port) if _NAME.fullmatch(form["host"]) else None
    try:
        return Authority(str(IPv6Address(form["six"])), port)
    except ValueError:
        return None
