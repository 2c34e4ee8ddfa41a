"""The replay core, request by request: invocations and recorded calls."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from sys import maxsize

import pytest

from golem_host.replay import PERFORM, Divergence, Mode, Replay
from golem_oplog.entries import (
    HINT_CLASSES,
    BlobRef,
    Entry,
    ExportedFunctionCompleted,
    ImportedFunctionInvoked,
    NoOp,
    PersistenceLevel,
    Suspend,
)
from golem_oplog.regions import RegionSet
from tests.support.contexts import CREATE
from tests.unit.replay.logs import (
    COMPLETED,
    INVOKED,
    T,
    call,
    imported,
    never_same,
    replay_of,
    running,
    said,
)

# -- a log that has nothing to say ----------------------------------------------------------------


def test_an_empty_log_is_live() -> None:
    """A worker that was only created performs from the start."""
    replay = replay_of()

    assert (True, Mode.LIVE_IDLE, None) == (replay.live, replay.mode, replay.invocation())


def test_what_has_no_log_is_live_in_its_mode() -> None:
    """`Replay.of_nothing` is what calls are made in that leave no trace."""
    assert (True, Mode.LIVE_IDLE) == (Replay.of_nothing().live, Replay.of_nothing().mode)


def test_create_is_never_asked_for() -> None:
    """A log read from its first entry on gives the same replay."""
    replay = Replay(
        iter([(1, CREATE)]),
        regions=RegionSet(),
        target=1,
        open_begins=frozenset(),
        same_function=never_same,
    )

    assert replay.live


@pytest.mark.parametrize("kind", sorted(HINT_CLASSES, key=str))
def test_a_log_of_hints_is_live(kind: type[Entry]) -> None:
    """Every kind of hint is stepped over."""
    hint = kind._make([0] * len(kind._fields))

    assert replay_of(hint).live


def test_a_live_guest_performs_whatever_it_asks_for() -> None:
    """With no entry left, each request is to be performed, and none moves the replay."""
    replay = running()
    decisions = [
        imported(replay),
        replay.begin_remote_write(idempotent=True),
        replay.begin_remote_write(idempotent=False),
        replay.end_remote_write(3),
        replay.begin_atomic_region(),
        replay.end_atomic_region(3),
        replay.no_op(),
        replay.change_retry_policy(),
        replay.change_persistence_level(PersistenceLevel.SMART),
    ]

    assert [PERFORM] * 9 == decisions
    assert Mode.LIVE_RUNNING is replay.mode


# -- invocations -------------------------------------------------------------------------------


def test_recorded_invocations_come_one_after_the_other() -> None:
    """Each is given with its index, is over with its completion, and the last leaves the log live."""
    replay = replay_of(INVOKED, COMPLETED, INVOKED, COMPLETED)
    seen: list[object] = []
    while (invocation := replay.invocation()) is not None:
        seen.append((invocation.oplog_index, invocation.entry, replay.mode))
        seen.append((replay.completion(b"result"), replay.mode))

    assert [
        (2, INVOKED, Mode.ANSWERING),
        (3, Mode.STARTING),
        (4, INVOKED, Mode.ANSWERING),
        (5, Mode.LIVE_IDLE),
    ] == seen


def test_an_unfinished_invocation_runs_live() -> None:
    """An invocation with nothing but hints behind it is given, and all of it is performed (R21)."""
    replay = replay_of(INVOKED, Suspend(T))

    invocation = replay.invocation()

    assert invocation is not None
    assert (2, Mode.LIVE_RUNNING, True) == (invocation.oplog_index, replay.mode, replay.live)
    assert PERFORM == replay.completion(b"anything")
    assert Mode.LIVE_IDLE is replay.mode


def test_a_live_invocation_begins_and_ends() -> None:
    """An invocation that is appended live is running until its completion is appended."""
    replay = replay_of()
    modes = [replay.mode]
    replay.begin_live_invocation()
    modes.append(replay.mode)
    replay.completion(None)
    modes.append(replay.mode)

    assert [Mode.LIVE_IDLE, Mode.LIVE_RUNNING, Mode.LIVE_IDLE] == modes


def test_no_live_invocation_begins_during_a_replay() -> None:
    """The host must use up the log first."""
    replay = running(COMPLETED)

    with pytest.raises(AssertionError):
        replay.begin_live_invocation()


def test_a_refused_step_changes_nothing() -> None:
    """An invocation asked for inside of another one leaves the replay as it was."""
    replay = running(INVOKED)

    with pytest.raises(AssertionError):
        replay.invocation()

    with pytest.raises(Divergence) as caught:
        replay.no_op()
    assert (Mode.ANSWERING, (2, INVOKED)) == (replay.mode, caught.value.last)


@pytest.mark.parametrize(
    ("recorded", "returned"),
    [(b"result", b"other"), (b"result", None), (None, b"result")],
)
def test_another_result_is_a_divergence(recorded: bytes | None, returned: bytes | None) -> None:
    """What the export returns must be what it returned when the log was written."""
    replay = running(ExportedFunctionCompleted(T, recorded))

    with pytest.raises(Divergence) as caught:
        replay.completion(returned)

    assert (3, returned) == (caught.value.index, caught.value.attempted_request)


def test_no_result_equals_no_result() -> None:
    """A function without a result completes on replay as it did live."""
    replay = running(ExportedFunctionCompleted(T, None))

    assert 3 == replay.completion(None)


def test_a_return_before_its_time_is_a_divergence() -> None:
    """An export that returns while the log says it called the host did something else."""
    replay = running(call(7), COMPLETED)

    with pytest.raises(Divergence) as caught:
        replay.completion(b"result")

    assert (3, "completion of the export") == (caught.value.index, caught.value.attempted)


# -- recorded calls ------------------------------------------------------------------------------


def test_a_recorded_call_is_answered() -> None:
    """The answer is the entry itself, each in its turn."""
    replay = running(call(7, b"first"), call(7, b"second"))

    answers = [imported(replay), imported(replay)]

    assert [call(7, b"first"), call(7, b"second")] == answers
    assert Mode.LIVE_RUNNING is replay.mode


def test_a_recorded_failure_is_answered() -> None:
    """A failure that outlived its retries is given back as one."""
    replay = running(call(7, None, "no route"))

    assert call(7, None, "no route") == imported(replay)


def test_calls_of_the_instantiation_are_answered_too() -> None:
    """Start functions run as ordinary durable code, before any invocation."""
    replay = replay_of(call(7), INVOKED)

    answer = imported(replay)

    assert call(7) == answer
    assert Mode.STARTING is replay.mode


def test_the_same_function_under_another_id_is_the_same() -> None:
    """Where the ids differ the names decide; where they are equal nobody is asked."""
    asked: list[tuple[int, int]] = []

    def same_function(recorded: int, ours: int) -> bool:
        asked.append((recorded, ours))
        return True

    replay = replay_of(call(8), call(7), same_function=same_function)
    answers = [imported(replay), imported(replay)]

    assert [call(8), call(7)] == answers
    assert [(8, 7)] == asked


def test_another_function_is_a_divergence_that_says_all() -> None:
    """Both sides, with arguments, and the last entry on which they agreed."""
    replay = running(call(6), call(8))
    replay.imported(6, "test::six", b"request")

    with pytest.raises(Divergence) as caught:
        imported(replay)

    divergence = caught.value
    assert (4, call(8)) == (divergence.index, divergence.recorded)
    assert ("test::seven", 7, b"request") == (
        divergence.attempted,
        divergence.attempted_function,
        divergence.attempted_request,
    )
    assert (3, call(6)) == divergence.last


def test_a_refused_request_consumes_nothing() -> None:
    """After a divergence the right request still finds its entry."""
    replay = running(call(7))
    with pytest.raises(Divergence):
        replay.imported(8, "test::eight", b"request")

    assert call(7) == imported(replay)


def test_another_kind_of_entry_is_a_divergence() -> None:
    """A call where the log has a marker."""
    replay = running(NoOp(T))

    with pytest.raises(Divergence):
        imported(replay)


def test_other_arguments_are_a_divergence() -> None:
    """On the version that wrote the log, a request must be the recorded one, byte by byte."""
    replay = running(call(7))

    with pytest.raises(Divergence):
        imported(replay, request=b"another")


def test_other_arguments_of_another_version_are_counted() -> None:
    """With comparison off they are answered all the same."""
    replay = replay_of(call(7, b"1"), call(7, b"2"), compare_from=maxsize)
    answers = [imported(replay, request=b"another"), imported(replay)]

    assert [call(7, b"1"), call(7, b"2")] == answers
    assert 1 == replay.requests_differing


@pytest.mark.parametrize(
    ("digest", "size_bytes", "agrees"),
    [
        (hashlib.sha256(b"request").digest(), 7, True),
        (hashlib.sha256(b"other").digest(), 7, False),
        (hashlib.sha256(b"request").digest(), 8, False),
    ],
)
def test_a_large_request_is_compared_by_its_hash(
    digest: bytes, size_bytes: int, agrees: bool
) -> None:
    """A payload in the blob store need not be read to be compared."""
    entry = ImportedFunctionInvoked(T, 7, BlobRef(digest, size_bytes), b"r", 0)
    replay = replay_of(entry, compare_from=maxsize)
    imported(replay)

    assert agrees is (replay.requests_differing == 0)


def test_no_result_is_not_a_large_one() -> None:
    """An export that returned much and now returns nothing has diverged."""
    blob = BlobRef(hashlib.sha256(b"").digest(), 0)
    replay = running(ExportedFunctionCompleted(T, blob))

    with pytest.raises(Divergence):
        replay.completion(None)


def test_the_next_call_can_be_looked_at() -> None:
    """`next_is` knows functions as an answer does, and consumes nothing."""
    same = replay_of(call(7), same_function=lambda recorded, ours: (recorded, ours) == (7, 5))

    assert [True, False] == [running(call(7)).next_is(function) for function in (7, 8)]
    assert [True, False] == [same.next_is(function) for function in (5, 6)]
    assert call(7) == imported(same)


def test_an_outcome_is_read_whatever_it_is_of() -> None:
    """Whoever has written it knows its name: here it is any call, one after the other."""
    replay = running(call(7), call(8))

    assert [call(7), call(8)] == [replay.persisted("read") for _ in range(2)]
    assert replay.live


def test_what_is_no_outcome_is_not_read() -> None:
    """It diverges, under the name of what was to be read, and consumes nothing."""
    replay = running(call(7), NoOp(T))
    replay.persisted("read")
    with pytest.raises(Divergence) as caught:
        replay.persisted("read")

    assert (4, NoOp(T), "read", (3, call(7))) == (
        caught.value.index,
        caught.value.recorded,
        caught.value.attempted,
        caught.value.last,
    )
    assert 4 == replay.no_op()


def test_where_guest_and_log_agree_is_known() -> None:
    """The last entry that was asked for; before the first one it is `Create`."""
    replay = replay_of(INVOKED, said("hint"), call(7), said("hint"))
    seen = [replay.last_index]
    replay.invocation()
    seen.append(replay.last_index)
    imported(replay)

    assert [1, 2, 4] == [*seen, replay.last_index]


@pytest.mark.parametrize("rest", [(), (NoOp(T),)])
def test_what_is_no_call_is_not_the_next_one(rest: tuple[Entry, ...]) -> None:
    """A marker is none, and a log that is used up has none."""
    assert not running(*rest).next_is(7)


def test_being_live_is_told_at_that_moment() -> None:
    """Once, with the answer to the last request, and not for a log that was empty already."""
    seen: list[str] = []
    for log in ((), (call(7), call(7))):
        replay = Replay(
            enumerate(log, start=2),
            regions=RegionSet(),
            target=1 + len(log),
            open_begins=frozenset(),
            same_function=never_same,
            on_live=lambda: seen.append("live"),
        )
        for _ in log:
            seen.append("asked")
            imported(replay)
        imported(replay)

    assert ["asked", "asked", "live"] == seen


def test_entries_are_read_as_they_are_needed() -> None:
    """A replay holds one entry, not the log."""
    read: list[int] = []

    def entries() -> Iterator[tuple[int, Entry]]:
        for index in range(2, 1000):
            read.append(index)
            yield index, call(7)

    replay = Replay(
        entries(),
        regions=RegionSet(),
        target=999,
        open_begins=frozenset(),
        same_function=never_same,
    )
    imported(replay)

    assert [2, 3] == read
