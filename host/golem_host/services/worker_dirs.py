"""
Which directories of this machine each worker was granted.

Kept beside the logs and not in them: what a worker may do on a machine is that machine's matter,
and does not travel with the worker.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from golem_host.files.live.grants import parse_dirs
from golem_host.files.mapping import Mapping
from golem_host.services.unfinished import WorkerKey
from golem_host.storage.database import Database


class WorkerDirs:
    """Those of one state directory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, key: WorkerKey) -> tuple[Mapping, ...]:
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT dirs FROM worker_dirs WHERE component = ? AND worker = ?", key
            ).fetchone()
        return () if row is None else parse_dirs(json.loads(row[0]))

    def grant(self, key: WorkerKey, dirs: Sequence[Mapping]) -> None:
        """From now on these; durable when this returns."""
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM worker_dirs WHERE component = ? AND worker = ?", tuple(key)
            )
            if dirs:
                connection.execute(
                    "INSERT INTO worker_dirs VALUES (?, ?, ?)",
                    (*key, json.dumps([str(each) for each in dirs])),
                )

    def pass_on(self, source: WorkerKey, target: WorkerKey) -> None:
        """A fork may use what its source may."""
        dirs = self.of(source)
        if dirs or self.of(target):
            self.grant(target, dirs)

    def forget(self, key: WorkerKey) -> None:
        if self.of(key):
            self.grant(key, ())
