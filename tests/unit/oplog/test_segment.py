"""Segment files: their header, walking them, and finding chunks behind a hole."""

from __future__ import annotations

import errno
from pathlib import Path

import google_crc32c
import msgpack
import pytest

from golem_oplog.errors import CorruptOplogError, UnsupportedFormatError
from golem_oplog.files import File
from golem_oplog.frame import MAGIC, build_chunk, checksum_seed
from golem_oplog.segment import (
    READ_SIZE_BYTES,
    SEGMENT_HEADER_SIZE_BYTES,
    SEGMENT_SIZE_BYTES_MAX,
    SEGMENT_SIZE_BYTES_MIN,
    ZEROS_SIZE_BYTES,
    ChunkScanner,
    SegmentWriter,
    build_segment_header,
    find_chunks,
    read_segment_header,
    segment_name,
    segment_size_bytes,
)
from tests.support.faulty_files import ROOT, FaultyFiles

PATH = ROOT / "0001.oplog"
LINEAGE = bytes(range(16))
SEED = checksum_seed(LINEAGE)


def chunk(first: int, count: int = 1, promise: int = 0, size_bytes: int = 10) -> bytes:
    entries = [msgpack.packb([19, at, 0, "", bytes(size_bytes)]) for at in range(count)]
    return build_chunk(SEED, first, promise, entries)


def segment(*chunks: bytes) -> File:
    file = FaultyFiles().create(PATH)
    file.write_at(0, build_segment_header(LINEAGE, 1) + b"".join(chunks))
    return file


def walk(scanner: ChunkScanner, wanted_from: int = 0) -> list[tuple[int, bool]]:
    """First index of each chunk, and whether its body was read."""
    found = []
    while (step := scanner.step(wanted_from)) is not None:
        found.append((step.header.first_index, step.body is not None))
    return found


def test_segments_double_until_they_are_large() -> None:
    """The first is small, each next one twice as large, and there is a largest size."""
    sizes = [segment_size_bytes(number) for number in range(1, 12)]

    assert [SEGMENT_SIZE_BYTES_MIN, 2 * SEGMENT_SIZE_BYTES_MIN] == sizes[:2]
    assert [SEGMENT_SIZE_BYTES_MAX] * 3 == sizes[8:]
    assert SEGMENT_SIZE_BYTES_MAX == segment_size_bytes(10_000)
    assert ("0007.oplog", "12345.oplog") == (segment_name(7), segment_name(12345))


def test_the_header_comes_back() -> None:
    """A segment's header gives the lineage and the first index that it was built of."""
    header = read_segment_header(segment(), PATH)

    assert (1, 1, LINEAGE, 1) == header


@pytest.mark.parametrize("bit", range(SEGMENT_HEADER_SIZE_BYTES * 8))
def test_no_bit_of_the_header_may_differ(bit: int) -> None:
    """A flipped bit is damage, not another version or another log."""
    file = segment(chunk(1))
    raw = bytearray(file.read_at(0, SEGMENT_HEADER_SIZE_BYTES))
    raw[bit // 8] ^= 1 << bit % 8
    file.write_at(0, bytes(raw))

    with pytest.raises(CorruptOplogError) as raised:
        read_segment_header(file, PATH)

    assert (str(PATH), 0) == (raised.value.path, raised.value.offset_bytes)


def test_a_header_that_is_cut_short_is_damage() -> None:
    """A file too short for a header is damaged."""
    file = segment()
    file.truncate(SEGMENT_HEADER_SIZE_BYTES - 1)

    with pytest.raises(CorruptOplogError):
        read_segment_header(file, PATH)


@pytest.mark.parametrize(("offset", "found"), [(8, "format version 2"), (10, "checksum kind 2")])
def test_another_version_is_no_damage(offset: int, found: str) -> None:
    """A header that is intact, but of a version or checksum that is not known, says so."""
    file = segment()
    fields = bytearray(file.read_at(0, 36))
    fields[offset] = 2
    file.write_at(0, bytes(fields) + google_crc32c.value(bytes(fields)).to_bytes(4, "little"))

    with pytest.raises(UnsupportedFormatError) as raised:
        read_segment_header(file, PATH)

    assert found in raised.value.found


def test_a_scanner_walks_to_where_no_chunk_follows() -> None:
    """Chunks come in order, up to the zeros behind the last one."""
    chunks = [chunk(1), chunk(2, 3, promise=1), chunk(5, promise=4)]
    scanner = ChunkScanner(segment(*chunks, bytes(1000)), LINEAGE, 1)

    assert [(1, True), (2, True), (5, True)] == walk(scanner)
    end = SEGMENT_HEADER_SIZE_BYTES + sum(map(len, chunks))
    assert (end, 6, 4) == (scanner.offset, scanner.next_index, scanner.promise)
    assert "no valid chunk header" == scanner.problem


def test_bodies_that_nobody_wants_are_stepped_over() -> None:
    """Chunks before the index wanted are not read, but for those that define functions."""
    defining = build_chunk(SEED, 5, 0, [b"\x91\x03"], [msgpack.packb([0, b"type"])])
    scanner = ChunkScanner(segment(chunk(1), chunk(2, 3), defining, chunk(6)), LINEAGE, 1)

    assert [(1, False), (2, False), (5, True), (6, True)] == walk(scanner, wanted_from=6)


def test_a_chunk_out_of_order_ends_the_walk() -> None:
    """Indexes go on without a gap, or the walk is at its end."""
    scanner = ChunkScanner(segment(chunk(1), chunk(3)), LINEAGE, 1)

    assert [(1, True)] == walk(scanner)
    assert "chunk of index 3 in place of 2" == scanner.problem


def test_a_damaged_body_ends_the_walk() -> None:
    """A body whose checksum differs is not handed out."""
    file = segment(chunk(1), chunk(2))
    file.write_at(file.size() - 1, b"\xff")
    scanner = ChunkScanner(file, LINEAGE, 1)

    assert [(1, True)] == walk(scanner)
    assert "chunk checksum differs" == scanner.problem


def test_large_and_small_chunks_are_read_alike() -> None:
    """Chunks may lie across any border of what is read at once."""
    sizes = [10, READ_SIZE_BYTES - 200, 10, READ_SIZE_BYTES, 3 * READ_SIZE_BYTES, 10, 20_000, 10]
    chunks = [chunk(1 + at, size_bytes=size) for at, size in enumerate(sizes)]
    scanner = ChunkScanner(segment(*chunks), LINEAGE, 1)

    assert [(1 + at, True) for at in range(len(sizes))] == walk(scanner)


def test_a_scanner_goes_on_when_the_file_has_grown() -> None:
    """After `forget` a scanner that was at the end sees what was written since."""
    file = segment(chunk(1))
    scanner = ChunkScanner(file, LINEAGE, 1)
    assert [(1, True)] == walk(scanner)
    file.write_at(file.size(), chunk(2))

    scanner.forget()

    assert [(2, True)] == walk(scanner)


def test_chunks_behind_a_hole_are_found() -> None:
    """Every valid chunk behind an offset is found, wherever it lies, in order."""
    gaps = [b"", MAGIC * 5, bytes(READ_SIZE_BYTES - 1), bytes(2 * READ_SIZE_BYTES - 30), MAGIC[:2]]
    content, offsets = b"", []
    for at, gap in enumerate(gaps):
        content += gap
        offsets.append(SEGMENT_HEADER_SIZE_BYTES + len(content))
        content += chunk(10 + at, promise=9)
    found = find_chunks(segment(content), LINEAGE, SEGMENT_HEADER_SIZE_BYTES, 2)

    assert offsets == [chunk.offset for chunk in found]
    assert [10, 11, 12, 13, 14] == [chunk.header.first_index for chunk in found]


def test_a_chunk_as_long_as_many_blocks_is_found_once() -> None:
    """What is inside of a chunk that was found is not searched."""
    inner = chunk(50)
    outer = build_chunk(SEED, 10, 0, [msgpack.packb([19, 1, 0, "", inner * 3000])])
    found = find_chunks(segment(b"hole", outer), LINEAGE, SEGMENT_HEADER_SIZE_BYTES, 2)

    assert [10] == [chunk.header.first_index for chunk in found]


def test_what_a_guest_stored_is_not_taken_for_a_chunk() -> None:
    """Chunks of another log, of earlier indexes, or with a damaged body do not count."""
    foreign = build_chunk(checksum_seed(bytes(16)), 10, 0, [b"\x91\x03"])
    damaged = chunk(11)[:-1] + b"\xff"
    file = segment(b"hole", foreign, chunk(3), damaged, MAGIC)

    assert [] == find_chunks(file, LINEAGE, SEGMENT_HEADER_SIZE_BYTES, 5)


def test_a_writer_keeps_zeros_ahead_of_small_chunks() -> None:
    """The file grows by zeros some way ahead, and not beyond the segment's size."""
    file = FaultyFiles().create(PATH)
    writer = SegmentWriter(file, 0, ZEROS_SIZE_BYTES + 1000, zeros_to=0)

    writer.write(b"x" * 100)
    assert (100, ZEROS_SIZE_BYTES + 100) == (writer.offset, file.size())
    writer.write(b"y" * 100)
    assert (200, ZEROS_SIZE_BYTES + 100) == (writer.offset, file.size())
    assert b"x" * 100 + b"y" * 100 + bytes(50) == file.read_at(0, 250)
    writer.write(b"z" * ZEROS_SIZE_BYTES)
    writer.write(b"!" * 100)
    assert ZEROS_SIZE_BYTES + 1000 == file.size()


def test_a_writer_seals_without_zeros() -> None:
    """A sealed segment ends with its last chunk."""
    file = FaultyFiles().create(PATH)
    writer = SegmentWriter(file, 0, 1000, zeros_to=0)
    writer.write(b"x" * 100)

    writer.seal()

    assert 100 == file.size()


def test_a_writer_knows_how_much_room_there_is() -> None:
    """A segment is full up to its last byte, and not beyond."""
    writer = SegmentWriter(FaultyFiles().create(PATH), 900, 1000, zeros_to=900)

    assert writer.has_room(100)
    assert not writer.has_room(101)


def test_a_writer_stays_where_it_is_if_the_disk_refuses() -> None:
    """After a failed write the end is where it was."""
    files = FaultyFiles()
    writer = SegmentWriter(files.create(PATH), 40, 1000, zeros_to=40)
    files.fail("write_at", errno.ENOSPC)

    with pytest.raises(OSError, match="No space left"):
        writer.write(b"x")

    assert 40 == writer.offset


def test_a_path_is_reported_as_it_was_given() -> None:
    """Errors about a header carry the caller's path."""
    file = FaultyFiles().create(PATH)

    with pytest.raises(CorruptOplogError) as raised:
        read_segment_header(file, Path("given/elsewhere.oplog"))

    assert "given/elsewhere.oplog" == raised.value.path
