"""
Changes that are made exactly once, however often a worker that was killed asks for them.

A worker names each change by a token (`golem_host.interfaces.wasi.values.effect_of`), which is the
same when the call is repeated after a crash.  The outcome is kept beside the change, in the same
transaction.  Asked again, the worker is told the first outcome.

Only the last change of a worker is kept: before the next one is made, it is in the worker's log, and
never asked for again.  An atomic region that is done over asks under other tokens, and a
persist-nothing zone that is entered again makes anew what was not the last change, for a later one
may have undone it.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from typing import Final

import msgpack

from golem_host.wire import Wire
from golem_oplog.lazy_dataclass import dataclass

_LOOK: Final = """
    SELECT operation, outcome FROM effect
    WHERE component_id = ? AND worker_name = ? AND token = ?"""
_KEEP: Final = "INSERT OR REPLACE INTO effect VALUES (?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Effect:
    """Whose change it is, and which."""

    component_id: str
    worker_name: str
    token: str
    """Empty for one that is made each time it is asked for."""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.component_id, self.worker_name, self.token


def operation(name: str, *args: Wire) -> bytes:
    """
    What a change does, in short.

    A persist-nothing zone that is entered again may do something else than the first time, and that
    is another change under the same token.
    """
    return hashlib.sha256(msgpack.packb((name, *args))).digest()


def known(connection: sqlite3.Connection, effect: Effect, what: bytes) -> tuple[Wire] | None:
    """The outcome, if the change has been made."""
    if not effect.token:
        return None
    row = connection.execute(_LOOK, effect.key).fetchone()
    if row is None or row[0] != what:
        return None
    return (msgpack.unpackb(row[1]),)


def once(
    connection: sqlite3.Connection, effect: Effect, what: bytes, make: Callable[[], Wire]
) -> Wire:
    """Make a change, or tell what came of it; inside of a transaction."""
    found = known(connection, effect, what)
    if found is not None:
        return found[0]
    outcome = make()
    if effect.token:
        connection.execute(_KEEP, (*effect.key, what, msgpack.packb(outcome)))
    return outcome
