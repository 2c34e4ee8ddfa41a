"""
A computer that holds logs and a database, and can stop before or after any operation of a log.

When it stops, what is left of it is copied.  The process that ran on it goes on, on what nobody
looks at any more: a killed process cannot tell the difference either, and no code of the host has
to be left in the middle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from golem_host.storage.database import Database
from golem_oplog.blobs import BlobStore
from golem_oplog.entries import Create, Entry
from golem_oplog.log import SegmentedOplog
from golem_oplog.memory import MemoryOplog, MemoryOplogStore
from golem_oplog.protocol import SyncLevel
from golem_oplog.sequel import Sequel
from golem_oplog.store import OplogStore
from tests.support.faulty_files import ROOT, FaultyFiles
from tests.support.model.views import LogView

Log = MemoryOplog | SegmentedOplog
WORKERS: Final = ROOT / "workers"


@dataclass(frozen=True)
class Stop:
    """When and how the computer stops."""

    after: int
    """How many operations of logs it still does."""
    is_power: bool
    """Whether what was not synced may be lost; else only what was not handed over."""
    seed: int


class Machine:
    """
    Args:
        files: The disk; None for logs in memory.
        memory: The logs there were in memory.
        database: What was left of it.
        boot: Changes whenever the power was gone.
    """

    def __init__(
        self,
        files: FaultyFiles | None = None,
        memory: MemoryOplogStore | None = None,
        database: Database | None = None,
        boot: int = 0,
    ) -> None:
        self.database = database or Database(Path(":memory:"))
        self.boot = boot
        self.views: dict[str, LogView] = {}
        """Of open logs, by directory."""
        self._joined: dict[str, set[int]] = {}
        """Indexes of entries that no stop parts from the next, by directory."""
        self.remains: Machine | None = None
        """Set once it has stopped."""
        self.on_append: Callable[[str, Entry], None] = lambda _name, _entry: None
        self.on_fork: Callable[[str, int], None] = lambda _worker, _index: None
        self.on_stop: Callable[[], None] = lambda: None
        self._files = files
        self._stop: Stop | None = None
        self.store: OplogStore | MemoryOplogStore
        if files is None:
            self.store = memory or MemoryOplogStore()
        else:
            blobs = BlobStore(ROOT / "blobs", files, SyncLevel.POWER)
            self.store = OplogStore(WORKERS, files, SyncLevel.POWER, blobs)

    @classmethod
    def with_disk(cls, seed: int = 0) -> Machine:
        files = FaultyFiles(seed)
        for folder in (WORKERS, ROOT / "blobs"):
            files.make_dir(folder)
        files.sync_dir(ROOT)
        return cls(files)

    # -- the store that a host uses -------------------------------------------------------------

    def create(self, name: str, create: Create) -> Log:
        return self._watched(name, lambda: self.store.create(name, create))

    def open(self, name: str) -> Log:
        return self._watched(name, lambda: self.store.open(name))

    def fork(
        self, source: str, target: str, cut: int, create: Create, sequels: Sequence[Sequel] = ()
    ) -> Log:
        log = self._watched(target, lambda: self.store.fork(source, target, cut, create, sequels))
        self.on_fork(create.worker_name, log.last_index)
        return log

    def reader(self, name: str) -> Any:
        return self.store.reader(name)

    def created(self, name: str) -> Create:
        with self.reader(name) as reader:
            create = reader.entry(1)
        assert isinstance(create, Create)
        return create

    def list(self) -> Iterator[str]:
        return self.store.list()

    # -- stopping -------------------------------------------------------------------------------

    def stop_at(self, stop: Stop | None) -> None:
        self._stop, self._left = stop, 0 if stop is None else stop.after

    def stop_now(self) -> Machine:
        """What is left, if it has not stopped before."""
        if self.remains is None:
            assert self._stop is not None
            self.on_stop()
            self.remains = self._after(self._stop)
        return self.remains

    def _operate(self) -> None:
        if self._stop is None or self.remains is not None:
            return
        if self._left == 0:
            self.stop_now()
        self._left -= 1

    def _watched(self, name: str, make: Callable[[], Log]) -> Log:
        self._operate()
        log = make()
        self._operate()
        self.views[name] = LogView(log)
        append, append_call, commit = log.append, log.append_call, log.commit
        append_together = log.append_together

        def appending(entry: Entry) -> int:
            self._operate()
            index = append(entry)
            self._operate()
            if self.remains is None:
                self.on_append(name, entry)
            return index

        def appending_together(entries: Sequence[Entry]) -> int:
            self._operate()
            first = append_together(entries)
            self._joined.setdefault(name, set()).update(range(first, first + len(entries) - 1))
            self._operate()
            for entry in entries if self.remains is None else ():
                self.on_append(name, entry)
            return first

        def calling(*args: Any) -> int:
            self._operate()
            return append_call(*args)

        def committing() -> None:
            self._operate()
            commit()
            self._operate()

        changed: Any = log
        changed.append, changed.append_call, changed.commit = appending, calling, committing
        changed.append_together = appending_together
        return log

    def _after(self, stop: Stop) -> Machine:
        chance = Random(stop.seed)
        boot = self.boot + stop.is_power
        database = Database(Path(":memory:"))
        with self.database.reading() as connection:
            database._connection.deserialize(connection.serialize())
        if stop.is_power:
            with database.transaction() as connection:
                connection.execute("DELETE FROM unfinished")
        if isinstance(self.store, MemoryOplogStore):
            left = _left_in_memory(self.store, self._joined, chance)
            return Machine(None, left, database, boot)
        assert self._files is not None
        if stop.seed % 2:
            for view in self.views.values():
                if isinstance(view.log, SegmentedOplog) and not view.log._closed:
                    view.log.flush()

        def keep() -> bool:
            return not stop.is_power or chance.random() < 0.5

        return Machine(self._files.after_power_failure(keep), None, database, boot)


def _left_in_memory(
    store: MemoryOplogStore, joined: dict[str, set[int]], chance: Random
) -> MemoryOplogStore:
    """Everything that was committed, and some of what was not."""
    left = MemoryOplogStore(store._blobs)
    for name, log in store._logs.items():
        last = log.last_index
        kept = last if log.is_closed else chance.randint(log.committed_index, last)
        while kept in joined.get(name, ()):
            kept += 1
        create = log.entry(1)
        assert isinstance(create, Create)
        copy = left._logs[name] = log.copy(kept, create)
        copy.close()
    return left
