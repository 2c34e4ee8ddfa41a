"""
One chunk: 0 to 128 entries, and the definitions they are the first to need.

======  ====  =======  ========================================================================
offset  size  type     meaning
======  ====  =======  ========================================================================
0       4     bytes    magic
4       4     u32      length of the body in bytes
8       8     u64      index of the first entry (of the next one, where there is none)
16      8     u64      promise: last index known to be durable when this chunk was written
24      2     u16      number of entries
26      2     u16      number of definitions
28      4     u32      CRC32C of the body
32      4     u32      CRC32C of the log's lineage id and bytes 0 to 31
36      n              body: one msgpack array 32, the definitions and then the entries
======  ====  =======  ========================================================================

Numbers are little-endian.  A chunk is valid if the magic is there, both checksums agree, and the
promise is smaller than the first index.  It holds the entries from its first index on, without a
gap.

The lineage id in the header's checksum is what tells a chunk of this log from the same bytes
elsewhere: a guest may well store a piece of another log in this one.  The promise tells two kinds
of hole apart.  Where a chunk is missing and a later one promises it, durable data was damaged;
where none does, the machine stopped before a sync, and the disk kept later writes but not earlier
ones.  A chunk without entries and definitions is a note: it carries nothing but its promise.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Final, NamedTuple

import google_crc32c

MAGIC: Final = b"\xf0GoC"
ENTRIES_MAX: Final = 128
BODY_SIZE_BYTES_MAX: Final = 64 << 20

_FIELDS: Final = Struct("<4sIQQHHI")
_ARRAY_32: Final = Struct(">BI")
_ARRAY_32_TAG: Final = 0xDD
_CHECKSUM: Final = Struct("<I")
HEADER_SIZE_BYTES: Final = _FIELDS.size + _CHECKSUM.size

assert HEADER_SIZE_BYTES == 36
# A magic of zeros would find chunks in space that was never written.
assert 0 not in MAGIC


class ChunkHeader(NamedTuple):
    body_size_bytes: int
    first_index: int
    promise: int
    entries: int
    definitions: int
    body_checksum: int

    @property
    def next_index(self) -> int:
        return self.first_index + self.entries

    @property
    def size_bytes(self) -> int:
        return HEADER_SIZE_BYTES + self.body_size_bytes


def checksum_seed(lineage: bytes) -> int:
    """What the header checksums of a log start from."""
    seed: int = google_crc32c.value(lineage)
    return seed


def build_chunk(
    seed: int,
    first_index: int,
    promise: int,
    entries: Sequence[bytes],
    definitions: Sequence[bytes] = (),
) -> bytes:
    """Frame packed entries and definitions as one chunk."""
    assert promise < first_index
    assert len(entries) <= ENTRIES_MAX
    count = len(definitions) + len(entries)
    body = b"".join((_ARRAY_32.pack(_ARRAY_32_TAG, count), *definitions, *entries))
    assert len(body) <= BODY_SIZE_BYTES_MAX
    fields = _FIELDS.pack(
        MAGIC,
        len(body),
        first_index,
        promise,
        len(entries),
        len(definitions),
        google_crc32c.value(body),
    )
    return b"".join((fields, _CHECKSUM.pack(google_crc32c.extend(seed, fields)), body))


def parse_header(raw: bytes, seed: int) -> ChunkHeader | None:
    """Read a chunk's header; None where there is no valid one."""
    if len(raw) != HEADER_SIZE_BYTES or not raw.startswith(MAGIC):
        return None
    fields = raw[: _FIELDS.size]
    (checksum,) = _CHECKSUM.unpack_from(raw, _FIELDS.size)
    if google_crc32c.extend(seed, fields) != checksum:
        return None
    header = ChunkHeader(*_FIELDS.unpack(fields)[1:])
    # A checksum says who wrote the bytes, not that the writer was right.
    if (
        header.promise >= header.first_index
        or header.entries > ENTRIES_MAX
        or header.body_size_bytes > BODY_SIZE_BYTES_MAX
    ):
        return None
    return header


def body_is_valid(header: ChunkHeader, body: bytes) -> bool:
    return len(body) == header.body_size_bytes and google_crc32c.value(body) == header.body_checksum
