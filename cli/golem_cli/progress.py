"""
What a long step is doing, on a terminal and nowhere else.

rich is imported for the first step that is really shown: a cached build or compile shows none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status

Report = Callable[[str], None]


def wanted(*, quiet: bool) -> bool:
    """Whether stderr is a terminal that can redraw a line."""
    return not quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def progress(*, quiet: bool) -> Iterator[Report]:
    """A function that shows what is being done now; the line is gone when the block ends."""
    if not wanted(quiet=quiet):
        yield _silent
        return
    line = _Line()
    try:
        yield line.show
    finally:
        line.clear()


def _silent(step: str) -> None:
    del step


class _Line:
    """One line with a spinner, made when there is something to show."""

    __slots__ = ("_status",)

    def __init__(self) -> None:
        self._status: Status | None = None

    def show(self, step: str) -> None:
        if self._status is None:
            from rich.console import Console
            from rich.markup import escape

            # rich obeys NO_COLOR by itself.
            self._status = Console(stderr=True).status(escape(step))
            self._status.start()
            return
        from rich.markup import escape

        self._status.update(escape(step))

    def clear(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
