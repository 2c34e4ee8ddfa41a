"""
Buckets of keys with values: what is behind ``wasi:keyvalue``.

A bucket is there as soon as somebody names it.  Numbers are kept as decimal text, so that ``get``
shows them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Final

from golem_host.services.stores.effects import Effect, once, operation
from golem_host.services.stores.limits import (
    LIST_BYTES_MAX,
    ROW_BYTES,
    VALUE_BYTES_MAX,
    StoreError,
    listed,
    require_room,
)
from golem_host.storage.database import Database

NUMBER_MAX: Final = (1 << 64) - 1
_DIGITS_MAX: Final = len(str(NUMBER_MAX))

_GET: Final = "SELECT value FROM pair WHERE bucket = ? AND key = ?"
_SIZE: Final = "SELECT length(value) FROM pair WHERE bucket = ? AND key = ?"
_KEYS: Final = "SELECT key FROM pair WHERE bucket = ? ORDER BY key"
_PUT: Final = """
    INSERT INTO pair VALUES (?, ?, ?)
    ON CONFLICT (bucket, key) DO UPDATE SET value = excluded.value"""
_DELETE: Final = "DELETE FROM pair WHERE bucket = ? AND key = ?"


class Pairs:
    """All buckets of a state directory."""

    def __init__(self, opened: Callable[[], Database], bytes_max: int) -> None:
        self._opened = opened
        self._bytes_max = bytes_max

    def get(self, bucket: str, keys: Sequence[str]) -> list[bytes | None]:
        """
        The values of keys, each in its place.

        Raises:
            StoreError: They are too much for one call.
        """
        with self._opened().reading() as connection:
            rows = [connection.execute(_SIZE, (bucket, key)).fetchone() for key in keys]
            size = sum(row[0] for row in rows if row is not None)
            if size > LIST_BYTES_MAX:
                raise StoreError(
                    f"values of {size} bytes in one call: at most {LIST_BYTES_MAX} are given at once"
                )
            return [_value(connection, bucket, key) for key in keys]

    def exists(self, bucket: str, key: str) -> bool:
        with self._opened().reading() as connection:
            return connection.execute(_SIZE, (bucket, key)).fetchone() is not None

    def keys(self, bucket: str) -> list[str]:
        """
        Raises:
            StoreError: They are too much for one list.
        """
        with self._opened().reading() as connection:
            return listed(connection.execute(_KEYS, (bucket,)))

    def set(self, effect: Effect, bucket: str, pairs: Sequence[tuple[str, bytes]]) -> None:
        """
        Give keys their values, durably, all or none; of a key that is named twice the last one.

        Raises:
            StoreError: There is no room.
        """
        assert all(len(value) <= VALUE_BYTES_MAX for _, value in pairs)
        with self._opened().transaction() as connection:

            def put() -> None:
                size = sum(len(key.encode()) + len(value) + ROW_BYTES for key, value in pairs)
                require_room(connection, size, self._bytes_max)
                connection.executemany(_PUT, [(bucket, key, value) for key, value in pairs])

            once(connection, effect, operation("set", bucket, *pairs), put)

    def delete(self, effect: Effect, bucket: str, keys: Sequence[str]) -> None:
        """Remove keys, durably, all or none; no error if one is missing."""
        with self._opened().transaction() as connection:

            def remove() -> None:
                connection.executemany(_DELETE, [(bucket, key) for key in keys])

            once(connection, effect, operation("delete", bucket, *keys), remove)

    def increment(self, effect: Effect, bucket: str, key: str, delta: int) -> int:
        """
        Add to a number, durably; one that is not there counts as 0.

        Raises:
            StoreError: The value is no number, the sum is too large, or there is no room.
        """
        with self._opened().transaction() as connection:

            def add() -> int:
                total = (_number(connection, bucket, key) or 0) + delta
                if total > NUMBER_MAX:
                    raise StoreError(f"the sum {total} is more than {NUMBER_MAX}")
                self._put_number(connection, bucket, key, total)
                return total

            outcome: int = once(connection, effect, operation("increment", bucket, key, delta), add)
        return outcome

    def swap(self, effect: Effect, bucket: str, key: str, old: int, new: int) -> bool:
        """
        Replace a number by another, durably, if it is the old one; one that is not there is none.

        Raises:
            StoreError: The value is no number, or there is no room.
        """
        with self._opened().transaction() as connection:

            def compare() -> bool:
                if _number(connection, bucket, key) != old:
                    return False
                self._put_number(connection, bucket, key, new)
                return True

            outcome: bool = once(
                connection, effect, operation("swap", bucket, key, old, new), compare
            )
        return outcome

    def _put_number(
        self, connection: sqlite3.Connection, bucket: str, key: str, number: int
    ) -> None:
        require_room(connection, len(key.encode()) + ROW_BYTES, self._bytes_max)
        connection.execute(_PUT, (bucket, key, str(number).encode()))


def _value(connection: sqlite3.Connection, bucket: str, key: str) -> bytes | None:
    row = connection.execute(_GET, (bucket, key)).fetchone()
    return None if row is None else row[0]


def _number(connection: sqlite3.Connection, bucket: str, key: str) -> int | None:
    value = _value(connection, bucket, key)
    if value is None:
        return None
    is_number = len(value) <= _DIGITS_MAX and value.isdigit() and int(value) <= NUMBER_MAX
    if not is_number:
        raise StoreError(f"the value is no decimal number from 0 to {NUMBER_MAX}")
    return int(value)
