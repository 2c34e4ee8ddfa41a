"""
What a guest can wait for.

A pollable is plain data that can say whether it is ready; waiting itself is `poll`'s duty.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar, Final, Protocol

from golem_host.services.promises import PromiseId, Promises
from golem_host.wake import Watched
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

    def watched(self) -> Watched | None:
        """The descriptor that tells when it is worth to look again."""
        ...

    def waking(self, wake: threading.Event) -> AbstractContextManager[None] | None:
        """While this lasts, another thread that makes it ready sets the event."""
        ...

    def told(self) -> None:
        """The guest learns that it is ready, live or from the log: it may count on that."""
        ...


class Unwatched:
    """A pollable of which nothing but time or the guest itself makes another."""

    __slots__ = ()

    def watched(self) -> Watched | None:
        return None

    def waking(self, wake: threading.Event) -> AbstractContextManager[None] | None:
        return None

    def told(self) -> None:
        """Nothing that is ready stops being so by a replay."""


@dataclass(frozen=True, slots=True)
class Timer(Unwatched):
    """Ready from a point in time on."""

    at_ns: int

    def ready(self, now_ns: int) -> bool:
        return now_ns >= self.at_ns

    def deadline_ns(self) -> int | None:
        return self.at_ns

    def suspends(self) -> bool:
        return True


class Cell(Unwatched):
    """Made ready by somebody else in the host, who also wakes a worker without an instance."""

    __slots__ = ()

    is_one_of_many: ClassVar[bool] = False
    """Whether a worker without an instance can wait for the first of several of these."""

    @property
    def name(self) -> str:
        """By which the worker is found then, in text form."""
        raise NotImplementedError

    @property
    def what(self) -> str:
        """The same for people."""
        raise NotImplementedError

    def alone(self) -> AbstractContextManager[None]:
        """While this lasts nothing else is waited for."""
        return nullcontext()

    def deadline_ns(self) -> int | None:
        return None

    def suspends(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class PromiseCell(Cell):
    """Ready once the promise is completed; asking raises `PromiseNotFoundError` if there is none."""

    promise: PromiseId
    store: Promises

    @property
    def name(self) -> str:
        return str(self.promise)

    @property
    def what(self) -> str:
        return f"promise {self.promise}"

    def ready(self, now_ns: int) -> bool:
        return self.store.is_completed(self.promise)

    def waking(self, wake: threading.Event) -> AbstractContextManager[None]:
        return self.store.waking(self.promise, wake)


@dataclass(frozen=True, slots=True)
class Ready(Unwatched):
    """Always ready: streams that never block."""

    def ready(self, now_ns: int) -> bool:
        return True

    def deadline_ns(self) -> int | None:
        return None

    def suspends(self) -> bool:
        return False


class Lazy:
    """
    Behind a handle ``lazy-initialized-pollable``: owns what its subscribers wait for.

    That may be the subscription of another one, but never, by however many steps, its own.
    """

    __slots__ = ("source",)

    def __init__(self) -> None:
        self.source: Pollable | None = None

    def give(self, source: Pollable) -> bool:
        """Wait for this one from now on; False, and no change, where that would be for itself."""
        each: Pollable | None = source
        while isinstance(each, LazySubscription):
            if each.lazy is self:
                return False
            each = each.lazy.source
        self.source = source
        return True


@dataclass(frozen=True, slots=True)
class LazySubscription:
    """
    Whatever its lazy one waits for; before that is known it is never ready (R25).

    Only the guest itself can end that, so it does not keep the instance.
    """

    lazy: Lazy

    @property
    def source(self) -> Pollable:
        """What it comes down to: none of this kind."""
        each = self.lazy.source
        while isinstance(each, LazySubscription):
            each = each.lazy.source
        return NEVER if each is None else each

    def ready(self, now_ns: int) -> bool:
        return self.source.ready(now_ns)

    def deadline_ns(self) -> int | None:
        return self.source.deadline_ns()

    def suspends(self) -> bool:
        return self.source.suspends()

    def watched(self) -> Watched | None:
        return self.source.watched()

    def waking(self, wake: threading.Event) -> AbstractContextManager[None] | None:
        return self.source.waking(wake)

    def told(self) -> None:
        self.source.told()


class Never(Unwatched):
    """Not ready by anything that goes on outside."""

    __slots__ = ()

    def ready(self, now_ns: int) -> bool:
        return False

    def deadline_ns(self) -> int | None:
        return None

    def suspends(self) -> bool:
        return True


NEVER: Final = Never()


def come_down(pollable: Pollable) -> Pollable:
    """What a wait for it is a wait for: no guest can change that while it waits."""
    return pollable.source if isinstance(pollable, LazySubscription) else pollable
