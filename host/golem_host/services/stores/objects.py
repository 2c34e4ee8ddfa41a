"""
Containers of objects: what is behind ``wasi:blobstore``.

Names are any text, and never those of files of the host.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from golem_host.services.stores import contents
from golem_host.services.stores.contents import CHUNK_BYTES, Contents, Source
from golem_host.services.stores.effects import Effect, known, once, operation
from golem_host.services.stores.limits import (
    OBJECT_BYTES_MAX,
    ROW_BYTES,
    StoreError,
    listed,
    require_room,
)
from golem_host.services.world import Clock
from golem_host.storage.database import Database
from golem_host.wire import Wire

NS_PER_S: Final = 1_000_000_000
PIECE_BYTES_MAX: Final = 1 << 20
"""What is read of an object at once."""

_CONTAINER: Final = "SELECT id, created_ns FROM container WHERE name = ?"
_CREATE: Final = "INSERT INTO container (name, created_ns) VALUES (?, ?)"
_LOSE: Final = "UPDATE container SET name = NULL WHERE name = ?"
_OBJECT: Final = """
    SELECT object.created_ns, content, size_bytes
    FROM object JOIN content ON content.id = object.content
    WHERE container = ? AND name = ?"""
_NAMES: Final = "SELECT name FROM object WHERE container = ? ORDER BY name"
_REMOVE: Final = "DELETE FROM object WHERE container = ? AND name = ?"
_PUT: Final = """
    INSERT INTO object VALUES (?, ?, ?, ?) ON CONFLICT (container, name)
    DO UPDATE SET created_ns = excluded.created_ns, content = excluded.content"""
_LET_GO: Final = """
    UPDATE content SET is_unused = 1
    WHERE id IN (SELECT content FROM object WHERE container = ? AND name = ?)"""


class ObjectName(NamedTuple):
    """An object, as guests name it."""

    container: str
    name: str


class _Container(NamedTuple):
    id: int
    """Stands for its objects: another number, other objects."""
    created_ns: int


class Stored(NamedTuple):
    """What is known of an object."""

    created_s: int
    """Seconds since 1970."""
    content: int
    """Stands for its bytes: another number, other bytes."""
    size: int


class Piece(NamedTuple):
    """Bytes of an object."""

    content: int
    size: int
    """Of the whole object."""
    data: bytes


class Objects:
    """All containers of a state directory."""

    def __init__(self, opened: Callable[[], Database], clock: Clock, bytes_max: int) -> None:
        self._opened = opened
        self._clock = clock
        self._bytes_max = bytes_max
        self.contents = Contents(opened, bytes_max)

    # -- containers ---------------------------------------------------------------------------

    def create(self, effect: Effect, name: str) -> int:
        """
        Make a container, durably; returns when that was, in seconds since 1970.

        Raises:
            StoreError: There is one of this name, or no room.
        """
        with self._opened().transaction() as connection:

            def make() -> int:
                if _container(connection, name) is not None:
                    raise StoreError("there is a container of this name")
                require_room(connection, len(name.encode()) + ROW_BYTES, self._bytes_max)
                now = self._clock.unix_ns()
                connection.execute(_CREATE, (name, now))
                return now // NS_PER_S

            created_s: int = once(connection, effect, operation("create", name), make)
        return created_s

    def container(self, name: str) -> int:
        """
        When a container was made, in seconds since 1970.

        Raises:
            StoreError: There is none of this name.
        """
        with self._opened().reading() as connection:
            return _require_container(connection, name).created_ns // NS_PER_S

    def has_container(self, name: str) -> bool:
        with self._opened().reading() as connection:
            return _container(connection, name) is not None

    def delete_container(self, effect: Effect, name: str, check: Callable[[], None]) -> None:
        """Remove a container and what is in it, durably; no error if there is none."""

        def remove(connection: sqlite3.Connection) -> None:
            # Its objects are never seen again, and go in steps.
            connection.execute(_LOSE, (name,))

        self._change(effect, operation("delete-container", name), remove, check)

    # -- objects ------------------------------------------------------------------------------

    def find(self, name: ObjectName) -> Stored:
        """
        Raises:
            StoreError: There is no such object.
        """
        with self._opened().reading() as connection:
            return _require_object(connection, name)

    def has(self, name: ObjectName) -> bool:
        """
        Raises:
            StoreError: There is no such container.
        """
        with self._opened().reading() as connection:
            container = _require_container(connection, name.container)
            return connection.execute(_OBJECT, (container.id, name.name)).fetchone() is not None

    def list(self, container: str) -> list[str]:
        """
        The names of all objects.

        Raises:
            StoreError: There is no such container, or they are too much for one list.
        """
        with self._opened().reading() as connection:
            found = _require_container(connection, container)
            return listed(connection.execute(_NAMES, (found.id,)))

    def read(self, name: ObjectName, start: int, end: int) -> Piece:
        """
        Bytes from start to end, both included, or as many of them as are read at once.

        An end behind the object's is taken for that.

        Raises:
            StoreError: There is no such object, or it has no such bytes.
        """
        with self._opened().reading() as connection:
            found = _require_object(connection, name)
            if start > end or (start >= found.size and (start, found.size) != (0, 0)):
                raise StoreError(f"no bytes {start} to {end} in an object of {found.size}")
            stop = min(end + 1, found.size, start + PIECE_BYTES_MAX)
            data = contents.read(connection, found.content, start, stop)
        return Piece(found.content, found.size, data)

    def write(
        self, effect: Effect, name: ObjectName, source: Source, check: Callable[[], None]
    ) -> None:
        """
        Store an object, durably, in place of one of the same name.

        Args:
            effect: Names the change.
            name: Of the object.
            source: Its bytes, which are read twice.
            check: Called now and then; may raise, and then nothing has changed.

        Raises:
            StoreError: There is no such container, or no room.
        """
        assert source.size <= OBJECT_BYTES_MAX
        what = operation("write", *name, _digest(source, check))
        with self._opened().reading() as connection:
            if known(connection, effect, what) is not None:
                return
            _require_container(connection, name.container)
        content = self.contents.write(source, check)

        def put(connection: sqlite3.Connection) -> None:
            self._put(connection, name, content, self._clock.unix_ns())

        try:
            self._change(effect, what, put, check)
        finally:
            self.contents.written(content)

    def copy(
        self,
        effect: Effect,
        source: ObjectName,
        target: ObjectName,
        check: Callable[[], None],
    ) -> None:
        """
        Give an object a second name, durably, in place of the object that has it.

        Raises:
            StoreError: There is no such object, no such container to copy to, or no room.
        """

        def put(connection: sqlite3.Connection) -> None:
            found = _require_object(connection, source)
            self._put(connection, target, found.content, self._clock.unix_ns())

        self._change(effect, operation("copy", *source, *target), put, check)

    def move(
        self,
        effect: Effect,
        source: ObjectName,
        target: ObjectName,
        check: Callable[[], None],
    ) -> None:
        """
        Give an object another name, durably, in place of the object that has it.

        Raises:
            StoreError: There is no such object, no such container to move to, or no room.
        """

        def put(connection: sqlite3.Connection) -> None:
            found = _require_object(connection, source)
            _require_container(connection, target.container)
            if source != target:
                self._put(connection, target, found.content, found.created_s * NS_PER_S)
                _remove(connection, _require_container(connection, source.container), source.name)

        self._change(effect, operation("move", *source, *target), put, check)

    def delete(
        self,
        effect: Effect,
        container: str,
        names: Sequence[str],
        check: Callable[[], None],
    ) -> None:
        """Remove objects, durably, all or none; no error if one is missing."""

        def remove(connection: sqlite3.Connection) -> None:
            found = _container(connection, container)
            if found is not None:
                for name in names:
                    _remove(connection, found, name)

        self._change(effect, operation("delete", container, *names), remove, check)

    def clear(self, effect: Effect, container: str, check: Callable[[], None]) -> None:
        """Remove all objects of a container, durably."""
        self._change(
            effect,
            operation("clear", container),
            lambda connection: _clear(connection, container),
            check,
        )

    def _change(
        self,
        effect: Effect,
        what: bytes,
        make: Callable[[sqlite3.Connection], Wire],
        check: Callable[[], None],
    ) -> None:
        with self._opened().transaction() as connection:
            once(connection, effect, what, lambda: make(connection))
        self.contents.remove_unused(check)

    def _put(
        self, connection: sqlite3.Connection, name: ObjectName, content: int, created_ns: int
    ) -> None:
        container = _require_container(connection, name.container)
        size = len(name.container.encode()) + len(name.name.encode()) + ROW_BYTES
        require_room(connection, size, self._bytes_max)
        connection.execute(_LET_GO, (container.id, name.name))
        connection.execute(_PUT, (container.id, name.name, created_ns, content))
        contents.use(connection, content)


def _container(connection: sqlite3.Connection, name: str) -> _Container | None:
    row = connection.execute(_CONTAINER, (name,)).fetchone()
    return None if row is None else _Container(*row)


def _require_container(connection: sqlite3.Connection, name: str) -> _Container:
    found = _container(connection, name)
    if found is None:
        raise StoreError("there is no container of this name")
    return found


def _require_object(connection: sqlite3.Connection, name: ObjectName) -> Stored:
    container = _require_container(connection, name.container)
    row = connection.execute(_OBJECT, (container.id, name.name)).fetchone()
    if row is None:
        raise StoreError("there is no object of this name")
    created_ns, content, size = row
    return Stored(created_ns // NS_PER_S, content, size)


def _remove(connection: sqlite3.Connection, container: _Container, name: str) -> None:
    connection.execute(_LET_GO, (container.id, name))
    connection.execute(_REMOVE, (container.id, name))


def _clear(connection: sqlite3.Connection, name: str) -> None:
    """Another container takes its place, of the same name and age; the old one goes in steps."""
    found = _container(connection, name)
    if found is not None:
        connection.execute(_LOSE, (name,))
        connection.execute(_CREATE, (name, found.created_ns))


def _digest(source: Source, check: Callable[[], None]) -> bytes:
    digest = hashlib.sha256()
    for offset in range(0, source.size, CHUNK_BYTES):
        check()
        digest.update(source.read(offset, CHUNK_BYTES))
    return digest.digest()
