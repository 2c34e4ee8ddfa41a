"""
Logs on a disk that fails: `tests.support.faulty_files` says how.

Invariants, checked after every crash:

1. What `commit` (at the power level), `create` or `fork` acknowledged can be read back.
2. What can be read back is a prefix of what was appended, with indexes from 1 on without a gap.
3. A crash alone never makes a log look corrupt.
4. The recovered log takes new entries, and these survive in turn.

Every failure names the seed and the operation that was crashed at; both repeat the run.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random

import pytest

from golem_oplog.blobs import MemoryBlobs
from golem_oplog.codec import encode_entry
from golem_oplog.entries import Entry
from golem_oplog.errors import (
    OplogNotFoundError,
    OplogPoisonedError,
    OplogWriteError,
)
from golem_oplog.examine import blob_refs
from golem_oplog.frame import build_chunk
from golem_oplog.log import SegmentedOplog, move_payloads_out
from golem_oplog.protocol import SyncLevel
from tests.support.faulty_files import (
    ROOT,
    SECTOR_SIZE_BYTES,
    FaultyFiles,
    Keep,
    PowerFailureError,
)
from tests.support.oplogs import call_entry, create_entry, log_entry, open_store, small_entry

SEEDS_SAMPLE = 40
SEEDS_FULL = 1500
STEPS_MAX = 14

CHANCES = {"nothing": 0.0, "everything": 1.0, "half": 0.5, "most": 0.9}
"""How likely it is that a write without a sync survives."""


def keeping(chance: float, random: Random) -> Keep:
    return lambda: random.random() < chance


class Session:
    """A process that writes logs, and what it was told about them."""

    def __init__(self, disk: FaultyFiles, sync_level: SyncLevel = SyncLevel.POWER) -> None:
        self.disk = disk
        self.sync_level = sync_level
        self.store = open_store(disk, ROOT, sync_level)
        self.logs: dict[str, SegmentedOplog] = {}
        self.appended: dict[str, list[Entry]] = {}
        self.acknowledged: dict[str, int] = {}

    def create(self, name: str = "a") -> None:
        self.appended[name] = [create_entry(name)]
        self.logs[name] = self.store.create(name, create_entry(name))
        self.acknowledged[name] = 1

    def append(self, name: str = "a", count: int = 1, size_bytes: int = 100) -> None:
        log = self.logs[name]
        for _ in range(count):
            number = len(self.appended[name]) + 1
            entry = (
                log_entry(number, size_bytes)
                if number % 3 == 0
                else call_entry(log, number, size_bytes)
            )
            self.append_entry(name, entry)

    def append_entry(self, name: str, entry: Entry) -> None:
        # What is read back refers to the blob store for large payloads.
        self.appended[name].append(move_payloads_out(entry, MemoryBlobs()))
        self.logs[name].append(entry)

    def flush(self, name: str = "a") -> None:
        self.logs[name].flush()

    def commit(self, name: str = "a") -> None:
        count = len(self.appended[name])
        self.logs[name].commit()
        self.acknowledged[name] = count

    def fork(self, name: str, target: str, cut: int) -> None:
        self.logs[name].flush()
        self.appended[target] = [create_entry(target), *self.appended[name][1:cut]]
        self.logs[target] = self.store.fork(name, target, cut, create_entry(target))
        self.acknowledged[target] = cut

    def close(self, name: str = "a") -> None:
        count = len(self.appended[name])
        self.logs.pop(name).close()
        self.acknowledged[name] = count

    def reopen(self, name: str = "a") -> None:
        self.close(name)
        self.logs[name] = self.store.open(name)

    def kill(self) -> None:
        """End the process: what the operating system has stays."""
        for log in self.logs.values():
            log.abandon()


def recover(session: Session, disk: FaultyFiles) -> Session:
    """Start again on a disk after a crash, and check the invariants."""
    again = Session(disk, session.sync_level)
    for name, appended in session.appended.items():
        acknowledged = session.acknowledged.get(name, 0)
        try:
            log = again.store.open(name)
        except OplogNotFoundError:
            assert acknowledged == 0, f"log {name} was acknowledged and is gone"
            continue
        found = list(log.read())
        again.logs[name] = log
        again.appended[name] = appended[: len(found)]
        again.acknowledged[name] = len(found)

        for _, entry in found:
            for ref in blob_refs(entry):
                assert ref.size_bytes == len(log.load(ref))
        assert list(range(1, len(found) + 1)) == [index for index, _ in found]
        assert appended[: len(found)] == [entry for _, entry in found]
        assert acknowledged <= len(found)
        assert len(found) == log.last_index
    return again


def check_goes_on(session: Session, keep: Keep) -> None:
    """Invariant 4: more entries, another power failure, and all of them are there."""
    for name in session.logs:
        session.append(name, 3)
        session.commit(name)
    session.kill()
    recover(session, session.disk.after_power_failure(keep))


def script_commits(session: Session) -> None:
    session.create()
    session.append(count=2)
    session.commit()
    session.append()
    session.flush()
    session.append()
    session.flush()
    session.commit()
    session.append()


def script_rotation(session: Session) -> None:
    session.create()
    for _ in range(4):
        session.append(count=2, size_bytes=20_000)
        session.flush()
    session.commit()
    session.append(count=3, size_bytes=50_000)
    session.commit()


def script_reopening(session: Session) -> None:
    session.create()
    session.append(count=3)
    session.reopen()
    session.append(count=3, size_bytes=30_000)
    session.reopen()
    session.append()
    session.commit()
    session.close()


def script_fork(session: Session) -> None:
    session.create()
    session.append(count=6, size_bytes=20_000)
    session.commit()
    session.fork("a", "b", 3)
    session.append("b", 2)
    session.commit("b")
    session.fork("a", "c", 7)
    session.append("a", 2)
    session.commit("a")
    session.fork("b", "d", 5)


def script_blobs(session: Session) -> None:
    session.create()
    session.append(size_bytes=70_000)
    session.append(size_bytes=70_000)
    session.commit()


SCRIPTS = [script_commits, script_rotation, script_reopening, script_fork, script_blobs]


def crash_points(
    script: Callable[[Session], None], sync_level: SyncLevel = SyncLevel.POWER
) -> Iterator[int]:
    """The numbers of all operations that a script performs."""
    session = Session(FaultyFiles(), sync_level)
    script(session)
    return iter(range(1, session.disk.operations + 1))


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("keep", CHANCES)
def test_nothing_acknowledged_is_lost_whenever_the_power_fails(
    script: Callable[[Session], None], keep: str
) -> None:
    """Whatever operation the machine stops at, the invariants hold when it is back."""
    for operation in crash_points(script):
        session = Session(FaultyFiles(operation, crash_at=operation))
        with pytest.raises(PowerFailureError):
            script(session)
        survivors = keeping(CHANCES[keep], Random(operation))
        try:
            again = recover(session, session.disk.after_power_failure(survivors))
            check_goes_on(again, survivors)
        except BaseException as error:
            error.add_note(f"crashed at operation {session.disk.log[-1]}, kept {keep}")
            raise


@pytest.mark.parametrize("script", SCRIPTS)
def test_nothing_written_is_lost_when_the_process_is_killed(
    script: Callable[[Session], None],
) -> None:
    """A process that dies at any operation leaves all that it had flushed, at either level."""
    for sync_level in SyncLevel:
        for operation in crash_points(script, sync_level):
            session = Session(FaultyFiles(operation, crash_at=operation), sync_level)
            with pytest.raises(PowerFailureError):
                script(session)
            session.disk.heal()
            again = recover(session, session.disk)
            check_goes_on(again, lambda: True)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_failed_sync_poisons_the_log_and_loses_nothing_acknowledged(
    script: Callable[[Session], None],
) -> None:
    """
    Whichever sync fails, the log refuses from then on; opened again it is whole, and what is
    committed then survives a power failure, although the pages of the failed sync count as clean.
    """
    for operation in crash_points(script):
        session = Session(FaultyFiles(operation))
        session.disk.fail("sync", errno.EIO, after=operation - 1)
        try:
            script(session)
        except (OplogPoisonedError, OplogWriteError) as failure:
            failed = [
                log for name, log in session.logs.items() if f"workers/{name}" in failure.path
            ]
            refuse_everything(failed)
        else:
            return  # There are not so many syncs.
        session.kill()
        again = recover(session, session.disk)
        check_goes_on(again, lambda: False)


def refuse_everything(failed: list[SegmentedOplog]) -> None:
    """A log that failed takes no entry and acknowledges nothing."""
    for log in failed:
        with pytest.raises(OplogPoisonedError):
            log.append(small_entry(0))
        with pytest.raises(OplogPoisonedError):
            log.flush()
        with pytest.raises(OplogPoisonedError):
            log.commit()


@pytest.mark.parametrize("operation", ["write_at", "create", "rename", "truncate", "sync_dir"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_refusing_disk_is_reported_and_harms_nothing(
    script: Callable[[Session], None], operation: str, error: int
) -> None:
    """An operation that fails is reported as an `OplogError`, and the log is whole when opened."""
    reported: list[str] = []
    for after in range(1000):
        session = Session(FaultyFiles(after))
        session.disk.fail(operation, error, after=after)
        try:
            script(session)
        except (OplogWriteError, OplogPoisonedError) as refusal:
            reported.append(str(refusal))
        else:
            break  # It has not been called so often.
        session.kill()
        again = recover(session, session.disk)
        check_goes_on(again, lambda: False)

    assert reported or operation == "truncate"
    assert all(os.strerror(error) in report for report in reported)


def random_run(seed: int) -> None:
    """Actions made up by chance, with failing disks and power failures, several times over."""
    random = Random(seed)
    disk = FaultyFiles(seed)
    session = Session(disk)
    for _ in range(3):
        disk.crash_at(disk.operations + random.randrange(1, 150))
        if random.random() < 0.3:
            disk.fail(random.choice(["sync", "write_at"]), errno.EIO, after=random.randrange(20))
        with suppress(PowerFailureError, OplogPoisonedError, OplogWriteError):
            act_by_chance(session, random)
        if random.random() < 0.3:
            # First the process ends, and another one reads what the machine has in memory.
            session.kill()
            disk.heal()
            session = recover(session, disk)
            with suppress(OplogPoisonedError, OplogWriteError):
                act_by_chance(session, random)
        disk = session.disk.after_power_failure(keeping(random.random(), random))
        disk.crash_at(random.choice([0, 0, random.randrange(1, 40)]))
        try:
            session = recover(session, disk)
        except PowerFailureError:
            disk = disk.after_power_failure(keeping(0.5, random))
            session = recover(session, disk)
        disk.heal()


def act_by_chance(session: Session, random: Random) -> None:
    for _ in range(random.randrange(STEPS_MAX)):
        if not session.logs:
            session.create(f"log{len(session.appended)}")
        name = random.choice(sorted(session.logs))
        match random.randrange(10):
            case 0 | 1 | 2 | 3:
                count = random.choice([1, 2, 5, 130])
                session.append(name, count, random.choice([8, 400, 3_000, 70_000 // count]))
            case 4:
                session.flush(name)
            case 5 | 6 | 7:
                session.commit(name)
            case 8:
                session.reopen(name)
            case _:
                cut = random.randrange(1, len(session.appended[name]) + 1)
                session.fork(name, f"log{len(session.appended)}", cut)


def run_seeds(count: int) -> None:
    for seed in range(count):
        try:
            random_run(seed)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


def test_random_histories_keep_the_invariants() -> None:
    """Random scripts with random power failures, some of them during recovery."""
    run_seeds(SEEDS_SAMPLE)


@pytest.mark.long
def test_many_random_histories_keep_the_invariants() -> None:
    """The same at length."""
    run_seeds(SEEDS_FULL)


def test_a_later_write_that_reached_the_disk_alone_is_a_torn_tail() -> None:
    """A chunk behind a hole is no corruption if nobody was promised the hole's entries."""
    disk = FaultyFiles()
    session = Session(disk)
    session.create()
    session.append()
    session.flush()
    session.append(count=2)
    session.flush()
    session.kill()
    order = iter([False, True])

    again = recover(session, disk.after_power_failure(lambda: next(order, True)))

    assert 1 == again.logs["a"].last_index
    assert 2 == again.logs["a"].recovery.dropped_entries


def test_what_was_dropped_does_not_come_back_behind_new_entries() -> None:
    """
    A torn tail is gone for good: an entry of the same size in place of the lost one does not join
    up with what was behind it.
    """
    disk = FaultyFiles()
    session = Session(disk)
    session.create()
    lost, sectors = entry_to_sector_end(session.logs["a"])
    for entry in (lost, small_entry(3)):
        session.append_entry("a", entry)
        session.flush()
    session.kill()
    lost_first = iter([False] * sectors)
    again = recover(session, disk.after_power_failure(lambda: next(lost_first, True)))
    assert (1, 1) == (again.logs["a"].last_index, again.logs["a"].recovery.dropped_entries)

    again.append_entry("a", lost)
    again.flush()
    again.kill()
    kept_first = iter([True] * sectors)
    last = recover(again, again.disk.after_power_failure(lambda: next(kept_first, False)))

    assert 2 == last.logs["a"].last_index


def entry_to_sector_end(log: SegmentedOplog) -> tuple[Entry, int]:
    """An entry whose chunk will end where a sector ends, and how many sectors it touches."""
    offset = log._writer.offset
    for size_bytes in range(SECTOR_SIZE_BYTES):
        entry = log_entry(2, size_bytes)
        end = offset + len(build_chunk(0, 2, 1, [encode_entry(entry)]))
        if end % SECTOR_SIZE_BYTES == 0:
            return entry, end // SECTOR_SIZE_BYTES - offset // SECTOR_SIZE_BYTES
    raise AssertionError("one of so many sizes must do")
