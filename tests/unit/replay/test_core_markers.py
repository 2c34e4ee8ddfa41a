"""The replay core, request by request: markers, dead regions, output and zones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from golem_host.replay import PERFORM, AtMostOnceViolated, Divergence, Mode, Perform, Replay
from golem_oplog.entries import (
    BeginAtomicRegion,
    BeginRemoteWrite,
    ChangeRetryPolicy,
    EndAtomicRegion,
    EndRemoteWrite,
    Entry,
    Error,
    Jump,
    Log,
    LogLevel,
    NoOp,
    PendingWorkerInvocation,
    PersistenceLevel,
    Revert,
)
from golem_oplog.regions import Region
from tests.unit.replay.logs import (
    COMPLETED,
    INVOKED,
    NOTHING,
    SMART,
    T,
    call,
    imported,
    replay_of,
    running,
    said,
)

POLICY = ChangeRetryPolicy(T, 1, 2, 3, 4.0, None)

# -- brackets and markers --------------------------------------------------------------------------


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_finished_remote_write_is_answered(idempotent: bool) -> None:
    """Begin, call and end are consumed one after the other, in either mode."""
    replay = running(BeginRemoteWrite(T), call(7), EndRemoteWrite(T, 3))
    outcomes = [
        replay.begin_remote_write(idempotent=idempotent),
        imported(replay),
        replay.end_remote_write(3),
    ]

    assert [3, call(7), 5] == outcomes
    assert replay.live


def test_an_unfinished_remote_write_is_done_again() -> None:
    """The marker stands; what lies behind it is dead, and so is the jump that says so."""
    replay = running(BeginRemoteWrite(T), call(7), Error(T, 0, "x", 3), open_begins=(3,))

    outcome = replay.begin_remote_write(idempotent=True)

    assert Perform(Region(4, 6)) == outcome
    assert (True, Mode.LIVE_RUNNING) == (replay.live, replay.mode)


def test_an_unfinished_write_of_several_steps_goes_on_behind_the_last() -> None:
    """Its begin and its steps stand, and so does whatever else was done meanwhile (R2)."""
    replay = running(
        BeginRemoteWrite(T),
        BeginRemoteWrite(T),
        call(7),
        EndRemoteWrite(T, 4),
        open_begins=(3,),
    )
    outcomes = [
        replay.begin_remote_write(idempotent=True, resumes=True),
        replay.begin_remote_write(idempotent=True, resumes=True),
        imported(replay),
        replay.end_remote_write(4),
        replay.end_remote_write(3),
    ]

    assert [3, 4, call(7), 6, PERFORM] == outcomes


def test_one_of_several_steps_is_known_to_be_unfinished() -> None:
    """Without idempotence too its steps are answered: what may not be done again is asked later."""
    replay = running(
        BeginRemoteWrite(T),
        BeginRemoteWrite(T),
        call(7),
        EndRemoteWrite(T, 4),
        open_begins=(3,),
    )
    begun = [replay.begin_remote_write(idempotent=False, resumes=True) for _ in range(2)]

    assert [3, 4] == begun
    assert [True, False] == [replay.is_unfinished(each) for each in (3, 4)]


def test_the_end_of_another_write_is_a_divergence() -> None:
    """Of two that overlap the guest ends the one that the log says."""
    replay = running(EndRemoteWrite(T, 3))

    with pytest.raises(Divergence) as caught:
        replay.end_remote_write(4)

    assert "end-remote-write 4" == caught.value.attempted


def test_an_unfinished_write_is_not_repeated_without_idempotence() -> None:
    """Whether it happened is unknown: the error names its begin, and nothing has moved."""
    replay = running(BeginRemoteWrite(T), call(7), open_begins=(3,))

    with pytest.raises(AtMostOnceViolated) as caught:
        replay.begin_remote_write(idempotent=False)

    assert (3, False) == (caught.value.begin_index, replay.live)


def test_a_finished_atomic_region_is_answered() -> None:
    """Its statements are read from the log like any other."""
    replay = running(BeginAtomicRegion(T), call(7), EndAtomicRegion(T, 3))
    outcomes = [replay.begin_atomic_region(), imported(replay), replay.end_atomic_region(3)]

    assert [3, call(7), 5] == outcomes


def test_an_unfinished_atomic_region_is_redone() -> None:
    """Everything after its begin is forgotten (B.3)."""
    replay = running(
        BeginAtomicRegion(T), call(7), said("x"), Error(T, 0, "crash", 3), open_begins=(3,)
    )

    assert Perform(Region(4, 7)) == replay.begin_atomic_region()
    assert PERFORM == imported(replay)


def test_a_redone_region_says_what_it_said_before_again() -> None:
    """Output of the dead attempt does not stand for that of the new one (R50)."""
    replay = running(said("before"), BeginAtomicRegion(T), said("in"), open_begins=(4,))
    replay.begin_atomic_region()

    assert [False, False] == [replay.output_was_recorded(said(text)) for text in ("before", "in")]


def test_an_unfinished_inner_region_alone_is_redone() -> None:
    """An outer one that has ended is entered from the log (spec 2.4, nesting)."""
    replay = running(
        BeginAtomicRegion(T), BeginAtomicRegion(T), EndAtomicRegion(T, 3), open_begins=(4,)
    )

    assert [3, Perform(Region(5, 6))] == [
        replay.begin_atomic_region(),
        replay.begin_atomic_region(),
    ]


def test_an_unfinished_region_of_the_instantiation_leaves_the_worker_idle() -> None:
    """There is no invocation that could be running."""
    replay = replay_of(BeginAtomicRegion(T), open_begins=(2,))
    replay.begin_atomic_region()

    assert Mode.LIVE_IDLE is replay.mode


def test_the_end_of_another_region_is_a_divergence() -> None:
    """The recorded end must close the region that the guest closes."""
    replay = running(EndAtomicRegion(T, 3))

    with pytest.raises(Divergence) as caught:
        replay.end_atomic_region(4)

    assert "end-atomic-region 4" == caught.value.attempted


def test_a_no_op_gives_its_index_again() -> None:
    """The index that a guest once got stays the same."""
    replay = running(call(7), NoOp(T))
    imported(replay)

    assert 4 == replay.no_op()


def test_the_guests_own_retry_policy_wins() -> None:
    """What the log holds is not compared with what is set now."""
    assert 3 == running(POLICY).change_retry_policy()


def test_a_change_of_level_is_answered() -> None:
    """The guest sets the same level as before."""
    assert 3 == running(SMART).change_persistence_level(PersistenceLevel.SMART)


@pytest.mark.parametrize(
    ("marker", "request_of"),
    [
        (BeginRemoteWrite(T), lambda replay: replay.begin_remote_write(idempotent=True)),
        (EndRemoteWrite(T, 2), lambda replay: replay.end_remote_write(2)),
        (BeginAtomicRegion(T), lambda replay: replay.begin_atomic_region()),
        (EndAtomicRegion(T, 2), lambda replay: replay.end_atomic_region(2)),
        (NoOp(T), lambda replay: replay.no_op()),
        (POLICY, lambda replay: replay.change_retry_policy()),
        (SMART, lambda replay: replay.change_persistence_level(PersistenceLevel.SMART)),
    ],
    ids=lambda each: type(each).__name__,
)
def test_every_marker_answers_once(
    marker: Entry, request_of: Callable[[Replay], int | Perform]
) -> None:
    """A marker is used up by the request that finds it."""
    replay = running(marker)
    outcomes = [request_of(replay), request_of(replay)]

    assert [3, PERFORM] == outcomes


def test_another_level_is_a_divergence() -> None:
    """The guest now sets another one."""
    replay = running(SMART)

    with pytest.raises(Divergence) as caught:
        replay.change_persistence_level(PersistenceLevel.PERSIST_REMOTE_SIDE_EFFECTS)

    assert "persistence level persist-remote-side-effects" == caught.value.attempted


@pytest.mark.parametrize(
    ("request_of", "attempted"),
    [
        (lambda replay: replay.begin_remote_write(idempotent=True), "begin-remote-write"),
        (lambda replay: replay.end_remote_write(3), "end-remote-write 3"),
        (lambda replay: replay.begin_atomic_region(), "begin-atomic-region"),
        (lambda replay: replay.end_atomic_region(3), "end-atomic-region 3"),
        (lambda replay: replay.no_op(), "no-op"),
        (lambda replay: replay.change_retry_policy(), "change-retry-policy"),
        (
            lambda replay: replay.change_persistence_level(PersistenceLevel.SMART),
            "persistence level smart",
        ),
        (lambda replay: replay.completion(b"result"), "completion of the export"),
        (imported, "test::seven"),
    ],
)
def test_every_request_diverges_from_an_entry_of_another_kind(
    request_of: Callable[[Replay], object], attempted: str
) -> None:
    """The message says what was asked for, in the words of the log."""
    replay = running(INVOKED)

    with pytest.raises(Divergence) as caught:
        request_of(replay)

    assert (3, INVOKED, attempted) == (
        caught.value.index,
        caught.value.recorded,
        caught.value.attempted,
    )


def test_an_invocation_where_the_log_has_a_call_is_a_divergence() -> None:
    """A guest that asked the host for something while it started, and no longer does."""
    replay = replay_of(call(7))

    with pytest.raises(Divergence) as caught:
        replay.invocation()

    assert (2, "an exported function", None) == (
        caught.value.index,
        caught.value.attempted,
        caught.value.last,
    )


# -- dead regions ------------------------------------------------------------------------------


def test_dead_regions_are_passed_over() -> None:
    """What a jump or revert declared dead is never asked for, wherever it lies."""
    replay = running(
        NoOp(T),
        call(1),
        Jump(T, 4, 5),
        call(7, b"6"),
        call(2),
        call(3),
        Revert(T, 7, 8),
        call(7, b"10"),
        dead=(Region(4, 5), Region(7, 8)),
    )

    assert [3, call(7, b"6"), call(7, b"10")] == [
        replay.no_op(),
        imported(replay),
        imported(replay),
    ]
    assert replay.live


def test_a_region_up_to_the_end_leaves_the_log_live() -> None:
    """After a jump the guest is live exactly behind the entry it jumped to (B.2)."""
    replay = running(NoOp(T), said("x"), call(7), Jump(T, 4, 6), dead=(Region(4, 6),))

    assert 3 == replay.no_op()
    assert (True, {}) == (replay.live, dict(replay.tail_logs))


def test_a_jump_outside_of_its_region_is_passed_over() -> None:
    """A request that was accepted at the wrong moment lies between the region and its jump."""
    pending = PendingWorkerInvocation(T, "k2", 90, b"")
    replay = running(
        BeginAtomicRegion(T), call(1), pending, Jump(T, 4, 5), call(7), dead=(Region(4, 5),)
    )

    assert [3, call(7)] == [replay.begin_atomic_region(), imported(replay)]


# -- output --------------------------------------------------------------------------------------


def test_nothing_is_recorded_anew_while_replaying() -> None:
    """Output of a replayed stretch is in the log, whatever it is."""
    assert running(call(7)).output_was_recorded(said("x"))


def test_a_guest_that_is_live_again_repeats_its_last_output_once() -> None:
    """Each piece behind the last consumed entry stands for one piece, however many are alike."""
    replay = running(call(7), said("a", 1), said("a", 2), Error(T, 0, "x", 3), said("b", 3))
    imported(replay)

    recorded = [replay.output_was_recorded(said(text, 9)) for text in ("b", "a", "a", "a", "b")]

    assert [True, True, True, False, False] == recorded


def test_output_is_told_apart_by_level_and_context() -> None:
    """The same text on another stream is another piece."""
    replay = running(said("a"))

    recorded = [
        replay.output_was_recorded(Log(T, LogLevel.STDERR, "", b"a")),
        replay.output_was_recorded(Log(T, LogLevel.STDOUT, "c", b"a")),
        replay.output_was_recorded(said("a")),
    ]

    assert [False, False, True] == recorded


def test_output_before_an_entry_does_not_count_after_it() -> None:
    """Only what follows the last consumed entry can be repeated by a live guest."""
    replay = running(said("a"), call(7))
    imported(replay)

    assert not replay.output_was_recorded(said("a"))


# -- persist-nothing zones -------------------------------------------------------------------------


def test_a_zone_is_passed_over_with_its_delimiters() -> None:
    """A guest that asks whether it is live finds the entry behind the zone (B.9)."""
    replay = running(NOTHING, call(1), said("x"), SMART, call(7), COMPLETED)

    assert not replay.live
    assert [call(7), 8] == [imported(replay), replay.completion(b"result")]


def test_a_guest_that_enters_a_zone_while_replaying_diverges() -> None:
    """The single most misunderstood rule of the interface: B.9, second half."""
    replay = running(NOTHING, call(1), SMART, call(7))

    with pytest.raises(Divergence) as caught:
        replay.change_persistence_level(PersistenceLevel.PERSIST_NOTHING)

    assert (6, "persistence level persist-nothing") == (caught.value.index, caught.value.attempted)
    assert "current-durable-execution-state" in caught.value.cause


def test_a_zone_in_a_zone_is_one_zone() -> None:
    """Setting the level twice does not end it; a dead end does not end it either."""
    replay = running(NOTHING, NOTHING, SMART, Jump(T, 5, 6), SMART, call(7), dead=(Region(5, 6),))

    assert call(7) == imported(replay)


def test_an_open_zone_leaves_the_log_live() -> None:
    """The guest enters it anew; what it said before it entered is not said twice."""
    replay = running(said("a"), NOTHING, call(1), said("b"))

    assert (True, Mode.LIVE_RUNNING) == (replay.live, replay.mode)
    assert [True, False] == [replay.output_was_recorded(said(text)) for text in ("a", "b")]


def test_a_zone_ends_with_the_invocation() -> None:
    """It takes the completion with it: the guest diverges where it returns."""
    replay = running(NOTHING, call(1), COMPLETED, INVOKED)

    with pytest.raises(Divergence) as caught:
        replay.completion(b"result")

    assert (6, INVOKED) == (caught.value.index, caught.value.recorded)
