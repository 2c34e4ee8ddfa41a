"""
Which workers have something left to do: an index, so that nobody has to read every log for it.

A row is written before the work is in the log and removed after it is done, so the rows are never
too few; one too many costs a look at the log.  They are not synced: should the machine lose power,
`is_trusted` says no, and the logs are read once.
"""

from __future__ import annotations

from typing import NamedTuple

from golem_host.storage.database import Database

NOW = 0
"""The time of what is due at once."""


class WorkerKey(NamedTuple):
    """A worker as directories name it."""

    component: str
    worker: str


class Waiting(NamedTuple):
    """One worker with something left to do."""

    key: WorkerKey
    due_ns: int | None
    """Unix time at which it goes on by itself; None where only an event moves it."""
    promise: str | None
    """What it waits for, in text form: a promise, or a call to another worker."""


class Unfinished:
    """The table of that name."""

    def __init__(self, database: Database, boot_id: str) -> None:
        self._database = database
        self._boot_id = boot_id

    def mark(self, key: WorkerKey, due_ns: int | None, promise: str | None = None) -> None:
        with self._database.transaction(durable=False) as connection:
            connection.execute(
                "INSERT INTO unfinished VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
                "SET due_ns = excluded.due_ns, promise = excluded.promise",
                (*key, due_ns, promise),
            )

    def rest(self, key: WorkerKey, due_ns: int | None, promise: str) -> bool:
        """
        `mark` once more what a worker waits for, unless that has happened.

        Returns:
            Whether it was marked; otherwise the worker is due now.
        """
        with self._database.transaction(durable=False) as connection:
            cursor = connection.execute(
                "INSERT INTO unfinished VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
                "SET due_ns = excluded.due_ns, promise = excluded.promise "
                "WHERE unfinished.promise IS NOT NULL OR unfinished.due_ns IS NOT 0",
                (*key, due_ns, promise),
            )
        return cursor.rowcount > 0

    def clear(self, key: WorkerKey) -> None:
        with self._database.transaction(durable=False) as connection:
            connection.execute("DELETE FROM unfinished WHERE component = ? AND worker = ?", key)

    def all(self) -> list[Waiting]:
        with self._database.reading() as connection:
            rows = connection.execute("SELECT * FROM unfinished").fetchall()
        return [Waiting(WorkerKey(c, w), due_ns, promise) for c, w, due_ns, promise in rows]

    def waiting_for(self, promise: str) -> list[WorkerKey]:
        """Workers without an instance that wait for this promise."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT component, worker FROM unfinished WHERE promise = ?", (promise,)
            ).fetchall()
        return [WorkerKey(*row) for row in rows]

    def awaited(self) -> list[tuple[WorkerKey, str]]:
        """Workers without an instance, and what each waits for, in text form."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT component, worker, promise FROM unfinished WHERE promise IS NOT NULL"
            ).fetchall()
        return [(WorkerKey(component, worker), text) for component, worker, text in rows]

    def happened(self, key: WorkerKey, awaited: str) -> bool:
        """Let a worker go on if its row has this among what it waits for."""
        with self._database.transaction(durable=False) as connection:
            row = connection.execute(
                "SELECT promise FROM unfinished WHERE component = ? AND worker = ?", key
            ).fetchone()
            if row is None or awaited not in (row[0] or "").splitlines():
                return False
            connection.execute(
                "UPDATE unfinished SET due_ns = ?, promise = NULL "
                "WHERE component = ? AND worker = ?",
                (NOW, *key),
            )
        return True

    def awaited_by(self, key: WorkerKey) -> str | None:
        """What a worker without an instance waits for, where no time would end that."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT promise FROM unfinished "
                "WHERE component = ? AND worker = ? AND due_ns IS NULL",
                key,
            ).fetchone()
        return None if row is None else row[0]

    def is_trusted(self) -> bool:
        """Whether the rows were written since the machine was started."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT id FROM boot").fetchone()
        return row is not None and row[0] == self._boot_id != ""

    def trust(self) -> None:
        """From now on the rows are complete, until the machine is started again."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM boot")
            connection.execute("INSERT INTO boot VALUES (?)", (self._boot_id,))
