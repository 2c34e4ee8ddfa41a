"""
Guest output on its way to whoever watches.

The rule: an entry is durable before its bytes are shown, and each byte is shown by at most one
process.  So output waits here until a commit has covered it; commits are shared by everything
that a host's workers write within `SHARE_S`.  What a crash swallows between the two is in
``worker output``.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

from golem_oplog.entries import LogLevel
from golem_oplog.errors import OplogError
from golem_oplog.protocol import Oplog

_LOG: Final = logging.getLogger(__name__)

SHARE_S: Final = 0.010
WAITING_BYTES_MAX: Final = 1 << 20
"""A guest that writes faster than the disk takes it waits for its own output here."""


class Watcher(NamedTuple):
    """Whoever wants to see what a worker does."""

    on_output: Callable[[str, bytes], None]
    """Stream name and bytes, in order, each once."""
    on_notice: Callable[[str], None]
    """A line for people: retries, suspension, resumption."""


class WorkerOutput:
    """One worker's output: an `OutputSink` whose far end is shown."""

    def __init__(self, oplog: Oplog, flusher: OutputFlusher) -> None:
        self._oplog = oplog
        self._flusher = flusher
        self._watchers: tuple[Watcher, ...] = ()
        self._waiting: deque[tuple[int, str, bytes]] = deque()
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        # Held while showing, so that two flushes cannot swap pieces.
        self._showing = threading.Lock()

    @contextmanager
    def watched_by(self, watcher: Watcher) -> Iterator[None]:
        with self._lock:
            self._watchers = (*self._watchers, watcher)
        try:
            # What was written while nobody watched has waited for no commit: now it can be read.
            # A log that takes no more says so to whoever writes.
            with suppress(OplogError):
                self._oplog.commit()
            yield
        finally:
            self._forget(watcher)

    @property
    def is_watched(self) -> bool:
        return bool(self._watchers)

    def push(self, index: int, level: LogLevel, data: bytes) -> None:
        if not self._watchers:
            # Recorded is enough: nobody is shown anything, now or later.
            return
        with self._lock:
            self._waiting.append((index, level.label, data))
            self._waiting_bytes += len(data)
            is_full = self._waiting_bytes > WAITING_BYTES_MAX
        if is_full:
            self.flush()
        else:
            self._flusher.wake(self)

    def flush(self) -> None:
        """
        Commit, and show everything that the commit covers.

        On return it has been shown, be it by another thread: nobody learns of a result before
        they have seen what was written on the way to it.
        """
        if self._waiting:
            self._oplog.commit()
        with self._showing:
            for stream, data in self._take(self._oplog.committed_index):
                for watcher in self._watchers:
                    with self._telling(watcher):
                        watcher.on_output(stream, data)

    def notify(self, text: str) -> None:
        for watcher in self._watchers:
            with self._telling(watcher):
                watcher.on_notice(text)

    @contextmanager
    def _telling(self, watcher: Watcher) -> Iterator[None]:
        try:
            yield
        except Exception:  # noqa: BLE001 - a closed terminal, say: no failure of the guest
            _LOG.exception("a watcher failed and is told nothing more")
            self._forget(watcher)

    def _forget(self, watcher: Watcher) -> None:
        with self._lock:
            self._watchers = tuple(w for w in self._watchers if w is not watcher)

    def _take(self, committed_index: int) -> list[tuple[str, bytes]]:
        taken: list[tuple[str, bytes]] = []
        with self._lock:
            while self._waiting and self._waiting[0][0] <= committed_index:
                _, stream, data = self._waiting.popleft()
                self._waiting_bytes -= len(data)
                taken.append((stream, data))
        return taken


class OutputFlusher:
    """The thread that flushes what workers have written; it exists only while there is some."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: set[WorkerOutput] = set()
        self._running = False
        self._closed = threading.Event()

    def wake(self, output: WorkerOutput) -> None:
        with self._lock:
            self._due.add(output)
            if self._running:
                return
            self._running = True
        threading.Thread(target=self._run, name="golem-output", daemon=True).start()

    def close(self) -> None:
        self._closed.set()

    def _run(self) -> None:
        while True:
            self._closed.wait(SHARE_S)
            with self._lock:
                due, self._due = self._due, set()
                if not due:
                    self._running = False
                    return
            for output in due:
                try:
                    output.flush()
                except OplogError:
                    # The worker's own thread meets the same poisoned log and reports it.
                    continue
