"""Handles that callers hold to resources of a guest: what they survive, and what ends them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from golem_host import (
    Err,
    Host,
    HostError,
    InvalidRequestError,
    InvocationFailedError,
    Ok,
    ResourceRef,
)
from golem_host.status import fold
from golem_host.worker.retry import RetryPolicy
from golem_host.worker.worker import Worker
from tests.support.handle_guests import API, handle_guest
from tests.support.hosts import QUICK, open_host
from tests.support.waiting import until

COUNTER = f"{API}.counter"
NO_RETRY = replace(QUICK, retry_policy=RetryPolicy(max_attempts=0))
PUT_AWAY_AT_ONCE = replace(QUICK, idle_after_s=0)


def counter(number: int) -> ResourceRef:
    return ResourceRef(COUNTER, number)


@contextmanager
def hosting(state_dir: Path, config: object = QUICK) -> Iterator[tuple[Host, Worker]]:
    """A host with the worker ``main``, made the first time."""
    with open_host(state_dir, config) as host:  # type: ignore[arg-type]
        known = {component.name for component in host.components.all()}
        if "handles" not in known:
            host.components.deploy(handle_guest(), name="handles")
        yield host, host.workers.get_or_create(host.components.get("handles", version=0), "main")


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with hosting(tmp_path) as (_, worker):
        yield worker


def kinds(worker: Worker, start: int = 1) -> list[str]:
    return [entry.kind for entry in worker.oplog(start)]


def refused(
    worker: Worker, function: str, *args: object, idempotency_key: str | None = None
) -> str:
    """The reason for which a call is refused; the worker itself is well afterwards."""
    with pytest.raises(InvalidRequestError) as caught:
        worker.invoke(function, *args, idempotency_key=idempotency_key)
    assert "idle" == worker.metadata().status
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- in one life -----------------------------------------------------------------------------------


def test_a_resource_is_made_used_and_dropped(worker: Worker) -> None:
    """By the names that people use; every step is an invocation."""
    made = worker.invoke(f"{API}.{{counter.new}}", 5)
    counted = worker.invoke(f"{API}.{{counter.inc-by}}", made, 3)
    dropped = worker.invoke(f"{API}.{{counter.drop}}", made)

    assert counter(1) == made
    assert (8, None) == (counted, dropped)
    assert 8 == worker.invoke("last-dropped")


def test_raw_names_are_accepted_too(worker: Worker) -> None:
    """As the component spells them, with or without its interface."""
    made = worker.invoke("[constructor]counter", 5)
    worker.invoke(f"{API}@1.0.0#[method]counter.inc-by", made, 3)
    worker.invoke("[drop]counter", made)

    assert 8 == worker.invoke("last-dropped")


def test_a_drop_is_among_the_exports(worker: Worker) -> None:
    """One for each resource of the component's own, with a type like any other."""
    drops = {name: ty for name, ty in worker.component.exports.items() if "[drop]" in name}

    assert [f"{API}@1.0.0.{{[drop]counter}}", f"{API}@1.0.0.{{[drop]label}}"] == list(drops)


def test_the_log_says_what_was_made_and_dropped(worker: Worker) -> None:
    """Hints between the beginning and the end of the invocation that did it."""
    made = worker.invoke("counter.new", 5)
    worker.invoke("counter.get", made)
    worker.invoke("counter.drop", made)

    assert [
        "create",
        *("exported-function-invoked", "create-resource", "exported-function-completed"),
        *("exported-function-invoked", "exported-function-completed"),
        *("exported-function-invoked", "drop-resource", "exported-function-completed"),
    ] == kinds(worker)
    assert {"resource-id": 1, "owner": API, "name": "counter"} == next(
        dict(entry.fields) for entry in worker.oplog() if entry.kind == "create-resource"
    )


def test_handles_are_given_in_every_form(worker: Worker) -> None:
    """In a list, an option, a result and a tuple; numbers follow one another."""
    many = worker.invoke("many", 3)
    given = [worker.invoke("perhaps", 4), worker.invoke("attempt", 5), worker.invoke("pair", 6)]
    none = [worker.invoke("perhaps", 0), worker.invoke("attempt", 0)]

    assert [counter(1), counter(2), counter(3)] == many
    assert [counter(4), Ok(counter(5)), (6, counter(6))] == given
    assert [None, Err(7)] == none
    assert [0, 1, 2, 4, 5, 6] == [worker.invoke("counter.get", counter(n)) for n in range(1, 7)]


def test_handles_are_taken_in_every_form(worker: Worker) -> None:
    """Lent in a list they stay; given in a list or an option they are gone."""
    many = worker.invoke("many", 5)
    summed = worker.invoke("sum", [*many, many[4]])
    eaten = worker.invoke("eat", many[:3])
    swapped = worker.invoke("swap", many[3], many[4])
    merged = worker.invoke("counter.merge", many[4], worker.invoke("counter.new", 10))

    assert (14, 3, 7) == (summed, eaten, swapped)
    assert counter(7) == merged
    assert (merged,) == worker.metadata().resources
    assert 14 == worker.invoke("counter.get", merged)


def test_metadata_lists_what_is_open(worker: Worker) -> None:
    """Oldest first, without what was dropped or given away."""
    worker.invoke("many", 4)
    label = worker.invoke("label.new", 9)
    worker.invoke("counter.drop", counter(2))
    worker.invoke("eat", [counter(1)])

    assert (counter(3), counter(4), label) == worker.metadata().resources
    assert ResourceRef(f"{API}.label", 5) == label


def test_an_enqueued_call_makes_a_resource(worker: Worker) -> None:
    """The handle is its result, and again under the same key."""
    call = worker.enqueue("counter.new", 3, idempotency_key="k")
    again = worker.invoke("counter.new", 3, idempotency_key="k")

    assert [counter(1)] * 2 == [call.result(20), again]
    assert (counter(1),) == worker.metadata().resources


def test_a_drop_with_a_key_happens_once(worker: Worker) -> None:
    """The second answer is that of the first, not a refusal."""
    made = worker.invoke("counter.new", 3)
    dropped = [worker.invoke("counter.drop", made, idempotency_key="d") for _ in range(2)]

    assert [None, None] == dropped
    assert () == worker.metadata().resources


# -- what is refused -------------------------------------------------------------------------------


def test_what_is_not_open_is_refused(worker: Worker) -> None:
    """Unknown, dropped and given-away handles: the reason says which, and nothing is recorded."""
    many = worker.invoke("many", 3)
    worker.invoke("counter.drop", many[0])
    worker.invoke("eat", [many[1]])
    before = len(kinds(worker))

    reasons = [
        refused(worker, "counter.get", many[0]),
        refused(worker, "counter.drop", many[0]),
        refused(worker, "sum", [many[2], many[1]]),
        refused(worker, "counter.get", counter(4)),
        refused(worker, "counter.get", counter(0)),
    ]

    assert ["it was dropped or given away"] * 3 == [r.rpartition(": ")[2] for r in reasons[:3]]
    assert ["this worker has not handed it out"] * 2 == [r.rpartition(": ")[2] for r in reasons[3:]]
    assert "counter(2) is not open" in reasons[2]
    assert before == len(kinds(worker))
    assert 2 == worker.invoke("counter.get", many[2])


def test_a_handle_of_another_resource_is_refused(worker: Worker) -> None:
    """By its type where that is given, else by what its number stands for."""
    label = worker.invoke("label.new", 1)

    assert "label" in refused(worker, "counter.get", ResourceRef(COUNTER, label.handle))
    assert 1 == worker.invoke("label.number", label)


def test_one_handle_is_given_away_once_in_a_call(worker: Worker) -> None:
    """Nor is it lent meanwhile; afterwards it is what it was."""
    one, other = worker.invoke("many", 2)

    refused(worker, "eat", [other, other])
    refused(worker, "swap", other, other)
    refused(worker, "counter.merge", other, other)

    assert [0, 1] == [worker.invoke("counter.get", each) for each in (one, other)]


def test_an_accepted_call_may_find_its_handle_gone(tmp_path: Path) -> None:
    """It is refused when its turn comes, and leaves the queue for good."""
    with hosting(tmp_path) as (_, worker):
        made = worker.invoke("counter.new", 1)
        worker.invoke("counter.drop", made)
        call = worker.enqueue("counter.get", made, idempotency_key="late")
        with pytest.raises(InvalidRequestError) as first:
            call.result(20)
        pending = worker.metadata().pending
        assert "counter(1) is not open" in refused(
            worker, "counter.get", made, idempotency_key="late"
        )

    with hosting(tmp_path) as (_, worker):
        again = worker.call("late")
        assert again is not None
        with pytest.raises(InvalidRequestError) as second:
            again.result(20)
        assert str(first.value) == str(second.value)
        assert counter(2) == worker.invoke("counter.new", 1)
        assert (0, 0) == (pending, worker.metadata().pending)


@pytest.mark.parametrize(("step", "given"), [("char", 5), ("u8", 500), ("s8", 200)])
def test_an_accepted_call_may_find_other_parameters(tmp_path: Path, step: str, given: int) -> None:
    """Those of a version that came in between: it alone is refused, and nothing behind it."""
    with hosting(tmp_path) as (host, worker):
        made = worker.invoke("counter.new", 1)
        host.components.deploy(handle_guest(1, step=step), name="handles")
    with hosting(tmp_path, replace(QUICK, threads_max=0)) as (_, worker):
        worker.update(1)
        worker.enqueue("counter.inc-by", made, given, idempotency_key="late")
        worker.enqueue("counter.get", made, idempotency_key="next")
    for _ in range(2):
        with hosting(tmp_path, NO_RETRY) as (_, worker):
            late, after = worker.call("late"), worker.call("next")
            assert late is not None
            assert after is not None
            with pytest.raises(HostError, match=r"counter\.inc-by.* n\b") as caught:
                late.result(20)
            assert 1 == after.result(20)
            assert (1, "idle") == (
                worker.metadata().component_version,
                worker.metadata().status,
            )
            assert "\n" not in str(caught.value)


def test_open_handles_are_bounded(worker: Worker) -> None:
    """The call that would open one more is refused; dropping one makes room."""
    full = worker.invoke("many", 10_000)
    reasons = [refused(worker, "counter.new", 1), refused(worker, "many", 1)]
    worker.invoke("counter.drop", full[0])
    too_many = refused(worker, "many", 2)
    last = worker.invoke("counter.new", 7)

    assert ["10000 handles are open" in reason for reason in reasons] == [True, True]
    assert "10000 handles" in too_many
    assert 7 == worker.invoke("counter.get", last)
    assert 10_000 == len(worker.metadata().resources)


def test_a_handle_with_the_uri_of_its_worker_is_taken(tmp_path: Path) -> None:
    """With that of another one it is refused, although the number is open here, too."""
    with hosting(tmp_path) as (host, worker):
        other = host.workers.create(worker.component, "other")
        for each in (worker, other):
            each.invoke("counter.new", 1)
        own = replace(counter(1), uri=worker.uri)

        assert f"urn:worker:{worker.component.id}/main" == worker.uri
        assert 3 == worker.invoke("counter.inc-by", own, 2)
        assert worker.uri in refused(other, "counter.inc-by", own, 2)
        assert other.uri in refused(other, "sum", [own])


def test_an_ephemeral_worker_keeps_no_handle(tmp_path: Path) -> None:
    """Each of its calls has an instance of its own."""
    with open_host(tmp_path) as host:
        component = host.components.deploy(handle_guest(), name="handles", ephemeral=True)
        worker = host.workers.create(component, "main")
        made = worker.invoke("counter.new", 1)

        assert "ephemeral" in refused(worker, "counter.get", made)
        assert () == worker.metadata().resources


# -- what handles survive --------------------------------------------------------------------------


def test_handles_survive_a_restart(tmp_path: Path) -> None:
    """With what was done through them; the next number follows the last."""
    with hosting(tmp_path) as (_, worker):
        many = worker.invoke("many", 3)
        worker.invoke("counter.inc-by", many[1], 40)
        worker.invoke("counter.drop", many[2])

    for number in range(4, 7):
        with hosting(tmp_path) as (_, worker):
            assert 41 == worker.invoke("counter.get", many[1])
            assert "dropped" in refused(worker, "counter.get", many[2])
            assert counter(number) == worker.invoke("counter.new", 1)


def test_handles_survive_being_put_away(tmp_path: Path) -> None:
    """An instance that is gone while nobody calls, and one that is thrown away on purpose."""
    with hosting(tmp_path, PUT_AWAY_AT_ONCE) as (_, worker):
        made = worker.invoke("counter.new", 1)
        counts = []
        for _ in range(3):
            until(lambda: not worker._access.runner().is_active)
            counts.append(worker.invoke("counter.inc-by", made, 1))
            worker.simulate_crash()

    assert [2, 3, 4] == counts


def test_handles_survive_a_call_that_fails_and_is_retried(tmp_path: Path) -> None:
    """The instance is dead after a trap: the next attempt has another one, with the same handles."""
    policy = RetryPolicy(max_attempts=2, min_delay_ns=1, max_delay_ns=1)
    with hosting(tmp_path, replace(QUICK, retry_policy=policy)) as (_, worker):
        made = worker.invoke("counter.new", 1)
        worker.invoke("counter.inc-by", made, 1)
        with pytest.raises(InvocationFailedError):
            worker.invoke("counter.inc-by", made, 666)
        worker.revert(last_invocations=1)

        assert 2 == worker.invoke("counter.get", made)


def test_a_destructor_that_traps_is_a_failed_invocation(tmp_path: Path) -> None:
    """Like any other; a revert brings the handle back."""
    with hosting(tmp_path, NO_RETRY) as (_, worker):
        made = worker.invoke("counter.new", 13)
        with pytest.raises(InvocationFailedError):
            worker.invoke("counter.drop", made)
        status = worker.metadata().status
        worker.revert(last_invocations=1)

        assert "failed" == status
        assert (made,) == worker.metadata().resources
        assert 14 == worker.invoke("counter.inc-by", made, 1)


def test_a_fork_has_handles_of_its_own(tmp_path: Path) -> None:
    """The same numbers, and another life behind each of them."""
    with hosting(tmp_path) as (_, worker):
        made = worker.invoke("counter.new", 1)
        fork = worker.fork("fork")
        worker.invoke("counter.drop", made)
        in_fork = fork.invoke("counter.inc-by", made, 9)
        late = fork.invoke("counter.new", 0)

        assert (10, counter(2)) == (in_fork, late)
        assert "dropped" in refused(worker, "counter.get", made)
        assert "not handed" in refused(worker, "counter.get", late)
        assert [(), (made, late)] == [each.metadata().resources for each in (worker, fork)]


def test_a_fork_of_the_past_knows_the_handles_of_then(tmp_path: Path) -> None:
    """What was made later is unknown to it."""
    with hosting(tmp_path) as (_, worker):
        first = worker.invoke("counter.new", 1)
        at = worker.metadata().oplog_index
        second = worker.invoke("counter.new", 2)
        worker.invoke("counter.drop", first)
        fork = worker.fork("fork", at=at)

        assert 1 == fork.invoke("counter.get", first)
        assert "not handed" in refused(fork, "counter.get", second)


def test_a_revert_takes_handles_back(tmp_path: Path) -> None:
    """What was made is refused, what was dropped is open again, and no number comes twice."""
    with hosting(tmp_path) as (_, worker):
        kept = worker.invoke("counter.new", 1)
        index = worker.metadata().oplog_index
        gone = worker.invoke("many", 2)
        worker.invoke("counter.drop", kept)
        worker.revert(to_index=index)
        reason = refused(worker, "counter.get", gone[1])
        fresh = worker.invoke("counter.new", 5)

    assert "the worker was taken back to before it was made" in reason
    assert counter(4) == fresh
    with hosting(tmp_path) as (_, worker):
        # The numbers of a replay are the same, floors and all.
        assert (kept, fresh) == worker.metadata().resources
        assert [1, 5] == [worker.invoke("counter.get", each) for each in (kept, fresh)]
        assert "taken back" in refused(worker, "counter.get", gone[0])
        assert counter(5) == worker.invoke("counter.new", 5)


def test_reverts_may_follow_one_another(tmp_path: Path) -> None:
    """Also across each other."""
    with hosting(tmp_path) as (_, worker):
        marks = []
        for number in range(3):
            worker.invoke("counter.new", number)
            marks.append(worker.metadata().oplog_index)
        worker.revert(to_index=marks[1])
        assert counter(4) == worker.invoke("counter.new", 10)
        worker.revert(to_index=marks[0])
        assert counter(5) == worker.invoke("counter.new", 20)

    with hosting(tmp_path) as (_, worker):
        found = worker.metadata().resources
        assert (counter(1), counter(5)) == found
        assert [0, 20] == [worker.invoke("counter.get", each) for each in found]
        assert counter(6) == worker.invoke("counter.new", 0)


def test_an_automatic_update_keeps_handles(tmp_path: Path) -> None:
    """The new code is given the same calls, and so has the same resources."""
    with hosting(tmp_path) as (host, worker):
        made = worker.invoke("counter.new", 1)
        host.components.deploy(handle_guest(1), name="handles")
        worker.update(1)
        until(lambda: worker.metadata().component_version == 1)

        assert 3 == worker.invoke("counter.inc-by", made, 2)


def test_a_snapshot_based_update_ends_all_handles(tmp_path: Path) -> None:
    """A snapshot holds none; what the old code has given out is refused with the reason."""
    with open_host(tmp_path) as host:
        old = host.components.deploy(handle_guest(snapshots=True), name="handles")
        host.components.deploy(handle_guest(1, snapshots=True), name="handles")
        worker = host.workers.create(old, "main")
        many = worker.invoke("many", 2)
        worker.update(1, mode="snapshot-based")
        until(lambda: worker.metadata().component_version == 1)
        reason = refused(worker, "counter.get", many[0])
        owned = worker.metadata().resources
        fresh = worker.invoke("counter.new", 1)

    assert "handles do not survive a snapshot-based update" in reason
    assert () == owned
    assert counter(3) == fresh
    with open_host(tmp_path) as host:
        worker = host.workers.get("handles", "main")
        assert 1 == worker.invoke("counter.get", fresh)
        assert "snapshot" in refused(worker, "counter.drop", many[1])
        assert (fresh,) == worker.metadata().resources


def test_the_status_that_followed_is_a_fresh_folds(tmp_path: Path) -> None:
    """After everything that concerns handles."""
    with hosting(tmp_path) as (_, worker):
        many = worker.invoke("many", 4)
        index = worker.metadata().oplog_index
        worker.invoke("eat", many[:2])
        worker.invoke("counter.new", 9)
        worker.revert(to_index=index)
        worker.invoke("counter.new", 9)
        with worker._access.runner().held() as parts:
            assert fold(parts.oplog.skim).handles == parts.status.handles
