"""
The same logs without a disk: for tests, and for workers whose log need not outlive the process.

Entries are kept packed, as the files would have them, so that what is read back is what a file
would give back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Lock

from golem_oplog.blobs import Blobs, CountedBlobs, MemoryBlobs
from golem_oplog.closing import ClosesOnExit
from golem_oplog.codec import decode_entry, function_of, unpack_row
from golem_oplog.definitions import Definitions
from golem_oplog.entries import BlobRef, Create, Entry, ImportedFunctionInvoked, Payload
from golem_oplog.errors import (
    NoSuchEntryError,
    OplogExistsError,
    OplogInUseError,
    OplogNotFoundError,
    OplogPoisonedError,
)
from golem_oplog.log import pack, pack_together
from golem_oplog.sequel import Sequel, sequel_entries
from golem_oplog.types import FunctionType


class MemoryOplog(ClosesOnExit):
    """`Oplog` in memory.  It survives no crash, so that everything counts as committed at once."""

    def __init__(self, create: Create | None = None, blobs: Blobs | None = None) -> None:
        self._blobs: Blobs = MemoryBlobs() if blobs is None else blobs
        self.size_bytes = 0
        self._lock = Lock()
        self._definitions = Definitions()
        self._rows: list[bytes] = []
        self._committed_index = 0
        self.is_closed = False
        self.on_commit: Callable[[], None] | None = None
        if create is not None:
            self.append(create)
            self.commit()

    @property
    def last_index(self) -> int:
        return len(self._rows)

    @property
    def committed_index(self) -> int:
        return self._committed_index

    def append(self, entry: Entry) -> int:
        with self._lock:
            self._check_open()
            packed = pack(entry, CountedBlobs(self._blobs, self._grow))
            number = function_of(entry)
            if number is not None:
                self._definitions.use(number)
            self._rows.append(packed)
            self._grow(len(packed))
            return len(self._rows)

    def append_together(self, entries: Sequence[Entry]) -> int:
        with self._lock:
            self._check_open()
            packed = pack_together(entries, CountedBlobs(self._blobs, self._grow))
            numbers = [number for number in map(function_of, entries) if number is not None]
            for number in numbers:
                self._definitions.function(number)
            for number in numbers:
                self._definitions.use(number)
            first = len(self._rows) + 1
            self._rows += packed
            self._grow(sum(map(len, packed)))
            return first

    def _grow(self, bytes_more: int) -> None:
        self.size_bytes += bytes_more

    def append_call(
        self, timestamp: int, function: int, request: bytes, response: bytes, function_type: int
    ) -> int:
        return self.append(
            ImportedFunctionInvoked(timestamp, function, request, response, function_type)
        )

    def flush(self) -> None:
        self._check_open()

    def commit(self) -> None:
        with self._lock:
            self._check_open()
            self._committed_index = len(self._rows)
        if self.on_commit is not None:
            self.on_commit()

    def seal(self) -> None:
        self.commit()

    def define(self, function: FunctionType) -> int:
        with self._lock:
            return self._definitions.intern(function)

    def defined(self, function: FunctionType) -> int | None:
        with self._lock:
            return self._definitions.find(function)

    @property
    def definitions_bytes(self) -> int:
        return self._definitions.size_bytes

    def function(self, number: int) -> FunctionType:
        return self._definitions.function(number)

    def entry(self, index: int) -> Entry:
        if not 1 <= index <= self.last_index:
            raise NoSuchEntryError(index=index, last_index=self.last_index)
        return decode_entry(unpack_row(self._rows[index - 1]))

    def read(self, first: int = 1, last: int | None = None) -> Iterator[tuple[int, Entry]]:
        if first < 1:
            raise NoSuchEntryError(index=first, last_index=self.last_index)
        end = self.last_index if last is None else min(last, self.last_index)
        return ((index, self.entry(index)) for index in range(first, end + 1))

    def skim(self, first: int = 1, last: int | None = None) -> Iterator[tuple[int, Entry | int]]:
        return (
            (index, entry.timestamp if isinstance(entry, ImportedFunctionInvoked) else entry)
            for index, entry in self.read(first, last)
        )

    def load(self, payload: Payload) -> bytes:
        return self._blobs.get(payload) if isinstance(payload, BlobRef) else payload

    def close(self) -> None:
        if not self.is_closed:
            self.commit()
            self.is_closed = True

    def abandon(self) -> None:
        """Drop what was not committed, as if the process had been killed."""
        with self._lock:
            if not self.is_closed:
                del self._rows[self._committed_index :]
                self.is_closed = True

    def copy(self, cut: int, create: Create) -> MemoryOplog:
        """A log with the entries up to ``cut``, the first of them replaced."""
        log = MemoryOplog(create, self._blobs)
        with self._lock:
            log._rows += self._rows[1:cut]
            log._grow(sum(map(len, log._rows[1:])))
            log._definitions = self._definitions.copy()
        log.commit()
        return log

    def _check_open(self) -> None:
        if self.is_closed:
            raise OplogPoisonedError(path="<memory>", cause="it was closed")


class MemoryOplogReader(ClosesOnExit):
    """A `MemoryOplog` for whoever only reads it: closing this one leaves the log open."""

    def __init__(self, find: Callable[[], MemoryOplog]) -> None:
        """``find`` gives the log as it is now: another object once it was opened again."""
        self._find = find
        find()

    @property
    def last_index(self) -> int:
        return self._find().last_index

    def function(self, number: int) -> FunctionType:
        return self._find().function(number)

    def entry(self, index: int) -> Entry:
        return self._find().entry(index)

    def read(self, first: int = 1, last: int | None = None) -> Iterator[tuple[int, Entry]]:
        return self._find().read(first, last)

    def skim(self, first: int = 1, last: int | None = None) -> Iterator[tuple[int, Entry | int]]:
        return self._find().skim(first, last)

    def load(self, payload: Payload) -> bytes:
        return self._find().load(payload)

    def close(self) -> None:
        pass


class MemoryOplogStore:
    """`Store` without a disk.  A log that was closed can be opened again, as on disk."""

    def __init__(self, blobs: Blobs | None = None) -> None:
        self._blobs: Blobs = MemoryBlobs() if blobs is None else blobs
        self._lock = Lock()
        self._logs: dict[str, MemoryOplog] = {}

    def create(self, directory_name: str, create: Create) -> MemoryOplog:
        with self._lock:
            if directory_name in self._logs:
                raise OplogExistsError(path=directory_name)
            log = self._logs[directory_name] = MemoryOplog(create, self._blobs)
            return log

    def open(self, directory_name: str) -> MemoryOplog:
        with self._lock:
            log = self._found(directory_name)
            if not log.is_closed:
                raise OplogInUseError(path=directory_name)
            create = log.entry(1)
            assert isinstance(create, Create)
            log = self._logs[directory_name] = log.copy(log.last_index, create)
            return log

    def reader(self, directory_name: str) -> MemoryOplogReader:
        return MemoryOplogReader(lambda: self._found(directory_name))

    def fork(
        self, source: str, target: str, cut: int, create: Create, sequels: Sequence[Sequel] = ()
    ) -> MemoryOplog:
        with self._lock:
            log = self._found(source)
            if target in self._logs:
                raise OplogExistsError(path=target)
            if not 1 <= cut <= log.last_index:
                raise NoSuchEntryError(index=cut, last_index=log.last_index)
            fork = self._logs[target] = log.copy(cut, create)
            for entry in sequel_entries(sequels, fork.define):
                fork.append(entry)
            fork.commit()
            return fork

    def delete(self, directory_name: str) -> None:
        with self._lock:
            if not self._found(directory_name).is_closed:
                raise OplogInUseError(path=directory_name)
            del self._logs[directory_name]

    def list(self) -> Iterator[str]:
        with self._lock:
            return iter(sorted(self._logs, key=lambda name: name.split("/")))

    def _found(self, directory_name: str) -> MemoryOplog:
        log = self._logs.get(directory_name)
        if log is None:
            raise OplogNotFoundError(path=directory_name)
        return log
