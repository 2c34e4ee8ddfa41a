"""
What a guest can wait for.

A pollable is plain data that can say whether it is ready; waiting itself is `poll`'s duty.
"""

from __future__ import annotations

from typing import Protocol

from golem_host.services.promises import PromiseId, Promises
from golem_oplog.lazy_dataclass import dataclass


class Pollable(Protocol):
    """Anything behind a ``wasi:io/poll.pollable`` handle."""

    def ready(self, now_ns: int) -> bool: ...

    def deadline_ns(self) -> int | None:
        """Unix nanoseconds at which it becomes ready by itself; None where only an event can."""
        ...

    def suspends(self) -> bool:
        """Whether the worker may give up its instance while it waits for this one."""
        ...


@dataclass(frozen=True, slots=True)
class Timer:
    """Ready from a point in time on."""

    at_ns: int

    def ready(self, now_ns: int) -> bool:
        return now_ns >= self.at_ns

    def deadline_ns(self) -> int | None:
        return self.at_ns

    def suspends(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class PromiseCell:
    """Ready once the promise is completed; asking raises `PromiseNotFoundError` if there is none."""

    promise: PromiseId
    store: Promises

    def ready(self, now_ns: int) -> bool:
        return self.store.is_completed(self.promise)

    def deadline_ns(self) -> int | None:
        return None

    def suspends(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Ready:
    """Always ready: streams that never block."""

    def ready(self, now_ns: int) -> bool:
        return True

    def deadline_ns(self) -> int | None:
        return None

    def suspends(self) -> bool:
        return False
