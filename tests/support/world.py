"""A world that does exactly what a test says."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

EPOCH_NS = 1_700_000_000_000_000_000
"""An ordinary moment, in November 2023."""


class FrozenClock:
    """A `Clock` that stands still until it is moved; it may be moved back, too."""

    def __init__(self, now_ns: int = EPOCH_NS) -> None:
        self.now_ns = now_ns

    def unix_ns(self) -> int:
        return self.now_ns

    def resolution_ns(self) -> int:
        return 1

    def advance(self, by_ns: int) -> None:
        self.now_ns += by_ns


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
