"""
What the end of a log looks like after a crash, and making it writable again.

The cases, at the first place of the open segment where no valid chunk lies, index *k* missing:

=========================================  ====================================================
what follows                               meaning
=========================================  ====================================================
nothing valid                              the end, or a torn tail: the last write was cut short
valid chunks, none promises *k*            a torn tail: the disk kept a later write, not this one
a valid chunk that promises *k* or more    corruption: *k* was durable once
=========================================  ====================================================

Only `open_tail` truncates, only a torn tail, and it reports what it dropped.  In a sealed segment
every hole is corruption, for it was synced before it was sealed.
"""

from __future__ import annotations

from pathlib import Path

from golem_oplog.blobs import Blobs
from golem_oplog.codec import decode_entries
from golem_oplog.definitions import Definitions
from golem_oplog.errors import CorruptOplogError, OplogWriteError
from golem_oplog.files import TEMPORARY_SUFFIX, File, Files
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.manifest import Manifest, SegmentInfo, load_manifest, save_manifest
from golem_oplog.protocol import SyncLevel
from golem_oplog.reading import Learn, Stored, check_segment, decode_chunk, missing_segment
from golem_oplog.segment import (
    READ_SIZE_BYTES,
    SEGMENT_SUFFIX,
    ChunkScanner,
    SegmentWriter,
    find_chunks,
    segment_name,
    segment_size_bytes,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a log lies, and how it is written there."""

    files: Files
    directory: Path
    sync_level: SyncLevel
    blobs: Blobs

    def segment_path(self, number: int) -> Path:
        return self.directory / segment_name(number)

    def stored(self, manifest: Manifest) -> Stored:
        return Stored(
            self.files, self.segment_path, manifest.segments, manifest.promise, manifest.create
        )


@dataclass(frozen=True, slots=True)
class Recovery:
    """What opening a log found behind its last readable entry."""

    dropped_bytes: int = 0
    """From the first to the last byte of the torn tail; 0 where there was none."""
    dropped_entries: int = 0
    """Entries in the torn tail that were whole, but behind a hole: nobody was told of them."""


@dataclass(slots=True)
class Tail:
    """The end of a log that is open for writing."""

    manifest: Manifest
    writer: SegmentWriter
    definitions: Definitions
    last_index: int
    durable_index: int
    recovery: Recovery
    noted_index: int = 0
    """The greatest promise in the open segment."""


@dataclass(frozen=True, slots=True)
class TailScan:
    """The open segment, looked through to its end."""

    end_offset: int
    next_index: int
    promise: int
    """The greatest promise of a chunk; the manifest's own is not counted."""
    recovery: Recovery
    damage: CorruptOplogError | None
    """Why this is not the end, though nothing behind it can be read."""

    def raise_damage(self) -> None:
        if self.damage is not None:
            raise self.damage


def scan_tail(scanner: ChunkScanner, file: File, stored: Stored, learn: Learn) -> TailScan:
    """
    Walk a scanner to the end of the open segment, and say what kind of end it is.

    Reads only, so the log may have a writer.  The definitions passed are handed to ``learn``.
    """
    segment = stored.segments[-1]
    path = stored.path_of(segment.number)
    retried_at = -1
    while True:
        while (chunk := scanner.step()) is not None:
            if chunk.header.definitions:
                decode_chunk(chunk, path, learn, decode_entries)
        behind = find_chunks(file, segment.lineage, scanner.offset, scanner.next_index)
        promise = max([stored.promise, *(chunk.header.promise for chunk in behind)])
        if promise < scanner.next_index or retried_at == scanner.offset:
            break
        # A writer that is alive was half-way through the chunk, and is well past it by now.
        retried_at = scanner.offset
        scanner.forget()
    damage = None
    if promise >= scanner.next_index:
        damage = CorruptOplogError(
            path=str(path),
            offset_bytes=scanner.offset,
            reason=f"{scanner.problem}, though index {promise} was durable",
            readable_to=scanner.next_index - 1,
        )
    return TailScan(
        end_offset=scanner.offset,
        next_index=scanner.next_index,
        promise=scanner.promise,
        recovery=Recovery(
            dropped_bytes=_written_bytes(file, scanner.offset),
            dropped_entries=sum(chunk.header.entries for chunk in behind),
        ),
        damage=damage,
    )


def _written_bytes(file: File, offset: int) -> int:
    """How many bytes there are from an offset to the last one that is not zero."""
    start, end = offset, offset
    while block := file.read_at(offset, READ_SIZE_BYTES):
        written = block.rstrip(b"\0")
        if written:
            end = offset + len(written)
        offset += len(block)
    return end - start


def open_tail(place: Place) -> Tail:
    """
    Make a log writable: drop a torn tail, and see to it that what remains is as durable as it looks.

    Raises:
        OplogNotFoundError: There is no log.
        CorruptOplogError: Its end is damaged; nothing was changed.
        OplogWriteError: The disk refused.
    """
    manifest = load_manifest(place.files, place.directory)
    segment = manifest.open_segment
    path = place.segment_path(segment.number)
    definitions = Definitions()
    try:
        _remove_leftovers(place, manifest)
        file = place.files.open(path, writable=True)
    except FileNotFoundError as error:
        raise missing_segment(path, segment) from error
    except OSError as error:
        raise OplogWriteError(path=str(path), cause=str(error)) from error
    try:
        check_segment(file, path, segment)
        scanner = ChunkScanner(file, segment.lineage, segment.first_index)
        scan = scan_tail(scanner, file, place.stored(manifest), definitions.learn)
        scan.raise_damage()
        zeros_to = _repair(place, file, scan, manifest)
    except OSError as error:
        file.close()
        raise OplogWriteError(path=str(path), cause=str(error)) from error
    except BaseException:
        file.close()
        raise
    last_index = scan.next_index - 1
    durable = place.sync_level is SyncLevel.POWER
    return Tail(
        manifest=manifest,
        writer=SegmentWriter(file, scan.end_offset, segment_size_bytes(segment.number), zeros_to),
        definitions=definitions,
        last_index=last_index,
        durable_index=last_index if durable else max(scan.promise, manifest.promise),
        recovery=scan.recovery,
        noted_index=scan.promise,
    )


def _repair(place: Place, file: File, scan: TailScan, manifest: Manifest) -> int:
    """
    Truncate a torn tail and write doubtful parts again; returns up to where the file is zeros.

    What can be read need not be on disk: its sync may never have come, or may have failed, and then
    the pages may count as clean, so that the next sync would not write them.  A promise is the only
    evidence of a sync that succeeded.
    """
    torn = scan.recovery.dropped_bytes > 0
    if torn:
        file.truncate(scan.end_offset)
    segment = manifest.open_segment
    durably = place.sync_level is SyncLevel.POWER
    # Without a promise from within the segment, the manifest that lists it is in doubt too.
    structure_doubtful = durably and scan.promise < segment.first_index
    if durably:
        doubtful_from = 0 if structure_doubtful else _offset_behind(file, segment, scan.promise)
        _rewrite(file, doubtful_from, scan.end_offset)
    if torn or durably:
        file.sync()
    if structure_doubtful:
        save_manifest(place.files, place.directory, manifest)
    return scan.end_offset if torn else file.size()


def _offset_behind(file: File, segment: SegmentInfo, index: int) -> int:
    """Where the chunk ends that holds an entry; behind it may be notes, which nobody promises."""
    scanner = ChunkScanner(file, segment.lineage, segment.first_index)
    while scanner.next_index <= index:
        chunk = scanner.step(index)
        assert chunk is not None, "the scan has just been here"
    return scanner.offset


def _rewrite(file: File, offset: int, end: int) -> None:
    while offset < end:
        block = file.read_at(offset, min(READ_SIZE_BYTES, end - offset))
        file.write_at(offset, block)
        offset += len(block)


def _remove_leftovers(place: Place, manifest: Manifest) -> None:
    """Delete what a crash left half made: files that the manifest does not list."""
    known = {segment_name(segment.number) for segment in manifest.segments}
    for name, is_dir in place.files.list_dir(place.directory):
        if not is_dir and name not in known and name.endswith((SEGMENT_SUFFIX, TEMPORARY_SUFFIX)):
            place.files.remove(place.directory / name)
