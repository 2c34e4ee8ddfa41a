"""
A look at ``host.db`` without owning it, and without a trace in its directory.

What SQLite does when it only reads depends on what lies beside the file:

=====================  ============================================================================
beside ``host.db``     how it is read
=====================  ============================================================================
nothing                as it is: immutable, or SQLite would make a log and an index for itself
``-wal`` and ``-shm``  by SQLite's own rules: an owner may be at work.  Entries of the shared index
                       may change, content never does
``-wal`` alone         from a copy elsewhere.  Whoever made it is gone, and SQLite would have to
                       make the index anew
=====================  ============================================================================

Source: SQLite, "Write-Ahead Logging", section on read-only databases.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack
from dataclasses import field
from pathlib import Path

from golem_oplog.lazy_dataclass import dataclass


@dataclass(slots=True)
class Look:
    """A connection that reads, and what lay on disk when it was made."""

    path: Path
    connection: sqlite3.Connection
    exists: bool
    seen: object
    """None where SQLite itself notices what changes."""
    resources: ExitStack = field(default_factory=ExitStack)

    def is_stale(self) -> bool:
        """Whether an owner has written since, so that another look would show more."""
        return self.seen is not None and self.seen != _state(self.path)

    def close(self) -> None:
        self.connection.close()
        self.resources.close()


def look_at(path: Path) -> Look:
    """
    Read what is there; nothing at all is an empty database.

    Raises:
        sqlite3.Error: SQLite refuses.
        OSError: There is no room for a copy.
    """
    seen = _state(path)
    if seen[0] is None:
        return Look(path, _connect(":memory:"), exists=False, seen=seen)
    if not seen[1]:
        return Look(path, _connect(f"{uri(path)}?mode=ro&immutable=1"), exists=True, seen=seen)
    if _beside(path, "-shm").exists():
        return Look(path, _connect(f"{uri(path)}?mode=ro"), exists=True, seen=None)
    copied = _look_at_copy(path, seen)
    # An owner has come meanwhile, and with it the index.
    return copied or look_at(path)


def uri(path: Path) -> str:
    """The file as SQLite's addresses name it."""
    return "file:" + str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _look_at_copy(path: Path, seen: object) -> Look | None:
    """None where the files have changed while they were copied."""
    import tempfile  # noqa: PLC0415 - slow to import, and a rare case
    from shutil import copyfile  # noqa: PLC0415

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="golem-host-look-")))
        copy = folder / path.name
        try:
            for suffix in ("", "-wal"):
                copyfile(_beside(path, suffix), _beside(copy, suffix))
        except FileNotFoundError:
            return None
        if seen != _state(path):
            return None
        connection = _connect(f"{uri(copy)}?mode=rw")
        return Look(path, connection, exists=True, seen=seen, resources=stack.pop_all())
    raise AssertionError("unreachable")


def _connect(address: str) -> sqlite3.Connection:
    return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)


def _state(path: Path) -> tuple[object, object]:
    """Anything that is another when the database or its log has changed; None and 0 are nothing."""
    return _changes(path), _changes(_beside(path, "-wal")) or 0


def _changes(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
