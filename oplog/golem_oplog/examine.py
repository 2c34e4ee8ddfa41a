"""
Examining a log as a whole: is it intact, what can be rescued, what is in it.

All of it reads only.  `salvage` writes the readable part to a new log and never edits the old one.
"""

from __future__ import annotations

from collections import Counter

from golem_oplog.codec import PAYLOAD_FIELDS, decode_entries, function_of
from golem_oplog.entries import (
    KIND_BY_CLASS,
    BlobRef,
    Create,
    Entry,
    ExportedFunctionInvoked,
    ImportedFunctionInvoked,
    PendingWorkerInvocation,
)
from golem_oplog.errors import (
    CorruptOplogError,
    MissingBlobError,
    OplogError,
    OplogMismatchError,
    UnknownFunctionError,
)
from golem_oplog.files import File
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.manifest import SegmentInfo
from golem_oplog.protocol import Oplog, ReadableOplog, Store
from golem_oplog.reader import OplogReader
from golem_oplog.reading import Stored, decode_chunk, open_segment
from golem_oplog.segment import ChunkScanner, find_chunks


@dataclass(frozen=True, slots=True)
class Damage:
    """One place that should hold entries and does not."""

    path: str
    offset_bytes: int
    reason: str
    first_index: int
    """The first entry that is lost here."""
    last_index: int
    """The last one, as far as that can be told; smaller than the first if none is."""


@dataclass(frozen=True, slots=True)
class SegmentReport:
    path: str
    first_index: int
    last_index: int
    """The last entry of it that belongs to this log; one less than the first if none does."""
    size_bytes: int
    is_sealed: bool


@dataclass(frozen=True, slots=True)
class CheckReport:
    segments: tuple[SegmentReport, ...]
    readable_to: int
    """Entries up to this index are intact."""
    damage: tuple[Damage, ...]
    torn_bytes: int
    """What a crash left behind the last entry; no damage, and dropped when the log is opened."""
    missing_blobs: tuple[tuple[int, str], ...]
    """Index of an entry, and what is wrong with a payload it refers to."""

    @property
    def is_intact(self) -> bool:
        return not self.damage and not self.missing_blobs


def check(log: OplogReader) -> CheckReport:
    """
    Read every byte of a log, blobs included where they are at hand, and go on behind damage.

    Raises:
        UnsupportedFormatError: A newer version has written to the log.
        OplogReadError: The disk cannot give back what it holds.
    """
    tail = log.look_again()
    walks = [_Walk(log, segment, tail.next_index - 1) for segment in log.stored.segments]
    for walk in walks:
        walk.run()
    damage = tuple(place for walk in walks for place in walk.damage)
    return CheckReport(
        segments=tuple(walk.report() for walk in walks),
        readable_to=min([tail.next_index - 1, *(place.first_index - 1 for place in damage)]),
        damage=damage,
        torn_bytes=0 if tail.damage else tail.recovery.dropped_bytes,
        missing_blobs=tuple(blob for walk in walks for blob in walk.missing_blobs),
    )


class _Walk:
    """One segment, read from end to end."""

    def __init__(self, log: OplogReader, segment: SegmentInfo, last_index: int) -> None:
        self.damage: list[Damage] = []
        self.missing_blobs: list[tuple[int, str]] = []
        self._log = log
        self._stored = log.stored
        self._segment = segment
        self._path = self._stored.path_of(segment.number)
        self._last_index = last_index if segment.last_index is None else segment.last_index
        self._size_bytes = 0

    def report(self) -> SegmentReport:
        return SegmentReport(
            path=str(self._path),
            first_index=self._segment.first_index,
            last_index=self._last_index,
            size_bytes=self._size_bytes,
            is_sealed=self._segment.last_index is not None,
        )

    def run(self) -> None:
        segment = self._segment
        try:
            with open_segment(self._stored, segment) as file:
                self._size_bytes = file.size()
                first = ChunkScanner(file, segment.lineage, segment.first_index)
                scanner: ChunkScanner | None = first
                while scanner is not None:
                    self._read_chunks(scanner)
                    scanner = self._behind_hole(scanner, file)
        except (CorruptOplogError, OplogMismatchError) as error:
            # The header or the file itself: nothing in it can be trusted.
            self._add_damage(0, str(error), segment.first_index, self._last_index)

    def _read_chunks(self, scanner: ChunkScanner) -> None:
        while scanner.next_index <= self._last_index or self._segment.last_index is None:
            chunk = scanner.step()
            if chunk is None:
                return
            header = chunk.header
            try:
                entries = decode_chunk(chunk, self._path, self._log.learn, decode_entries)
            except CorruptOplogError as error:
                last = header.next_index - 1
                self._add_damage(chunk.offset, error.reason, header.first_index, last)
                continue
            for index, entry in enumerate(entries, header.first_index):
                self._check_entry(chunk.offset, index, entry)

    def _check_entry(self, offset: int, index: int, entry: Entry) -> None:
        function = function_of(entry)
        if function is not None:
            try:
                self._log.function(function)
            except OplogError as error:
                self._add_damage(offset, str(error), index, index)
        for ref in blob_refs(entry) if self._log.has_blobs else ():
            try:
                self._log.load(ref)
            except MissingBlobError as error:
                self.missing_blobs.append((index, str(error)))

    def _behind_hole(self, scanner: ChunkScanner, file: File) -> ChunkScanner | None:
        """Where to go on after a place without a valid chunk; None if that is the end."""
        lineage, index = self._segment.lineage, scanner.next_index
        behind = find_chunks(file, lineage, scanner.offset, index)
        promises = [chunk.header.promise for chunk in behind]
        sealed = self._segment.last_index
        promise = max([self._stored.promise, *promises]) if sealed is None else sealed
        if promise < index:
            return None
        first_behind = behind[0].header.first_index if behind else promise + 1
        self._add_damage(scanner.offset, scanner.problem, index, first_behind - 1)
        if not behind:
            return None
        return ChunkScanner(file, lineage, first_behind, behind[0].offset)

    def _add_damage(self, offset: int, reason: str, first: int, last: int) -> None:
        self.damage.append(Damage(str(self._path), offset, reason, first, last))


def blob_refs(entry: Entry) -> list[BlobRef]:
    """The blobs that an entry refers to."""
    fields: tuple[object, ...] = entry
    positions = PAYLOAD_FIELDS.get(type(entry), ())
    return [ref for position in positions if isinstance(ref := fields[position], BlobRef)]


def reachable_blobs(log: ReadableOplog) -> set[bytes]:
    """Hashes of all blobs that a log refers to, for `BlobStore.finish_sweep`."""
    return {ref.sha256 for _, entry in log.read() for ref in blob_refs(entry)}


def salvage(log: ReadableOplog, store: Store, directory_name: str) -> int:
    """
    Write the readable part of a log, from its first entry to the first damage, to a new one.

    Returns the index of the last entry saved.  Blobs stay where they are.

    Raises:
        CorruptOplogError: Not even the first entry can be read.
        OplogExistsError: There is a log of the new name.
    """
    entries = log.read()
    _, create = next(entries)
    if not isinstance(create, Create):
        raise OplogMismatchError(path=directory_name, reason="the log does not begin with create")
    with store.create(directory_name, create) as saved:
        try:
            for _, entry in entries:
                saved.append(_with_own_function(entry, log, saved))
        except (CorruptOplogError, UnknownFunctionError):
            pass  # Here ends what can be saved; the caller knows, or would not be here.
        return saved.last_index


def _with_own_function(entry: Entry, log: ReadableOplog, saved: Oplog) -> Entry:
    """The entry as the new log has it, with its own number for the function."""
    match entry:
        case (
            ImportedFunctionInvoked(function=int(number))
            | ExportedFunctionInvoked(function=int(number))
            | PendingWorkerInvocation(function=int(number))
        ):
            return entry._replace(function=saved.define(log.function(number)))
    return entry


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is in a log."""

    first_index: int
    last_index: int
    first_timestamp: int
    last_timestamp: int
    """Unix nanoseconds; 0 in an empty segment."""
    kinds: tuple[tuple[str, int], ...]
    """How many entries of each kind there are, the most frequent first."""
    functions: tuple[tuple[str, int], ...]
    """How often each host function was recorded, the most frequent first."""
    size_bytes: int
    """Of the segment files."""
    blobs_size_bytes: int
    """Of the large payloads, each counted once."""


def statistics(log: OplogReader) -> Statistics:
    """Count what is in a log; what `ReadableOplog.read` raises."""
    kinds: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    blobs: dict[bytes, int] = {}
    first_index, last_index, first_timestamp, last_timestamp = log.first_index, 0, 0, 0
    for index, entry in log.read():
        kinds[KIND_BY_CLASS[type(entry)].name] += 1
        if isinstance(entry, ImportedFunctionInvoked):
            functions[log.function(entry.function).name] += 1
        blobs.update((ref.sha256, ref.size_bytes) for ref in blob_refs(entry))
        first_timestamp = first_timestamp or entry.timestamp
        last_index, last_timestamp = index, entry.timestamp
    return Statistics(
        first_index,
        last_index,
        first_timestamp,
        last_timestamp,
        tuple(kinds.most_common()),
        tuple(functions.most_common()),
        sum(_size_bytes(log.stored, segment) for segment in log.stored.segments),
        sum(blobs.values()),
    )


def _size_bytes(stored: Stored, segment: SegmentInfo) -> int:
    with open_segment(stored, segment) as file:
        return file.size()
