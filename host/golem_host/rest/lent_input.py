"""Standard input that a client lends to a worker: asked for piece by piece, each by its position."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from typing import Final, NamedTuple

from golem_host.services.console import READ_BYTES
from golem_host.wake import Watched


class Want(NamedTuple):
    """What a guest wants of its input."""

    key: str
    """The invocation that reads."""
    position: int
    """In what it reads, in bytes."""
    size: int
    """How many bytes it takes, at most; 0 to be told when there is something."""


class Piece(NamedTuple):
    """The answer."""

    want: Want
    data: bytes
    """What is there; nothing at the end, and where it cannot be read."""
    error: str
    """Why it cannot be read; empty where it can."""


_NOTHING: Final = Piece(Want("", -1, 0), b"", "")


class LentInput:
    """
    A `golem_host.services.console.Source` at the other end of a connection.

    The client is asked for what the guest takes, and for nothing more: so it knows how much of its
    input was read, whatever becomes of this side.  At most one piece is asked for and one is kept.

    Args:
        tell: Called when `take_want` has something new; from any thread.
        is_terminal: Whether somebody types it.
    """

    def __init__(self, tell: Callable[[], None], *, is_terminal: bool) -> None:
        self.is_terminal = is_terminal
        self._tell = tell
        self._lock = threading.Lock()
        self._want: Want | None = None
        """What has no answer yet."""
        self._is_told = True
        self._ready: tuple[str, int] | None = None
        """Where there is something that was not asked for yet."""
        self._piece = _NOTHING
        self._changed: Callable[[], None] = lambda: None

    # -- for the guest ------------------------------------------------------------------------

    def read(self, key: str, position: int, size_max: int, *, waits: bool = False) -> bytes | None:
        """See `golem_host.services.console.Source.read`."""
        with self._lock:
            piece = self._find(key, position)
            if piece is None:
                is_there = self._ready == (key, position)
                if not size_max or not (is_there or waits):
                    self._ask(Want(key, position, 0))
                    return b""
                self._ask(Want(key, position, min(size_max, READ_BYTES)))
                return None
            if not piece.data:
                # Told once: a file may grow, and who types may go on.
                self._piece, self._ready = _NOTHING, None
                raise OSError(errno.EIO, piece.error) if piece.error else EOFError
            first = position - piece.want.position
            return piece.data[first : first + size_max]

    def is_ready(self, key: str, position: int) -> bool:
        """See `golem_host.services.console.Source.is_ready`."""
        with self._lock:
            if self._find(key, position) is not None:
                return True
            want = self._want
            if want is not None and want[:2] == (key, position) and want.size:
                # It is on its way.
                return False
            if self._ready == (key, position):
                return True
            self._ask(Want(key, position, 0))
            return False

    @property
    def watched(self) -> Watched | None:
        """None: `give` tells."""
        return None

    def when_changed(self, tell: Callable[[], None]) -> None:
        """See `golem_host.services.console.Source.when_changed`."""
        self._changed = tell

    def _find(self, key: str, position: int) -> Piece | None:
        """The piece that has the position."""
        piece = self._piece
        ahead = position - piece.want.position
        is_in = 0 <= ahead < len(piece.data) or ahead == len(piece.data) == 0
        return piece if piece.want.key == key and is_in else None

    def _ask(self, want: Want) -> None:
        if want != self._want:
            self._want, self._is_told = want, False
            self._tell()

    # -- for the client -----------------------------------------------------------------------

    def take_want(self) -> Want | None:
        """What to ask the client for; None where it has been asked."""
        with self._lock:
            if self._is_told:
                return None
            self._is_told = True
            return self._want

    def give(self, piece: Piece) -> bool:
        """False where something else is wanted by now: the client is asked for that."""
        with self._lock:
            if piece.want != self._want:
                return False
            self._want = None
            if piece.want.size:
                self._piece, self._ready = piece._replace(data=piece.data[: piece.want.size]), None
            else:
                self._ready = piece.want[:2]
        self._changed()
        return True
