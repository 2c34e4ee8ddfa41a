"""What a state directory takes of the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from golem_oplog.lazy_dataclass import dataclass

BLOCK_BYTES: Final = 512
"""The unit of ``st_blocks``, whatever the file system's own is (POSIX)."""


@dataclass(frozen=True, slots=True)
class DiskUse:
    """Allocated bytes; a file with several names, as forks share them, counts once."""

    workers_bytes: int
    blobs_bytes: int
    components_bytes: int
    rest_bytes: int
    """The database, and what nobody else has put there."""

    @property
    def total_bytes(self) -> int:
        return self.workers_bytes + self.blobs_bytes + self.components_bytes + self.rest_bytes


def disk_use(root: Path) -> DiskUse:
    """Of the state directory at a path; nothing where there is none.  It may be in use."""
    seen: set[tuple[int, int]] = set()
    parts = dict.fromkeys(("workers", "blobs", "components", ""), 0)
    for entry in _files(root):
        with suppress(FileNotFoundError):
            found = entry.stat(follow_symlinks=False)
            if (found.st_dev, found.st_ino) not in seen:
                seen.add((found.st_dev, found.st_ino))
                top = Path(entry.path).relative_to(root).parts[0]
                parts[top if top in parts else ""] += found.st_blocks * BLOCK_BYTES
    return DiskUse(parts["workers"], parts["blobs"], parts["components"], parts[""])


def _files(directory: Path | str) -> Iterator[os.DirEntry[str]]:
    """Everything below a directory but the directories; what goes away meanwhile is left out."""
    try:
        entries = list(os.scandir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)
        else:
            yield entry
