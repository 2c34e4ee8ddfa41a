"""
A log file that was cut or changed anywhere.

Invariants: a log cut at any byte opens to a prefix of its entries, or is reported as damaged; a
log with any bit flipped never shows an entry that was not written, and what lies before the flipped
bit can be read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from golem_oplog.entries import Entry
from golem_oplog.errors import CorruptOplogError, OplogError
from golem_oplog.manifest import MANIFEST_NAME
from golem_oplog.reader import open_directory
from golem_oplog.segment import SEGMENT_HEADER_SIZE_BYTES
from tests.support.faulty_files import ROOT, FaultyFiles
from tests.support.oplogs import call_entry, create_entry, log_entry, open_store

HOME = ROOT / "workers" / "a"
SEGMENT = HOME / "0001.oplog"
SAMPLE_STEP = 37  # a prime, so that every bit of a byte and every field has its turn


def write_log(files: FaultyFiles, *, committed: bool) -> list[Entry]:
    log = open_store(files, ROOT).create("a", create_entry())
    for number in range(2, 9):
        log.append(log_entry(number) if number % 3 == 0 else call_entry(log, number, 40))
        if committed:
            log.commit()
        else:
            log.flush()
    entries = [entry for _, entry in log.read()]
    log.abandon()
    return entries


def damaged(change: Callable[[FaultyFiles], None], *, committed: bool) -> FaultyFiles:
    files = FaultyFiles()
    write_log(files, committed=committed)
    change(files)
    return files


def cut_segment(size_bytes: int, files: FaultyFiles) -> None:
    files.truncate(SEGMENT, size_bytes)


def readable(files: FaultyFiles) -> tuple[list[Entry], OplogError | None]:
    """What a reader gets out of the log before it ends or is found damaged."""
    found: list[Entry] = []
    try:
        for _, entry in open_directory(files, HOME).read():
            found.append(entry)
    except OplogError as error:
        return found, error
    return found, None


def reopened(files: FaultyFiles) -> list[Entry] | None:
    """What a writer finds; None if it refuses the log as damaged."""
    try:
        with open_store(files, ROOT).open("a") as log:
            return [entry for _, entry in log.read()]
    except CorruptOplogError:
        return None


def written_size() -> int:
    files = FaultyFiles()
    write_log(files, committed=False)
    return len(files.content(SEGMENT).rstrip(b"\0"))


@pytest.mark.parametrize("committed", [pytest.param(True, marks=pytest.mark.long), False])
def test_a_log_cut_at_any_byte_is_a_prefix(committed: bool) -> None:
    """Reader and writer agree on a prefix, and the first entry is never lost without a word."""
    entries = write_log(FaultyFiles(), committed=committed)
    lengths = set()
    for size in range(written_size()):
        files = damaged(partial(cut_segment, size), committed=committed)
        found, error = readable(files)
        again = reopened(files)

        assert entries[: len(found)] == found
        assert (error is None) == (len(found) > 0) == (again is not None)
        assert again is None or again == found
        lengths.add(len(found))

    assert set(range(len(entries))) == lengths


def check_flip(entries: list[Entry], path_name: str, bit: int, *, committed: bool) -> None:
    def flip(disk: FaultyFiles) -> None:
        byte = disk.content(HOME / path_name)[bit // 8]
        disk.damage(HOME / path_name, bit // 8, bytes([byte ^ 1 << bit % 8]))

    files = damaged(flip, committed=committed)
    found, error = readable(files)
    again = reopened(files)

    assert entries[: len(found)] == found
    # Without an error the flipped bit lay in what nobody was promised, and is a torn tail now.
    assert error is not None or len(found) < len(entries)
    assert not committed or error is not None or len(found) == len(entries) - 1
    assert again is None or again == found


def bits(path_name: str) -> range:
    files = FaultyFiles()
    write_log(files, committed=True)
    return range(len(files.content(HOME / path_name).rstrip(b"\0")) * 8)


@pytest.mark.parametrize("committed", [True, False])
def test_a_log_with_a_flipped_bit_is_never_misread(committed: bool) -> None:
    """A sample of all bits, of segment and manifest."""
    entries = write_log(FaultyFiles(), committed=committed)
    for path_name in (SEGMENT.name, MANIFEST_NAME):
        for bit in bits(path_name)[::SAMPLE_STEP]:
            check_flip(entries, path_name, bit, committed=committed)


@pytest.mark.long
@pytest.mark.parametrize("committed", [True, False])
def test_a_log_with_any_bit_flipped_is_never_misread(committed: bool) -> None:
    """Every bit of segment and manifest."""
    entries = write_log(FaultyFiles(), committed=committed)
    for path_name in (SEGMENT.name, MANIFEST_NAME):
        for bit in bits(path_name):
            check_flip(entries, path_name, bit, committed=committed)


def test_the_header_is_part_of_what_is_tested() -> None:
    """The file holds more than its header: the loops above go through chunks."""
    assert written_size() > 10 * SEGMENT_HEADER_SIZE_BYTES
