"""The manifest of a log."""

from __future__ import annotations

import errno

import google_crc32c
import msgpack
import pytest

from golem_oplog.codec import encode_entry
from golem_oplog.entries import NoOp
from golem_oplog.errors import (
    CorruptOplogError,
    OplogNotFoundError,
    OplogReadError,
    UnsupportedFormatError,
)
from golem_oplog.manifest import (
    MANIFEST_NAME,
    Manifest,
    SegmentInfo,
    decode_manifest,
    encode_manifest,
    load_manifest,
    save_manifest,
)
from tests.support.faulty_files import ROOT, FaultyFiles
from tests.support.oplogs import create_entry

PATH = ROOT / MANIFEST_NAME
OWN, OTHER = bytes(range(16)), bytes(16)
MANIFEST = Manifest(
    OWN,
    create_entry(),
    20,
    (SegmentInfo(1, OTHER, 1, 10), SegmentInfo(2, OTHER, 11, 20), SegmentInfo(3, OWN, 21, None)),
)
CREATE = encode_entry(create_entry())
SEGMENTS = [[1, OWN, 1, None]]


def frame(body: bytes, version: int = 1) -> bytes:
    """A body under a header that fits it."""
    fields = b"\x89OPMAN\r\n" + version.to_bytes(2, "little") + len(body).to_bytes(4, "little")
    checksum: int = google_crc32c.extend(google_crc32c.value(fields), body)
    return fields + checksum.to_bytes(4, "little") + body


def test_a_manifest_comes_back() -> None:
    """What is saved is loaded again, and replaces what was there."""
    files = FaultyFiles()
    save_manifest(files, ROOT, MANIFEST.with_next_segment(30))
    save_manifest(files, ROOT, MANIFEST)

    assert MANIFEST == load_manifest(files, ROOT)
    assert MANIFEST.segments[-1] == MANIFEST.open_segment


def test_the_next_segment_begins_where_the_open_one_is_sealed() -> None:
    """Sealing at an index promises it, and opens a segment of the log's own lineage behind it."""
    following = MANIFEST.with_next_segment(30)

    assert 30 == following.promise
    assert SegmentInfo(3, OWN, 21, 30) == following.segments[-2]
    assert SegmentInfo(4, OWN, 31, None) == following.open_segment


def test_no_bit_of_a_manifest_may_differ() -> None:
    """A flipped bit anywhere is damage."""
    raw = encode_manifest(MANIFEST)
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CorruptOplogError):
            decode_manifest(bytes(flipped), PATH)


def test_a_manifest_that_is_cut_short_is_damage() -> None:
    """Missing or additional bytes are damage."""
    raw = encode_manifest(MANIFEST)
    for wrong in (*(raw[:end] for end in range(len(raw))), raw + b"\x00"):
        with pytest.raises(CorruptOplogError):
            decode_manifest(wrong, PATH)


def test_another_version_is_no_damage() -> None:
    """A manifest that is intact but of a newer version says so."""
    with pytest.raises(UnsupportedFormatError) as raised:
        decode_manifest(frame(b"\xc0", version=2), PATH)

    assert "format version 2" == raised.value.found


def test_fields_that_a_newer_version_added_are_passed_over() -> None:
    """Body and segments may be longer than they are known to be."""
    body = msgpack.packb([OWN, CREATE, 1, [[1, OWN, 1, None, "new"]], "new"])

    assert (SegmentInfo(1, OWN, 1, None),) == decode_manifest(frame(body), PATH).segments


@pytest.mark.parametrize(
    "body",
    [
        b"\xc1",
        msgpack.packb(5),
        msgpack.packb([OWN, CREATE, 1]),
        msgpack.packb([OWN, b"\xc1", 1, SEGMENTS]),
        msgpack.packb([OWN, msgpack.packb([99, 1]), 1, SEGMENTS]),
        msgpack.packb([OWN, encode_entry(NoOp(1)), 1, SEGMENTS]),
        msgpack.packb([b"short", CREATE, 1, SEGMENTS]),
        msgpack.packb([OWN, CREATE, 1, []]),
        msgpack.packb([OWN, CREATE, 1, [5]]),
        msgpack.packb([OWN, CREATE, 1, [[1, OWN, 1, "open"]]]),
        msgpack.packb([OWN, CREATE, 1, [[1, OWN, 1, 10]]]),
        msgpack.packb([OWN, CREATE, 1, [[1, OWN, 2, None]]]),
        msgpack.packb([OWN, CREATE, 1, [[1, b"short", 1, None]]]),
        msgpack.packb([OWN, CREATE, 1, [[1, OWN, 1, 10], [2, OWN, 12, None]]]),
        msgpack.packb([OWN, CREATE, 1, [[1, OWN, 1, None], [2, OWN, 12, None]]]),
    ],
)
def test_a_body_that_makes_no_sense_is_damage(body: bytes) -> None:
    """A right checksum does not excuse what no writer writes."""
    with pytest.raises(CorruptOplogError) as raised:
        decode_manifest(frame(body), PATH)

    assert "manifest makes no sense" == raised.value.reason


def test_a_log_without_a_manifest_does_not_exist() -> None:
    """A missing file or directory, or a file in place of one, is no log."""
    files = FaultyFiles()
    files.create(ROOT / "file")

    for directory in (ROOT, ROOT / "missing", ROOT / "file"):
        with pytest.raises(OplogNotFoundError) as raised:
            load_manifest(files, directory)
        assert str(directory) == raised.value.path


def test_a_manifest_that_the_disk_does_not_give_is_reported() -> None:
    """An I/O error is neither damage nor absence."""
    files = FaultyFiles()
    save_manifest(files, ROOT, MANIFEST)
    files.fail("read_at", errno.EIO)

    with pytest.raises(OplogReadError):
        load_manifest(files, ROOT)
