"""A directory of logs: what it does on disk."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from golem_oplog.blobs import BlobStore
from golem_oplog.errors import CorruptOplogError, OplogExistsError, OplogReadError, OplogWriteError
from golem_oplog.files import OsFiles
from golem_oplog.fork import copy_log
from golem_oplog.protocol import SyncLevel
from golem_oplog.reader import open_file
from tests.support.faulty_files import ROOT, FaultyFiles
from tests.support.oplogs import call_entry, create_entry, log_entry, open_store

WORKERS = ROOT / "workers"


@pytest.mark.parametrize("name", ["", ".", "/etc", "../outside", "cart/../../outside"])
def test_a_name_stays_inside(name: str) -> None:
    """A name that would lead out of the store's directory is a mistake of the caller."""
    store = open_store(FaultyFiles(), ROOT)

    with pytest.raises(ValueError, match="no name of a log"):
        store.create(name, create_entry())


def test_a_log_is_a_directory_with_a_manifest_and_segments() -> None:
    """The files of a log lie where its name says, and nowhere else."""
    files = FaultyFiles()
    open_store(files, ROOT).create("cart/alice", create_entry())

    home = WORKERS / "cart" / "alice"
    assert [home / "0001.oplog", home / "manifest"] == files.paths()


def test_deleting_takes_only_what_is_the_logs() -> None:
    """Other files in a log's directory stay, and then the directory does."""
    files = FaultyFiles()
    store = open_store(files, ROOT)
    store.create("bare", create_entry()).close()
    store.create("with files", create_entry()).close()
    files.make_dir(WORKERS / "with files" / "files")

    store.delete("bare")
    store.delete("with files")

    assert [("with files", True)] == files.list_dir(WORKERS)
    assert [("files", True)] == files.list_dir(WORKERS / "with files")
    store.create("with files", create_entry())


def test_a_deletion_is_durable_as_soon_as_it_returns() -> None:
    """A log that was deleted does not come back after a power failure."""
    files = FaultyFiles()
    store = open_store(files, ROOT)
    store.create("a", create_entry()).close()
    store.delete("a")

    assert [] == list(open_store(files.after_power_failure(lambda: False), ROOT).list())


def test_half_made_logs_are_in_nobodys_way() -> None:
    """A directory without a manifest is no log: it is not listed, and its name is free."""
    files = FaultyFiles()
    store = open_store(files, ROOT)
    files.fail("rename", errno.EIO)
    with pytest.raises(OplogWriteError):
        store.create("a", create_entry())
    assert [] == list(store.list())

    with store.create("a", create_entry()) as log:
        assert 1 == log.last_index
    with pytest.raises(OplogExistsError):
        store.create("a", create_entry())


def test_directories_that_cannot_be_read_are_reported() -> None:
    """`list` does not leave out what the disk does not show."""
    files = FaultyFiles()
    store = open_store(files, ROOT)
    store.create("a", create_entry())
    files.fail("list_dir", errno.EACCES)

    with pytest.raises(OplogReadError):
        list(store.list())


def write_many(files: FaultyFiles) -> None:
    with open_store(files, ROOT).create("a", create_entry()) as log:
        for number in range(2, 301):
            log.append(call_entry(log, number, size_bytes=1000))


def test_a_fork_shares_sealed_segments() -> None:
    """Sealed segments are the same files under two names; only the open one is the fork's own."""
    files = FaultyFiles()
    write_many(files)
    open_store(files, ROOT).fork("a", "b", 300, create_entry("b"))

    links = {path.name: files.links(path) for path in files.paths() if path.parent.name == "b"}

    assert {"0001.oplog": 2, "0002.oplog": 2, "0003.oplog": 1, "manifest": 1} == links


def test_a_fork_that_cuts_a_sealed_segment_copies_nothing() -> None:
    """The manifest says how much of the shared segment belongs to the fork."""
    files = FaultyFiles()
    write_many(files)
    fork = open_store(files, ROOT).fork("a", "b", 70, create_entry("b"))
    fork.append(log_entry(1))
    fork.commit()

    assert 2 == files.links(WORKERS / "b" / "0002.oplog")
    assert 71 == open_file(WORKERS / "b" / "0003.oplog", files).first_index
    assert 71 == len(list(fork.read()))


@pytest.mark.parametrize("error", [errno.EMLINK, errno.EXDEV, errno.EPERM])
def test_a_fork_copies_what_cannot_be_linked(error: int) -> None:
    """Where there are no more links, or none at all, the fork has copies, durable ones."""
    files = FaultyFiles()
    write_many(files)
    files.fail("link", error)
    files.fail("link", error)
    fork = open_store(files, ROOT).fork("a", "b", 300, create_entry("b"))

    entries = [entry for _, entry in fork.read()]
    assert {1} == {files.links(path) for path in files.paths() if path.parent.name == "b"}
    survived = files.after_power_failure(lambda: False)
    assert entries == [entry for _, entry in open_store(survived, ROOT).reader("b").read()]


def test_a_fork_that_the_disk_refuses_does_not_exist() -> None:
    """Another failure of a link is reported, and there is no fork then."""
    files = FaultyFiles()
    write_many(files)
    store = open_store(files, ROOT)
    files.fail("link", errno.EIO)
    with pytest.raises(OplogWriteError):
        store.fork("a", "b", 300, create_entry("b"))

    assert ["a"] == list(store.list())
    assert 300 == store.fork("a", "b", 300, create_entry("b")).last_index


def test_a_fork_does_not_copy_damage() -> None:
    """Damage that came after the reader had looked stops the copying."""
    files = FaultyFiles()
    store = open_store(files, ROOT)
    log = store.create("a", create_entry())
    for number in range(2, 6):
        log.append(log_entry(number))
        log.commit()
    reader = store.reader("a")
    content = files.content(WORKERS / "a" / "0001.oplog")
    files.damage(WORKERS / "a" / "0001.oplog", content.index(b"line 3"), b"!")

    place = store._place("b")
    store._prepare(place)

    with pytest.raises(CorruptOplogError) as raised:
        copy_log(reader, place, 5, create_entry("b"))

    assert 2 == raised.value.readable_to


def test_logs_lie_on_a_real_disk(tmp_path: Path) -> None:
    """The same on the real file system: create, rotate, fork, open, delete."""
    files = OsFiles(open_files_max=2)
    blobs = BlobStore(tmp_path / "blobs", files, SyncLevel.POWER)
    store = type(open_store(FaultyFiles(), ROOT))(tmp_path / "w", files, SyncLevel.POWER, blobs)
    with store.create("cart/alice", create_entry()) as log:
        for number in range(2, 301):
            log.append(call_entry(log, number, size_bytes=1000))
        entries = [entry for _, entry in log.read()]
    store.fork("cart/alice", "cart/bob", 200, create_entry("bob")).close()

    with store.open("cart/bob") as fork:
        assert [create_entry("bob"), *entries[1:200]] == [entry for _, entry in fork.read()]
    assert 2 == (tmp_path / "w/cart/bob/0001.oplog").stat().st_nlink
    store.delete("cart/alice")
    assert ["cart/bob"] == list(store.list())
    assert not (tmp_path / "w/cart/alice").exists()
