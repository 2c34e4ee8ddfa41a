"""
A log as one file: what `golem_oplog.adopt` makes a log of again, elsewhere.

======  ====  =======  ========================================================================
offset  size  type     meaning
======  ====  =======  ========================================================================
0       8     bytes    magic
8       2     u16      version of this file's form
10                     records, end to end
======  ====  =======  ========================================================================

A record:

======  ====  =======  ========================================================================
offset  size  type     meaning
======  ====  =======  ========================================================================
0       4     bytes    kind, in ASCII
4       8     u64      length of the body in bytes
12      4     u32      CRC32C of bytes 0 to 11
16      n              body
16 + n  4     u32      CRC32C of the body
======  ====  =======  ========================================================================

======== ========================================================================================
kind     body
======== ========================================================================================
``abou`` what the exporter has to say of the log; its first record
``mani`` the manifest, whose promise is the last index; what is behind that is not in the file
``segm`` a segment's bytes from its header to the last chunk that is needed; one for each segment
         of the manifest, in order
``blob`` a large payload; one for each that an entry refers to, in the order of these entries
``done`` nothing: the file is whole
======== ========================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

import google_crc32c

from golem_oplog.entries import Create
from golem_oplog.errors import CorruptOplogError, OplogMismatchError
from golem_oplog.examine import blob_refs
from golem_oplog.manifest import Manifest, SegmentInfo, encode_manifest
from golem_oplog.reader import OplogReader
from golem_oplog.reading import open_segment
from golem_oplog.segment import READ_SIZE_BYTES, SEGMENT_HEADER_SIZE_BYTES, ChunkScanner

EXPORT_MAGIC: Final = b"\x89OPEXP\r\n"
EXPORT_VERSION: Final = 1

ABOUT: Final = b"abou"
MANIFEST: Final = b"mani"
SEGMENT: Final = b"segm"
BLOB: Final = b"blob"
DONE: Final = b"done"
KINDS: Final = frozenset({ABOUT, MANIFEST, SEGMENT, BLOB, DONE})

HEAD: Final = Struct("<8sH")
CHECKSUM: Final = Struct("<I")
_FIELDS: Final = Struct("<4sQ")
RECORD_HEAD_BYTES: Final = _FIELDS.size + CHECKSUM.size


class RecordHead(NamedTuple):
    kind: bytes
    size_bytes: int


def encode_head(kind: bytes, size_bytes: int) -> bytes:
    fields = _FIELDS.pack(kind, size_bytes)
    return fields + CHECKSUM.pack(google_crc32c.value(fields))


def decode_head(raw: bytes) -> RecordHead | None:
    """The head of a record; None where these bytes are none."""
    if len(raw) != RECORD_HEAD_BYTES:
        return None
    (checksum,) = CHECKSUM.unpack_from(raw, _FIELDS.size)
    if google_crc32c.value(raw[: _FIELDS.size]) != checksum:
        return None
    return RecordHead(*_FIELDS.unpack_from(raw))


def export_log(log: OplogReader, about: bytes = b"") -> Iterator[bytes]:
    """
    The file, piece by piece; in bounded memory, but for one large payload at a time.

    The log may have a writer: what is exported ends at the last entry that there is at first.

    Raises:
        CorruptOplogError, MissingBlobError: Something in it is damaged or missing; what has come so
            far is of no use.
        OplogMismatchError: It is a single segment of a log.
    """
    if log.first_index != 1:
        path = str(log.stored.path_of(log.stored.segments[0].number))
        raise OplogMismatchError(path=path, reason="a single segment: export the whole log")
    last = log.last_index
    stored = log.stored
    create = stored.create or log.entry(1)
    assert isinstance(create, Create)
    manifest = Manifest(stored.segments[-1].lineage, create, last, stored.segments)
    yield HEAD.pack(EXPORT_MAGIC, EXPORT_VERSION)
    yield from _record(ABOUT, about)
    yield from _record(MANIFEST, encode_manifest(manifest))
    for segment in stored.segments:
        yield from _segment(log, segment, last)
    yield from _blobs(log, last)
    yield from _record(DONE, b"")


def _record(kind: bytes, body: bytes) -> Iterator[bytes]:
    yield encode_head(kind, len(body))
    yield body
    yield CHECKSUM.pack(google_crc32c.value(body))


def _segment(log: OplogReader, segment: SegmentInfo, last: int) -> Iterator[bytes]:
    stored = log.stored
    if segment.last_index is not None:
        last = min(segment.last_index, last)
    with open_segment(stored, segment) as file:
        scanner = ChunkScanner(file, segment.lineage, segment.first_index)
        while scanner.next_index <= last:
            if scanner.step() is None:
                raise CorruptOplogError(
                    path=str(stored.path_of(segment.number)),
                    offset_bytes=scanner.offset,
                    reason=scanner.problem,
                    readable_to=scanner.next_index - 1,
                )
        end = max(scanner.offset, SEGMENT_HEADER_SIZE_BYTES)
        yield encode_head(SEGMENT, end)
        checksum = 0
        for offset in range(0, end, READ_SIZE_BYTES):
            piece = file.read_at(offset, min(READ_SIZE_BYTES, end - offset))
            checksum = google_crc32c.extend(checksum, piece)
            yield piece
        yield CHECKSUM.pack(checksum)


def _blobs(log: OplogReader, last: int) -> Iterator[bytes]:
    seen: set[bytes] = set()
    for _, entry in log.read(1, last):
        for ref in blob_refs(entry):
            if ref.sha256 not in seen:
                seen.add(ref.sha256)
                yield from _record(BLOB, log.load(ref))
