"""What crashes have left in a directory of logs, and that only this is swept away."""

from __future__ import annotations

import errno

import pytest

from golem_oplog.errors import OplogExistsError, OplogWriteError
from golem_oplog.store import OplogStore
from tests.support.faulty_files import ROOT, FaultyFiles
from tests.support.oplogs import create_entry, log_entry, open_store

WORKERS = ROOT / "workers"


def half_made(files: FaultyFiles, name: str) -> OplogStore:
    """A store in which the log of a name has a segment, and no manifest."""
    store = open_store(files, ROOT)
    files.fail("rename", errno.EIO)
    with pytest.raises(OplogWriteError):
        store.create(name, create_entry())
    return store


def put(files: FaultyFiles, path: str, data: bytes) -> None:
    file = files.create(WORKERS / path)
    file.write_at(0, data)
    file.close()


def test_half_made_logs_are_removed() -> None:
    """With their directories, those above that are empty included."""
    files = FaultyFiles()
    store = half_made(files, "shop/bob")
    store.create("cart/alice", create_entry()).close()
    there = len(files.paths())

    count, size_bytes = store.sweep(dry_run=True)
    assert there == len(files.paths())
    assert (count, size_bytes) == store.sweep()

    assert count == there - len(files.paths()) > 0
    assert size_bytes > 0
    assert [("cart", True)] == files.list_dir(WORKERS)
    assert (0, 0) == store.sweep()


def test_a_log_loses_only_what_its_manifest_does_not_list() -> None:
    """A segment that was about to begin, and what a replaced file left; nobody else's files."""
    files = FaultyFiles()
    store = open_store(files, ROOT)
    with store.create("a", create_entry()) as log:
        log.append(log_entry(2))
    put(files, "a/0002.oplog", b"new")
    put(files, "a/manifest.tmp", b"half")
    put(files, "a/notes", b"mine")

    assert (2, 7) == store.sweep()
    assert ["0001.oplog", "manifest", "notes"] == [
        name for name, _ in files.list_dir(WORKERS / "a")
    ]
    with store.open("a") as log:
        assert 2 == log.last_index


def test_a_log_in_use_is_passed_over() -> None:
    """Its writer may be about to list what it has just made."""
    files = FaultyFiles()
    store = open_store(files, ROOT)
    with store.create("a", create_entry()):
        put(files, "a/0002.oplog", b"new")

        assert (0, 0) == store.sweep()
    assert (1, 3) == store.sweep()


def test_a_damaged_log_keeps_everything() -> None:
    """Without its manifest nobody knows what belongs to it."""
    files = FaultyFiles()
    store = open_store(files, ROOT)
    store.create("a", create_entry()).close()
    put(files, "a/manifest", b"damaged")
    put(files, "a/0002.oplog", b"new")

    assert (0, 0) == store.sweep()
    with pytest.raises(OplogExistsError):
        store.create("a", create_entry())


def test_nothing_created_is_nothing_to_sweep() -> None:
    """The directory of logs need not be there."""
    assert (0, 0) == open_store(FaultyFiles(), ROOT).sweep()


def test_a_disk_that_refuses_is_reported() -> None:
    """And what is left can be swept later."""
    files = FaultyFiles()
    store = half_made(files, "a")
    files.fail("remove", errno.EIO)

    with pytest.raises(OplogWriteError):
        store.sweep()
    assert store.sweep()[0] > 0
