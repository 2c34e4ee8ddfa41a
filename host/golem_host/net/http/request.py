"""What is sent, and what came back, as plain data."""

from __future__ import annotations

import hashlib
from dataclasses import field
from typing import TYPE_CHECKING, Final, Protocol

from golem_host.net.http.errors import HttpError
from golem_host.net.http.pipe import Fields
from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_host.net.grants import Address

NS_PER_S: Final = 1_000_000_000
CONNECT_TIMEOUT_S: Final = 60.0
"""To look up a name, connect and agree on TLS, where the guest has set no time."""
READ_TIMEOUT_S: Final = 600.0
"""To the first byte, and between two of them, where the guest has set none."""
TIMEOUT_S_MAX: Final = 7 * 24 * 3600.0

_SAME: Final = ("content-length", "content-encoding", "etag")
"""Headers that tell that a response is another one than the last time."""


class Allowed(Protocol):
    """The grants."""

    def __call__(self, address: Address, port: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds."""

    connect: float = CONNECT_TIMEOUT_S
    first_byte: float = READ_TIMEOUT_S
    between_bytes: float = READ_TIMEOUT_S


def seconds(nanoseconds: int | None, default: float) -> float:
    return default if nanoseconds is None else min(nanoseconds / NS_PER_S, TIMEOUT_S_MAX)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection leads to."""

    is_tls: bool
    host: str
    """A name in ASCII, or an address without brackets."""
    port: int


@dataclass(frozen=True, slots=True)
class Request:
    """Everything but the body; valid by HTTP's rules."""

    method: str
    origin: Origin
    authority: str
    target: str
    headers: Fields
    """The guest's own and the key; `host` and what frames the body are added."""
    length: int | None
    """Of the body; None where it is sent in chunks."""
    timeouts: Timeouts
    allowed: Allowed
    may_repeat: bool
    """Whether it may be sent once more where a connection is found to be dead."""

    @property
    def awaits_continue(self) -> bool:
        return any(n.lower() == "expect" and v.lower() == b"100-continue" for n, v in self.headers)


@dataclass(frozen=True, slots=True)
class Head:
    status: int
    headers: Fields

    def same(self) -> list[bytes | None]:
        """What a repeated response must agree on."""
        first: dict[str, bytes] = {}
        for name, value in self.headers:
            first.setdefault(name.lower(), value)
        return [b"%d" % self.status, *(first.get(name) for name in _SAME)]


@dataclass(slots=True)
class Delivered:
    """How much of a response's body its reader has got, to go on behind it after a repetition."""

    size: int = 0
    _hash: hashlib._Hash | None = field(default_factory=hashlib.sha256)
    """None once bytes were passed over that nobody has seen."""

    def add(self, data: bytes) -> None:
        self.size += len(data)
        if self._hash is not None:
            self._hash.update(data)

    def add_unseen(self, size: int) -> None:
        self.size += size
        if size:
            self._hash = None

    def copy(self) -> Delivered:
        return Delivered(self.size, self._hash and self._hash.copy())

    def matches(self, other: Delivered) -> bool:
        """Whether the other began with the same bytes, as far as is known."""
        if self._hash is None or other._hash is None:
            return self.size == other.size
        return self._hash.digest() == other._hash.digest()


@dataclass(frozen=True, slots=True)
class Resumed:
    """A request that is sent again because the reader wants more of the response."""

    head: Head
    delivered: Delivered

    def check_head(self, head: Head) -> None:
        """
        Raises:
            HttpError: It is another response.
        """
        if self.head.same() != head.same():
            raise differing()


def differing() -> HttpError:
    return HttpError(
        "connection-terminated",
        why="the connection was lost with an earlier instance, and the repeated request was "
        "answered differently",
    )
