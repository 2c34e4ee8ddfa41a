"""What the world offers, as protocols; the real ones are in `golem_host.system`."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """The time of day; also what durable instants and timestamps are made of."""

    def unix_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        ...

    def resolution_ns(self) -> int:
        """The smallest step of `unix_ns`."""
        ...


class Random(Protocol):
    """Unpredictable bytes and numbers."""

    def bytes(self, count: int) -> bytes: ...

    def uniform(self) -> float:
        """A number in [0, 1)."""
        ...

    def uuid(self) -> str:
        """A fresh version 4 UUID in text form."""
        ...
