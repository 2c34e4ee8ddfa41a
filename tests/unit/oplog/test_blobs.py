"""Large payloads outside of the log."""

from __future__ import annotations

import errno
from hashlib import sha256

import pytest

from golem_oplog.blobs import Blobs, BlobStore, CountedBlobs, MemoryBlobs
from golem_oplog.entries import BlobRef
from golem_oplog.errors import MissingBlobError, OplogReadError, OplogWriteError
from golem_oplog.protocol import SyncLevel
from tests.support.faulty_files import ROOT, FaultyFiles

BLOBS = ROOT / "blobs"
DATA = b"payload" * 100
DIGEST = sha256(DATA).digest()


def blob_store(files: FaultyFiles, sync_level: SyncLevel = SyncLevel.POWER) -> BlobStore:
    return BlobStore(BLOBS, files, sync_level)


@pytest.mark.parametrize("blobs", [MemoryBlobs(), blob_store(FaultyFiles())])
def test_a_blob_comes_back_by_its_reference(blobs: Blobs) -> None:
    """A reference is hash and size; storing the same bytes again gives the same one."""
    ref = blobs.put(DATA)

    assert BlobRef(DIGEST, len(DATA)) == ref
    assert ref == blobs.put(DATA)
    assert DATA == blobs.get(ref)


@pytest.mark.parametrize("blobs", [MemoryBlobs(), blob_store(FaultyFiles())])
def test_a_blob_must_be_there_and_be_what_it_was(blobs: Blobs) -> None:
    """An unknown hash and a wrong size are both reported by the hash."""
    ref = blobs.put(DATA)

    for wrong in (BlobRef(bytes(32), 5), ref._replace(size_bytes=5)):
        with pytest.raises(MissingBlobError) as raised:
            blobs.get(wrong)
        assert wrong.sha256.hex() == raised.value.sha256


def test_a_blob_lies_under_its_hash() -> None:
    """Two digits of directory, the rest of the name; nothing else is left behind."""
    files = FaultyFiles()
    blob_store(files).put(DATA)

    assert [BLOBS / DIGEST.hex()[:2] / DIGEST.hex()[2:]] == files.paths()


def test_a_damaged_blob_is_reported_and_replaced() -> None:
    """Damage shows when the blob is read, and goes when the same bytes are stored again."""
    files = FaultyFiles()
    store = blob_store(files)
    ref = store.put(DATA)
    files.damage(files.paths()[0], 3, b"!")

    with pytest.raises(MissingBlobError, match="another hash"):
        store.get(ref)
    store.put(DATA)

    assert DATA == store.get(ref)


def test_a_blob_that_is_there_already_is_as_durable_as_a_new_one() -> None:
    """A process that was killed may have left a name that was not synced."""
    files = FaultyFiles()
    store = blob_store(files)
    files.fail("sync_dir", errno.EIO, name=DIGEST.hex()[:2])
    with pytest.raises(OplogWriteError):
        store.put(DATA)

    ref = store.put(DATA)

    survived = files.after_power_failure(lambda: False)
    assert DATA == blob_store(survived).get(ref)


def test_the_process_level_syncs_nothing_but_directories() -> None:
    """Where no power failure matters, no file is synced."""
    files = FaultyFiles()
    store = blob_store(files, SyncLevel.PROCESS)
    store.put(DATA)
    store.put(DATA)

    assert not [line for line in files.log if " sync " in line]


def test_a_disk_that_refuses_is_reported() -> None:
    """Writing and reading each have their own error, with the blob's path."""
    files = FaultyFiles()
    store = blob_store(files)
    files.fail("write_at", errno.ENOSPC)
    with pytest.raises(OplogWriteError, match="No space left"):
        store.put(DATA)

    ref = store.put(DATA)
    files.fail("read_at", errno.EIO)
    with pytest.raises(OplogReadError, match="Input/output"):
        store.get(ref)


def test_a_sweep_deletes_what_nobody_reaches() -> None:
    """Reachable blobs stay, others go, and so do half written files of earlier processes."""
    files = FaultyFiles()
    store = blob_store(files)
    kept, lost = store.put(DATA), store.put(b"unreachable")
    path = files.paths()[0]
    files.create(path.with_name(f"{DIGEST.hex()[2:]}.7.tmp")).write_at(0, b"half")

    store.start_sweep()
    report = store.finish_sweep({kept.sha256})

    assert (2, len(b"unreachable") + len(b"half")) == report
    assert DATA == store.get(kept)
    with pytest.raises(MissingBlobError):
        store.get(lost)


def test_a_sweep_can_be_tried() -> None:
    """Then it counts what it would delete, and deletes nothing."""
    store = blob_store(FaultyFiles())
    ref = store.put(b"unreached")

    store.start_sweep()
    tried = store.finish_sweep(set(), dry_run=True)

    assert b"unreached" == store.get(ref)
    store.start_sweep()
    assert (1, 9) == tried == store.finish_sweep(set())


def test_a_sweep_spares_what_is_stored_meanwhile() -> None:
    """A blob stored after the sweep began stays, whether it was there before or not."""
    files = FaultyFiles()
    store = blob_store(files)
    old = store.put(DATA)

    store.start_sweep()
    again, new = store.put(DATA), store.put(b"new")
    assert (0, 0) == store.finish_sweep(set())

    assert old == again
    assert b"new" == store.get(new)
    store.start_sweep()
    assert 2 == store.finish_sweep(set())[0]


def test_a_sweep_spares_what_is_just_being_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """A blob whose storing began before the sweep, and ends after it, stays."""
    files = FaultyFiles()
    store = blob_store(files)
    rename = files.rename

    def sweep_in_between(source: object, target: object) -> None:
        store.start_sweep()
        assert (0, 0) == store.finish_sweep(set())
        rename(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "rename", sweep_in_between)

    assert DATA == store.get(store.put(DATA))


def test_a_sweep_leaves_alone_what_is_no_blob() -> None:
    """Names that no blob has are none of the sweep's business."""
    files = FaultyFiles()
    store = blob_store(files)
    store.put(DATA)
    files.make_dir(BLOBS / "notes")
    others = {BLOBS / "README", BLOBS / "notes" / "README"}
    for path in others:
        files.create(path)

    store.start_sweep()
    store.finish_sweep({DIGEST})

    assert others < set(files.paths())


def test_a_sweep_that_the_disk_refuses_is_reported_and_over() -> None:
    """After a failure the next sweep can begin."""
    files = FaultyFiles()
    store = blob_store(files)
    store.put(DATA)
    files.fail("remove", errno.EROFS)

    store.start_sweep()
    with pytest.raises(OplogWriteError):
        store.finish_sweep(set())

    store.start_sweep()
    assert 1 == store.finish_sweep(set())[0]


def test_a_sweep_of_no_blobs_finds_none() -> None:
    """A store that was never written to has nothing to sweep."""
    store = blob_store(FaultyFiles())

    store.start_sweep()

    assert (0, 0) == store.finish_sweep(set())


def test_counted_blobs_are_blobs() -> None:
    """Each one that is put is counted, and comes back."""
    counted: list[int] = []
    blobs = CountedBlobs(MemoryBlobs(), counted.append)

    assert DATA == blobs.get(blobs.put(DATA))
    assert [len(DATA)] == counted
