"""Checking, salvaging and counting."""

from __future__ import annotations

import errno

import pytest

from golem_oplog.blobs import BlobStore
from golem_oplog.codec import encode_definition, encode_entry
from golem_oplog.entries import (
    Entry,
    ExportedFunctionInvoked,
    ImportedFunctionInvoked,
    NoOp,
    PendingUpdate,
    PendingWorkerInvocation,
)
from golem_oplog.errors import (
    CorruptOplogError,
    OplogExistsError,
    OplogMismatchError,
    OplogReadError,
    UnknownFunctionError,
)
from golem_oplog.examine import (
    CheckReport,
    blob_refs,
    check,
    reachable_blobs,
    salvage,
    statistics,
)
from golem_oplog.frame import build_chunk, checksum_seed
from golem_oplog.log import SegmentedOplog
from golem_oplog.manifest import load_manifest
from golem_oplog.memory import MemoryOplog, MemoryOplogStore
from golem_oplog.protocol import SyncLevel
from golem_oplog.reader import open_directory, open_file
from golem_oplog.segment import build_segment_header
from tests.support.faulty_files import ROOT, FaultyFiles
from tests.support.oplogs import LOOKUP, NOTIFY, call_entry, create_entry, open_store

HOME = ROOT / "workers" / "a"


def write_log(files: FaultyFiles, count: int = 300) -> SegmentedOplog:
    """Entries of a kilobyte in three segments, each in a chunk that promises the one before."""
    log = open_store(files, ROOT).create("a", create_entry())
    for number in range(2, count + 1):
        log.append(call_entry(log, number, size_bytes=1000))
        log.commit()
    return log


def damage_entry(files: FaultyFiles, segment: str, number: int) -> None:
    content = files.content(HOME / segment)
    files.damage(HOME / segment, content.index(number.to_bytes(8, "big") * 5), b"!")


def checked(files: FaultyFiles) -> CheckReport:
    return check(open_store(files, ROOT).reader("a"))


def lost(report: CheckReport) -> list[tuple[str, int, int]]:
    return [
        (damage.path.rsplit("/", 1)[1], damage.first_index, damage.last_index)
        for damage in report.damage
    ]


def test_an_intact_log_is_said_to_be_intact() -> None:
    """The report lists the segments with the entries of each."""
    files = FaultyFiles()
    write_log(files)

    report = checked(files)

    assert report.is_intact
    assert (300, 0, ()) == (report.readable_to, report.torn_bytes, report.damage)
    first, second, third = report.segments
    assert (1, True, second.first_index - 1) == (
        first.first_index,
        first.is_sealed,
        first.last_index,
    )
    assert (300, False, str(HOME / "0003.oplog")) == (
        third.last_index,
        third.is_sealed,
        third.path,
    )
    assert second.size_bytes == len(files.content(HOME / "0002.oplog"))


def test_all_damage_is_found_not_only_the_first() -> None:
    """The check goes on behind each hole, in sealed segments and in the open one."""
    files = FaultyFiles()
    write_log(files)
    for segment, number in (("0001.oplog", 10), ("0001.oplog", 30), ("0003.oplog", 250)):
        damage_entry(files, segment, number)

    report = checked(files)

    assert [("0001.oplog", 10, 10), ("0001.oplog", 30, 30), ("0003.oplog", 250, 250)] == lost(
        report
    )
    assert not report.is_intact
    assert 9 == report.readable_to
    assert "chunk checksum differs" == report.damage[0].reason


def test_a_sealed_segment_that_is_cut_short_is_damaged() -> None:
    """What is missing at its end is lost, whatever the next segment holds."""
    files = FaultyFiles()
    write_log(files)
    last = open_file(HOME / "0001.oplog", files).last_index
    content = files.content(HOME / "0001.oplog")
    files.truncate(HOME / "0001.oplog", content.index((last - 1).to_bytes(8, "big") * 5))

    assert [("0001.oplog", last - 1, last)] == lost(checked(files))


def test_a_torn_tail_is_no_damage() -> None:
    """It is counted, and the log is intact."""
    files = FaultyFiles()
    write_log(files, 5).abandon()
    end = len(files.content(HOME / "0001.oplog").rstrip(b"\0"))
    files.truncate(HOME / "0001.oplog", end - 10)

    report = checked(files)

    assert report.is_intact
    assert (4, True) == (report.readable_to, report.torn_bytes > 1000)


def test_a_torn_tail_behind_damage_is_not_counted_twice() -> None:
    """If the log is damaged, what lies behind the damage is no tail."""
    files = FaultyFiles()
    write_log(files, 20)
    damage_entry(files, "0001.oplog", 10)

    assert (9, 0) == (checked(files).readable_to, checked(files).torn_bytes)


def test_a_promise_of_the_manifest_counts() -> None:
    """An open segment from which everything is gone is damaged if the manifest says so."""
    files = FaultyFiles()
    write_log(files, 3).abandon()
    manifest = load_manifest(files, HOME)
    files.truncate(HOME / "0001.oplog", 45)

    assert [("0001.oplog", 1, manifest.promise)] == lost(checked(files))


@pytest.mark.parametrize("what", ["missing", "header", "foreign"])
def test_a_segment_that_cannot_be_opened_is_lost_as_a_whole(what: str) -> None:
    """A sealed segment that is gone, or is not the one it should be, loses all its entries."""
    files = FaultyFiles()
    write_log(files)
    last = open_file(HOME / "0001.oplog", files).last_index
    if what == "missing":
        files.lose(HOME / "0001.oplog")
    else:
        header = b"!" if what == "header" else build_segment_header(bytes(16), 1)
        files.damage(HOME / "0001.oplog", 0, header)

    report = checked(files)

    assert [("0001.oplog", 1, last)] == lost(report)
    assert 0 == report.readable_to


def add_chunk(files: FaultyFiles, index: int, entry: Entry, *definitions: bytes) -> None:
    """A chunk whose checksums are right, behind the last one, whatever is in it."""
    path = HOME / "0001.oplog"
    end = len(files.content(path).rstrip(b"\0"))
    seed = checksum_seed(load_manifest(files, HOME).lineage)
    files.damage(path, end, build_chunk(seed, index, index - 1, [encode_entry(entry)], definitions))


def test_a_chunk_that_decodes_to_nothing_is_damage() -> None:
    """A right checksum does not help an entry that is none; those around it are found."""
    files = FaultyFiles()
    write_log(files, 3).abandon()
    path = HOME / "0001.oplog"
    seed = checksum_seed(load_manifest(files, HOME).lineage)
    end = len(files.content(path).rstrip(b"\0"))
    files.damage(path, end, build_chunk(seed, 4, 3, [b"\x92\x03\xa1x"]))
    add_chunk(files, 5, NoOp(1))

    report = checked(files)

    assert [("0001.oplog", 4, 4)] == lost(report)
    assert (3, 5) == (report.readable_to, report.segments[0].last_index)


def test_an_entry_with_an_unknown_function_is_damage() -> None:
    """An entry that refers to a definition that is not there, or to a wrong one, is lost."""
    files = FaultyFiles()
    write_log(files, 3).abandon()
    add_chunk(files, 4, ImportedFunctionInvoked(1, 77, b"", b"", 0))
    add_chunk(files, 5, ImportedFunctionInvoked(1, 78, b"", b"", 0), encode_definition(78, LOOKUP))

    report = checked(files)

    assert [("0001.oplog", 4, 4)] == lost(report)
    assert "the log defines no function 77" == report.damage[0].reason


def test_missing_blobs_are_found() -> None:
    """A payload whose blob is gone or damaged is reported with the entry that needs it."""
    files = FaultyFiles()
    log = write_log(files, 2)
    for byte in (b"a", b"b", b"c"):
        log.append(PendingUpdate(1, 1, byte * 70_000))
    log.close()
    gone, damaged, _ = (blob for blob in files.paths() if blob.is_relative_to(ROOT / "blobs"))
    files.lose(gone)
    files.damage(damaged, 5, b"!")

    report = checked(files)

    assert 2 == len(report.missing_blobs)
    assert {3, 4, 5} > {index for index, _ in report.missing_blobs}
    assert (False, 5) == (report.is_intact, report.readable_to)
    assert check(open_directory(files, HOME)).is_intact


def test_a_disk_that_does_not_give_is_no_damage() -> None:
    """An I/O error ends the check: nothing can be said then."""
    files = FaultyFiles()
    write_log(files)
    files.fail("read_at", errno.EIO, name="0001.oplog")

    with pytest.raises(OplogReadError):
        checked(files)


def test_references_are_collected_for_a_sweep() -> None:
    """What a log reaches is what a sweep must keep, entries still in the buffer included."""
    files = FaultyFiles()
    blobs = BlobStore(ROOT / "blobs", files, SyncLevel.POWER)
    log = write_log(files, 2)
    log.append(PendingUpdate(1, 1, b"a" * 70_000))
    blobs.put(b"unreachable")

    blobs.start_sweep()
    report = blobs.finish_sweep(reachable_blobs(log))

    assert (1, len(b"unreachable")) == report
    assert 70_000 == blob_refs(log.entry(3))[0].size_bytes
    assert [] == blob_refs(NoOp(1))


def test_the_readable_part_is_saved_to_a_new_log() -> None:
    """Everything before the first damage comes over, with its functions; the old log stays."""
    files = FaultyFiles()
    log = write_log(files)
    log.append(ExportedFunctionInvoked(1, log.define(LOOKUP), b"", "key"))
    log.append(PendingWorkerInvocation(1, "key", log.define(NOTIFY), b""))
    log.append(PendingWorkerInvocation(1, "", None, b"", 2))
    log.close()
    store = open_store(files, ROOT)
    before = list(store.reader("a").read())
    contents = {path: files.content(path) for path in files.paths()}

    assert 303 == salvage(store.reader("a"), store, "whole")
    damage_entry(files, "0003.oplog", 250)
    assert 249 == salvage(store.reader("a"), store, "part")

    whole, part = store.open("whole"), store.open("part")
    functions = {name: whole.define(function) for name, function in (("l", LOOKUP), ("n", NOTIFY))}
    assert set(functions.values()) <= {0, 1}
    assert [entry.timestamp for _, entry in before] == [e.timestamp for _, e in whole.read()]
    assert list(whole.read(1, 249)) == list(part.read())
    assert LOOKUP == whole.function(getattr(whole.entry(301), "function"))  # noqa: B009
    assert NOTIFY == whole.function(getattr(whole.entry(302), "function"))  # noqa: B009
    assert contents[HOME / "0001.oplog"] == files.content(HOME / "0001.oplog")


def test_salvage_ends_at_a_function_that_is_unknown() -> None:
    """An entry whose function is lost says nothing: it ends the readable part."""
    log = MemoryOplog(create_entry())
    log.append(NoOp(1))
    log.append(call_entry(log, 1))
    log._definitions._forms.clear()
    log._definitions._types.clear()

    assert 2 == salvage(log, MemoryOplogStore(), "saved")


def test_nothing_can_be_saved_from_the_middle_of_a_log() -> None:
    """A segment that does not begin with the first entry cannot become a log."""
    files = FaultyFiles()
    write_log(files)
    store = open_store(files, ROOT)

    with pytest.raises(OplogMismatchError):
        salvage(open_file(HOME / "0002.oplog", files), store, "saved")
    assert ["a"] == list(store.list())


def test_a_saved_log_replaces_none() -> None:
    """The name of a log that exists is refused, as is a log without a readable entry."""
    files = FaultyFiles()
    write_log(files, 3).close()
    store = open_store(files, ROOT)
    with pytest.raises(OplogExistsError):
        salvage(store.reader("a"), store, "a")

    files.truncate(HOME / "0001.oplog", 45)
    with pytest.raises(CorruptOplogError):
        salvage(store.reader("a"), store, "saved")


def test_statistics_count_what_is_there() -> None:
    """Entries by kind, calls by function, times from first to last, bytes of files and blobs."""
    files = FaultyFiles()
    log = write_log(files, 10)
    log.append(PendingUpdate(50, 1, bytes(70_000)))
    log.append(PendingUpdate(60, 1, bytes(70_000)))
    log.close()

    counted = statistics(open_store(files, ROOT).reader("a"))

    assert (1, 12, create_entry().timestamp, 60) == (
        counted.first_index,
        counted.last_index,
        counted.first_timestamp,
        counted.last_timestamp,
    )
    kinds = (("imported-function-invoked", 9), ("pending-update", 2), ("create", 1))
    assert kinds == counted.kinds
    assert ((NOTIFY.name, 5), (LOOKUP.name, 4)) == counted.functions
    assert 70_000 == counted.blobs_size_bytes
    assert len(files.content(HOME / "0001.oplog")) == counted.size_bytes


def test_an_unknown_function_cannot_be_counted() -> None:
    """Counting reads as everybody reads, and raises what reading raises."""
    files = FaultyFiles()
    write_log(files, 3).abandon()
    add_chunk(files, 4, ImportedFunctionInvoked(1, 77, b"", b"", 0))

    with pytest.raises(UnknownFunctionError):
        statistics(open_directory(files, HOME))
