"""Reading logs without writing to them."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from golem_oplog.entries import BlobRef, NoOp
from golem_oplog.errors import (
    CorruptOplogError,
    MissingBlobError,
    OplogMismatchError,
    OplogNotFoundError,
    OplogReadError,
    UnsupportedFormatError,
)
from golem_oplog.log import SegmentedOplog
from golem_oplog.reader import OplogReader, open_directory, open_file, open_segments
from golem_oplog.segment import build_segment_header
from tests.support.faulty_files import ROOT, FaultyFile, FaultyFiles
from tests.support.oplogs import LOOKUP, call_entry, create_entry, log_entry, open_store

HOME = ROOT / "workers" / "a"


def write_log(files: FaultyFiles, count: int = 300, size_bytes: int = 1000) -> SegmentedOplog:
    """A log of three segments, each entry in a chunk of its own and promised by the next."""
    log = open_store(files, ROOT).create("a", create_entry())
    for number in range(2, count + 1):
        log.append(call_entry(log, number, size_bytes))
        log.commit()
    return log


def indexes(reader: OplogReader, first: int = 1, last: int | None = None) -> list[int]:
    """What can be read until it is over; if it ends with damage, -1 is the last."""
    found = []
    try:
        for index, _ in reader.read(first, last):
            found.append(index)
    except CorruptOplogError:
        found.append(-1)
    return found


def test_reading_writes_nothing() -> None:
    """No operation of a reader changes anything, however much it reads."""
    files = FaultyFiles()
    log = write_log(files, 50)
    before = files.operations
    reader = open_directory(files, HOME)
    list(reader.read())
    reader.close()
    reader.close()
    log.abandon()

    kinds = {line.split(" ")[1] for line in files.log[before:]}

    assert {"open", "read_at", "size"} == kinds


def test_a_torn_tail_is_the_end() -> None:
    """A reader does not truncate: it stops where the last whole chunk ends."""
    files = FaultyFiles()
    write_log(files, 10)
    end = files.content(HOME / "0001.oplog").rstrip(b"\0")
    files.damage(HOME / "0001.oplog", len(end) + 1, b"half a chunk")
    reader = open_directory(files, HOME)

    assert list(range(1, 11)) == indexes(reader)
    assert len(b"half a chunk") + 1 == reader.look_again().recovery.dropped_bytes


def test_damage_in_the_open_segment_ends_the_reading() -> None:
    """Everything before it comes, then the error; a range before it is read without one."""
    files = FaultyFiles()
    write_log(files)
    content = files.content(HOME / "0003.oplog")
    files.damage(HOME / "0003.oplog", content.index((250).to_bytes(8, "big") * 3), b"!")
    reader = open_directory(files, HOME)

    assert [*range(1, 250), -1] == indexes(reader)
    assert 249 == reader.last_index
    assert list(range(100, 250)) == indexes(reader, 100, 249)
    assert [249, -1] == indexes(reader, 249, 260)
    assert [-1] == indexes(reader, 260)
    with pytest.raises(CorruptOplogError) as raised:
        list(reader.read())
    assert 249 == raised.value.readable_to


def test_damage_in_a_sealed_segment_ends_the_reading_there() -> None:
    """What lies behind it can be read on its own."""
    files = FaultyFiles()
    write_log(files)
    content = files.content(HOME / "0001.oplog")
    files.damage(HOME / "0001.oplog", content.index((20).to_bytes(8, "big") * 3), b"!")
    reader = open_directory(files, HOME)

    with pytest.raises(CorruptOplogError) as raised:
        list(reader.read())
    assert (19, str(HOME / "0001.oplog")) == (raised.value.readable_to, raised.value.path)
    assert [*range(1, 20), -1] == indexes(reader)
    assert list(range(200, 301)) == indexes(reader, 200)
    assert 300 == reader.last_index


def test_a_missing_sealed_segment_is_damage() -> None:
    """The entries before and behind it can be read."""
    files = FaultyFiles()
    write_log(files)
    files.lose(HOME / "0001.oplog")
    reader = open_directory(files, HOME)

    with pytest.raises(CorruptOplogError, match="segment is missing"):
        list(reader.read())
    assert list(range(200, 301)) == indexes(reader, 200)


def test_a_missing_open_segment_is_damage() -> None:
    """A log whose last segment is gone cannot even say where it ends."""
    files = FaultyFiles()
    write_log(files, 5)
    files.lose(HOME / "0001.oplog")

    with pytest.raises(CorruptOplogError, match="segment is missing"):
        open_directory(files, HOME)


def test_a_segment_of_another_log_is_refused() -> None:
    """A wrong file in the place of a segment is told from damage."""
    files = FaultyFiles()
    write_log(files, 5)
    files.damage(HOME / "0001.oplog", 0, build_segment_header(bytes(16), 1))

    with pytest.raises(OplogMismatchError):
        open_directory(files, HOME)


def test_a_disk_that_does_not_give_is_reported() -> None:
    """An I/O error is an error of the disk, when looking for the end and in the middle."""
    files = FaultyFiles()
    write_log(files)
    reader = open_directory(files, HOME)
    for name in ("0001.oplog", "0003.oplog"):
        files.fail("read_at", errno.EIO, name=name)
        with pytest.raises(OplogReadError, match="Input/output"):
            list(reader.read())

    assert list(range(1, 301)) == indexes(reader)


def test_a_chunk_that_was_half_written_a_moment_ago_is_no_damage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    The writer is alive: a reader that sees a hole, and behind it a promise that it is none, looks
    a second time.
    """
    files = FaultyFiles()
    log = write_log(files, 5)
    reader = open_directory(files, HOME)
    for number in range(6, 9):
        log.append(call_entry(log, number))
        log.commit()
    content = files.content(HOME / "0001.oplog")
    at = content.index((6).to_bytes(8, "big") * 3)
    files.damage(HOME / "0001.oplog", at, b"half")
    original = FaultyFile.size

    def complete_meanwhile(file: FaultyFile) -> int:
        # `size` is asked for after the hole was met and before what follows is searched.
        files.damage(HOME / "0001.oplog", at, content[at : at + 4])
        return original(file)

    monkeypatch.setattr(FaultyFile, "size", complete_meanwhile)

    assert list(range(1, 9)) == indexes(reader)


def test_definitions_are_known_wherever_reading_begins() -> None:
    """The open segment has the table so far: an entry in the middle can be understood at once."""
    files = FaultyFiles()
    log = write_log(files)
    reader = open_directory(files, HOME)

    assert LOOKUP == reader.function(log.define(LOOKUP))
    assert [0, 1] == sorted(reader.definitions()._written)


def test_a_reader_without_blobs_says_so() -> None:
    """Inline payloads are handed on, references cannot be resolved."""
    files = FaultyFiles()
    write_log(files, 5)
    reader = open_directory(files, HOME)

    assert not reader.has_blobs
    assert b"inline" == reader.load(b"inline")
    with pytest.raises(MissingBlobError, match="no blob store"):
        reader.load(BlobRef(bytes(32), 1))


def test_a_path_may_be_a_directory_its_manifest_or_a_segment() -> None:
    """`open_file` takes what a person has at hand; a segment shows its own entries only."""
    files = FaultyFiles()
    write_log(files)
    whole, manifest = open_file(HOME, files), open_file(HOME / "manifest", files)
    first, second = open_file(HOME / "0001.oplog", files), open_file(HOME / "0002.oplog", files)

    assert list(range(1, 301)) == indexes(whole) == indexes(manifest)
    assert (1, second.first_index - 1) == (first.first_index, first.last_index)
    assert list(range(second.first_index, second.last_index + 1)) == indexes(second)
    assert second.last_index > second.first_index
    assert LOOKUP == second.function(0 if LOOKUP == second.function(0) else 1)


def test_a_single_segment_is_read_wherever_it_lies(tmp_path: Path) -> None:
    """A copy under any name, on the real file system, without any other file of its log."""
    files = FaultyFiles()
    write_log(files)
    path = tmp_path / "copy"
    path.write_bytes(files.content(HOME / "0002.oplog"))

    with open_file(path) as reader:
        assert reader.first_index == next(iter(reader.read()))[0]


def test_what_is_no_log_is_told_from_what_is_not_there() -> None:
    """A missing path, another kind of file and an unreadable one are three errors."""
    files = FaultyFiles()
    write_log(files, 5)
    files.create(ROOT / "text").write_at(0, b"some text")
    for path in (ROOT / "missing", ROOT / "missing" / "manifest", ROOT):
        with pytest.raises(OplogNotFoundError):
            open_file(path, files)
    with pytest.raises(UnsupportedFormatError, match="no oplog"):
        open_file(ROOT / "text", files)
    files.fail("read_at", errno.EIO)
    with pytest.raises(OplogReadError):
        open_file(HOME / "0001.oplog", files)


def test_a_log_without_its_manifest_is_read_by_its_segments() -> None:
    """The headers say what follows what; only a fork's own first entry is lost."""
    files = FaultyFiles()
    log = write_log(files)
    log.append(NoOp(1))
    log.close()
    expected = list(open_directory(files, HOME).read())
    files.lose(HOME / "manifest")
    files.make_dir(HOME / "0009.oplog")
    files.create(HOME / "other.oplog")

    reader = open_segments(files, HOME)

    assert expected == list(reader.read())


def test_segments_that_cannot_be_read_are_reported() -> None:
    """No directory, no segments, something else under their name, a disk that gives nothing."""
    files = FaultyFiles()
    files.make_dir(ROOT / "empty")
    for path in (ROOT / "missing", ROOT / "empty"):
        with pytest.raises(OplogNotFoundError):
            open_segments(files, path)
    write_log(files, 5)
    files.fail("read_at", errno.EIO)
    with pytest.raises(OplogReadError):
        open_segments(files, HOME)
    files.create(HOME / "0002.oplog").write_at(0, b"some text")
    with pytest.raises(UnsupportedFormatError):
        open_segments(files, HOME)


def test_a_reader_of_a_large_entry_takes_it_in_one_piece() -> None:
    """An entry beyond the size of what is read at once comes as a whole."""
    files = FaultyFiles()
    log = write_log(files, 2)
    line = log_entry(3, 500_000)
    log.append(line)
    log.commit()

    assert line == open_directory(files, HOME).entry(3)
