"""Logs written by format version 1, which every later version must read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from golem_oplog import (
    BlobStore,
    Entry,
    ImportedFunctionInvoked,
    Log,
    NoOp,
    OplogStore,
    OsFiles,
    SyncLevel,
    check,
    open_file,
)
from golem_oplog.codec import encode_entry
from tests.golden.write_v1 import (
    CHECK_OUT,
    HOME,
    LARGE,
    LOOKUP,
    blob_ref,
    create_entry,
    samples,
    shop_entries,
)


def golden_store(home: Path) -> OplogStore:
    files = OsFiles()
    blobs = BlobStore(home / "blobs", files, SyncLevel.POWER)
    return OplogStore(home / "workers", files, SyncLevel.POWER, blobs)


def shop_log() -> list[Entry]:
    *small, large = shop_entries(0, 1)
    assert isinstance(large, ImportedFunctionInvoked)
    return [create_entry("shop"), *small, large._replace(request=blob_ref()), *samples()]


def long_log() -> list[Entry]:
    return [create_entry("long"), *(Log(at, 0, "", b"%1000d" % at) for at in range(70))]


def test_every_kind_of_entry_is_read() -> None:
    """Entries of all kinds, with all fields and with defaults, their functions and blobs."""
    with golden_store(HOME).reader("shop") as log:
        assert shop_log() == [entry for _, entry in log.read()]
        assert {LOOKUP, CHECK_OUT} == {log.function(0), log.function(1)}
        assert LARGE == log.load(blob_ref())


def test_segments_and_forks_are_read() -> None:
    """A log of two segments, and a fork that has a part of one of them."""
    store = golden_store(HOME)

    assert long_log() == [entry for _, entry in store.reader("long").read()]
    forked = [create_entry("fork"), *long_log()[1:30]]
    assert forked == [entry for _, entry in store.reader("fork").read()]


@pytest.mark.parametrize("name", ["shop", "long", "fork"])
def test_golden_logs_are_intact(name: str) -> None:
    """The check finds nothing wrong with them."""
    with golden_store(HOME).reader(name) as log:
        report = check(log)

    assert (True, 0) == (report.is_intact, report.torn_bytes)


@pytest.mark.parametrize("name", ["shop", "long", "fork"])
def test_golden_logs_go_on(name: str, tmp_path: Path) -> None:
    """They can be opened for writing, take entries, and are read with these."""
    home = shutil.copytree(HOME, tmp_path / "v1")
    with golden_store(home).open(name) as log:
        before = list(log.read())
        log.append(NoOp(1))
    with golden_store(home).reader(name) as log:
        assert [*before, (len(before) + 1, NoOp(1))] == list(log.read())


def test_a_golden_segment_is_read_by_itself() -> None:
    """The second segment begins where the first one ends."""
    with (
        open_file(HOME / "workers/long/0001.oplog") as first,
        open_file(HOME / "workers/long/0002.oplog") as second,
    ):
        entries = [*first.read(), *second.read()]

    assert [*enumerate(long_log(), 1)] == entries


def test_entries_are_still_written_as_they_were() -> None:
    """The bytes of every kind of entry are those of the golden file."""
    content = (HOME / "workers/shop/0001.oplog").read_bytes()

    for entry in shop_log():
        assert encode_entry(entry) in content
