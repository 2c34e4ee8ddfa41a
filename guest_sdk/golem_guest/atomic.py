"""Work that happens as a whole (spec 7.2)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ContextDecorator
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from golem_guest._trap import end_invocation
from golem_guest._world import host

P = ParamSpec("P")
R = TypeVar("R")

_HOST = host()
_open: list[int] = []
"""The regions that are open, the outermost first."""


def is_in_region() -> bool:
    """Whether what happens now is part of a region."""
    return bool(_open)


class atomic_region(ContextDecorator):  # noqa: N801 - used like a function
    """
    A block that is done again from its first statement if the worker stops before its last.

    Leave it in any way but by an exception, and it is done for good.  An exception ends the
    invocation, even if somebody further out would catch it: what the block has begun counts as
    not done, and the worker tries it again as its retry policy says.  So tell expected failures
    by what the block computes, and raise behind it.

    What was done outside in a block that is repeated stays done, and is done again.
    """

    def __init__(self) -> None:
        self._begins: list[int] = []

    def __enter__(self) -> Self:
        begin = _HOST.mark_begin_operation()
        self._begins.append(begin)
        _open.append(begin)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A generator that is closed leaves its blocks on purpose.
        if error is not None and not isinstance(error, GeneratorExit):
            end_invocation(error)
        begin = self._begins.pop()
        # Not always the last: a generator may be closed after others have begun.
        _open.remove(begin)
        _HOST.mark_end_operation(begin)


def atomically(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function inside of an `atomic_region`."""
    with atomic_region():
        return function(*args, **kwargs)
