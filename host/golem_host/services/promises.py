"""
Promises: cells that one worker makes, anybody completes once, and workers wait for.

They live in ``host.db`` because no worker owns what another one may fill.

Source: spec 2.1, with the project's remarks R10, R12, R30 and R51.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final, Self

from golem_host.errors import InvalidRequestError, PromiseNotFoundError
from golem_host.services.peers import shown
from golem_host.services.waking import Waking
from golem_host.services.world import Clock
from golem_host.storage.database import Database
from golem_oplog.lazy_dataclass import dataclass

DATA_BYTES_MAX: Final = 2_796_202
"""What the engine hands to a guest in one list; more could never be awaited."""
INDEX_MAX: Final = (1 << 63) - 1
INDEX_DIGITS_MAX: Final = 20

_CONTENT: Final = """
    SELECT completed_by, data FROM promise
    WHERE component_id = ? AND worker_name = ? AND oplog_index = ?"""
_IS_COMPLETED: Final = """
    SELECT completed_by IS NOT NULL FROM promise
    WHERE component_id = ? AND worker_name = ? AND oplog_index = ?"""
_HAS_ANY: Final = "SELECT 1 FROM promise WHERE component_id = ? AND worker_name = ? LIMIT 1"
_COMPLETE: Final = """
    UPDATE promise SET completed_by = ?, data = ?
    WHERE component_id = ? AND worker_name = ? AND oplog_index = ?"""
_DELETE: Final = """
    DELETE FROM promise
    WHERE component_id = ? AND worker_name = ? AND oplog_index = ?"""


@dataclass(frozen=True, slots=True)
class PromiseId:
    """The worker that made a promise, and where in its log."""

    component_id: str
    """UUID in text form."""
    worker_name: str
    """Of the worker that made it."""
    oplog_index: int
    """Of the entry that made it."""

    def __str__(self) -> str:
        return f"{self.component_id}/{self.worker_name}/{self.oplog_index}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        From the text form, ``<component-uuid>/<worker-name>/<oplog-index>``.

        Raises:
            InvalidRequestError: It is none.
        """
        parts = text.split("/")
        index = parts[-1]
        is_index = index.isascii() and index.isdecimal() and len(index) <= INDEX_DIGITS_MAX
        if len(parts) != 3 or not is_index:
            raise InvalidRequestError(
                reason=f"{text!r} names no promise: expected COMPONENT-ID/WORKER/INDEX"
            )
        return cls(parts[0], parts[1], int(index))


@dataclass(frozen=True, slots=True)
class PromiseInfo:
    """One promise, as it is listed."""

    id: PromiseId
    """Its name."""
    completed: bool
    """Whether it has a value."""
    size_bytes: int
    """Of the value; 0 while there is none."""
    created_ns: int
    """Unix time."""


class Promises:
    """``host.promises``."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waking = Waking()
        self.on_completed: Callable[[PromiseId], None] = _nobody
        """Wakes the workers without an instance that wait for it: completed, or deleted."""

    def create(self, promise: PromiseId) -> None:
        """Make a promise; no error if there is one of this id."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO promise VALUES (?, ?, ?, ?, NULL, NULL) ON CONFLICT DO NOTHING",
                (*_key(promise), self._clock.unix_ns()),
            )

    def get(self, promise: PromiseId) -> bytes | None:
        """
        The content, or None while it is not completed.

        Raises:
            PromiseNotFoundError: There is no such promise.
        """
        with self._database.reading() as connection:
            found = _select(connection, promise)
        return found[1]

    def is_completed(self, promise: PromiseId) -> bool:
        """
        Whether there is something to get; reads no content.

        Raises:
            PromiseNotFoundError: There is no such promise.
        """
        with self._database.reading() as connection:
            row = connection.execute(_IS_COMPLETED, _key(promise)).fetchone()
        if row is None:
            raise _not_found(promise)
        return bool(row[0])

    def complete(self, promise: PromiseId, data: bytes, token: str = "") -> bool:
        """
        Fill a promise, durably, and wake whoever waits; False if it was completed before.

        Args:
            promise: Which one.
            data: At most 2,796,202 bytes.
            token: Names the effect: the same one again gives the first answer again.

        Raises:
            PromiseNotFoundError: There is no such promise.
            InvalidRequestError: The data are too long.
        """
        if len(data) > DATA_BYTES_MAX:
            raise InvalidRequestError(
                reason=f"a promise holds at most {DATA_BYTES_MAX} bytes, not {len(data)}"
            )
        with self._database.transaction() as connection:
            completed_by, _ = _select(connection, promise)
            if completed_by is None:
                connection.execute(
                    _COMPLETE,
                    (token, data, *_key(promise)),
                )
        if completed_by is not None:
            return token != "" and completed_by == token
        self._wake(promise)
        return True

    def delete(self, promise: PromiseId) -> None:
        """
        Remove a promise, durably; no error if there is none.

        Whoever waits for it is woken, and learns that it is gone.
        """
        with self._database.transaction() as connection:
            connection.execute(_DELETE, _key(promise))
        self._wake(promise)

    def delete_of(self, component_id: str, worker_name: str) -> None:
        """Remove all promises of a worker (R30); quick where there are none."""
        with self._database.reading() as connection:
            if connection.execute(_HAS_ANY, (component_id, worker_name)).fetchone() is None:
                return
        with self._database.transaction() as connection:
            removed = connection.execute(
                "DELETE FROM promise WHERE component_id = ? AND worker_name = ? "
                "RETURNING oplog_index, completed_by",
                (component_id, worker_name),
            ).fetchall()
        for index, completed_by in removed:
            if completed_by is None:
                self._wake(PromiseId(component_id, worker_name, index))

    def list(
        self, component_id: str | None = None, worker_name: str | None = None
    ) -> Iterator[PromiseInfo]:
        """Promises in the order of their ids, of all workers or of some."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT component_id, worker_name, oplog_index, completed_by IS NOT NULL, "
                "coalesce(length(data), 0), created_ns FROM promise "
                "WHERE (?1 IS NULL OR component_id = ?1) AND (?2 IS NULL OR worker_name = ?2) "
                "ORDER BY component_id, worker_name, oplog_index",
                (component_id, worker_name),
            ).fetchall()
        for component, worker, index, completed, size_bytes, created_ns in rows:
            promise = PromiseId(component, worker, index)
            yield PromiseInfo(promise, bool(completed), size_bytes, created_ns)

    def is_settled(self, text: str) -> bool:
        """Whether nothing is to be waited for: it is completed, or there is no such promise."""
        try:
            return self.is_completed(PromiseId.parse(text))
        except PromiseNotFoundError:
            return True

    def waking(self, promise: PromiseId, event: threading.Event) -> AbstractContextManager[None]:
        """While this lasts, completing or deleting the promise sets the event."""
        return self._waking.waking(promise, event)

    def _wake(self, promise: PromiseId) -> None:
        self._waking.ring(promise)
        self.on_completed(promise)


def _key(promise: PromiseId) -> tuple[str, str, int]:
    # Guests may name any u64; the database holds what a log can have.
    return promise.component_id, promise.worker_name, min(promise.oplog_index, INDEX_MAX)


def _select(connection: sqlite3.Connection, promise: PromiseId) -> tuple[str | None, bytes | None]:
    row = connection.execute(_CONTENT, _key(promise)).fetchone()
    if row is None:
        raise _not_found(promise)
    completed_by, data = row
    return completed_by, data


def _not_found(promise: PromiseId) -> PromiseNotFoundError:
    named = replace(promise, worker_name=shown(promise.worker_name))
    return PromiseNotFoundError(promise=str(named))


def _nobody(_promise: PromiseId) -> None:
    """Nobody waits."""
