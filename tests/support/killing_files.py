"""
The real file system, and a process that dies at a named point of it.

A point is written ``sync:before:3``: before the third sync of any file, the process sends itself
SIGKILL.  ``after`` kills once the operation is done; ``torn`` is for ``write`` alone and kills
after the first half of it.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple, Self

from golem_oplog.files import File, OsFiles

OPERATIONS: Final = ("create", "write", "sync", "rename", "make_dir", "sync_dir")


class Point(NamedTuple):
    """Where the process ends."""

    operation: str
    when: str
    """``before``, ``after`` or ``torn``."""
    number: int
    """Counted from 1 over the life of the process."""

    @classmethod
    def parse(cls, text: str) -> Self:
        operation, when, number = text.split(":")
        assert operation in OPERATIONS
        return cls(operation, when, int(number))

    def __str__(self) -> str:
        return ":".join(map(str, self))


class Killer:
    """Counts operations, and ends the process at its point."""

    def __init__(self, point: Point | None) -> None:
        self.counts: Counter[str] = Counter()
        self._point = point
        self._lock = Lock()

    def passing(
        self, operation: str, act: Callable[[], object], torn: Callable[[], object] | None = None
    ) -> None:
        """Do it, unless this is where the process ends."""
        with self._lock:
            self.counts[operation] += 1
            point = self._point
            is_here = point is not None and point[::2] == (operation, self.counts[operation])
        if not is_here:
            act()
            return
        assert point is not None
        step = {"before": None, "after": act, "torn": torn}[point.when]
        if step is not None:
            step()
        os.kill(os.getpid(), signal.SIGKILL)


class KillingFile:
    """A `File` whose writes and syncs pass the killer."""

    def __init__(self, file: File, killer: Killer) -> None:
        self._file = file
        self._killer = killer
        self.read_at = file.read_at
        self.truncate = file.truncate
        self.size = file.size
        self.close = file.close

    def write_at(self, offset: int, data: bytes) -> None:
        write = self._file.write_at
        self._killer.passing(
            "write",
            lambda: write(offset, data),
            lambda: write(offset, data[: len(data) // 2]),
        )

    def sync(self) -> None:
        self._killer.passing("sync", self._file.sync)


class KillingFiles(OsFiles):
    """`OsFiles` whose changes pass the killer."""

    def __init__(self, killer: Killer) -> None:
        super().__init__()
        self._killer = killer

    def open(self, path: Path, *, writable: bool = False) -> File:
        return KillingFile(super().open(path, writable=writable), self._killer)

    def create(self, path: Path) -> File:
        made: list[File] = []
        create = super().create
        self._killer.passing("create", lambda: made.append(create(path)))
        return KillingFile(made[0], self._killer)

    def rename(self, source: Path, target: Path) -> None:
        rename = super().rename
        self._killer.passing("rename", lambda: rename(source, target))

    def make_dir(self, path: Path) -> None:
        make_dir = super().make_dir
        self._killer.passing("make_dir", lambda: make_dir(path))

    def sync_dir(self, path: Path) -> None:
        sync_dir = super().sync_dir
        self._killer.passing("sync_dir", lambda: sync_dir(path))
