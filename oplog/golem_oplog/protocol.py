"""What every log offers, whether on disk or in memory, and what its writers are promised."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from types import TracebackType
from typing import Final, Protocol, Self

from golem_oplog.entries import Create, Entry, Payload
from golem_oplog.sequel import Sequel
from golem_oplog.types import FunctionType

PAYLOAD_INLINE_BYTES_MAX: Final = 64 << 10
"""A payload above this lies in the blob store, and its entry refers to it."""

BUFFER_ENTRIES_MAX: Final = 128
TOGETHER_ENTRIES_MAX: Final = BUFFER_ENTRIES_MAX
"""How many entries `Oplog.append_together` takes: what a chunk holds."""
BUFFER_SIZE_BYTES_MAX: Final = 256 << 10


class SyncLevel(Enum):
    """Which crash a committed entry survives."""

    PROCESS = "process"
    """
    The end of this process, by whatever signal: on commit the operating system has the bytes.
    After a power failure the log may have lost any number of its last entries.
    """

    POWER = "power"
    """The machine losing power as well: on commit the disk has the bytes."""


class ReadableOplog(Protocol):
    """One worker's log, as it can be read.  Any method may be called from any thread."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the log, whatever happened."""
        ...

    @property
    def last_index(self) -> int:
        """Index of the last entry, committed or not."""
        ...

    def function(self, number: int) -> FunctionType:
        """
        The function behind an id.

        Raises:
            UnknownFunctionError: The log does not define it.
        """
        ...

    def entry(self, index: int) -> Entry:
        """
        One entry.

        Raises:
            NoSuchEntryError: The log does not reach so far, or the index is 0.
        """
        ...

    def read(self, first: int = 1, last: int | None = None) -> Iterator[tuple[int, Entry]]:
        """
        Entries in order with their indexes, up to ``last`` or the last one at the time of the call.

        Entries that are still in a writer's own buffer are there too.  Memory is bounded by one
        chunk.

        Raises:
            CorruptOplogError: While iterating, at the first entry that cannot be read.
        """
        ...

    def skim(self, first: int = 1, last: int | None = None) -> Iterator[tuple[int, Entry | int]]:
        """As `read`, but host calls come as their times only: quicker where that is enough."""
        ...

    def load(self, payload: Payload) -> bytes:
        """
        The bytes of a payload, wherever they lie.

        Raises:
            MissingBlobError: The blob store does not have them.
        """
        ...

    def close(self) -> None:
        """Let go of the files, a writer after a commit.  A second call does nothing."""
        ...


class Oplog(ReadableOplog, Protocol):
    """One worker's log, open for writing."""

    size_bytes: int
    """
    About how much room the log takes: its segments, without what is still buffered, and the blobs
    that were stored since it was opened.  A plain attribute, for whoever looks at every call.
    """

    on_commit: Callable[[], None] | None
    """Called after each `commit`, in its thread; it must be quick and must not raise."""

    @property
    def committed_index(self) -> int:
        """Index of the last entry that survives what the sync level promises."""
        ...

    def append(self, entry: Entry) -> int:
        """
        Append one entry and return its index.

        On return it may be in this process's memory only: `commit` before telling anyone outside.
        Payloads above 64 KiB are moved to the blob store.

        Raises:
            MalformedEntryError, EntryTooLargeError, UnknownFunctionError: The entry is refused, and
                the log is as it was.
            OplogWriteError: The disk refused; the log is poisoned.
            OplogPoisonedError: A write or sync failed earlier.  Close the log and open it again.
        """
        ...

    def append_together(self, entries: Sequence[Entry]) -> int:
        """
        Append entries that mean something together only; returns the index of the first.

        As `append`, but a crash leaves all of them or none.  They are 1 to
        `TOGETHER_ENTRIES_MAX`, and together at most as large as one entry may be.
        """
        ...

    def append_call(
        self, timestamp: int, function: int, request: bytes, response: bytes, function_type: int
    ) -> int:
        """
        Append an `ImportedFunctionInvoked` that is neither batched nor failed; otherwise `append`.

        The quick way for what logs are full of.  Types and ranges are the caller's duty: nothing
        is checked here, and an entry with a wrong one cannot be read back.

        Args:
            timestamp: Unix nanoseconds, an unsigned 64-bit integer and no float.
            function: What `define` returned; an unknown one is refused as by `append`.
            request: Packed arguments, ``bytes``.
            response: Packed result, ``bytes`` and never None.
            function_type: The value of a `FunctionKind` other than the batched ones.
        """
        ...

    def flush(self) -> None:
        """Hand all entries to the operating system, without waiting for the disk."""
        ...

    def commit(self) -> None:
        """
        Return when everything appended before the call survives what the sync level promises.

        Callers that arrive while a sync runs share the next one.

        Raises:
            OplogPoisonedError: The sync failed, now or earlier: entries that are not committed may
                be lost, even though they can still be read.
        """
        ...

    def seal(self) -> None:
        """As `commit`, and make ready to be forked: what is large will be shared, not copied."""
        ...

    def define(self, function: FunctionType) -> int:
        """The id by which entries of this log refer to a function; the same for an equal one."""
        ...

    def defined(self, function: FunctionType) -> int | None:
        """What `define` would return, if the function is defined already."""
        ...

    @property
    def definitions_bytes(self) -> int:
        """What the functions defined so far take; they are in memory, and in every segment."""
        ...

    def abandon(self) -> None:
        """Let go of the files and write nothing more, as if the process had been killed."""
        ...


class Store(Protocol):
    """Logs by name, such as ``cart/alice-1234``: at most one writer of each, any number of readers."""

    def create(self, directory_name: str, create: Create) -> Oplog:
        """
        Begin a log with its first entry, durable on return.

        Raises:
            OplogExistsError: There is one of this name.
        """
        ...

    def open(self, directory_name: str) -> Oplog:
        """
        Open a log for writing, after a crash or not.

        Raises:
            OplogNotFoundError: There is none of this name.
            OplogInUseError: It is open for writing already.
            CorruptOplogError: Its end is damaged.  A reader gets at what is before the damage.
        """
        ...

    def reader(self, directory_name: str) -> ReadableOplog:
        """
        Open a log for reading, whether or not it has a writer.

        Raises:
            OplogNotFoundError: There is none of this name.
        """
        ...

    def fork(
        self, source: str, target: str, cut: int, create: Create, sequels: Sequence[Sequel] = ()
    ) -> Oplog:
        """
        A new log with the source's entries up to ``cut``, under a first entry of its own, and then
        the ``sequels``.

        Copied is what the source has flushed; it may be open for writing meanwhile.

        Raises:
            NoSuchEntryError: The source does not reach up to ``cut``.
            OplogExistsError: There is a log of the target's name.
        """
        ...

    def delete(self, directory_name: str) -> None:
        """
        Delete a log; forks of it and blobs stay.

        Raises:
            OplogNotFoundError: There is none of this name.
            OplogInUseError: It is open for writing.
        """
        ...

    def list(self) -> Iterator[str]:
        """Names of all logs, sorted."""
        ...
