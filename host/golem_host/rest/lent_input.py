"""Standard input that a client lends to a worker: asked for piece by piece, each by its position."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from typing import Final, NamedTuple

from golem_host.services.console import READ_BYTES
from golem_host.wake import Watched


class Want(NamedTuple):
    """What a guest waits for."""

    key: str
    """The invocation that reads."""
    position: int
    """In what it reads, in bytes."""


class Question(NamedTuple):
    """A want, and what the client needs to know to answer it."""

    want: Want
    before: int | None
    """How much the invocation before this one has read, in bytes; None where there is none."""


class Piece(NamedTuple):
    """The answer."""

    want: Want
    data: bytes
    """What is there; nothing at the end, and where it cannot be read."""
    error: str
    """Why it cannot be read; empty where it can."""


_NOTHING: Final = Piece(Want("", -1), b"", "")


class LentInput:
    """
    A `golem_host.services.console.Source` at the other end of a connection.

    At most one piece is asked for and one is kept, so that a client cannot fill the memory.

    Args:
        is_terminal: Whether somebody types it.
        tell: Called when `take_want` has something new; from any thread.
    """

    def __init__(self, tell: Callable[[], None], *, is_terminal: bool) -> None:
        self.is_terminal = is_terminal
        self._tell = tell
        self._lock = threading.Lock()
        self._want: Want | None = None
        self._is_told = True
        self._read: Want | None = None
        """Up to where the last invocation that was given something has read."""
        self._piece = _NOTHING
        self._changed: Callable[[], None] = lambda: None

    # -- for the guest ------------------------------------------------------------------------

    def read(self, key: str, position: int, size_max: int) -> bytes:
        """See `golem_host.services.console.Source.read`."""
        with self._lock:
            piece = self._find(key, position)
            if piece is None:
                return b""
            if not piece.data:
                # Told once: a file may grow, and who types may go on.
                self._piece = _NOTHING
                raise OSError(errno.EIO, piece.error) if piece.error else EOFError
            first = position - piece.want.position
            data = piece.data[first : first + size_max]
            self._read = Want(key, position + len(data))
            return data

    def is_ready(self, key: str, position: int) -> bool:
        """See `golem_host.services.console.Source.is_ready`."""
        with self._lock:
            return self._find(key, position) is not None

    @property
    def watched(self) -> Watched | None:
        """None: `give` tells."""
        return None

    def when_changed(self, tell: Callable[[], None]) -> None:
        """See `golem_host.services.console.Source.when_changed`."""
        self._changed = tell

    def _find(self, key: str, position: int) -> Piece | None:
        piece = self._piece
        ahead = position - piece.want.position
        if piece.want.key == key and (
            0 <= ahead < len(piece.data) or ahead == len(piece.data) == 0
        ):
            return piece
        want = Want(key, position)
        if want != self._want:
            self._want, self._is_told = want, False
            self._tell()
        return None

    # -- for the client -----------------------------------------------------------------------

    def take_want(self) -> Question | None:
        """What to ask the client for; None where it has been asked."""
        with self._lock:
            want, read = self._want, self._read
            if self._is_told or want is None:
                return None
            self._is_told = True
            is_next = read is not None and read.key != want.key
            return Question(want, read.position if read is not None and is_next else None)

    def give(self, piece: Piece) -> bool:
        """False where something else is wanted by now: the client is asked for that."""
        with self._lock:
            if piece.want != self._want:
                return False
            self._piece, self._want = piece._replace(data=piece.data[:READ_BYTES]), None
        self._changed()
        return True
