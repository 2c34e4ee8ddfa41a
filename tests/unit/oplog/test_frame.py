"""The frame around a chunk."""

from __future__ import annotations

import google_crc32c
import msgpack
import pytest

from golem_oplog.frame import (
    BODY_SIZE_BYTES_MAX,
    HEADER_SIZE_BYTES,
    ChunkHeader,
    body_is_valid,
    build_chunk,
    checksum_seed,
    parse_header,
)

LINEAGE = bytes(range(16))
SEED = checksum_seed(LINEAGE)
ENTRIES = [msgpack.packb([3, number]) for number in range(3)]
DEFINITIONS = [msgpack.packb([0, b"type"])]
CHUNK = build_chunk(SEED, 8, 5, ENTRIES, DEFINITIONS)


def refit(header: bytes) -> bytes:
    """The header with a checksum that fits it."""
    fields = header[:32]
    checksum: int = google_crc32c.extend(SEED, fields)
    return fields + checksum.to_bytes(4, "little")


def test_a_chunk_says_what_it_holds() -> None:
    """The header gives sizes, counts, the first index and the promise; the body is one array."""
    header = parse_header(CHUNK[:HEADER_SIZE_BYTES], SEED)

    assert header is not None
    body = CHUNK[HEADER_SIZE_BYTES:]
    assert (8, 11, 5, 3, 1) == (
        header.first_index,
        header.next_index,
        header.promise,
        header.entries,
        header.definitions,
    )
    assert len(CHUNK) == header.size_bytes
    assert body_is_valid(header, body)
    assert [[0, b"type"], [3, 0], [3, 1], [3, 2]] == msgpack.unpackb(body)


@pytest.mark.parametrize("bit", range(HEADER_SIZE_BYTES * 8))
def test_no_bit_of_the_header_may_differ(bit: int) -> None:
    """A header with one bit flipped is none."""
    header = bytearray(CHUNK[:HEADER_SIZE_BYTES])
    header[bit // 8] ^= 1 << bit % 8

    assert None is parse_header(bytes(header), SEED)


def test_a_body_that_differs_is_not_valid() -> None:
    """A flipped bit and a missing or an additional byte in the body show."""
    header = parse_header(CHUNK[:HEADER_SIZE_BYTES], SEED)
    assert header is not None
    body = CHUNK[HEADER_SIZE_BYTES:]

    assert not body_is_valid(header, body[:-1])
    assert not body_is_valid(header, body + b"\x00")
    assert not body_is_valid(header, bytes([body[0] ^ 1]) + body[1:])


def test_a_chunk_of_another_log_is_none() -> None:
    """The lineage is part of the checksum: the same bytes are worth nothing in another log."""
    assert None is parse_header(CHUNK[:HEADER_SIZE_BYTES], checksum_seed(bytes(16)))


@pytest.mark.parametrize("raw", [b"", CHUNK[: HEADER_SIZE_BYTES - 1], bytes(HEADER_SIZE_BYTES)])
def test_too_few_bytes_and_zeros_are_no_header(raw: bytes) -> None:
    """The end of a segment, cut short or filled with zeros, is not taken for a chunk."""
    assert None is parse_header(raw, SEED)


@pytest.mark.parametrize(
    ("offset", "value"),
    [(16, (8).to_bytes(8, "little")), (24, b"\x81\x00"), (4, b"\x01\x00\x00\x04")],
    ids=["a promise of itself", "129 entries", "a body above the bound"],
)
def test_a_header_that_makes_no_sense_is_none(offset: int, value: bytes) -> None:
    """A right checksum does not excuse numbers that no writer writes."""
    header = CHUNK[:HEADER_SIZE_BYTES]
    assert refit(header) == header

    wrong = header[:offset] + value + header[offset + len(value) :]

    assert None is parse_header(refit(wrong), SEED)


def test_the_bound_of_a_body_is_what_the_reader_takes() -> None:
    """A header that announces the largest body is valid."""
    size = BODY_SIZE_BYTES_MAX.to_bytes(4, "little")
    header = parse_header(refit(CHUNK[:4] + size + CHUNK[8:HEADER_SIZE_BYTES]), SEED)

    assert isinstance(header, ChunkHeader)
    assert BODY_SIZE_BYTES_MAX == header.body_size_bytes


def test_a_note_carries_nothing_but_its_promise() -> None:
    """A chunk may hold neither entries nor definitions."""
    note = build_chunk(SEED, 8, 7, [])
    header = parse_header(note[:HEADER_SIZE_BYTES], SEED)

    assert header is not None
    assert (7, 0, 8, 8) == (header.promise, header.entries, header.first_index, header.next_index)
    assert body_is_valid(header, note[HEADER_SIZE_BYTES:])
