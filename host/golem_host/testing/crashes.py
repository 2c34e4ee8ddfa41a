"""
Crashes without a dead process: a host that stops at a chosen entry of a chosen log.

What SIGKILL leaves is what was handed to the operating system by then.  So at that moment the state
directory is copied, every log of the host is abandoned, and the entry is refused: whatever the
host still does is done to a directory that nobody looks at any more, and the next host opens the copy.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import copy2
from typing import Final, Literal, TypeAlias
from weakref import WeakSet

from golem_host.storage.layout import directory_name
from golem_oplog.entries import Entry
from golem_oplog.errors import OplogPoisonedError
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.log import SegmentedOplog
from golem_oplog.recovery import Place, Tail

Moment: TypeAlias = Literal["before", "after"]

_LEFT_OUT: Final = frozenset({"lock", "control.sock", "host.db-shm", "stores.db-shm"})
"""What a process that is gone leaves without any use for the next one."""
_UNCHANGING: Final = frozenset({"components", "blobs"})
"""Folders whose files are written once: a copy can share them."""


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """Where a host stops."""

    component: str
    worker: str
    index: int
    """Of the entry in this worker's log, from 2 on: the first one makes the worker."""
    moment: Moment = "after"
    """
    ``after`` the entry was appended; or ``before``, when what it records has happened and nobody
    has written it down.
    """
    keeps: Literal["appended", "committed"] = "appended"
    """
    What survives: every entry up to there, or only those that the host had committed or written for
    lack of room.  A kill may leave either, or anything in between.
    """

    def __str__(self) -> str:
        kept = "" if self.keeps == "appended" else ", uncommitted entries lost"
        return f"{self.moment} entry {self.index} of {self.component}/{self.worker}{kept}"


class Crashes:
    """
    The logs of one host, and where it is to stop.

    Args:
        copy: Copies the state directory as it is on disk now.
    """

    def __init__(self, copy: Callable[[], None]) -> None:
        self._copy = copy
        self._lock = threading.RLock()
        self._logs: WeakSet[WatchedOplog] = WeakSet()
        self._point: CrashPoint | None = None
        self._directory = ("", "")
        self.is_down = False
        """Whether it has stopped: of this host nothing is of use any more."""

    def arm(self, point: CrashPoint | None) -> None:
        if point is not None:
            self._directory = (directory_name(point.component), directory_name(point.worker))
        self._point = point

    def make_log(self, place: Place, tail: Tail, on_close: Callable[[], None]) -> WatchedOplog:
        log = WatchedOplog(place, tail, on_close)
        log.crashes = self
        with self._lock:
            self._logs.add(log)
        return log

    def pass_by(self, log: WatchedOplog, index: int, moment: Moment) -> None:
        """
        Stop here if this is the place.

        Raises:
            OplogPoisonedError: The host has stopped.
        """
        point = self._point
        if point is None or moment != point.moment or index < point.index:
            return
        if log.directory != self._directory:
            return
        self.stop(keeps_appended=point.keeps == "appended")
        raise OplogPoisonedError(path=f"{point.component}/{point.worker}", cause=f"crash {point}")

    def stop(self, *, keeps_appended: bool = True) -> None:
        """Stop now, wherever the host is."""
        with self._lock:
            if self.is_down:
                return
            self.is_down = True
            if keeps_appended:
                for log in self._logs:
                    log.flush_if_open()
            self._copy()
            for log in self._logs:
                log.abandon()


class WatchedOplog(SegmentedOplog):
    """A log that says what happens to it."""

    crashes: Crashes

    @property
    def directory(self) -> tuple[str, str]:
        """The names of its component's folder and of its own."""
        directory = self._place.directory
        return directory.parent.name, directory.name

    def append(self, entry: Entry) -> int:
        self.crashes.pass_by(self, self.last_index + 1, "before")
        index = super().append(entry)
        self.crashes.pass_by(self, index, "after")
        return index

    def append_together(self, entries: Sequence[Entry]) -> int:
        # A crash leaves all of them or none.
        self.crashes.pass_by(self, self.last_index + len(entries), "before")
        first = super().append_together(entries)
        self.crashes.pass_by(self, first + len(entries) - 1, "after")
        return first

    def append_call(
        self, timestamp: int, function: int, request: bytes, response: bytes, function_type: int
    ) -> int:
        self.crashes.pass_by(self, self.last_index + 1, "before")
        index = super().append_call(timestamp, function, request, response, function_type)
        self.crashes.pass_by(self, index, "after")
        return index

    def flush_if_open(self) -> None:
        try:
            self.flush()
        except OplogPoisonedError:
            return  # Closed already: everything was written then.


def copy_state(source: Path, target: Path) -> None:
    """Copy a state directory as a kill would leave it; files that never change are shared."""
    for folder, _, names in os.walk(source):
        below = Path(folder)
        place = target / below.relative_to(source)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        parts = below.relative_to(source).parts
        shares = bool(parts) and parts[0] in _UNCHANGING
        for name in names:
            if not parts and name in _LEFT_OUT:
                continue
            # What is just being written goes by another name a moment later.
            with suppress(FileNotFoundError):
                if shares:
                    os.link(below / name, place / name)
                else:
                    copy2(below / name, place / name)
