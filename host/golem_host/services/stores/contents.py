"""
The bytes of objects: chunks in rows, so that large ones pass in bounded memory.

A content is written chunk by chunk before anything refers to it, and never changes.  Until then,
and again when no object refers to it any more, it is marked as unused; what is unused goes in small
steps, the rest of it after a crash with the next change or collection.  So do the objects of a
container that has lost its name.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final, Protocol

from golem_host.services.stores.limits import require_room
from golem_host.storage.database import Database

CHUNK_BYTES: Final = 256 << 10
STEP_CHUNKS: Final = 64
"""Chunks that are removed in one transaction: others wait no longer than for that."""
STEP_OBJECTS: Final = 1000
"""Or objects, of a container that nobody sees any more."""
STEPS_MAX: Final = 64
"""Such transactions in one call of a guest; what is left goes with the next."""

_BEGIN: Final = "INSERT INTO content (size_bytes, is_unused) VALUES (?, 1)"
_ADD: Final = "INSERT INTO chunk VALUES (?, ?, ?)"
_READ: Final = """
    SELECT data FROM chunk WHERE content = ? AND number BETWEEN ? AND ? ORDER BY number"""
_UNUSED: Final = "SELECT id FROM content WHERE is_unused ORDER BY id LIMIT ?"
_IS_USED: Final = "SELECT 1 FROM object WHERE content = ? LIMIT 1"
_USE: Final = "UPDATE content SET is_unused = 0 WHERE id = ?"
_CUT: Final = """
    DELETE FROM chunk WHERE rowid IN (SELECT rowid FROM chunk WHERE content = ? LIMIT ?)"""
_END: Final = "DELETE FROM content WHERE id = ?"
_COUNT_UNUSED: Final = """
    SELECT count(*), coalesce(sum(size_bytes), 0) FROM content
    WHERE id NOT IN (
        SELECT content FROM object JOIN container ON container.id = object.container
        WHERE container.name IS NOT NULL)"""
_GONE: Final = "SELECT id FROM container WHERE name IS NULL LIMIT 1"
_LAST_OF_SOME: Final = """
    SELECT max(name) FROM (SELECT name FROM object WHERE container = ? ORDER BY name LIMIT ?)"""
_LET_SOME_GO: Final = """
    UPDATE content SET is_unused = 1
    WHERE id IN (SELECT content FROM object WHERE container = ? AND name <= ?)"""
_REMOVE_SOME: Final = "DELETE FROM object WHERE container = ? AND name <= ?"
_FORGET: Final = "DELETE FROM container WHERE id = ?"


class Source(Protocol):
    """Where the bytes of a new content come from."""

    @property
    def size(self) -> int: ...

    def read(self, offset: int, size: int) -> bytes: ...


class Contents:
    """All contents of a state directory."""

    def __init__(self, opened: Callable[[], Database], bytes_max: int) -> None:
        self._opened = opened
        self._bytes_max = bytes_max
        self._being_written: set[int] = set()

    def write(self, source: Source, check: Callable[[], None]) -> int:
        """
        A new content, which is unused: the caller ends with `written`, whatever happens.

        Args:
            source: Its bytes.
            check: Called between chunks; may raise.

        Raises:
            StoreError: There is no room.
        """
        database = self._opened()
        with database.transaction(durable=False) as connection:
            require_room(connection, source.size, self._bytes_max)
            content = connection.execute(_BEGIN, (source.size,)).lastrowid
            assert content is not None
            self._being_written.add(content)
        try:
            for number, offset in enumerate(range(0, source.size, CHUNK_BYTES)):
                check()
                data = source.read(offset, CHUNK_BYTES)
                with database.transaction(durable=False) as connection:
                    require_room(connection, len(data), self._bytes_max)
                    connection.execute(_ADD, (content, number, data))
        except BaseException:
            self.written(content)
            raise
        return content

    def written(self, content: int) -> None:
        """Somebody uses a content, or nobody ever will."""
        self._being_written.discard(content)

    def remove_unused(self, check: Callable[[], None]) -> None:
        """Remove what no object refers to, or as much of it as a guest's call does at once."""
        for _ in range(STEPS_MAX):
            check()
            if not self._remove_step():
                return

    def remove_all_unused(self) -> None:
        """Remove what no object refers to."""
        while self._remove_step():
            pass

    def _remove_step(self) -> bool:
        """Whether there was something."""
        with self._opened().transaction(durable=False) as connection:
            return _remove_objects(connection) or self._remove_some(connection)

    def _remove_some(self, connection: sqlite3.Connection) -> bool:
        limit = STEP_CHUNKS + len(self._being_written)
        rows = connection.execute(_UNUSED, (limit,)).fetchall()
        unused = [content for (content,) in rows if content not in self._being_written]
        left = STEP_CHUNKS
        for content in unused:
            if connection.execute(_IS_USED, (content,)).fetchone() is not None:
                # Its other name is left.
                connection.execute(_USE, (content,))
                continue
            left -= connection.execute(_CUT, (content, left)).rowcount
            if left <= 0:
                break
            connection.execute(_END, (content,))
        return bool(unused)

    def count_unused(self) -> tuple[int, int]:
        """How many would be removed, and their bytes."""
        with self._opened().reading() as connection:
            count, size = connection.execute(_COUNT_UNUSED).fetchone()
        return count, size


def _remove_objects(connection: sqlite3.Connection) -> bool:
    """Some of those that nobody sees any more; whether there was something."""
    row = connection.execute(_GONE).fetchone()
    if row is None:
        return False
    (last,) = connection.execute(_LAST_OF_SOME, (*row, STEP_OBJECTS)).fetchone()
    connection.execute(_LET_SOME_GO, (*row, last))
    if connection.execute(_REMOVE_SOME, (*row, last)).rowcount < STEP_OBJECTS:
        connection.execute(_FORGET, row)
    return True


def read(connection: sqlite3.Connection, content: int, start: int, end: int) -> bytes:
    """The bytes of a content from start to end, the latter not included; all of them are there."""
    if start >= end:
        return b""
    first, last = start // CHUNK_BYTES, (end - 1) // CHUNK_BYTES
    rows = connection.execute(_READ, (content, first, last)).fetchall()
    data = b"".join(row[0] for row in rows)
    skipped = first * CHUNK_BYTES
    return data[start - skipped : end - skipped]


def use(connection: sqlite3.Connection, content: int) -> None:
    """An object refers to it now."""
    connection.execute(_USE, (content,))
