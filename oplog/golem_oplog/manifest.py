"""
The manifest of one log: who the worker is, and which segments are its log, in order.

======  ====  =======  ========================================================================
offset  size  type     meaning
======  ====  =======  ========================================================================
0       8     bytes    magic
8       2     u16      format version
10      4     u32      length of the body in bytes
14      4     u32      CRC32C of bytes 0 to 13 and the body
18      n              body: the msgpack array ``[lineage, create, promise, segments]``
======  ====  =======  ========================================================================

``create`` is the worker's own `Create` entry: that of a fork differs from the one in the segment it
shares, and this one is read in its place.  ``promise`` is the last index known to be durable when
the manifest was written; it means what a chunk's promise means.  Each segment is ``[number, lineage, first, last]``.  The
last index of the open one, the last of the list, is nil.  That of a sealed one may be smaller than
what the file holds: a fork keeps a part of a segment that it shares.

The file is replaced as a whole by a rename.  Until then a new segment counts for nothing, and a log
without a manifest does not exist.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from struct import Struct
from typing import Final, NamedTuple

import google_crc32c
import msgpack

from golem_oplog.codec import decode_entry, encode_entry, unpack_row
from golem_oplog.entries import Create
from golem_oplog.errors import (
    CorruptOplogError,
    OplogError,
    OplogNotFoundError,
    OplogReadError,
    UnsupportedFormatError,
)
from golem_oplog.files import UNIQUE_ID_BYTES, Files, read_whole, write_durably
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.segment import FORMAT_VERSION

MANIFEST_NAME: Final = "manifest"
MANIFEST_MAGIC: Final = b"\x89OPMAN\r\n"

_FIELDS: Final = Struct("<8sHI")
_CHECKSUM: Final = Struct("<I")
_BODY_OFFSET: Final = _FIELDS.size + _CHECKSUM.size

assert _BODY_OFFSET == 18


class SegmentInfo(NamedTuple):
    number: int
    lineage: bytes
    first_index: int
    last_index: int | None
    """Last index that belongs to this log; None while the segment is open."""


@dataclass(frozen=True, slots=True)
class Manifest:
    lineage: bytes
    create: Create
    promise: int
    segments: tuple[SegmentInfo, ...]

    @property
    def open_segment(self) -> SegmentInfo:
        return self.segments[-1]

    def with_next_segment(self, last_index: int) -> Manifest:
        """Seal the open segment at this index, and open the next."""
        sealed = self.open_segment._replace(last_index=last_index)
        opened = SegmentInfo(sealed.number + 1, self.lineage, last_index + 1, None)
        return replace(self, promise=last_index, segments=(*self.segments[:-1], sealed, opened))


def encode_manifest(manifest: Manifest) -> bytes:
    body = msgpack.packb(
        (
            manifest.lineage,
            encode_entry(manifest.create),
            manifest.promise,
            manifest.segments,
        )
    )
    fields = _FIELDS.pack(MANIFEST_MAGIC, FORMAT_VERSION, len(body))
    checksum = google_crc32c.extend(google_crc32c.value(fields), body)
    return b"".join((fields, _CHECKSUM.pack(checksum), body))


def decode_manifest(raw: bytes, path: Path) -> Manifest:
    """
    Read a manifest's bytes.

    Raises:
        CorruptOplogError: They are damaged.
        UnsupportedFormatError: They are of a newer version.
    """
    if len(raw) < _BODY_OFFSET or not raw.startswith(MANIFEST_MAGIC):
        raise CorruptOplogError(path=str(path), offset_bytes=0, reason="no manifest header")
    _, version, length = _FIELDS.unpack_from(raw)
    (checksum,) = _CHECKSUM.unpack_from(raw, _FIELDS.size)
    body = raw[_BODY_OFFSET:]
    found = google_crc32c.extend(google_crc32c.value(raw[: _FIELDS.size]), body)
    if length != len(body) or checksum != found:
        raise CorruptOplogError(path=str(path), offset_bytes=0, reason="manifest checksum differs")
    if version != FORMAT_VERSION:
        raise UnsupportedFormatError(
            path=str(path),
            found=f"format version {version}",
            supported=f"format version {FORMAT_VERSION}",
        )
    manifest = _decode_body(body)
    if manifest is None:
        raise CorruptOplogError(
            path=str(path), offset_bytes=_BODY_OFFSET, reason="manifest makes no sense"
        )
    return manifest


def _decode_body(body: bytes) -> Manifest | None:
    try:
        match unpack_row(body):
            case (bytes(lineage), bytes(create), int(promise), tuple(rows), *_):
                entry = decode_entry(unpack_row(create))
            case _:
                return None
    except OplogError:
        return None
    segments = tuple(info for row in rows if (info := _decode_segment(row)) is not None)
    if (
        not isinstance(entry, Create)
        or len(lineage) != UNIQUE_ID_BYTES
        or len(segments) != len(rows)
        or not _fit_together(segments)
    ):
        return None
    return Manifest(lineage, entry, promise, segments)


def _decode_segment(row: object) -> SegmentInfo | None:
    match row:
        case (int(number), bytes(lineage), int(first), int() | None as last, *_):
            return SegmentInfo(number, lineage, first, last)
    return None


def _fit_together(segments: tuple[SegmentInfo, ...]) -> bool:
    """Whether segments follow each other without a gap, from 1, the last one open."""
    expected: int | None = 1
    for segment in segments:
        if segment.first_index != expected or len(segment.lineage) != UNIQUE_ID_BYTES:
            return False
        expected = None if segment.last_index is None else segment.last_index + 1
    return bool(segments) and expected is None


def load_manifest(files: Files, directory: Path) -> Manifest:
    """
    Read the manifest of the log in a directory.

    Raises:
        OplogNotFoundError: There is none.
    """
    path = directory / MANIFEST_NAME
    try:
        raw = read_whole(files, path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise OplogNotFoundError(path=str(directory)) from error
    except OSError as error:
        raise OplogReadError(path=str(path), cause=str(error)) from error
    return decode_manifest(raw, path)


def save_manifest(files: Files, directory: Path, manifest: Manifest) -> None:
    """Replace the manifest; durable on return."""
    write_durably(files, directory / MANIFEST_NAME, encode_manifest(manifest))
