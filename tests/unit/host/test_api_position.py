"""Where a guest stands in its log, where it may go back to, and what it does as one."""

from __future__ import annotations

import threading

import pytest

from golem_host.errors import InvalidRequestError
from golem_host.failures import GuestError
from golem_host.signals import JumpSignal
from golem_oplog.entries import (
    BeginAtomicRegion,
    BeginRemoteWrite,
    EndAtomicRegion,
    Entry,
    Jump,
    LogLevel,
    NoOp,
)
from golem_oplog.values import Variant
from tests.support.contexts import crashed, entries_of
from tests.support.host_api import U64_MAX, Guest, Neighbours, begun_log
from tests.support.world import EPOCH_NS


@pytest.fixture
def host() -> Guest:
    return Guest(begun_log(), Neighbours())


def rebuilt(host: Guest) -> Guest:
    """The next instance of the same worker."""
    return Guest(crashed(host.oplog, host.oplog.last_index), Neighbours())


def test_asking_for_the_index_marks_it(host: Guest) -> None:
    """Each call leaves an entry, whose index it gives; a replay finds the same ones."""
    indexes = [host("get-oplog-index") for _ in range(3)]

    assert [3, 4, 5] == indexes
    assert [NoOp(EPOCH_NS)] * 3 == entries_of(host.oplog, 3)
    again = rebuilt(host)
    assert [3, 4, 5] == [again("get-oplog-index") for _ in range(3)]
    assert 6 == again("get-oplog-index")


def test_going_back_forgets_everything_behind(host: Guest) -> None:
    """The jump is on disk when the instance ends, and its region holds the jump itself."""
    index = host("get-oplog-index")
    host("get-oplog-index")
    with pytest.raises(JumpSignal):
        host("set-oplog-index", index)

    assert Jump(EPOCH_NS, 4, 5) == entries_of(host.oplog)[-1]
    assert 5 == host.oplog.committed_index
    again = rebuilt(host)
    assert index == again("get-oplog-index")
    assert again.context.replay.live
    assert 6 == again("get-oplog-index")


def test_one_may_go_back_to_the_same_index_again(host: Guest) -> None:
    """R53: the second region holds the first one, and nothing else is lost."""
    for last in (4, 5, 6):
        assert 3 == host("get-oplog-index")
        with pytest.raises(JumpSignal):
            host("set-oplog-index", 3)
        assert Jump(EPOCH_NS, 4, last) == entries_of(host.oplog)[-1]
        host = rebuilt(host)


def test_one_may_go_back_to_where_one_stands(host: Guest) -> None:
    """That forgets nothing, and builds a new instance (B.2)."""
    index = host("get-oplog-index")
    with pytest.raises(JumpSignal):
        host("set-oplog-index", index)

    assert Jump(EPOCH_NS, 4, 4) == entries_of(host.oplog)[-1]


def test_output_that_was_just_written_is_forgotten_too(host: Guest) -> None:
    """Log entries count in the log's end though they change no status."""
    index = host("get-oplog-index")
    host.context.emit(LogLevel.STDOUT, b"hello\n")
    with pytest.raises(JumpSignal):
        host("set-oplog-index", index)

    assert Jump(EPOCH_NS, 4, 5) == entries_of(host.oplog)[-1]


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (0, "the invocation that runs began at index 2"),
        (1, "the invocation that runs began at index 2"),
        (2, "the invocation that runs began at index 2"),
        (4, "the log ends at index 3"),
        (U64_MAX, "the log ends at index 3"),
    ],
)
def test_there_is_nothing_to_go_back_to_outside_of_the_invocation(
    host: Guest, target: int, why: str
) -> None:
    """R7: a wrong request, which leaves no trace."""
    host("get-oplog-index")
    with pytest.raises(InvalidRequestError) as raised:
        host("set-oplog-index", target)

    assert f"cannot go back to index {target}: {why}" == str(raised.value)
    assert 3 == host.oplog.last_index


def test_there_is_nothing_to_go_back_to_where_all_was_undone(host: Guest) -> None:
    """An index within an earlier jump is dead."""
    index = host("get-oplog-index")
    host("get-oplog-index")
    with pytest.raises(JumpSignal):
        host("set-oplog-index", index)
    host = rebuilt(host)
    host("get-oplog-index")
    with pytest.raises(InvalidRequestError, match="index 4: entries 4 to 5 were undone"):
        host("set-oplog-index", 4)


def test_one_cannot_go_back_into_an_operation(host: Guest) -> None:
    """Neither into an open region nor into a closed one: its begin would lose its end."""
    before = host("get-oplog-index")
    begin = host("mark-begin-operation")
    inside = host("get-oplog-index")
    why = f"it lies in the operation that began at index {begin}"
    for target in (begin, inside):
        with pytest.raises(InvalidRequestError, match=why):
            host("set-oplog-index", target)
    host("mark-end-operation", begin)
    for target in (begin, inside):
        with pytest.raises(InvalidRequestError, match=why):
            host("set-oplog-index", target)

    for target in (begin + 2, before):
        with pytest.raises(JumpSignal):
            host("set-oplog-index", target)


def test_one_may_go_back_over_an_operation(host: Guest) -> None:
    """Out of the middle of it, too."""
    index = host("get-oplog-index")
    host("mark-begin-operation")
    with pytest.raises(JumpSignal):
        host("set-oplog-index", index)

    assert {} == host.context.status.open_begins


def test_one_cannot_go_back_into_a_stretch_that_is_not_kept(host: Guest) -> None:
    """Nothing of it would be there on replay."""
    host("set-oplog-persistence-level", Variant("persist-nothing"))
    inside = host("get-oplog-index")
    host("set-oplog-persistence-level", Variant("smart"))
    behind = host("get-oplog-index")
    with pytest.raises(InvalidRequestError, match="index 4: it lies in the operation that began"):
        host("set-oplog-index", inside)
    with pytest.raises(JumpSignal):
        host("set-oplog-index", behind)


def test_what_a_crash_left_open_in_such_a_stretch_is_over_with_it(host: Guest) -> None:
    """A replay passes over it, and so nothing behind it lies in an operation."""
    host("set-oplog-persistence-level", Variant("persist-nothing"))
    host("mark-begin-operation")
    host.context.append(BeginRemoteWrite(EPOCH_NS))
    host("set-oplog-persistence-level", Variant("smart"))
    index = host("get-oplog-index")
    with pytest.raises(JumpSignal):
        host("set-oplog-index", index)


def test_nothing_is_gone_back_to_before_an_invocation() -> None:
    """While a component is instantiated there is no place to come back to."""
    host = Guest(begun_log(), Neighbours())
    host.context.status.running = None
    with pytest.raises(InvalidRequestError, match="no invocation is running"):
        host("set-oplog-index", 2)


def test_what_other_threads_append_does_not_get_between(
    host: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the region is found and the jump appended under the log's own lock."""
    index = host("get-oplog-index")
    append, lock = host.context.append, host.context.status.lock
    could_others: list[bool] = []

    def try_lock() -> None:
        could_others.append(lock.acquire(blocking=False))

    def watched(_: object, entry: Entry) -> int:
        other = threading.Thread(target=try_lock)
        other.start()
        other.join()
        return append(entry)

    monkeypatch.setattr(type(host.context), "append", watched)
    with pytest.raises(JumpSignal):
        host("set-oplog-index", index)

    assert [False] == could_others


@pytest.mark.parametrize("replicas", [0, 1, 255])
def test_a_commit_waits_for_the_disk_alone(host: Guest, replicas: int) -> None:
    """R19: however many copies are wished for."""
    index = host("get-oplog-index")
    host("oplog-commit", replicas)

    assert index == host.oplog.committed_index == host.oplog.last_index


# -- atomic regions -------------------------------------------------------------------------------


def test_a_region_is_named_by_its_beginning_and_durable_at_its_end(host: Guest) -> None:
    """The end marker is committed, so that no crash does again what returned."""
    begin = host("mark-begin-operation")
    uncommitted = host.oplog.committed_index
    host("mark-end-operation", begin)

    assert (3, 2, 4) == (begin, uncommitted, host.oplog.committed_index)
    assert [BeginAtomicRegion(EPOCH_NS), EndAtomicRegion(EPOCH_NS, 3)] == entries_of(host.oplog, 3)
    assert {} == host.context.status.open_begins


def test_an_unfinished_region_is_begun_again_under_its_name(host: Guest) -> None:
    """What it did is dead at once, on disk before anything is done anew (B.3)."""
    begin = host("mark-begin-operation")
    host("get-oplog-index")
    again = rebuilt(host)

    assert begin == again("mark-begin-operation")
    assert Jump(EPOCH_NS, 4, 5) == entries_of(again.oplog)[-1]
    assert 5 == again.oplog.committed_index
    assert 6 == again("get-oplog-index")


@pytest.mark.parametrize("begin", [0, 3, 7, U64_MAX])
def test_ending_what_is_not_open_means_nothing(host: Guest, begin: int) -> None:
    """A second end, and one of a region that never was: the same again on replay."""
    opened = host("mark-begin-operation")
    host("mark-end-operation", opened)
    host("mark-end-operation", begin)
    host("get-oplog-index")
    again = rebuilt(host)
    again("mark-begin-operation")
    again("mark-end-operation", opened)
    again("mark-end-operation", begin)

    assert 6 == again("get-oplog-index")


def test_the_bracket_of_a_remote_write_is_no_region(host: Guest) -> None:
    """A guest cannot close what the host has opened."""
    host("set-idempotence-mode", False)
    host.context.append(BeginRemoteWrite(EPOCH_NS))
    with pytest.raises(GuestError, match="no region began at index 3"):
        host("mark-end-operation", 3)


def test_a_snapshot_is_saved_without_markers(host: Guest) -> None:
    """R45: regions and indexes leave nothing, and there is no going back."""
    with host.context.unrecorded():
        begin = host("mark-begin-operation")
        host("mark-end-operation", begin)
        host("get-oplog-index")
        with pytest.raises(GuestError, match="set-oplog-index while a snapshot"):
            host("set-oplog-index", 2)

    assert 2 == host.oplog.last_index
