"""A clock and a random source that do exactly what a test says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from itertools import count
from typing import Final
from uuid import UUID

EPOCH_NS: Final = 1_700_000_000_000_000_000
"""An ordinary moment, in November 2023."""
_FRACTION_BITS: Final = 53


class FrozenClock:
    """
    A `Clock` that stands still until it is moved; it may be moved back, too.

    Attributes:
        now_ns: Unix nanoseconds.
        on_moved: Called after each `advance`: a host looks again at what is due.
    """

    def __init__(self, now_ns: int = EPOCH_NS) -> None:
        self.now_ns = now_ns
        self.on_moved: Callable[[], None] | None = None

    def unix_ns(self) -> int:
        return self.now_ns

    def resolution_ns(self) -> int:
        return 1

    def advance(self, by_ns: int) -> None:
        """Move the clock by so many nanoseconds."""
        self.now_ns += by_ns
        if self.on_moved is not None:
            self.on_moved()


class SeededRandom:
    """A `Random` that gives the same bytes and numbers, in this order, for the same seed."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = str(seed).encode()
        self._blocks = count()
        self._left = b""

    def bytes(self, count: int) -> bytes:
        while len(self._left) < count:
            block = b"%b/%d" % (self._seed, next(self._blocks))
            self._left += hashlib.sha256(block).digest()
        given, self._left = self._left[:count], self._left[count:]
        return given

    def uniform(self) -> float:
        """A number in [0, 1)."""
        bits = int.from_bytes(self.bytes(8), "big") >> (64 - _FRACTION_BITS)
        return bits / (1 << _FRACTION_BITS)

    def uuid(self) -> str:
        return str(UUID(bytes=self.bytes(16), version=4))


class ScriptedRandom:
    """A `Random` whose numbers are given, or all alike where none is left."""

    def __init__(self, uniforms: Iterable[float] = ()) -> None:
        self._uniforms = list(uniforms)
        self._uuids = count(1)

    def bytes(self, count: int) -> bytes:
        return bytes(count)

    def uniform(self) -> float:
        return self._uniforms.pop(0) if self._uniforms else 0.0

    def uuid(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._uuids):012}"
