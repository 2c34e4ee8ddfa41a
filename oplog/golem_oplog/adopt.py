"""
A log made of an exported file.

Its segments become sealed ones of the new log, byte for byte, and an open one of the new log's own
begins behind them, as in a fork.  Nothing of the file is believed before it was checked: a log
exists only after the last record was read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

import google_crc32c

from golem_oplog.codec import decode_entries, function_of
from golem_oplog.definitions import Definitions
from golem_oplog.entries import Create, Entry
from golem_oplog.errors import (
    CorruptOplogError,
    MalformedExportError,
    OplogError,
    OplogMismatchError,
    UnsupportedFormatError,
)
from golem_oplog.examine import blob_refs
from golem_oplog.export import (
    ABOUT,
    BLOB,
    CHECKSUM,
    DONE,
    EXPORT_MAGIC,
    EXPORT_VERSION,
    HEAD,
    KINDS,
    MANIFEST,
    RECORD_HEAD_BYTES,
    SEGMENT,
    RecordHead,
    decode_head,
)
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.log import new_segment, publish
from golem_oplog.manifest import Manifest, SegmentInfo, decode_manifest
from golem_oplog.reading import decode_chunk, open_segment
from golem_oplog.recovery import Place, Recovery, Tail
from golem_oplog.segment import READ_SIZE_BYTES, ChunkScanner, segment_size_bytes

HEADS_BYTES_MAX: Final = 64 << 20
"""What is said of the log, and its manifest, at most: each is read as a whole."""
BLOB_BYTES_MAX: Final = 1 << 30
PREFIX_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Exported:
    """The beginning of an exported file: what it says of the log, and where the rest comes from."""

    about: bytes
    manifest: Manifest
    records: Records

    @property
    def last_index(self) -> int:
        return self.manifest.promise


def open_export(file: BinaryIO, name: str) -> Exported:
    """
    Read the beginning of a file that `export_log` has made; `name` is what errors call it.

    Raises:
        UnsupportedFormatError: It is another kind of file, or of a newer version.
        MalformedExportError: It is damaged.
    """
    records = Records(file, name)
    about = records.whole(records.next(ABOUT), HEADS_BYTES_MAX)
    raw = records.whole(records.next(MANIFEST), HEADS_BYTES_MAX)
    try:
        manifest = decode_manifest(raw, Path(name))
    except CorruptOplogError as error:
        raise records.bad(error.reason) from error
    if manifest.promise < 1:
        raise records.bad("its manifest promises nothing")
    return Exported(about, manifest, records)


class Records:
    """The records of one file, in order; each has to be read to its end before the next."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self.name = name
        self._offset = 0
        head = self._read(HEAD.size, "no header")
        magic, version = HEAD.unpack(head)
        if magic != EXPORT_MAGIC or version != EXPORT_VERSION:
            found = f"version {version}" if magic == EXPORT_MAGIC else "no exported oplog"
            raise UnsupportedFormatError(
                path=name, found=found, supported=f"version {EXPORT_VERSION} of exported oplogs"
            )

    def bad(self, reason: str) -> MalformedExportError:
        return MalformedExportError(path=self.name, offset_bytes=self._offset, reason=reason)

    def next(self, *kinds: bytes) -> RecordHead:
        """The head of the next record, which must be of one of these kinds."""
        raw = self._read(RECORD_HEAD_BYTES, "it ends before its last record")
        head = decode_head(raw)
        if head is None or head.kind not in KINDS:
            raise self.bad("no valid record")
        if head.kind not in kinds:
            raise self.bad(f"a record of kind {head.kind.decode()!r} where it cannot be")
        return head

    def pieces(self, head: RecordHead) -> Iterator[bytes]:
        """A record's body; its checksum is compared at the end."""
        left, checksum = head.size_bytes, 0
        while left:
            piece = self._read(min(left, READ_SIZE_BYTES), "it ends inside of a record")
            checksum = google_crc32c.extend(checksum, piece)
            left -= len(piece)
            yield piece
        (found,) = CHECKSUM.unpack(self._read(CHECKSUM.size, "it ends inside of a record"))
        if found != checksum:
            raise self.bad("record checksum differs")

    def whole(self, head: RecordHead, size_bytes_max: int) -> bytes:
        if head.size_bytes > size_bytes_max:
            raise self.bad(f"a record of {head.size_bytes} bytes, more than one can have")
        return b"".join(self.pieces(head))

    def end(self) -> None:
        """Nothing may follow."""
        if self._file.read(1):
            raise self.bad("it goes on behind its last record")

    def _read(self, size_bytes: int, otherwise: str) -> bytes:
        pieces = []
        left = size_bytes
        # A pipe gives what it has.
        while left and (piece := self._file.read(left)):
            pieces.append(piece)
            left -= len(piece)
        data = b"".join(pieces)
        if left:
            if self._offset == 0 and data[:PREFIX_BYTES] != EXPORT_MAGIC[: len(data)]:
                return data.ljust(size_bytes, b"\0")
            raise self.bad(otherwise)
        self._offset += size_bytes
        return data


def adopt_log(exported: Exported, place: Place, create: Create) -> Tail:
    """
    Make a log of an exported one in an empty directory; durable on return.

    Raises:
        MalformedExportError, UnsupportedFormatError: The file is damaged, or has entries that a
            newer version has written; there is no log then.
        OSError: The disk refused; there is no log then.
    """
    return _Adoption(exported, place).run(create)


class _Adoption:
    def __init__(self, exported: Exported, place: Place) -> None:
        self._records = exported.records
        self._manifest = exported.manifest
        self._last = exported.last_index
        self._place = place
        self._definitions = Definitions()
        self._missing: dict[bytes, int] = {}
        """Payloads that entries refer to and that have not come yet: hash and size."""

    def run(self, create: Create) -> Tail:
        place, last = self._place, self._last
        sealed = self._sealed()
        # A manifest is only read if its segments join, up to an open one at its end.
        assert sealed[-1].last_index == last
        for segment in self._manifest.segments:
            self._write(segment)
        for segment in sealed:
            self._check(segment)
        self._take_blobs()
        for segment in self._manifest.segments[len(sealed) :]:
            # It has no entry: the new log begins its own in its place.
            place.files.remove(place.segment_path(segment.number))
        lineage = place.files.unique_id()
        opened = SegmentInfo(len(sealed) + 1, lineage, last + 1, None)
        manifest = Manifest(lineage, create, promise=last, segments=(*sealed, opened))
        writer = new_segment(place, manifest, self._definitions, segment_size_bytes(opened.number))
        publish(place, writer, manifest)
        return Tail(manifest, writer, self._definitions, last, last, Recovery())

    def _sealed(self) -> tuple[SegmentInfo, ...]:
        """The segments as the new log has them, numbered anew."""
        found = []
        for segment in self._manifest.segments:
            last = self._last if segment.last_index is None else segment.last_index
            if last >= segment.first_index:
                found.append(segment._replace(last_index=last))
        if [each.number for each in self._manifest.segments] != list(
            range(1, len(self._manifest.segments) + 1)
        ):
            raise self._records.bad("its segments are not numbered from 1")
        return tuple(found)

    def _write(self, segment: SegmentInfo) -> None:
        head = self._records.next(SEGMENT)
        file = self._place.files.create(self._place.segment_path(segment.number))
        try:
            offset = 0
            for piece in self._records.pieces(head):
                file.write_at(offset, piece)
                offset += len(piece)
            file.sync()
        finally:
            file.close()

    def _check(self, segment: SegmentInfo) -> None:
        """That it has the entries that it should have, and that these can be read."""
        place, path = self._place, self._place.segment_path(segment.number)
        stored = place.stored(replace(self._manifest, segments=(segment,)))
        assert segment.last_index is not None
        try:
            with open_segment(stored, segment) as file:
                scanner = ChunkScanner(file, segment.lineage, segment.first_index)
                while scanner.next_index <= segment.last_index:
                    chunk = scanner.step()
                    if chunk is None:
                        raise self._records.bad(f"entry {scanner.next_index}: {scanner.problem}")
                    learn = self._definitions.learn
                    for index, entry in enumerate(
                        decode_chunk(chunk, path, learn, decode_entries), chunk.header.first_index
                    ):
                        self._check_entry(index, entry)
        except (CorruptOplogError, OplogMismatchError) as error:
            raise self._records.bad(error.reason) from error
        except UnsupportedFormatError as error:
            raise UnsupportedFormatError(
                path=self._records.name, found=error.found, supported=error.supported
            ) from error

    def _check_entry(self, index: int, entry: Entry) -> None:
        if isinstance(entry, Create) != (index == 1):
            raise self._records.bad(f"entry {index} is not of a kind that it can be")
        function = function_of(entry)
        try:
            if function is not None:
                self._definitions.function(function)
        except OplogError as error:
            raise self._records.bad(f"entry {index}: {error}") from error
        self._missing.update((ref.sha256, ref.size_bytes) for ref in blob_refs(entry))

    def _take_blobs(self) -> None:
        while (head := self._records.next(BLOB, DONE)).kind == BLOB:
            data = self._records.whole(head, BLOB_BYTES_MAX)
            if self._missing.pop(sha256(data).digest(), None) != len(data):
                raise self._records.bad("a payload that no entry refers to, or a second time")
            self._place.blobs.put(data)
        self._records.whole(head, 0)
        if self._missing:
            raise self._records.bad(f"{len(self._missing)} payloads are missing")
        self._records.end()
