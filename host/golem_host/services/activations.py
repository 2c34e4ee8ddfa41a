"""
Plugins whose installation has not reached every worker that was there.

An installation is one row, and one entry in the log of each worker.  Both cannot be written at once,
so the row comes with a mark that stays until the last worker has its entry: what a crash or a worker
that cannot be written has left is done when the host is opened again, or once that worker commits.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping

from golem_host.services.unfinished import WorkerKey
from golem_host.storage.database import Database


class Activations:
    """The marks of one host, and what is known of the workers that were left."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._open: dict[str, dict[WorkerKey, str]] | None = None
        """By plugin, the workers that were left, with the reason."""

    @staticmethod
    def mark(connection: sqlite3.Connection, plugin_id: str) -> None:
        """Part of the transaction that installs a plugin; `begin` follows."""
        connection.execute("INSERT INTO plugin_activating VALUES (?)", (plugin_id,))

    def begin(self, plugin_id: str) -> None:
        with self._lock:
            self._marks().setdefault(plugin_id, {})

    @property
    def is_any(self) -> bool:
        with self._lock:
            return bool(self._marks())

    def has(self, plugin_id: str) -> bool:
        """Whether there may be workers that it has to be activated for."""
        with self._lock:
            return plugin_id in self._marks()

    def settle(self, plugin_id: str, left: Mapping[WorkerKey, str]) -> None:
        """Every worker was looked at; done unless some were left."""
        with self._lock:
            if plugin_id in self._marks():
                self._marks()[plugin_id] = dict(left)
        if not left:
            self._end(plugin_id)

    def told(self, plugin_id: str, key: WorkerKey) -> None:
        """A worker has its entry now, or is gone; done if it was the last one that was left."""
        with self._lock:
            left = self._marks().get(plugin_id)
            if not left or left.pop(key, None) is None or left:
                return
        self._end(plugin_id)

    def gone(self, key: WorkerKey) -> None:
        """A worker was deleted."""
        with self._lock:
            plugins = list(self._marks())
        for plugin_id in plugins:
            self.told(plugin_id, key)

    def forget(self, plugin_id: str) -> None:
        """It is not installed any more; the mark went with its row."""
        with self._lock:
            self._marks().pop(plugin_id, None)

    def problem(self, plugin_id: str) -> str:
        """Which workers were left, in one line; empty if none."""
        with self._lock:
            left = self._marks().get(plugin_id)
            if not left:
                return ""
            (component, worker), reason = next(iter(left.items()))
            others = f" and {len(left) - 1} more" if len(left) > 1 else ""
        return (
            f"not active yet for {component}/{worker}{others} ({reason}): "
            "tried again when it is written, or the host opened"
        )

    def _end(self, plugin_id: str) -> None:
        # The mark first: without it in memory alone, a second walk finds nothing to do.
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM plugin_activating WHERE plugin = ?", (plugin_id,))
        self.forget(plugin_id)

    def _marks(self) -> dict[str, dict[WorkerKey, str]]:
        if self._open is None:
            with self._database.reading() as connection:
                rows = connection.execute("SELECT plugin FROM plugin_activating").fetchall()
            self._open = {plugin_id: {} for (plugin_id,) in rows}
        return self._open
