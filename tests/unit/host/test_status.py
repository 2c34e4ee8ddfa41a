"""The status of a worker, folded from its log."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from golem_host.status import (
    EXITED,
    FAILED,
    IDLE,
    INTERRUPTED,
    RETRYING,
    RUNNING,
    SUSPENDED,
    ReadLog,
    Status,
    fold,
)
from golem_host.status_records import Outcome, PendingUpdateAt, Snapshot, UpdateRecord
from golem_oplog.entries import (
    BeginAtomicRegion,
    BeginRemoteWrite,
    CancelPendingInvocation,
    ChangePersistenceLevel,
    ChangeRetryPolicy,
    EndAtomicRegion,
    EndRemoteWrite,
    Entry,
    Error,
    ErrorKind,
    Exited,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    FailedUpdate,
    ImportedFunctionInvoked,
    Interrupted,
    Jump,
    Log,
    LogLevel,
    NoOp,
    PendingUpdate,
    PendingWorkerInvocation,
    PersistenceLevel,
    Restart,
    Revert,
    SuccessfulUpdate,
    Suspend,
)
from golem_oplog.memory import MemoryOplog
from golem_oplog.regions import Region
from golem_oplog.types import FunctionType
from tests.support.contexts import CREATE, new_log

T = CREATE.timestamp
COMPLETED = ExportedFunctionCompleted(T, b"r")
CALL = ImportedFunctionInvoked(T, 0, b"q", b"r", 0)
SAID = Log(T, LogLevel.STDOUT, "", b"x")
NOTHING = ChangePersistenceLevel(T, 0)


def pending(key: str) -> PendingWorkerInvocation:
    return PendingWorkerInvocation(T, key, None, b"")


def asked_for(key: str, version: int) -> PendingWorkerInvocation:
    """A request for an update by a snapshot, which waits in the queue."""
    return PendingWorkerInvocation(T, key, None, b"", target_version=version)


def invoked(key: str) -> ExportedFunctionInvoked:
    return ExportedFunctionInvoked(T, 0, b"", key)


def error(origin: int, retry_at: int | None = T + 1, message: str = "x") -> Error:
    return Error(T, ErrorKind.UNKNOWN, message, origin, retry_at)


def read_of(*entries: Entry) -> ReadLog:
    """Reads a log of `CREATE` and these entries."""
    numbered = list(enumerate((CREATE, *entries), start=1))
    return lambda first, last: iter(numbered[first - 1 : last])


def status_of(*entries: Entry) -> Status:
    return fold(read_of(*entries))


def log_of(*entries: Entry) -> MemoryOplog:
    """A log in which function 0 is a function."""
    oplog = new_log()
    assert 0 == oplog.define(FunctionType("f", (), None))
    for entry in entries:
        oplog.append(entry)
    return oplog


def indexes(outcomes: dict[str, Outcome]) -> dict[str, int]:
    return {key: outcome.oplog_index for key, outcome in outcomes.items()}


def test_a_request_that_has_begun_is_not_pending_again() -> None:
    """Two threads may append: the acceptance of a key comes behind its beginning, or its end."""
    status = fold(log_of(invoked("a"), pending("a")).read)
    assert ({}, "a") == (status.pending, status.running.key if status.running else "")

    status = fold(log_of(invoked("a"), COMPLETED, pending("a"), pending("b")).read)
    assert ["b"] == list(status.pending)

    status = fold(log_of(pending("a"), invoked("a"), COMPLETED, pending("a"), Revert(T, 2, 4)).read)
    assert ["a"] == list(status.pending)


# -- the worked log of B.10 --------------------------------------------------------------------

WORKED = (
    pending("a"),  # 2
    invoked("a"),  # 3
    Suspend(T),  # 4
    pending("b"),  # 5
    COMPLETED,  # 6
    invoked("b"),  # 7
    error(7),  # 8
    error(7),  # 9
    error(7, None),  # 10
    Revert(T, 7, 10),  # 11
)


@pytest.mark.parametrize(
    ("last", "state", "waiting", "results"),
    [
        (1, IDLE, [], {}),
        (2, IDLE, ["a"], {}),
        (3, RUNNING, [], {}),
        (4, SUSPENDED, [], {}),
        (5, SUSPENDED, ["b"], {}),
        (6, IDLE, ["b"], {"a": 6}),
        (7, RUNNING, [], {"a": 6}),
        (8, RETRYING, [], {"a": 6}),
        (9, RETRYING, [], {"a": 6}),
        (10, FAILED, [], {"a": 6, "b": 10}),
        (11, IDLE, ["b"], {"a": 6}),
    ],
)
def test_each_row_of_the_worked_log(
    last: int, state: str, waiting: list[str], results: dict[str, int]
) -> None:
    """Spec B.10, with R28: an error that is retried is no result."""
    status = status_of(*WORKED[: last - 1])

    assert (state, waiting, results) == (
        status.status,
        list(status.pending),
        indexes(status.results),
    )


def test_a_revert_of_the_request_takes_it_back() -> None:
    """Reverting to before it was accepted removes it from the queue (B.10, last remark)."""
    status = status_of(*WORKED[:-1], Revert(T, 5, 10))

    assert ({}, {}) == (status.pending, status.results)


# -- what each entry means ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "state"),
    [
        (CALL, RUNNING),
        (NoOp(T), RUNNING),
        (ChangeRetryPolicy(T, 1, 2, 3, 4.0, None), RUNNING),
        (BeginAtomicRegion(T), RUNNING),
        (EndAtomicRegion(T, 9), RUNNING),
        (BeginRemoteWrite(T), RUNNING),
        (EndRemoteWrite(T, 9), RUNNING),
        (NOTHING, RUNNING),
        (COMPLETED, IDLE),
        (Restart(T), IDLE),
        (error(2), RETRYING),
        (error(2, None), FAILED),
        (Error(T, ErrorKind.INVALID_REQUEST, "x", 2), SUSPENDED),
        (Interrupted(T), INTERRUPTED),
        (Exited(T, 3), EXITED),
        (SAID, SUSPENDED),
        (pending("other"), SUSPENDED),
        (CancelPendingInvocation(T, "other"), SUSPENDED),
        (PendingUpdate(T, 1, None), SUSPENDED),
        (SuccessfulUpdate(T, 1, 0), SUSPENDED),
        (FailedUpdate(T, 1, None), SUSPENDED),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, tuple) else each,
)
def test_what_an_entry_makes_of_a_suspended_worker(entry: Entry, state: str) -> None:
    """Spec 3.7, the table of states: only what goes on or ends changes it (R28)."""
    assert state == status_of(invoked("a"), Suspend(T), entry).status


@pytest.mark.parametrize(
    "entry", [CALL, NoOp(T), BeginAtomicRegion(T), BeginRemoteWrite(T), NOTHING]
)
def test_calls_of_the_instantiation_leave_a_worker_idle(entry: Entry) -> None:
    """Start functions run outside of any invocation."""
    assert IDLE == status_of(entry).status


def test_an_accepted_update_rescues_a_failed_worker() -> None:
    """Failed becomes retrying, so that the new version gets its chance (spec 2.9.1)."""
    assert RETRYING == status_of(invoked("a"), error(2, None), PendingUpdate(T, 1, None)).status


def test_an_exit_is_remembered_with_its_code() -> None:
    """It is the outcome of the invocation, and the worker's own."""
    status = status_of(invoked("a"), Exited(T, 3))

    assert (3, {"a": Outcome(3, 2)}) == (status.exit_code, status.results)


def test_a_result_knows_where_its_invocation_began() -> None:
    """So that its input can be compared with that of a later request."""
    assert {"a": Outcome(4, 2)} == status_of(invoked("a"), CALL, COMPLETED).results


def test_a_worker_begins_as_its_first_entry_says() -> None:
    """With the identity, and on the version, that it was created with."""
    create = CREATE._replace(component_version=5)
    with MemoryOplog(create) as oplog:
        status = fold(oplog.skim)

    assert (create, 5, IDLE, 1, 1) == (
        status.create,
        status.component_version,
        status.status,
        status.last_index,
        status.origin,
    )


def test_a_completion_leaves_nothing_behind() -> None:
    """Neither what ran nor what it waited for."""
    status = status_of(invoked("a"), Suspend(T, "a timer", T + 1), COMPLETED)

    assert (None, None, None) == (status.running, status.suspend, status.error)


def test_a_suspended_worker_knows_what_it_waits_for() -> None:
    """With the reason and the time, for people and for the scheduler."""
    waits = Suspend(T, "a timer", T + 1)

    assert waits == status_of(invoked("a"), waits).suspend


def test_a_refused_invocation_leaves_no_failure() -> None:
    """Nor a region: the worker goes on as if it had not been asked."""
    refusal = Error(T, ErrorKind.INVALID_REQUEST, "no such thing", 3)
    status = status_of(invoked("a"), BeginAtomicRegion(T), refusal, Jump(T, 2, 5))

    assert ({}, None, 0) == (status.open_begins, status.error, status.error_count)
    assert IDLE == status.status


def test_a_refusal_counts_with_the_jump_over_it() -> None:
    """A fork of the past may end in between: there it is under way, and is refused again."""
    refusal = Error(T, ErrorKind.INVALID_REQUEST, "no such thing", 2)
    status = status_of(invoked("a"), refusal)

    assert (True, {}, RUNNING) == (status.is_unfinished, status.results, status.status)


def test_a_refused_invocation_is_over() -> None:
    """Its failure is its result, and nothing is left unfinished (R34)."""
    refusal = Error(T, ErrorKind.INVALID_REQUEST, "no such thing", 2)
    status = status_of(invoked("a"), refusal, Jump(T, 2, 4))

    assert (IDLE, None, {"a": Outcome(3, 2)}) == (status.status, status.running, status.results)
    assert not status.is_unfinished


@pytest.mark.parametrize(
    ("ending", "is_unfinished"),
    [
        (COMPLETED, False),
        (Exited(T), False),
        (error(2, None), False),
        (error(2), True),
        (Interrupted(T), True),
        (Suspend(T), True),
        (SAID, True),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, tuple) else str(each),
)
def test_an_invocation_without_an_outcome_is_unfinished(ending: Entry, is_unfinished: bool) -> None:
    """Whatever interrupts it, it goes on some time; what ends it does so once and for all."""
    assert is_unfinished is status_of(invoked("a"), ending).is_unfinished


def test_a_canceled_request_leaves_the_queue() -> None:
    """And only that one."""
    status = status_of(pending("a"), pending("b"), CancelPendingInvocation(T, "a"))

    assert ["b"] == list(status.pending)


def test_the_last_retry_policy_holds() -> None:
    """It survives the invocation that set it; one in a dead region never was."""
    first, second = (ChangeRetryPolicy(T, n, 1, 1, 1.0, None) for n in (1, 2))
    log = (invoked("a"), first, COMPLETED, invoked("b"), second)

    assert second == status_of(*log).retry_policy
    assert first == status_of(*log, Jump(T, 6, 7)).retry_policy


def test_updates_are_settled_in_order() -> None:
    """The first that waits is the one that succeeds or fails; success sets the version."""
    status = status_of(
        PendingUpdate(T, 1, None),
        PendingUpdate(T, 2, None),
        PendingUpdate(T, 3, None),
        FailedUpdate(T, 1, "diverged"),
        SuccessfulUpdate(T, 2, 0),
    )

    assert [
        UpdateRecord(1, "failed", "diverged"),
        UpdateRecord(2, "successful"),
        UpdateRecord(3, "pending"),
    ] == status.updates
    assert 2 == status.component_version


def test_an_update_that_nobody_asked_for_is_listed() -> None:
    """A log may begin with it, where it was cut."""
    assert [UpdateRecord(1, "successful")] == status_of(SuccessfulUpdate(T, 1, 0)).updates


def test_a_revert_undoes_an_update() -> None:
    """The worker is back on the version it had (spec 2.13)."""
    status = status_of(PendingUpdate(T, 1, None), SuccessfulUpdate(T, 1, 0), Revert(T, 2, 3))

    assert (0, []) == (status.component_version, status.updates)


# -- updates by a snapshot, B.6 ---------------------------------------------------------------------

UPDATED = (
    invoked("a"),  # 2
    COMPLETED,  # 3
    asked_for("m", 1),  # 4
    PendingUpdate(T, 1, b"state"),  # 5
    SuccessfulUpdate(T, 1, 0),  # 6
    invoked("b"),  # 7
    COMPLETED,  # 8
)


def test_a_request_for_a_snapshot_waits_in_the_queue() -> None:
    """It is still to be done, and leaves the queue when the state has been saved, or could not be."""
    waiting = status_of(*UPDATED[:3])
    after = [status_of(*UPDATED[:3], end) for end in (UPDATED[3], FailedUpdate(T, 1, "cannot"))]

    assert ["m"] == list(waiting.pending)
    assert [[], []] == [list(status.pending) for status in after]
    assert [UpdateRecord(1, "failed", "cannot")] == after[1].updates


def test_a_saved_state_is_tried_before_it_counts() -> None:
    """While the update is pending, an instance begins with its snapshot; nothing is skipped for good."""
    status = status_of(*UPDATED[:4])

    assert Snapshot(5, b"state", 0, 1) == status.snapshot
    assert PendingUpdateAt(5, PendingUpdate(T, 1, b"state")) == status.pending_update
    assert (0, 0, []) == (status.component_version, status.fresh_from, list(status.skipped))


def test_a_loaded_state_stands_for_what_came_before() -> None:
    """The history up to the snapshot is never replayed again, and its results stand."""
    status = status_of(*UPDATED)

    assert Snapshot(5, b"state", 6, 1) == status.snapshot
    assert ([Region(2, 5)], []) == (list(status.skipped), list(status.deleted))
    assert (1, 6, None) == (status.component_version, status.fresh_from, status.pending_update)
    assert {"a": 3, "b": 8} == indexes(status.results)


def test_a_state_that_cannot_be_loaded_is_forgotten() -> None:
    """After the failure the old version goes on with the old history."""
    status = status_of(*UPDATED[:4], FailedUpdate(T, 1, "cannot load"))

    assert (None, None, 0) == (status.snapshot, status.pending_update, status.component_version)
    assert [] == list(status.skipped)


def test_an_automatic_update_keeps_the_loaded_state() -> None:
    """Replay still begins with the snapshot; requests are compared from the later update on."""
    status = status_of(*UPDATED, PendingUpdate(T, 2, None), SuccessfulUpdate(T, 2, 0))

    assert Snapshot(5, b"state", 6, 1) == status.snapshot
    assert ([Region(2, 5)], 10) == (list(status.skipped), status.fresh_from)


def test_a_revert_past_an_update_by_a_snapshot_undoes_it() -> None:
    """The old history is the history again, and the request for the update is pending again."""
    status = status_of(*UPDATED, Revert(T, 5, 8))

    assert (None, 0, 0) == (status.snapshot, status.fresh_from, status.component_version)
    assert [Region(5, 8)] == list(status.skipped)
    assert (["m"], {"a": 3}) == (list(status.pending), indexes(status.results))


def test_names_of_effects_outlive_reverts() -> None:
    """An effect that has happened must not happen again, whatever was taken back since."""
    status = status_of(
        PendingUpdate(T, 1, None, "t1"), asked_for("t2", 1), Revert(T, 2, 3, "t3"), Revert(T, 5, 5)
    )

    assert {"t1", "t2", "t3"} == status.tokens


# -- regions -------------------------------------------------------------------------------------


def test_what_lies_in_a_persist_nothing_zone_is_not_counted_against() -> None:
    """Each attempt begins before the zone, so all failures in it are of one attempt (R3)."""
    opened = (invoked("a"), NoOp(T), ChangePersistenceLevel(T, PersistenceLevel.PERSIST_NOTHING))
    cut_off = (*opened, BeginAtomicRegion(T), BeginRemoteWrite(T), CALL)
    left = (*cut_off, ChangePersistenceLevel(T, PersistenceLevel.SMART))

    assert 3 == status_of(*cut_off).origin
    status = status_of(*left)
    assert (3, 3, {}) == (status.last_replayed_index, status.origin, status.open_begins)
    assert 3 == status_of(*left, opened[-1], CALL).origin


def test_a_jump_skips_and_deletes_nothing() -> None:
    """Spec B.2: the region is skipped, promises in it stand, and the guest goes on at its start."""
    status = status_of(invoked("a"), NoOp(T), SAID, CALL, Jump(T, 4, 6))

    assert [Region(4, 6)] == list(status.skipped)
    assert [] == list(status.deleted)
    assert (RUNNING, 3, 6) == (status.status, status.last_replayed_index, status.last_index)


def test_a_jump_back_over_a_jump_makes_one_region() -> None:
    """Spec B.2, with the recommended check: the regions touch and are one."""
    status = status_of(invoked("a"), NoOp(T), SAID, CALL, Jump(T, 4, 6), CALL, CALL, Jump(T, 4, 9))

    assert [Region(4, 9)] == list(status.skipped)


def test_what_was_promised_in_a_jumped_region_stands() -> None:
    """A request that was accepted meanwhile is still to be done, one that was reverted is not."""
    log = (invoked("a"), NoOp(T), pending("b"))

    assert ["b"] == list(status_of(*log, Jump(T, 4, 5)).pending)
    assert [] == list(status_of(*log, Revert(T, 4, 4)).pending)


def test_a_jump_beside_its_region_changes_nothing_else() -> None:
    """A request that was accepted at the wrong moment lies between the region and its jump."""
    status = status_of(invoked("a"), BeginAtomicRegion(T), CALL, pending("b"), Jump(T, 4, 5))

    assert (3, 3, ["b"]) == (status.last_replayed_index, status.origin, list(status.pending))


def test_a_revert_takes_a_result_back() -> None:
    """Spec B.6, last sentence: the second result is gone, the first one stays."""
    status = status_of(invoked("a"), COMPLETED, invoked("b"), COMPLETED, Revert(T, 4, 5))

    assert {"a": 3} == indexes(status.results)
    assert ([Region(4, 5)], [Region(4, 5)]) == (list(status.skipped), list(status.deleted))


@pytest.mark.parametrize(
    ("ending", "cut"), [(error(2, None), 3), (Exited(T), 3), (Interrupted(T), 3)]
)
def test_a_revert_rescues(ending: Entry, cut: int) -> None:
    """Past an error, an exit or an interrupt the worker runs as if it had not happened."""
    status = status_of(invoked("a"), ending, Revert(T, cut, cut))

    assert (RUNNING, None, None) == (status.status, status.error, status.exit_code)


# -- failures ------------------------------------------------------------------------------------


def test_failures_in_a_row_are_counted() -> None:
    """With the same origin, however many hints lie between them."""
    status = status_of(invoked("a"), error(2), SAID, pending("b"), error(2), error(2))

    assert (3, 7) == (status.error_count, status.error_index)


def test_a_failure_at_another_place_is_the_first() -> None:
    """An attempt that got further starts a count of its own."""
    status = status_of(invoked("a"), error(2), error(2), CALL, error(5))

    assert (1, 5) == (status.error_count, status.origin)


@pytest.mark.parametrize("success", [COMPLETED, invoked("b")])
def test_success_forgets_the_failures(success: Entry) -> None:
    """Of the invocation before."""
    status = status_of(invoked("a"), error(2), success)

    assert (None, 0, 0) == (status.error, status.error_count, status.error_index)


@pytest.mark.parametrize("begin", [BeginAtomicRegion(T), BeginRemoteWrite(T)])
def test_failures_in_a_redone_region_are_counted_on(begin: Entry) -> None:
    """Each attempt jumps over the last one, and they still add up: none is made for ever (R3)."""
    status = status_of(
        invoked("a"),
        begin,  # 3
        CALL,
        error(3),  # 5
        Jump(T, 4, 6),
        CALL,
        SAID,
        error(3),  # 9
        Jump(T, 4, 10),
    )

    assert (2, 9, 3, RUNNING) == (
        status.error_count,
        status.error_index,
        status.origin,
        status.status,
    )


def test_failures_that_were_jumped_over_otherwise_do_not_count() -> None:
    """A guest that went back by itself tries anew."""
    status = status_of(invoked("a"), NoOp(T), error(3), CALL, Jump(T, 4, 6))

    assert (None, 0) == (status.error, status.error_count)


def test_an_ended_region_is_not_started_over() -> None:
    """The origin moves on with the end marker."""
    log = (invoked("a"), BeginAtomicRegion(T), CALL)

    assert (3, 5) == (status_of(*log).origin, status_of(*log, EndAtomicRegion(T, 3)).origin)


def test_the_outermost_open_region_is_started_over() -> None:
    """It takes the inner ones with it."""
    status = status_of(invoked("a"), BeginAtomicRegion(T), BeginRemoteWrite(T), CALL)

    assert 3 == status.origin
    assert {3: BeginAtomicRegion, 4: BeginRemoteWrite} == status.open_begins


def test_no_region_reaches_beyond_its_invocation() -> None:
    """What was left open is over with the completion (R5)."""
    assert {} == status_of(invoked("a"), BeginRemoteWrite(T), COMPLETED).open_begins


# -- the fold itself -----------------------------------------------------------------------------


Part: TypeAlias = Entry | Callable[[int], Entry]
"""An entry, or what it is at a given index."""


def entries() -> st.SearchStrategy[list[Entry]]:
    """Logs of every kind of entry, with jumps and reverts of what is alive, as hosts make them."""
    plain: st.SearchStrategy[Part] = st.sampled_from(
        [
            *(make(key) for key in ("a", "b") for make in (pending, invoked)),
            *(CancelPendingInvocation(T, "a"), COMPLETED, CALL, SAID, NoOp(T), Exited(T, 1)),
            *(Suspend(T), Interrupted(T), BeginAtomicRegion(T), BeginRemoteWrite(T)),
            *(PendingUpdate(T, 1, None), SuccessfulUpdate(T, 1, 0), FailedUpdate(T, 1, None)),
            *(PendingUpdate(T, 1, b"state", "t"), PendingUpdate(T, 2, b"state", "u")),
            *(SuccessfulUpdate(T, 2, 0), asked_for("m", 1)),
            *(ChangeRetryPolicy(T, 1, 2, 3, 4.0, None), NOTHING, Restart(T)),
        ]
    )
    moving: st.SearchStrategy[Part] = st.builds(
        _placed, st.integers(0, 6), st.sampled_from(["jump", "revert", "end", "error", "given up"])
    )
    parts: st.SearchStrategy[list[Part]] = st.lists(st.one_of(plain, plain, moving), max_size=25)
    return parts.map(_laid_out)


def _placed(back: int, kind: str) -> Callable[[int], Entry]:
    def at(index: int) -> Entry:
        start = max(index - back, 2)
        match kind:
            case "jump":
                return Jump(T, start, index)
            case "revert":
                return Revert(T, start, index - 1)
            case "end":
                return EndAtomicRegion(T, start)
            case "error":
                return error(start)
            case _:
                return error(start, None)

    return at


def _laid_out(parts: list[Part]) -> list[Entry]:
    """Every part at its index; what would begin in a dead region begins before it."""
    log: list[Entry] = []
    for index, part in enumerate(parts, start=2):
        entry = part(index) if callable(part) else part
        if isinstance(entry, Jump | Revert):
            dead = status_of(*log).skipped.find(entry.start)
            entry = entry._replace(start=entry.start if dead is None else dead.start)
        log.append(entry)
    return log


@given(entries())
def test_following_a_log_equals_folding_it(log: list[Entry]) -> None:
    """A status that was kept up to date entry by entry is what a fresh fold says."""
    followed = status_of()
    for index, entry in enumerate(log, start=2):
        followed.apply(index, entry)
        if followed.rewrites_history(entry):
            followed.refold(read_of(*log[: index - 1]))

        assert status_of(*log[: index - 1]) == followed


@given(entries())
@example([invoked("a"), Suspend(T), CALL])
@example([invoked("a"), NoOp(T), Jump(T, 4, 4), CALL])
def test_skimming_a_log_is_enough(log: list[Entry]) -> None:
    """The fold needs of host calls only their times."""
    with log_of(*log) as oplog:
        assert fold(oplog.read) == fold(oplog.skim)


@pytest.mark.parametrize("entry", [CALL, SAID, NoOp(T), pending("b")])
def test_a_status_stands_at_its_last_entry(entry: Entry) -> None:
    """With its index, and the latest time so far."""
    later = entry._replace(timestamp=T + 5)
    seen = [
        (status.last_index, status.last_timestamp)
        for status in (status_of(later), status_of(later, entry))
    ]

    assert [(2, T + 5), (3, T + 5)] == seen


def test_time_never_goes_back() -> None:
    """The last moment is the latest that any entry has, dead ones included."""
    late = CALL._replace(timestamp=T + 9)
    log = (invoked("a"), NoOp(T), late, Jump(T + 1, 4, 5))
    with log_of(*log) as oplog:
        assert [T + 9] * 2 == [fold(read).last_timestamp for read in (oplog.read, oplog.skim)]
