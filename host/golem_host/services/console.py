"""
What the process that runs a worker lends to it: standard input, and whether that is a terminal.

Lent, not owned: a worker outlives every console, and what it has read is in its log.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple, Protocol

from golem_host.wake import READABLE, Watched, is_ready

HISTORY_BYTES: Final = 1 << 20
"""How much of a stream is kept, for a guest that goes back to before it read something."""
READ_BYTES: Final = 65_536


class Source(Protocol):
    """Standard input, whose bytes are asked for by their position in the invocation that reads them."""

    is_terminal: bool

    def read(self, key: str, position: int, size_max: int, *, waits: bool = False) -> bytes | None:
        """
        What is there at a position; empty where nothing is there yet, None where it is on its way.

        With ``waits`` the guest does not go on without it.

        Raises:
            EOFError: It has ended before.
            OSError: It cannot be read.
        """
        ...

    def is_ready(self, key: str, position: int) -> bool:
        """Whether a read would give something, or say that it has ended."""
        ...

    @property
    def watched(self) -> Watched | None:
        """A descriptor that tells when to look again; None where only `when_changed` does."""
        ...

    def when_changed(self, tell: Callable[[], None]) -> None:
        """Have it call ``tell``, from any thread, when there may be more."""
        ...


class InputSource:
    """
    A descriptor whose bytes are asked for by their position in the invocation that reads them.

    Whoever runs the same command again gives the same file or the same pipe again: what the log
    says was read is passed over.  A terminal begins with what is typed next.

    Args:
        descriptor: Open for reading; it stays the caller's.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.is_terminal = os.isatty(descriptor)
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._file_start = os.lseek(descriptor, 0, os.SEEK_CUR) if is_file else None
        self._key = ""
        self._base: int | None = None
        """Where in the stream the invocation's position 0 is; None before its first read."""
        self._end = 0
        """How much of the stream was taken, in bytes."""
        self._read = 0
        """How much of it was given to a guest: the next invocation begins there."""
        self._history = bytearray()

    def read(self, key: str, position: int, size_max: int, *, waits: bool = False) -> bytes:
        """See `Source.read`; nothing is ever on its way."""
        del waits
        start = self._start(key, position) + position
        if self._file_start is not None:
            data = os.pread(self._descriptor, size_max, self._file_start + start)
            self._read = start + len(data)
            if not data and size_max:
                raise EOFError
            return data
        while self._end <= start:
            if not self._take():
                return b""
        # What was forgotten since cannot be given again.
        first = max(start, self._end - len(self._history)) - self._end + len(self._history)
        data = bytes(self._history[first : first + size_max])
        self._read = start + len(data)
        return data

    def is_ready(self, key: str, position: int) -> bool:
        """See `Source.is_ready`."""
        start = self._start(key, position) + position
        if self._file_start is not None:
            return True
        try:
            # What is passed over is no news.
            while self._end < start:
                if not self._take():
                    return False
        except EOFError:
            return True
        return start < self._end or is_ready(self.watched)

    @property
    def watched(self) -> Watched:
        """The descriptor itself."""
        return self._descriptor, READABLE

    def when_changed(self, tell: Callable[[], None]) -> None:
        """Whoever waits watches the descriptor."""

    def _start(self, key: str, position: int) -> int:
        if self._base is None or key != self._key:
            self._base = self._read - position if self.is_terminal else self._read
            self._key = key
        return self._base

    def _take(self) -> bool:
        if not is_ready(self.watched):
            return False
        data = os.read(self._descriptor, READ_BYTES)
        if not data:
            raise EOFError
        self._history += data
        self._end += len(data)
        del self._history[: max(0, len(self._history) - HISTORY_BYTES)]
        return True


class _Loan(NamedTuple):
    source: Source
    keys: frozenset[str] | None


class Console:
    """One worker's; nothing is lent at first."""

    def __init__(self) -> None:
        self.is_awaited = False
        """Whether a guest waits for somebody to lend what it had begun to read."""
        self._loans: list[_Loan] = []
        self._lock = threading.Lock()
        self._waiting: set[threading.Event] = set()

    def source_for(self, key: str) -> Source | None:
        """What an invocation reads."""
        with self._lock:
            for loan in reversed(self._loans):
                if loan.keys is None or key in loan.keys:
                    return loan.source
        return None

    @contextmanager
    def lent(self, source: Source, keys: Collection[str] | None = None) -> Iterator[None]:
        """
        For so long invocations read from it; of several the last one lent counts.

        Args:
            source: What is lent.
            keys: Of the invocations that it is for; None for any.
        """
        loan = _Loan(source, None if keys is None else frozenset(keys))
        source.when_changed(self._tell)
        self._change(self._loans.append, loan)
        try:
            yield
        finally:
            self._change(self._loans.remove, loan)

    @contextmanager
    def waking(self, wake: threading.Event) -> Iterator[None]:
        """For so long an event is set whenever there may be more to read."""
        with self._lock:
            self._waiting.add(wake)
        try:
            yield
        finally:
            with self._lock:
                self._waiting.discard(wake)
            self.is_awaited = False

    def _change(self, change: Callable[[_Loan], None], loan: _Loan) -> None:
        with self._lock:
            change(loan)
        self._tell()

    def _tell(self) -> None:
        with self._lock:
            for wake in self._waiting:
                wake.set()
