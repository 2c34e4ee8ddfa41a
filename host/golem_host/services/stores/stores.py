"""Both stores of a state directory, behind one database that is opened when it is needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from golem_host.errors import StateDirError
from golem_host.services.stores.limits import STORES_BYTES_MAX
from golem_host.services.stores.schema import FIRST, MIGRATIONS
from golem_host.services.world import Clock
from golem_host.storage.database import Database
from golem_host.system import SystemClock
from golem_oplog.protocol import SyncLevel

if TYPE_CHECKING:
    from golem_host.services.stores.objects import Objects
    from golem_host.services.stores.pairs import Pairs

VACUUM_PAGES: Final = 1024
"""Pages that are given back to the disk at once: nobody waits longer than for that."""
_MEMORY: Final = Path(":memory:")


class Stores:
    """
    What the workers of one state directory share.

    Args:
        path: The database; None for one in memory, which ends with this object.
        clock: Of which times are told.
        bytes_max: What everything may take of the disk.
        sync_level: Which crash a change survives.
    """

    def __init__(
        self,
        path: Path | None = None,
        clock: Clock | None = None,
        bytes_max: int = STORES_BYTES_MAX,
        sync_level: SyncLevel = SyncLevel.POWER,
    ) -> None:
        self._path = path
        self._is_durable = sync_level is SyncLevel.POWER
        self._lock = threading.Lock()
        self._database: Database | None = None
        self._is_closed = False
        self._clock = clock or SystemClock()
        self._bytes_max = bytes_max

    @cached_property
    def pairs(self) -> Pairs:
        """Keys and values."""
        from golem_host.services.stores.pairs import Pairs  # noqa: PLC0415 - start-up

        return Pairs(self.database, self._bytes_max)

    @cached_property
    def objects(self) -> Objects:
        """Named objects of any size."""
        from golem_host.services.stores.objects import Objects  # noqa: PLC0415 - start-up

        return Objects(self.database, self._clock, self._bytes_max)

    def database(self) -> Database:
        """
        Raises:
            StateDirError: It cannot be opened, or the stores are closed.
        """
        with self._lock:
            if self._is_closed:
                raise StateDirError(path=str(self._path or _MEMORY), reason="it is closed")
            if self._database is None:
                self._database = Database(
                    self._path or _MEMORY,
                    migrations=MIGRATIONS,
                    first=FIRST,
                    durable=self._is_durable,
                )
            return self._database

    @property
    def _exists(self) -> bool:
        if self._database is not None:
            return True
        return self._path is not None and self._path.exists()

    def forget(self, component_id: str, worker_name: str) -> None:
        """
        A worker is gone: nobody will ask for its changes again.  What it stored stays.

        Not durable: what a power failure brings back is collected.
        """
        if not self._exists:
            return
        key = (component_id, worker_name)
        with self.database().reading() as connection:
            found = connection.execute(
                "SELECT 1 FROM effect WHERE component_id = ? AND worker_name = ? LIMIT 1", key
            ).fetchone()
        if found is not None:
            with self.database().transaction(durable=False) as connection:
                connection.execute(
                    "DELETE FROM effect WHERE component_id = ? AND worker_name = ?", key
                )

    def collect(self, *, dry_run: bool, is_worker: Callable[[str, str], bool]) -> tuple[int, int]:
        """
        Remove what a crash left of objects, and what is known of workers that are gone; give room
        back to the disk.

        Args:
            dry_run: Only count it.
            is_worker: Whether there is a worker, by component id and name.

        Returns:
            How many contents of objects, and their bytes.
        """
        if not self._exists:
            return 0, 0
        found = self.objects.contents.count_unused()
        if dry_run:
            return found
        with self.database().reading() as connection:
            workers = connection.execute("SELECT component_id, worker_name FROM effect").fetchall()
        for component_id, worker_name in workers:
            if not is_worker(component_id, worker_name):
                self.forget(component_id, worker_name)
        self.objects.contents.remove_all_unused()
        self._shrink()
        return found

    def _shrink(self) -> None:
        before = -1
        while True:
            with self.database().transaction(durable=False) as connection:
                (free,) = connection.execute("PRAGMA freelist_count").fetchone()
                if free in (0, before):
                    break
                before = free
                # One step for each row that is fetched.
                connection.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})").fetchall()
        with self.database().reading() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def held(self) -> Iterator[None]:
        """While nobody reads or writes."""
        # Not under our own lock, which is asked for in the middle of transactions.
        database = self._database
        with nullcontext() if database is None else database.held():
            yield

    def close(self) -> None:
        """For good: nobody writes to a directory that may have another owner by now."""
        with self._lock:
            self._is_closed = True
            if self._database is not None:
                self._database.close()
                self._database = None
