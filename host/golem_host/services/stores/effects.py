"""
Changes that are made exactly once, however often a worker that was killed asks for them.

A worker names each change by a token (`golem_host.context.InstanceContext.effect_token`): its scope,
which is where the worker would start over after a crash, and a number in it.  The outcome is kept
beside the change, in the same transaction.  Asked again, the worker is told the first outcome.

Only the last scope of a worker is kept: before the first change of another one is made, everything
before it is in the worker's log, and never asked for again.  So a worker has one row, or one for
each change within an atomic region.
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
    WHERE component_id = ? AND worker_name = ? AND scope = ? AND number = ?"""
_FORGET: Final = """
    DELETE FROM effect WHERE component_id = ? AND worker_name = ? AND scope <> ?"""
_KEEP: Final = "INSERT OR REPLACE INTO effect VALUES (?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Effect:
    """Whose change it is, and which."""

    component_id: str
    worker_name: str
    token: str
    """Empty for one that is made each time it is asked for."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        scope, _, number = self.token.rpartition("/")
        return self.component_id, self.worker_name, scope, number


def operation(name: str, *args: Wire) -> bytes:
    """
    What a change does, in short.

    An atomic region that is done over may do something else than the first time, and that is
    another change under the same token.
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
        component_id, worker_name, scope, _ = effect.key
        connection.execute(_FORGET, (component_id, worker_name, scope))
        connection.execute(_KEEP, (*effect.key, what, msgpack.packb(outcome)))
    return outcome
