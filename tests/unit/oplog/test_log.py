"""The log on disk while it is open for writing."""

from __future__ import annotations

import errno
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Condition, Event, Lock

import pytest

from golem_oplog.entries import ImportedFunctionInvoked, Log, NoOp
from golem_oplog.errors import OplogError, OplogPoisonedError, OplogWriteError
from golem_oplog.log import SegmentedOplog
from golem_oplog.protocol import BUFFER_ENTRIES_MAX, SyncLevel
from golem_oplog.reader import open_file
from golem_oplog.segment import SEGMENT_SIZE_BYTES_MIN
from golem_oplog.types import FunctionType
from tests.support.faulty_files import ROOT, FaultyFile, FaultyFiles
from tests.support.oplogs import call_entry, create_entry, log_entry, open_store

HOME = ROOT / "workers" / "a"


class GatedFiles(FaultyFiles):
    """A disk whose syncs of segments wait at a gate, so that a test decides what overtakes them."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Event()
        self.gate.set()
        self.arrived = Event()
        self.syncs = 0

    def create(self, path: Path) -> FaultyFile:
        return GatedFile(self, path, super().create(path)._inode)


class GatedFile(FaultyFile):
    def sync(self) -> None:
        assert isinstance(self._disk, GatedFiles)
        self._disk.syncs += 1
        self._disk.arrived.set()
        assert self._disk.gate.wait(10)
        super().sync()


class ObservedCondition(Condition):
    """Tells when somebody begins to wait for it."""

    def __init__(self, lock: Lock) -> None:
        super().__init__(lock)
        self.awaited = Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.awaited.set()
        return super().wait(timeout)


def create_log(files: FaultyFiles, sync_level: SyncLevel = SyncLevel.POWER) -> SegmentedOplog:
    return open_store(files, ROOT, sync_level).create("a", create_entry())


def segment_names(files: FaultyFiles) -> list[str]:
    return [path.name for path in files.paths() if path.suffix == ".oplog"]


def test_a_full_buffer_goes_to_the_system_without_a_sync() -> None:
    """After so many entries they are written, though nobody asked; before that they are not."""
    files = FaultyFiles()
    log = create_log(files)
    for number in range(BUFFER_ENTRIES_MAX - 1):
        log.append(NoOp(number))
    before = files.operations

    log.append(NoOp(0))

    assert ["write_at workers/a/0001.oplog"] == [
        line.split(" ", 1)[1] for line in files.log[before:]
    ]
    assert 1 == log.committed_index


def test_a_buffer_of_many_bytes_goes_to_the_system_too() -> None:
    """Large entries do not wait for their number."""
    files = FaultyFiles()
    log = create_log(files)
    for number in range(3):
        log.append(log_entry(number, 100_000))

    assert 4 == open_store(files, ROOT).reader("a").last_index


def test_process_level_never_waits_for_the_disk() -> None:
    """At the process level a commit is a write, and counts as one."""
    files = FaultyFiles()
    log = create_log(files, SyncLevel.PROCESS)
    log.append(NoOp(1))
    before = files.operations

    log.commit()

    assert ["write_at workers/a/0001.oplog"] == [
        line.split(" ", 1)[1] for line in files.log[before:]
    ]
    assert 2 == log.committed_index


def test_a_commit_of_nothing_new_is_free() -> None:
    """A second commit in a row does not touch the disk."""
    files = FaultyFiles()
    log = create_log(files)
    log.append(NoOp(1))
    log.commit()
    before = files.operations

    log.commit()
    log.flush()

    assert before == files.operations


def test_a_full_segment_is_sealed_and_the_next_is_twice_as_large() -> None:
    """Segments are cut to what they hold, and the definitions so far open the next one."""
    files = FaultyFiles()
    log = create_log(files)
    for number in range(2, 400):
        log.append(call_entry(log, number, size_bytes=1000))
    log.commit()

    assert ["0001.oplog", "0002.oplog", "0003.oplog", "0004.oplog"] == segment_names(files)
    sizes = [len(files.content(HOME / name)) for name in segment_names(files)]
    assert sizes[0] <= SEGMENT_SIZE_BYTES_MIN
    assert sizes[1] <= 2 * SEGMENT_SIZE_BYTES_MIN
    assert all(0 != files.content(HOME / name)[-1] for name in segment_names(files)[:3])
    third = files.content(HOME / "0003.oplog")
    assert b"look-up" in third[:1000]
    assert 399 == len(list(log.read()))


def test_many_definitions_open_a_segment_in_several_chunks() -> None:
    """However many functions a log has used, the next segment has them all."""
    files = FaultyFiles()
    log = create_log(files)
    functions = [FunctionType(f"test:many/functions.{{f{at}}}", (), None) for at in range(600)]
    for function in functions:
        log.append(ImportedFunctionInvoked(1, log.define(function), b"", b"", 0))
    log.append(log_entry(1, 300_000))
    log.close()

    last = segment_names(files)[-1]
    with open_file(HOME / last, files) as reader:
        assert functions == [reader.function(number) for number in range(600)]


def commits_up_to(log: SegmentedOplog, index: int) -> bool:
    log.commit()
    return log.committed_index >= index


def test_a_commit_during_a_sync_waits_for_the_next_one() -> None:
    """What is appended while a sync runs is covered by one more, whoever waits for it."""
    files = GatedFiles()
    log = create_log(files)
    with ThreadPoolExecutor(8) as pool:
        files.gate.clear()
        files.arrived.clear()
        before = files.syncs
        log.append(NoOp(1))
        first = pool.submit(log.commit)
        assert files.arrived.wait(10)
        waiting = []
        for number in range(2, 8):
            index = log.append(NoOp(number))
            waiting.append(pool.submit(commits_up_to, log, index))
        assert not first.done()
        files.gate.set()
        first.result(10)

        assert all(commit.result(10) for commit in waiting)

    # One for the first, one or two for the six others, by when they came to the lock.
    assert 2 <= files.syncs - before <= 3
    assert 8 == log.committed_index


def test_appending_goes_on_during_a_sync() -> None:
    """A sync that runs stops nobody from appending and reading."""
    files = GatedFiles()
    log = create_log(files)
    with ThreadPoolExecutor(1) as pool:
        files.gate.clear()
        files.arrived.clear()
        log.append(NoOp(1))
        commit = pool.submit(log.commit)
        assert files.arrived.wait(10)

        assert 3 == log.append(NoOp(2))
        assert [1, 2, 3] == [index for index, _ in log.read()]
        assert 1 == log.committed_index

        files.gate.set()
        commit.result(10)
    assert 2 == log.committed_index


def test_a_segment_is_not_sealed_while_it_is_synced() -> None:
    """A full segment waits for the sync that runs: its error must not go to somebody else."""
    files = GatedFiles()
    log = create_log(files)
    with ThreadPoolExecutor(4) as pool:
        files.gate.clear()
        files.arrived.clear()
        log.append(NoOp(1))
        commit = pool.submit(log.commit)
        assert files.arrived.wait(10)
        files.fail("sync", errno.EIO, name="0001.oplog")

        appends = [pool.submit(log.append, log_entry(at, 270_000)) for at in range(3)]
        files.gate.set()

        assert isinstance(commit.exception(10), OplogPoisonedError)
        for append in appends:
            assert isinstance(append.exception(10), OplogPoisonedError)
    assert ["0001.oplog"] == segment_names(files)
    assert 1 == log.committed_index


def test_full_segments_wait_and_go_on_after_the_sync() -> None:
    """Threads whose entries do not fit while a sync runs write them when it is over."""
    files = GatedFiles()
    log = create_log(files)
    with ThreadPoolExecutor(4) as pool:
        files.gate.clear()
        files.arrived.clear()
        log.append(NoOp(1))
        commit = pool.submit(log.commit)
        assert files.arrived.wait(10)
        appends = [pool.submit(log.append, log_entry(at, 270_000)) for at in range(3)]
        files.gate.set()
        commit.result(10)

        assert {3, 4, 5} == {append.result(10) for append in appends}
    log.commit()
    assert 5 == len(list(log.read()))
    assert 5 == len(list(open_store(files, ROOT).reader("a").read()))


def acts(log: SegmentedOplog) -> list[Callable[[], object]]:
    return [
        lambda: log.append(NoOp(9)),
        lambda: log.append_call(9, 0, b"", b"", 0),
        log.flush,
        log.commit,
    ]


def test_a_large_open_segment_is_shared_with_a_fork() -> None:
    """`seal` begins a new segment once copying the open one would take long, and only then."""
    files = FaultyFiles()
    log = create_log(files)
    sizes = []
    for lines in (1, 20):
        for number in range(lines):
            log.append(log_entry(number, size_bytes=60_000))
        log.seal()
        sizes.append(len(segment_names(files)))
    sealed = segment_names(files)[-2]
    open_store(files, ROOT).fork("a", "b", log.last_index, create_entry("b")).close()

    assert 1 == sizes[0]
    assert 2 == files.links(HOME / sealed)
    assert log.last_index == log.committed_index


def test_a_seal_that_fails_poisons_the_log() -> None:
    """As a write that fails; what was committed can be read."""
    files = FaultyFiles()
    log = create_log(files)
    for number in range(3):
        log.append(log_entry(number, size_bytes=120_000))
    log.commit()
    segment = f"{len(segment_names(files)) + 1:04}.oplog"
    files.fail("create", errno.ENOSPC, name=segment)

    with pytest.raises(OplogWriteError) as raised:
        log.seal()
    with pytest.raises(OplogPoisonedError):
        log.append(NoOp(1))

    assert "No space left" in raised.value.cause
    assert [1, 2, 3, 4] == [index for index, _ in log.read()]


def test_a_log_that_is_closed_meanwhile_is_not_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the commit of the seal and the seal itself another thread may close it."""
    log = open_store(FaultyFiles(), ROOT).create("a", create_entry())
    commit = log.commit

    def commit_and_be_closed() -> None:
        commit()
        monkeypatch.setattr(log, "commit", commit)
        log.close()

    monkeypatch.setattr(log, "commit", commit_and_be_closed)

    with pytest.raises(OplogPoisonedError):
        log.seal()


def test_a_seal_waits_for_a_sync_that_overtook_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread's sync may begin between the commit of the seal and the seal itself."""
    files = GatedFiles()
    log = create_log(files)
    for number in range(12):  # the open segment is large, and has room
        log.append(log_entry(number, size_bytes=60_000))
        log.commit()
    before = len(segment_names(files))
    commit = log.commit

    def commit_and_be_overtaken() -> None:
        commit()
        log.append(NoOp(1))
        files.gate.clear()
        files.arrived.clear()
        committing.append(pool.submit(commit))
        assert files.arrived.wait(10)

    committing: list[Future[None]] = []
    with ThreadPoolExecutor(2) as pool:
        monkeypatch.setattr(log, "commit", commit_and_be_overtaken)
        synced = ObservedCondition(log._lock)
        monkeypatch.setattr(log, "_synced", synced)
        sealing = pool.submit(log.seal)
        assert synced.awaited.wait(10)
        files.gate.set()
        for future in (*committing, sealing):
            future.result(10)

    assert 1 == len(segment_names(files)) - before
    assert list(range(1, 15)) == [index for index, _ in log.read()]


def test_a_failed_sync_poisons_the_log() -> None:
    """After a failed sync nothing is taken or acknowledged, and what is there can be read."""
    files = FaultyFiles()
    log = create_log(files)
    log.append(NoOp(1))
    files.fail("sync", errno.EIO)

    for act in (log.commit, *acts(log)):
        with pytest.raises(OplogPoisonedError) as raised:
            act()
        assert "a failed sync" in raised.value.cause
    assert (1, 2) == (log.committed_index, len(list(log.read())))
    log.close()


def test_all_who_wait_for_a_sync_that_fails_are_told() -> None:
    """A failed sync is everybody's, not only of the one who ran it."""
    files = GatedFiles()
    log = create_log(files)
    with ThreadPoolExecutor(4) as pool:
        files.gate.clear()
        files.arrived.clear()
        log.append(NoOp(1))
        commits = [pool.submit(log.commit) for _ in range(4)]
        assert files.arrived.wait(10)
        files.fail("sync", errno.EIO)
        files.gate.set()

        assert {OplogPoisonedError} == {type(commit.exception(10)) for commit in commits}


def test_a_failed_write_poisons_the_log() -> None:
    """A write that failed is reported by the disk's own words, then refused without a try."""
    files = FaultyFiles()
    log = create_log(files)
    log.append(NoOp(1))
    files.fail("write_at", errno.ENOSPC)

    with pytest.raises(OplogWriteError) as raised:
        log.flush()

    assert "No space left" in raised.value.cause
    for act in acts(log):
        with pytest.raises(OplogPoisonedError):
            act()


class HandlerError(BaseException):
    """What a signal handler raised."""


@pytest.mark.parametrize("operation", ["write_at", "sync"])
def test_an_interrupted_write_or_sync_poisons_the_log(
    operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever comes out of a write or sync, nobody knows any more what is on disk."""
    files = FaultyFiles()
    log = create_log(files)
    log.append(NoOp(1))

    def interrupt(*_: object) -> None:
        raise HandlerError

    monkeypatch.setattr(FaultyFile, operation, interrupt)
    with pytest.raises(HandlerError):
        log.commit()
    monkeypatch.undo()

    for act in acts(log):
        with pytest.raises(OplogPoisonedError) as raised:
            act()
        assert "interrupted" in raised.value.cause


def test_closing_notes_how_much_is_durable() -> None:
    """After a clean end damage to the very last entry is seen as damage, not as a torn tail."""
    files = FaultyFiles()
    log = create_log(files)
    log.append(Log(1, 0, "", b"the last words"))
    log.close()
    content = files.content(HOME / "0001.oplog")
    files.damage(HOME / "0001.oplog", content.index(b"words"), b"sword")

    with pytest.raises(OplogError, match="though index 2 was durable"):
        open_store(files, ROOT).open("a")


def test_closing_what_was_not_written_to_notes_nothing() -> None:
    """Opening and closing again and again does not make a log grow."""
    files = FaultyFiles()
    create_log(files).close()
    for _ in range(3):
        content = files.content(HOME / "0001.oplog")
        open_store(files, ROOT).open("a").close()

        assert content == files.content(HOME / "0001.oplog")


def test_a_note_that_cannot_be_written_is_not_missed() -> None:
    """Everything is durable before the note: that the disk is full by then is no failure."""
    files = FaultyFiles()
    log = create_log(files)
    log.append(NoOp(1))
    log.commit()
    files.fail("write_at", errno.ENOSPC)

    log.close()

    with open_store(files, ROOT).open("a") as again:
        assert 2 == again.last_index


def test_a_note_that_does_not_fit_is_left_out() -> None:
    """No segment is started for a note alone."""
    files = FaultyFiles()
    log = create_log(files)
    room = SEGMENT_SIZE_BYTES_MIN - log._writer.offset
    overhead = 36 + 5 + 12
    log.append(Log(1, 0, "", bytes(room - overhead - 20)))
    log.close()

    assert ["0001.oplog"] == segment_names(files)
    assert 2 == open_store(files, ROOT).reader("a").last_index


def test_a_blob_that_cannot_be_stored_leaves_the_log_as_it_was() -> None:
    """The entry is refused; the log itself has lost nothing and goes on."""
    files = FaultyFiles()
    log = create_log(files)
    files.fail("write_at", errno.ENOSPC, name=".tmp")

    with pytest.raises(OplogWriteError):
        log.append(call_entry(log, 1, size_bytes=70_000))

    assert 1 == log.last_index
    assert 2 == log.append(NoOp(1))
