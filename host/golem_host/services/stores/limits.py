"""How much the stores take, and the error that a guest is given in place of what it asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3

NAME_BYTES_MAX: Final = 4096
"""The name of a bucket, a container or an object, or a key, in UTF-8."""
VALUE_BYTES_MAX: Final = 16 << 20
"""The value of a key; and what is given to a guest as one list."""
OBJECT_BYTES_MAX: Final = 1 << 30
"""An object."""
KEYS_MAX: Final = 4096
"""Keys, or names of objects, in one call."""
LIST_BYTES_MAX: Final = 16 << 20
"""What a list of keys or names may take, and what the values of one call may."""
NAME_COST_BYTES: Final = 64
"""What a name takes in a list besides its UTF-8."""
STORES_BYTES_MAX: Final = 16 << 30
"""What both stores together may take of the disk, if `HostConfig` says nothing else."""

_USED: Final = """
    SELECT (page_count - freelist_count) * page_size
    FROM pragma_page_count, pragma_freelist_count, pragma_page_size"""

ROW_BYTES: Final = 100
"""About what a row takes besides its texts and bytes."""


class StoreError(Exception):
    """The guest is given this text as the interface's own error."""


def check_name(name: str, what: str) -> None:
    """
    Raises:
        StoreError: It is too long.
    """
    size = len(name.encode())
    if size > NAME_BYTES_MAX:
        raise StoreError(f"{what} of {size} bytes: at most {NAME_BYTES_MAX} are allowed")


def check_names(names: list[str], what: str) -> None:
    """
    Raises:
        StoreError: One is too long, or there are too many.
    """
    if len(names) > KEYS_MAX:
        raise StoreError(f"{len(names)} in one call: at most {KEYS_MAX} are allowed")
    for name in names:
        check_name(name, what)


def listed(rows: Iterable[tuple[str]]) -> list[str]:
    """
    The names of a list.

    Raises:
        StoreError: They are too much for one list.
    """
    names: list[str] = []
    size = 0
    for (name,) in rows:
        size += len(name.encode()) + NAME_COST_BYTES
        if size > LIST_BYTES_MAX:
            raise StoreError(f"more than {LIST_BYTES_MAX} bytes of names: too much for one list")
        names.append(name)
    return names


def used_bytes(connection: sqlite3.Connection) -> int:
    """What the database holds; what was removed leaves room for something else."""
    used: int
    (used,) = connection.execute(_USED).fetchone()
    return used


def require_room(connection: sqlite3.Connection, size: int, bytes_max: int) -> None:
    """
    Raises:
        StoreError: So much more is too much.
    """
    if used_bytes(connection) + size > bytes_max:
        raise StoreError(
            f"the stores of this host are full: HostConfig.stores_bytes_max is {bytes_max}"
        )
