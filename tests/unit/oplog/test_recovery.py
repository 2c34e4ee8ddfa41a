"""Opening a log after a crash."""

from __future__ import annotations

import errno

import google_crc32c
import msgpack
import pytest

from golem_oplog.entries import NoOp
from golem_oplog.errors import (
    CorruptOplogError,
    OplogMismatchError,
    OplogWriteError,
    UnsupportedFormatError,
)
from golem_oplog.frame import build_chunk, checksum_seed
from golem_oplog.log import SegmentedOplog
from golem_oplog.manifest import load_manifest, save_manifest
from golem_oplog.protocol import SyncLevel
from golem_oplog.recovery import Recovery
from golem_oplog.segment import SEGMENT_HEADER_SIZE_BYTES
from tests.support.faulty_files import ROOT, FaultyFiles
from tests.support.oplogs import create_entry, log_entry, open_store

HOME = ROOT / "workers" / "a"
SEGMENT = HOME / "0001.oplog"


def write_log(files: FaultyFiles, count: int = 3, sync_level: SyncLevel = SyncLevel.POWER) -> None:
    """A log of so many flushed entries, none of which was committed, and a killed process."""
    log = open_store(files, ROOT, sync_level).create("a", create_entry())
    for number in range(2, count + 1):
        log.append(log_entry(number))
        log.flush()
    log.abandon()


def open_log(files: FaultyFiles, sync_level: SyncLevel = SyncLevel.POWER) -> SegmentedOplog:
    return open_store(files, ROOT, sync_level).open("a")


def chunk_offsets(files: FaultyFiles) -> list[int]:
    """Where the chunks of the first segment begin, and where the last one ends."""
    content = files.content(SEGMENT)
    offsets = [SEGMENT_HEADER_SIZE_BYTES]
    while content[offsets[-1] : offsets[-1] + 4] == content[40:44]:
        size = int.from_bytes(content[offsets[-1] + 4 : offsets[-1] + 8], "little")
        offsets.append(offsets[-1] + 36 + size)
    return offsets


def test_a_log_that_ended_cleanly_is_opened_as_it_is() -> None:
    """Nothing is dropped, and the indexes go on."""
    files = FaultyFiles()
    write_log(files)
    with open_log(files) as log:
        assert Recovery(0, 0) == log.recovery
        assert (3, 3) == (log.last_index, log.committed_index)
        assert 4 == log.append(NoOp(1))


@pytest.mark.parametrize("sync_level", SyncLevel)
def test_a_torn_last_write_is_dropped(sync_level: SyncLevel) -> None:
    """A chunk that is there in part goes, and it is said how many bytes that were."""
    files = FaultyFiles()
    write_log(files, 4, sync_level)
    offsets = chunk_offsets(files)
    files.truncate(SEGMENT, offsets[4] - 3)

    log = open_log(files, sync_level)

    assert (3, Recovery(offsets[4] - 3 - offsets[3], 0)) == (log.last_index, log.recovery)
    assert files.content(SEGMENT)[: offsets[3]] == files.content(SEGMENT)


def test_writes_behind_a_hole_that_nobody_promised_are_dropped() -> None:
    """Whole chunks behind a hole are a torn tail: a disk keeps writes in any order."""
    files = FaultyFiles()
    write_log(files, 6)
    offsets = chunk_offsets(files)
    files.damage(SEGMENT, offsets[2], bytes(offsets[3] - offsets[2]))

    log = open_log(files)

    assert 2 == log.last_index
    assert Recovery(offsets[6] - offsets[2] - trailing_zeros(files, offsets), 3) == log.recovery


def trailing_zeros(files: FaultyFiles, offsets: list[int]) -> int:
    """Dropped bytes end with the last one that is not zero, which is here the last of a chunk."""
    content = files.content(SEGMENT)
    return 0 if len(content) <= offsets[6] else len(content[: offsets[6]]) - offsets[6]


def test_a_hole_that_was_promised_is_corruption() -> None:
    """If a later chunk says that the missing entries were durable, nothing is changed."""
    files = FaultyFiles()
    log = open_store(files, ROOT).create("a", create_entry())
    for number in range(2, 7):
        log.append(log_entry(number))
        log.commit()
    log.abandon()
    offsets = chunk_offsets(files)
    files.damage(SEGMENT, offsets[2] + 50, b"!")
    content = files.content(SEGMENT)

    with pytest.raises(CorruptOplogError) as raised:
        open_log(files)

    assert (str(SEGMENT), offsets[2], 2) == (
        raised.value.path,
        raised.value.offset_bytes,
        raised.value.readable_to,
    )
    assert "chunk checksum differs, though index 5 was durable" == raised.value.reason
    assert content == files.content(SEGMENT)
    # The log is free for whoever repairs it.
    with pytest.raises(CorruptOplogError):
        open_log(files)


def test_a_missing_first_entry_is_corruption() -> None:
    """The manifest promises the first entry, so that its loss is no torn tail."""
    files = FaultyFiles()
    write_log(files, 1)
    files.truncate(SEGMENT, SEGMENT_HEADER_SIZE_BYTES + 10)

    with pytest.raises(CorruptOplogError) as raised:
        open_log(files)

    assert 0 == raised.value.readable_to


def test_a_missing_segment_is_corruption() -> None:
    """A segment that the manifest lists must be there."""
    files = FaultyFiles()
    write_log(files)
    files.lose(SEGMENT)

    with pytest.raises(CorruptOplogError) as raised:
        open_log(files)

    assert ("segment is missing", 0) == (raised.value.reason, raised.value.readable_to)


def test_a_damaged_segment_header_is_corruption() -> None:
    """It says up to where the segments before it can be read."""
    files = FaultyFiles()
    write_log(files)
    files.damage(SEGMENT, 3, b"!")

    with pytest.raises(CorruptOplogError) as raised:
        open_log(files)

    assert 0 == raised.value.readable_to


def test_a_segment_of_another_log_is_not_taken() -> None:
    """A file that is intact, but of another log, is neither damage nor a log."""
    files = FaultyFiles()
    write_log(files)
    manifest = load_manifest(files, HOME)
    save_manifest(
        files,
        HOME,
        manifest.__class__(
            manifest.lineage,
            manifest.create,
            1,
            (manifest.open_segment._replace(lineage=bytes(16)),),
        ),
    )

    with pytest.raises(OplogMismatchError):
        open_log(files)


def test_what_a_crash_left_beside_the_log_is_removed() -> None:
    """Files that no manifest lists go; what is none of the log's stays."""
    files = FaultyFiles()
    write_log(files)
    for name in ("0002.oplog", "manifest.tmp", "notes.txt"):
        files.create(HOME / name)
    files.make_dir(HOME / "0003.oplog")

    open_log(files)

    names = [name for name, _ in files.list_dir(HOME)]
    assert ["0001.oplog", "0003.oplog", "manifest", "notes.txt"] == names


@pytest.mark.parametrize("operation", ["open for writing", "truncate", "sync", "list_dir"])
def test_a_disk_that_refuses_the_repair_is_reported(operation: str) -> None:
    """A log that cannot be made writable is not opened, and can be opened later."""
    files = FaultyFiles()
    write_log(files)
    files.damage(SEGMENT, chunk_offsets(files)[-1], b"torn")
    files.fail(operation, errno.EROFS)

    with pytest.raises(OplogWriteError, match="Read-only"):
        open_log(files)

    assert 3 == open_log(files).last_index


def test_the_process_level_repairs_without_writing_again() -> None:
    """Where no power failure matters, opening a clean log writes nothing."""
    files = FaultyFiles()
    write_log(files, 3, SyncLevel.PROCESS)
    before = files.operations

    log = open_log(files, SyncLevel.PROCESS)

    assert 3 == log.committed_index
    assert not [line for line in files.log[before:] if "write_at" in line or "sync" in line]


def test_a_damaged_definition_is_reported_by_whoever_meets_it() -> None:
    """A chunk whose checksum is right and whose content is not is damage."""
    files = FaultyFiles()
    write_log(files, 1)
    seed = checksum_seed(load_manifest(files, HOME).lineage)
    end = chunk_offsets(files)[-1]
    files.damage(SEGMENT, end, build_chunk(seed, 2, 1, [b"\x92\x03\x05"], [b"\xc0"]))

    with pytest.raises(CorruptOplogError) as raised:
        open_log(files)

    assert (end, 1) == (raised.value.offset_bytes, raised.value.readable_to)


def test_a_kind_of_a_newer_version_is_no_damage() -> None:
    """An entry whose tag is not known says so, with the path."""
    files = FaultyFiles()
    write_log(files, 1)
    seed = checksum_seed(load_manifest(files, HOME).lineage)
    entry = msgpack.packb([99, 1])
    files.damage(SEGMENT, chunk_offsets(files)[-1], build_chunk(seed, 2, 1, [entry]))

    log = open_log(files)
    with pytest.raises(UnsupportedFormatError) as raised:
        list(log.read())

    assert (str(SEGMENT), "kind 99") == (raised.value.path, raised.value.found)


def test_a_segment_of_a_newer_version_is_no_damage() -> None:
    """A segment's version is an error of its own, and nothing is changed."""
    files = FaultyFiles()
    write_log(files)
    fields = bytearray(files.content(SEGMENT)[:36])
    fields[8] = 2
    checksum: int = google_crc32c.value(bytes(fields))
    files.damage(SEGMENT, 0, bytes(fields) + checksum.to_bytes(4, "little"))
    content = files.content(SEGMENT)

    with pytest.raises(UnsupportedFormatError):
        open_log(files)

    assert content == files.content(SEGMENT)
