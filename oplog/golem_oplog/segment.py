"""
One segment file: a header, then chunks end to end, then zeros while it is the open one.

======  ====  =======  ========================================================================
offset  size  type     meaning
======  ====  =======  ========================================================================
0       8     bytes    magic
8       2     u16      format version
10      2     u16      kind of checksum: 1 is CRC32C
12      16    bytes    lineage id of the log that wrote the segment
28      8     u64      index of the first entry
36      4     u32      CRC32C of bytes 0 to 35
40                     chunks
======  ====  =======  ========================================================================

These forty bytes are the same in every format version.

The first chunks carry the definitions made so far and no entry, so that a segment can be read
without those before it.  A segment is filled with zeros some way ahead of its last chunk: a write
into them changes no metadata, which makes its sync cheaper.  A sealed segment ends with its last
chunk and never changes again; forks share it by hard links.
"""

from __future__ import annotations

from pathlib import Path
from struct import Struct
from typing import Final, NamedTuple

import google_crc32c

from golem_oplog.errors import CorruptOplogError, UnsupportedFormatError
from golem_oplog.files import File
from golem_oplog.frame import (
    HEADER_SIZE_BYTES,
    MAGIC,
    ChunkHeader,
    body_is_valid,
    checksum_seed,
    parse_header,
)

SEGMENT_SUFFIX: Final = ".oplog"
SEGMENT_MAGIC: Final = b"\x89OPLOG\r\n"
FORMAT_VERSION: Final = 1
CHECKSUM_CRC32C: Final = 1
SEGMENT_SIZE_BYTES_MIN: Final = 64 << 10
SEGMENT_SIZE_BYTES_MAX: Final = 16 << 20
ZEROS_SIZE_BYTES: Final = 256 << 10
READ_SIZE_BYTES: Final = 64 << 10

_FIELDS: Final = Struct("<8sHH16sQ")
_CHECKSUM: Final = Struct("<I")
SEGMENT_HEADER_SIZE_BYTES: Final = _FIELDS.size + _CHECKSUM.size

assert SEGMENT_HEADER_SIZE_BYTES == 40
assert ZEROS_SIZE_BYTES % SEGMENT_SIZE_BYTES_MIN == 0


class SegmentHeader(NamedTuple):
    version: int
    checksum: int
    lineage: bytes
    first_index: int


def segment_name(number: int) -> str:
    return f"{number:04}{SEGMENT_SUFFIX}"


def segment_size_bytes(number: int) -> int:
    """How large a segment may grow: each is twice as large as the one before."""
    return min(SEGMENT_SIZE_BYTES_MIN << min(number - 1, 32), SEGMENT_SIZE_BYTES_MAX)


def build_segment_header(lineage: bytes, first_index: int) -> bytes:
    fields = _FIELDS.pack(SEGMENT_MAGIC, FORMAT_VERSION, CHECKSUM_CRC32C, lineage, first_index)
    return fields + _CHECKSUM.pack(google_crc32c.value(fields))


def read_segment_header(file: File, path: Path) -> SegmentHeader:
    """
    Read and check a segment's header.

    Raises:
        UnsupportedFormatError: The segment is of a newer version.
        CorruptOplogError: The header is damaged.
    """
    raw = file.read_at(0, SEGMENT_HEADER_SIZE_BYTES)
    if len(raw) < SEGMENT_HEADER_SIZE_BYTES or not raw.startswith(SEGMENT_MAGIC):
        raise CorruptOplogError(path=str(path), offset_bytes=0, reason="no segment header")
    fields = raw[: _FIELDS.size]
    (checksum,) = _CHECKSUM.unpack_from(raw, _FIELDS.size)
    if google_crc32c.value(fields) != checksum:
        raise CorruptOplogError(path=str(path), offset_bytes=0, reason="header checksum differs")
    header = SegmentHeader(*_FIELDS.unpack(fields)[1:])
    if (header.version, header.checksum) != (FORMAT_VERSION, CHECKSUM_CRC32C):
        raise UnsupportedFormatError(
            path=str(path),
            found=f"format version {header.version} with checksum kind {header.checksum}",
            supported=f"format version {FORMAT_VERSION} with checksum kind {CHECKSUM_CRC32C}",
        )
    return header


class Chunk(NamedTuple):
    offset: int
    header: ChunkHeader
    body: bytes | None
    """None where the caller had no use for it; then it is not checked either."""


class ChunkScanner:
    """
    Walks a segment from chunk to chunk, in bounded memory, and stops where no valid one follows.

    Then ``offset`` and ``next_index`` say where and at which index, and ``problem`` why.
    """

    def __init__(
        self, file: File, lineage: bytes, next_index: int, offset: int = SEGMENT_HEADER_SIZE_BYTES
    ) -> None:
        self.offset = offset
        self.next_index = next_index
        self.problem = ""
        self.promise = 0
        """The greatest promise met so far."""
        self._file = file
        self._seed = checksum_seed(lineage)
        self._block = b""
        self._block_offset = 0

    def step(self, wanted_from: int = 0) -> Chunk | None:
        """
        The next chunk, or None at the end of what is valid.

        Bodies that hold neither an entry from ``wanted_from`` on nor a definition are not read.
        """
        header = parse_header(self._take(self.offset, HEADER_SIZE_BYTES), self._seed)
        if header is None:
            self.problem = "no valid chunk header"
            return None
        if header.first_index != self.next_index:
            self.problem = f"chunk of index {header.first_index} in place of {self.next_index}"
            return None
        body = None
        if header.next_index > wanted_from or header.definitions:
            body = self._take(self.offset + HEADER_SIZE_BYTES, header.body_size_bytes)
            if not body_is_valid(header, body):
                self.problem = "chunk checksum differs"
                return None
        chunk = Chunk(self.offset, header, body)
        self.offset += header.size_bytes
        self.next_index = header.next_index
        self.promise = max(self.promise, header.promise)
        return chunk

    def forget(self) -> None:
        """Drop what was read ahead: the file may have grown."""
        self._block = b""
        self.problem = ""

    def _take(self, offset: int, size_bytes: int) -> bytes:
        start = offset - self._block_offset
        if start < 0 or start + size_bytes > len(self._block):
            # A large body is read for itself, together with the header behind it.
            is_large = size_bytes > READ_SIZE_BYTES // 4
            ahead = size_bytes + HEADER_SIZE_BYTES if is_large else READ_SIZE_BYTES
            self._block = self._file.read_at(offset, ahead)
            self._block_offset = offset
            start = 0
        return self._block[start : start + size_bytes]


def find_chunks(file: File, lineage: bytes, offset: int, first_index: int) -> list[Chunk]:
    """
    Valid chunks behind a hole in a segment, whatever lies between them.

    Only chunks with greater indexes count: others are what a guest stored as data.
    """
    seed = checksum_seed(lineage)
    found: list[Chunk] = []
    end = file.size()
    while offset < end:
        block = file.read_at(offset, READ_SIZE_BYTES)
        position = block.find(MAGIC)
        while position >= 0:
            chunk = _chunk_at(file, seed, offset + position)
            if chunk is not None and chunk.header.next_index > first_index:
                found.append(chunk)
                position += chunk.header.size_bytes
            else:
                position += 1
            position = block.find(MAGIC, position)
        # A magic may lie across the border of two blocks.
        offset += max(len(block) - len(MAGIC) + 1, 1)
        if found:
            offset = max(offset, found[-1].offset + found[-1].header.size_bytes)
    return found


def _chunk_at(file: File, seed: int, offset: int) -> Chunk | None:
    header = parse_header(file.read_at(offset, HEADER_SIZE_BYTES), seed)
    if header is None:
        return None
    body = file.read_at(offset + HEADER_SIZE_BYTES, header.body_size_bytes)
    return Chunk(offset, header, None) if body_is_valid(header, body) else None


class SegmentWriter:
    """The end of the open segment: where the next chunk goes."""

    def __init__(self, file: File, offset: int, size_bytes: int, zeros_to: int) -> None:
        self.file = file
        self.offset = offset
        self._size_bytes = size_bytes
        self._zeros_to = zeros_to

    def has_room(self, size_bytes: int) -> bool:
        return self.offset + size_bytes <= self._size_bytes

    def write(self, chunk: bytes) -> None:
        """Write one chunk at the end.  If it raises, the end is where it was."""
        end = self.offset + len(chunk)
        if end > self._zeros_to and len(chunk) <= ZEROS_SIZE_BYTES // 16:
            # Large chunks come in bulk, and would only be written twice.
            self._zeros_to = min(max(end, self._size_bytes), end + ZEROS_SIZE_BYTES)
            chunk += bytes(self._zeros_to - end)
        self.file.write_at(self.offset, chunk)
        self.offset = end

    def seal(self) -> None:
        """Cut off the zeros and sync: from now on the file does not change."""
        self.file.truncate(self.offset)
        self.file.sync()
