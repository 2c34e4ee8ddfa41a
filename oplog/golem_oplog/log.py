"""
A worker's log on disk, open for writing.

Entries are packed and buffered by `append`, written as chunks when the buffer is full or on
`flush`, and synced by `commit`.  Who waits for a sync while one runs shares the next one: the first
of them writes the buffer, syncs for all, and wakes the others.

Two locks would not do better than one: `_lock` guards every field below and is held for writes,
which go to the page cache, but never during the sync of a commit.  Sealing a segment does sync
under it; a log of a gigabyte has seventy segments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from threading import Condition, Lock
from typing import Final, NoReturn, TypeVar

from golem_oplog.blobs import Blobs, CountedBlobs
from golem_oplog.closing import ClosesOnExit
from golem_oplog.codec import (
    PAYLOAD_FIELDS,
    decode_entries,
    encode_call,
    encode_entry,
    function_of,
    skim_entries,
    unpack_row,
)
from golem_oplog.definitions import Definitions, ignore_definitions
from golem_oplog.entries import BlobRef, Create, Entry, ImportedFunctionInvoked, Payload
from golem_oplog.errors import (
    EntryTooLargeError,
    NoSuchEntryError,
    OplogPoisonedError,
    OplogWriteError,
)
from golem_oplog.frame import BODY_SIZE_BYTES_MAX, ENTRIES_MAX, build_chunk, checksum_seed
from golem_oplog.manifest import Manifest, save_manifest
from golem_oplog.protocol import (
    BUFFER_ENTRIES_MAX,
    BUFFER_SIZE_BYTES_MAX,
    PAYLOAD_INLINE_BYTES_MAX,
    TOGETHER_ENTRIES_MAX,
    SyncLevel,
)
from golem_oplog.reading import Decode, read_batches
from golem_oplog.recovery import Place, Recovery, Tail
from golem_oplog.segment import SegmentWriter, build_segment_header, segment_size_bytes
from golem_oplog.types import FunctionType

# An entry shares its chunk with up to a buffer of others and with definitions.
ENTRY_SIZE_BYTES_MAX = BODY_SIZE_BYTES_MAX // 2
SEALED_BYTES_MIN: Final = 256 << 10
"""A fork copies less than this in milliseconds; sealing would only make segments small."""
_DEFINITIONS_PER_CHUNK = 256

assert BUFFER_ENTRIES_MAX <= ENTRIES_MAX
assert ENTRY_SIZE_BYTES_MAX + BUFFER_SIZE_BYTES_MAX < BODY_SIZE_BYTES_MAX

E = TypeVar("E")


def move_payloads_out(entry: Entry, blobs: Blobs) -> Entry:
    """The same entry with each large payload in the blob store."""
    fields: list[object] = list(entry)
    for position in PAYLOAD_FIELDS.get(type(entry), ()):
        payload = fields[position]
        if isinstance(payload, bytes) and len(payload) > PAYLOAD_INLINE_BYTES_MAX:
            fields[position] = blobs.put(payload)
    moved: Entry = type(entry)._make(fields)
    return moved


def pack(entry: Entry, blobs: Blobs) -> bytes:
    """
    Pack an entry for a log whose large payloads lie in ``blobs``.

    Raises:
        MalformedEntryError, EntryTooLargeError: The entry is refused.
    """
    packed = encode_entry(entry)
    if len(packed) > PAYLOAD_INLINE_BYTES_MAX:
        packed = encode_entry(move_payloads_out(entry, blobs))
        if len(packed) > ENTRY_SIZE_BYTES_MAX:
            raise EntryTooLargeError(
                kind=type(entry).__name__,
                size_bytes=len(packed),
                size_bytes_max=ENTRY_SIZE_BYTES_MAX,
            )
    return packed


def pack_together(entries: Sequence[Entry], blobs: Blobs) -> list[bytes]:
    """As `pack`, for entries that share a chunk."""
    packed = [pack(entry, blobs) for entry in entries]
    size_bytes = sum(map(len, packed))
    if size_bytes > ENTRY_SIZE_BYTES_MAX:
        raise EntryTooLargeError(
            kind=type(entries[0]).__name__,
            size_bytes=size_bytes,
            size_bytes_max=ENTRY_SIZE_BYTES_MAX,
        )
    return packed


class SegmentedOplog(ClosesOnExit):
    """`Oplog` in segment files.  Made by `OplogStore`, which sees to it that there is one writer."""

    def __init__(self, place: Place, tail: Tail, on_close: Callable[[], None]) -> None:
        self.recovery: Recovery = tail.recovery
        """What opening it found behind the last entry."""
        self._place = place
        self._on_close = on_close
        self._lock = Lock()
        self._synced = Condition(self._lock)
        self._manifest = tail.manifest
        self._seed = checksum_seed(tail.manifest.lineage)
        self._writer = tail.writer
        self._definitions = tail.definitions
        sealed = tail.manifest.segments[:-1]
        self.size_bytes = tail.writer.offset + sum(segment_size_bytes(s.number) for s in sealed)
        self._blobs = CountedBlobs(place.blobs, self._grow)
        self._buffer: list[bytes] = []
        self._buffer_size_bytes = 0
        self._new_definitions: list[bytes] = []
        """Those that the buffered entries are the first to use."""
        self._written_index = tail.last_index
        """Handed to the operating system up to here."""
        self._durable_index = tail.durable_index
        self._noted_index = tail.noted_index
        """The durable index that the file itself knows of."""
        self._sync_running = False
        self._failure = ""
        self._closed = False
        self.on_commit: Callable[[], None] | None = None

    @property
    def last_index(self) -> int:
        with self._lock:
            return self._written_index + len(self._buffer)

    @property
    def committed_index(self) -> int:
        with self._lock:
            if self._place.sync_level is SyncLevel.POWER:
                return self._durable_index
            return self._written_index

    def append(self, entry: Entry) -> int:
        with self._lock:
            if self._failure or self._closed:
                self._refuse()
            # Packed under the lock, blobs included: a sweep that reads this log through `read`
            # finds the reference of every blob that was stored before.
            packed = pack(entry, self._blobs)
            number = function_of(entry)
            if number is not None and not self._definitions.is_written(number):
                self._use(number)
            return self._add(packed)

    def append_together(self, entries: Sequence[Entry]) -> int:
        assert 1 <= len(entries) <= TOGETHER_ENTRIES_MAX
        with self._lock:
            if self._failure or self._closed:
                self._refuse()
            packed = pack_together(entries, self._blobs)
            numbers = [number for number in map(function_of, entries) if number is not None]
            for number in numbers:
                self._definitions.function(number)
            while self._buffer and len(self._buffer) + len(packed) > ENTRIES_MAX:
                self._write_buffer()
            # From here on they are among the first that the next chunk takes.
            for number in numbers:
                if not self._definitions.is_written(number):
                    self._use(number)
            first = self._written_index + len(self._buffer) + 1
            self._buffer += packed[:-1]
            self._buffer_size_bytes += sum(map(len, packed[:-1]))
            self._add(packed[-1])
            return first

    def append_call(
        self, timestamp: int, function: int, request: bytes, response: bytes, function_type: int
    ) -> int:
        packed = encode_call(timestamp, function, request, response, function_type)
        if len(packed) > PAYLOAD_INLINE_BYTES_MAX:
            return self.append(
                ImportedFunctionInvoked(timestamp, function, request, response, function_type)
            )
        with self._lock:
            if self._failure or self._closed:
                self._refuse()
            if not self._definitions.is_written(function):
                self._use(function)
            return self._add(packed)

    def _grow(self, bytes_more: int) -> None:
        """Called with the lock."""
        self.size_bytes += bytes_more

    def _use(self, function: int) -> None:
        definition = self._definitions.use(function)
        self._new_definitions.append(definition)
        self._buffer_size_bytes += len(definition)

    def _add(self, packed: bytes) -> int:
        """Put a packed entry into the buffer.  Called with the lock."""
        buffer = self._buffer
        self._buffer_size_bytes += len(packed)
        buffer.append(packed)
        index = self._written_index + len(buffer)
        if len(buffer) >= BUFFER_ENTRIES_MAX or self._buffer_size_bytes >= BUFFER_SIZE_BYTES_MAX:
            self._write_buffer()
        return index

    def flush(self) -> None:
        with self._lock:
            if self._failure or self._closed:
                self._refuse()
            self._write_buffer()

    def commit(self) -> None:
        with self._lock:
            self._commit()
        if self.on_commit is not None:
            self.on_commit()

    def _commit(self) -> None:
        """Called with the lock."""
        if self._failure or self._closed:
            self._refuse()
        self._write_buffer()
        if self._place.sync_level is SyncLevel.PROCESS:
            return
        target = self._written_index
        while self._durable_index < target:
            if self._failure:
                self._refuse()
            if self._sync_running:
                self._synced.wait()
            else:
                self._sync()

    def seal(self) -> None:
        """As `commit`; a large open segment is sealed, so that a fork can share it."""
        self.commit()
        with self._lock:
            while self._sync_running:
                self._synced.wait()
            if self._failure or self._closed:
                self._refuse()
            if self._writer.offset < SEALED_BYTES_MIN:
                return
            self._failure = "an interrupted write"
            try:
                self._rotate(0)
            except OSError as error:
                self._failure = f"a failed write ({error})"
                raise OplogWriteError(path=str(self._place.directory), cause=str(error)) from error
            self._failure = ""

    def _sync(self) -> None:
        """Sync for everyone.  Called with the lock, which is free while the disk works."""
        # What was appended while the last sync ran goes along.
        self._write_buffer()
        upto = self._written_index
        writer = self._writer
        self._sync_running = True
        self._lock.release()
        failure = "an interrupted sync"
        try:
            writer.file.sync()
            failure = ""
        except OSError as error:
            failure = f"a failed sync ({error})"
        finally:
            self._lock.acquire()
            self._sync_running = False
            self._failure = self._failure or failure
            if not failure:
                self._durable_index = max(self._durable_index, upto)
            self._synced.notify_all()
        if failure:
            self._refuse()

    def _write_buffer(self) -> None:
        """Hand the buffer to the operating system.  Called with the lock."""
        while self._buffer:
            # More than one chunk is there if others appended while this thread waited below.
            entries = self._buffer[:ENTRIES_MAX]
            chunk = self._chunk(entries)
            has_room = self._writer.has_room(len(chunk))
            if not has_room and self._sync_running:
                # A sync reports an error once: that of the seal must not miss what this one saw.
                self._synced.wait()
                if self._failure:
                    self._refuse()
                continue
            # Poisoned until it has succeeded: whatever is raised on the way, by the disk or by a
            # signal handler, nobody can say any more where the next chunk belongs.
            self._failure = "an interrupted write"
            try:
                if not has_room:
                    self._rotate(len(chunk))
                    chunk = self._chunk(entries)
                self._writer.write(chunk)
            except OSError as error:
                self._failure = f"a failed write ({error})"
                raise OplogWriteError(path=str(self._place.directory), cause=str(error)) from error
            self._written_index += len(entries)
            self.size_bytes += len(chunk)
            self._buffer = self._buffer[ENTRIES_MAX:]
            self._buffer_size_bytes = 0
            self._new_definitions = []
            self._failure = ""

    def _chunk(self, entries: list[bytes]) -> bytes:
        self._noted_index = self._durable_index
        return build_chunk(
            self._seed, self._written_index + 1, self._durable_index, entries, self._new_definitions
        )

    def _rotate(self, needed_bytes: int) -> None:
        """Seal the open segment and start the next; durable on return."""
        self._writer.seal()
        self._writer.file.close()
        self._durable_index = self._written_index
        manifest = self._manifest.with_next_segment(self._written_index)
        # These include what the next chunk's entries are the first to use.
        self._writer = new_segment(self._place, manifest, self._definitions, needed_bytes)
        self._new_definitions = []
        publish(self._place, self._writer, manifest)
        self._manifest = manifest

    def _refuse(self) -> NoReturn:
        cause = self._failure or "it was closed"
        raise OplogPoisonedError(path=str(self._place.directory), cause=cause)

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
        for _, entry in self.read(index, index):
            return entry
        raise NoSuchEntryError(index=index, last_index=self.last_index)

    def read(self, first: int = 1, last: int | None = None) -> Iterator[tuple[int, Entry]]:
        return self._read(first, last, decode_entries)

    def skim(self, first: int = 1, last: int | None = None) -> Iterator[tuple[int, Entry | int]]:
        return self._read(first, last, skim_entries)

    def _read(
        self, first: int, last: int | None, decode: Decode[E]
    ) -> Iterator[tuple[int, E | Create]]:
        with self._lock:
            written, manifest, buffer = self._written_index, self._manifest, tuple(self._buffer)
        end = written + len(buffer)
        if first < 1:
            raise NoSuchEntryError(index=first, last_index=end)
        last = end if last is None else min(last, end)
        stored = range(first, min(last, written) + 1)
        buffered = range(max(first, written + 1), last + 1)
        batches = read_batches(self._place.stored(manifest), stored, ignore_definitions, decode)
        on_disk = chain.from_iterable(batches)
        if not buffered:
            # One layer less for each of what may be millions of entries.
            return on_disk
        unpacked = ((i, decode([unpack_row(buffer[i - written - 1])])[0]) for i in buffered)
        return chain(on_disk, unpacked)

    def load(self, payload: Payload) -> bytes:
        return self._place.blobs.get(payload) if isinstance(payload, BlobRef) else payload

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            usable = not self._failure
        try:
            if usable:
                self.commit()
                self._note()
        finally:
            self.abandon()

    def _note(self) -> None:
        """
        Write down how much is durable, so that damage to the last entries shows as such.

        Not synced, and not missed if it is lost.
        """
        with self._lock, suppress(OSError):
            if self._noted_index < self._durable_index == self._written_index:
                note = self._chunk([])
                if self._writer.has_room(len(note)):
                    self._writer.write(note)

    def abandon(self) -> None:
        """Let go of the files and write nothing more, as if the process had been killed."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._writer.file.close()
        self._on_close()


def new_segment(
    place: Place, manifest: Manifest, definitions: Definitions, needed_bytes: int
) -> SegmentWriter:
    """Create the manifest's open segment, with the definitions so far; nothing is synced."""
    segment = manifest.open_segment
    seed = checksum_seed(segment.lineage)
    packed = definitions.packed()
    chunks = [
        build_chunk(seed, segment.first_index, segment.first_index - 1, (), batch)
        for start in range(0, len(packed), _DEFINITIONS_PER_CHUNK)
        if (batch := packed[start : start + _DEFINITIONS_PER_CHUNK])
    ]
    header = build_segment_header(segment.lineage, segment.first_index)
    head = b"".join((header, *chunks))
    size_bytes = max(segment_size_bytes(segment.number), len(head) + needed_bytes)
    file = place.files.create(place.segment_path(segment.number))
    writer = SegmentWriter(file, 0, size_bytes, zeros_to=0)
    writer.write(head)
    return writer


def publish(place: Place, writer: SegmentWriter, manifest: Manifest) -> None:
    """
    Make a new segment a part of the log; durable on return.

    In this order, for a manifest must never list a segment that is not there.
    """
    writer.file.sync()
    place.files.sync_dir(place.directory)
    save_manifest(place.files, place.directory, manifest)
