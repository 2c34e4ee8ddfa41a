"""Promises as a guest uses them: waiting, misuse, and what is left in the log."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from golem_host.context import NEVER_NS
from golem_host.errors import PromiseNotFoundError
from golem_host.failures import GuestError
from golem_host.interfaces.wasi.io.poll import wait_for
from golem_host.interfaces.wasi.io.pollables import Pollable, PromiseCell, Ready, Timer
from golem_host.services.promises import PromiseId
from golem_host.signals import InterruptSignal, SuspendSignal
from golem_host.wake import Wake
from golem_oplog.entries import FunctionKind, ImportedFunctionInvoked
from tests.support.contexts import CREATE, SUSPEND_AFTER_NS, entries_of
from tests.support.host_api import (
    AGENTS,
    U64_MAX,
    Guest,
    Neighbours,
    begun_log,
    component_value,
    promise_value,
    worker_value,
)

HOUR_NS = 3600 * 10**9


@pytest.fixture
def around() -> Neighbours:
    return Neighbours()


@pytest.fixture
def host(around: Neighbours) -> Guest:
    return Guest(begun_log(), around)


def ident(index: int, name: str = CREATE.worker_name) -> PromiseId:
    return PromiseId(CREATE.component_id, name, index)


def test_the_id_names_the_entry_that_records_it(host: Guest, around: Neighbours) -> None:
    """The index of the promise is that of its own entry (B.1)."""
    host("get-oplog-index")
    promise = host("create-promise")

    assert promise_value(4) == promise
    assert 4 == host.context.oplog.last_index
    assert [ident(4)] == [info.id for info in around.promises.list()]


def test_each_call_is_recorded_under_its_name(host: Guest) -> None:
    """With its durable function type, the remote writes committed before they return."""
    promise = host("create-promise")
    host("poll-promise", promise)
    uncommitted = host.context.oplog.committed_index
    host("complete-promise", promise, b"x")
    host("await-promise", promise)
    host("delete-promise", promise)
    calls = [e for e in entries_of(host.oplog) if isinstance(e, ImportedFunctionInvoked)]

    assert [
        ("golem::api::create_promise", FunctionKind.WRITE_LOCAL),
        ("golem::api::poll_promise", FunctionKind.READ_REMOTE),
        ("golem::api::complete_promise", FunctionKind.WRITE_REMOTE),
        ("golem::api::await_promise", FunctionKind.READ_REMOTE),
        ("golem::api::delete_promise", FunctionKind.WRITE_REMOTE),
    ] == [(host.oplog.function(e.function).name, e.function_type) for e in calls]
    assert (2, 7) == (uncommitted, host.context.oplog.committed_index)


UNKNOWN = [
    promise_value(0),
    promise_value(3),
    promise_value(U64_MAX),
    promise_value(3, "bob"),
    promise_value(3, ""),
    promise_value(3, "a/../b\0 ü\U0001f600"),
    promise_value(3, "x" * 100_000),
    {"worker-id": worker_value("alice", "00000000-0000-0000-0000-000000000000"), "oplog-idx": 3},
]


@pytest.mark.parametrize("unknown", UNKNOWN)
def test_an_unknown_promise_is_an_error_that_is_not_recorded(
    host: Guest, unknown: dict[str, Any]
) -> None:
    """Whatever its id looks like: awaiting, polling and completing trap, deleting does nothing."""
    for name, args in (
        ("await-promise", (unknown,)),
        ("poll-promise", (unknown,)),
        ("complete-promise", (unknown, b"x")),
    ):
        with pytest.raises(PromiseNotFoundError):
            host(name, *args)
    before = host.context.oplog.last_index
    host("delete-promise", unknown)

    assert (2, 3) == (before, host.context.oplog.last_index)


def test_any_worker_may_use_a_promise(host: Guest, around: Neighbours) -> None:
    """Who made it is only part of its name."""
    around.promises.create(ident(9, "bob"))
    first = host("complete-promise", promise_value(9, "bob"), b"for bob")

    assert (True, b"for bob") == (first, host("await-promise", promise_value(9, "bob")))


def test_an_incomplete_promise_parks_the_worker(host: Guest) -> None:
    """It says what it waits for; nothing is recorded, so that the next instance asks again."""
    promise = host("create-promise")
    with pytest.raises(SuspendSignal) as raised:
        host("await-promise", promise)

    name = f"{CREATE.component_id}/alice/3"
    assert (f"waiting for promise {name}", None, name) == (
        raised.value.reason,
        raised.value.wake_at,
        raised.value.promise,
    )
    assert 3 == host.context.oplog.last_index


def once_waiting(
    host: Guest, do: Callable[[], object], timeouts: list[float | None] | None = None
) -> threading.Thread:
    """Do something from another thread as soon as the guest waits in memory."""
    wake, waits = host.context.wake, threading.Event()

    class Told(Wake):
        def wait(self, timeout: float | None = None) -> bool:
            if timeouts is not None:
                timeouts.append(timeout)
            waits.set()
            return wake.wait(timeout)

        def set(self) -> None:
            wake.set()

        def clear(self) -> None:
            wake.clear()

    host.context.wake = Told()

    def act() -> None:
        waits.wait()
        do()

    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_a_wait_in_memory_ends_when_the_promise_is_completed(
    host: Guest, around: Neighbours
) -> None:
    """At once, by whoever completes it."""
    host.context.services.park_after_ns = HOUR_NS
    promise = host("create-promise")
    thread = once_waiting(host, lambda: around.promises.complete(ident(3), b"now"))

    assert b"now" == host("await-promise", promise)
    thread.join()
    assert 0 == len(around.promises._waking)


def test_a_wait_in_memory_ends_when_the_promise_is_deleted(host: Guest, around: Neighbours) -> None:
    """With an error: nobody can complete it any more."""
    host.context.services.park_after_ns = HOUR_NS
    promise = host("create-promise")
    thread = once_waiting(host, lambda: around.promises.delete(ident(3)))
    with pytest.raises(PromiseNotFoundError):
        host("await-promise", promise)
    thread.join()


def test_a_wait_in_memory_can_be_interrupted(host: Guest) -> None:
    """A kill ends it like any wait."""
    host.context.services.park_after_ns = HOUR_NS

    def kill() -> None:
        host.context.kill = InterruptSignal()
        host.context.wake.set()

    promise = host("create-promise")
    thread = once_waiting(host, kill)
    with pytest.raises(InterruptSignal):
        host("await-promise", promise)
    thread.join()


def test_a_wait_becomes_parking_when_its_time_is_over(host: Guest, around: Neighbours) -> None:
    """The first wake-up after the grace period finds nothing, and gives the instance up."""
    host.context.services.park_after_ns = HOUR_NS

    def later() -> None:
        around.clock.advance(HOUR_NS)
        host.context.wake.set()

    promise = host("create-promise")
    thread = once_waiting(host, later)
    with pytest.raises(SuspendSignal):
        host("await-promise", promise)
    thread.join()


class CrowdedSlot:
    """A `RunSlot` on a host where too many threads wait."""

    def released(self) -> AbstractContextManager[None]:
        return nullcontext()

    def is_crowded(self) -> bool:
        return True


def test_where_many_wait_nobody_waits_in_memory(host: Guest) -> None:
    """The grace period is for those who can afford it."""
    host.context.services.park_after_ns = HOUR_NS
    host.context.services.slot = CrowdedSlot()
    promise = host("create-promise")
    with pytest.raises(SuspendSignal):
        host("await-promise", promise)


@pytest.mark.parametrize("crowded", [False, True])
def test_an_ephemeral_worker_waits_where_it_is(
    host: Guest, around: Neighbours, *, crowded: bool
) -> None:
    """R47: it cannot be rebuilt, however many wait."""
    host.context.services.park_after_ns = host.context.services.suspend_after_ns = NEVER_NS
    if crowded:
        host.context.services.slot = CrowdedSlot()
    promise = host("create-promise")
    thread = once_waiting(host, lambda: around.promises.complete(ident(3), b""))

    assert b"" == host("await-promise", promise)
    thread.join()


# -- waiting for several things -------------------------------------------------------------------


def cell(around: Neighbours, index: int) -> PromiseCell:
    around.promises.create(ident(index))
    return PromiseCell(ident(index), around.promises)


def test_a_poll_returns_every_promise_that_is_completed(host: Guest, around: Neighbours) -> None:
    """And timers that are over."""
    cells = [cell(around, index) for index in (10, 11, 12)]
    around.promises.complete(ident(12), b"")
    over = Timer(around.clock.now_ns)

    assert [2, 3] == wait_for(host.context, [*cells, over])


def test_a_promise_with_a_far_timeout_parks_until_either(host: Guest, around: Neighbours) -> None:
    """Both the promise and the time are remembered."""
    at = around.clock.now_ns + SUSPEND_AFTER_NS
    with pytest.raises(SuspendSignal) as raised:
        wait_for(host.context, [cell(around, 10), Timer(at)])

    assert (at, str(ident(10))) == (raised.value.wake_at, raised.value.promise)


def test_a_promise_with_a_near_timeout_waits_in_memory(host: Guest, around: Neighbours) -> None:
    """Giving the instance up would cost more than it saves."""
    near = Timer(around.clock.now_ns + SUSPEND_AFTER_NS - 1)
    waited = cell(around, 10)
    thread = once_waiting(host, lambda: around.promises.complete(ident(10), b""))

    assert [0] == wait_for(host.context, [waited, near])
    thread.join()


@pytest.mark.parametrize("others", [[], [Timer(NEVER_NS)]])
def test_several_promises_are_waited_for_in_memory(
    host: Guest, around: Neighbours, others: list[Pollable]
) -> None:
    """A parked worker is woken by one promise; with two it keeps its instance."""
    cells = [cell(around, index) for index in (10, 11)]
    timeouts: list[float | None] = []
    thread = once_waiting(host, lambda: around.promises.complete(ident(11), b""), timeouts)

    assert [1] == wait_for(host.context, [*cells, *others])
    thread.join()
    # The grace period is over from the start: nothing is to be looked at sooner.
    assert [] == [each for each in timeouts if each is not None and each < HOUR_NS / 1e9]


def test_one_promise_twice_is_one_promise(host: Guest, around: Neighbours) -> None:
    """Two pollables of the same one do not keep the instance."""
    with pytest.raises(SuspendSignal):
        wait_for(host.context, [cell(around, 10), cell(around, 10)])


def test_what_only_the_guest_can_do_is_not_waited_for_without_it(
    host: Guest, around: Neighbours
) -> None:
    """A pollable that is ready at once never suspends."""
    assert [1] == wait_for(host.context, [cell(around, 10), Ready()])


# -- the later dialect ----------------------------------------------------------------------------


def test_a_promise_of_the_later_dialect_is_waited_for_by_poll(around: Neighbours) -> None:
    """`get` gives nothing, the poll parks; completed, both answer."""
    host = Guest(begun_log(), around, AGENTS)
    promise = host("create-promise")
    waited = host("get-promise", promise)
    pollable = host("[method]get-promise-result.subscribe", waited)
    before = host("[method]get-promise-result.get", waited)
    with pytest.raises(SuspendSignal) as raised:
        host("poll", [pollable])
    around.promises.complete(ident(3), b"x")

    assert {"component-id": component_value(), "agent-id": "alice"} == promise["agent-id"]
    assert (None, str(ident(3))) == (before, raised.value.promise)
    assert ([0], b"x") == (host("poll", [pollable]), host("[method]get-promise-result.get", waited))


def test_an_unknown_promise_of_the_later_dialect_is_an_error_where_it_is_used(
    around: Neighbours,
) -> None:
    """Naming it is none."""
    host = Guest(begun_log(), around, AGENTS)
    owner = {"component-id": component_value(), "agent-id": "alice"}
    waited = host("get-promise", {"agent-id": owner, "oplog-idx": 3})
    pollable = host("[method]get-promise-result.subscribe", waited)
    for name, args in (("[method]get-promise-result.get", waited), ("poll", [pollable])):
        with pytest.raises(PromiseNotFoundError):
            host(name, args)


# -- while a snapshot is saved or loaded ----------------------------------------------------------


def test_no_promise_is_made_for_a_snapshot(host: Guest, around: Neighbours) -> None:
    """Nothing would remember it, and two would be one; a completed one can be read."""
    around.promises.create(ident(9, "bob"))
    around.promises.complete(ident(9, "bob"), b"x")
    with host.context.unrecorded():
        with pytest.raises(GuestError, match="create-promise while a snapshot is saved"):
            host("create-promise")
        assert b"x" == host("await-promise", promise_value(9, "bob"))
        assert b"x" == host("poll-promise", promise_value(9, "bob"))

    assert 2 == host.context.oplog.last_index
