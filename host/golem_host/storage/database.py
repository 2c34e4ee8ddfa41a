"""
What no worker owns: ``host.db``, and any other database of a state directory.

SQLite, write-ahead log, full synchronisation.  One connection, used under a lock: every statement
here is short.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from golem_host.errors import StateDirError, os_reason
from golem_host.storage.look import Look, look_at, uri

_MIGRATIONS: Final = (
    """
CREATE TABLE component (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    source TEXT,
    created_ns INTEGER NOT NULL
) STRICT;
CREATE TABLE component_version (
    component_id TEXT NOT NULL REFERENCES component (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    initial_memory_bytes INTEGER NOT NULL,
    ephemeral INTEGER NOT NULL,
    env TEXT NOT NULL,
    config_vars TEXT NOT NULL,
    created_ns INTEGER NOT NULL,
    PRIMARY KEY (component_id, version)
) STRICT;
""",
    """
CREATE TABLE promise (
    component_id TEXT NOT NULL,
    worker_name TEXT NOT NULL,
    oplog_index INTEGER NOT NULL,
    created_ns INTEGER NOT NULL,
    completed_by TEXT,
    data BLOB,
    PRIMARY KEY (component_id, worker_name, oplog_index)
) STRICT, WITHOUT ROWID;
CREATE TABLE unfinished (
    component TEXT NOT NULL,
    worker TEXT NOT NULL,
    due_ns INTEGER,
    promise TEXT,
    PRIMARY KEY (component, worker)
) STRICT, WITHOUT ROWID;
CREATE INDEX unfinished_due ON unfinished (due_ns) WHERE due_ns IS NOT NULL;
CREATE INDEX unfinished_promise ON unfinished (promise) WHERE promise IS NOT NULL;
CREATE TABLE boot (id TEXT NOT NULL) STRICT;
""",
    """
CREATE TABLE initial_file (
    component_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    read_only INTEGER NOT NULL,
    PRIMARY KEY (component_id, version, path),
    FOREIGN KEY (component_id, version) REFERENCES component_version ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE worker_dirs (
    component TEXT NOT NULL,
    worker TEXT NOT NULL,
    dirs TEXT NOT NULL,
    PRIMARY KEY (component, worker)
) STRICT, WITHOUT ROWID;
""",
    """
CREATE TABLE plugin (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    component TEXT NOT NULL,
    config TEXT NOT NULL,
    scope TEXT,
    created_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE plugin_position (
    plugin TEXT NOT NULL REFERENCES plugin (id) ON DELETE CASCADE,
    component TEXT NOT NULL,
    worker TEXT NOT NULL,
    born_ns INTEGER NOT NULL,
    next_index INTEGER NOT NULL,
    PRIMARY KEY (plugin, component, worker)
) STRICT, WITHOUT ROWID;
""",
    """
CREATE TABLE plugin_activating (
    plugin TEXT PRIMARY KEY REFERENCES plugin (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
""",
)
"""
Of ``host.db``: what each format version adds to the one before; a table here is never changed, only
followed.
"""


class Database:
    """
    The open database.  Raises `StateDirError` for whatever SQLite refuses.

    Args:
        path: The file, made if it is not there.
        read_only: It is looked at beside its owner.
        migrations: Its format; each adds to the one before.
        first: Statements for SQLite before anything else is done with the file.
        durable: Whether any transaction survives a power failure for sure.
    """

    def __init__(
        self,
        path: Path,
        *,
        read_only: bool = False,
        migrations: Sequence[str] = _MIGRATIONS,
        first: Sequence[str] = (),
        durable: bool = True,
    ) -> None:
        self._path = path
        self._migrations = migrations
        self._lock = threading.RLock()
        self._may_be_durable = durable
        self._is_durable = True
        self._look: Look | None = None
        with self._refusals():
            if read_only:
                self._look_again()
                return
            self._connection = sqlite3.connect(
                f"{uri(path)}?mode=rwc", uri=True, isolation_level=None, check_same_thread=False
            )
            for statement in first:
                self._connection.execute(statement)
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._prepare(read_only=False)

    def _look_again(self) -> None:
        """Read what is there now; what does not exist yet is found empty, which is no error."""
        if self._look is not None:
            self._look.close()
        try:
            look = look_at(self._path)
        except OSError as error:
            raise StateDirError(path=str(self._path.parent), reason=os_reason(error)) from error
        self._look, self._connection = look, look.connection
        try:
            self._prepare(read_only=look.exists)
        except BaseException:
            look.close()
            raise

    def _prepare(self, *, read_only: bool) -> None:
        newest = len(self._migrations)
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version < newest and not read_only:
            with self.transaction() as connection:
                for script in self._migrations[version:]:
                    for statement in script.split(";"):
                        connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {newest}")
        elif version < newest:
            # Its next owner brings it up to date; until then the new tables are seen as empty.
            for script in self._migrations[version:]:
                for statement in script.split(";"):
                    if "CREATE TABLE" in statement:
                        self._connection.execute(
                            statement.replace("CREATE TABLE", "CREATE TEMPORARY TABLE")
                        )
        elif version > newest:
            self._connection.close()
            raise StateDirError(
                path=str(self._path.parent),
                reason=f"written by a newer golem-host (format {version}, this one reads "
                f"{newest}): upgrade golem-host",
            )

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """
        Everything inside happens or nothing; durable when the block has ended.

        Without ``durable`` it survives the end of this process, but perhaps not a power failure.
        """
        durable = durable and self._may_be_durable
        with self._lock, self._refusals():
            if durable != self._is_durable:
                self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._is_durable = durable
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._refusals():
            if self._look is not None and self._look.is_stale():
                self._look_again()
            yield self._connection

    @contextmanager
    def held(self) -> Iterator[None]:
        """While nobody reads or writes."""
        with self._lock:
            yield

    def close(self) -> None:
        with self._lock:
            self._connection.close()
            if self._look is not None:
                self._look.close()

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StateDirError(
                path=str(self._path.parent), reason=f"{self._path.name}: {error}"
            ) from error
