"""
What workers wait for, and when they are woken: by a clock that stands still until it is moved.

A worker in its wait is reached through what reaches it otherwise: its event where it kept its
instance, the scheduler's call where it gave it up.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from golem_host import Host, Worker
from golem_host.services.unfinished import WorkerKey
from golem_oplog.entries import Entry, ImportedFunctionInvoked, Suspend
from tests.support.hosts import QUICK, open_host
from tests.support.version_guests import version
from tests.support.waiting import PATIENCE_S, until
from tests.support.wasi_text import wasi_guest
from tests.support.world import EPOCH_NS, FrozenClock

S: Final = 1_000_000_000
HOUR_NS: Final = 3600 * S
THRESHOLD_S: Final = 10
KEY: Final = WorkerKey("it", "main")
POLL: Final = "golem io::poll::poll"


@contextmanager
def hosting(
    state_dir: Path, guest: bytes, clock: FrozenClock, *, idle_after_s: float = 0
) -> Iterator[tuple[Host, Worker]]:
    """A host whose time is this clock's, and its worker."""
    config = replace(QUICK, clock=clock, suspend_after_s=THRESHOLD_S, idle_after_s=idle_after_s)
    with open_host(state_dir, config) as host:
        component = host.components.deploy(guest, name=KEY.component)
        yield host, host.workers.get_or_create(component, KEY.worker)


def entries(worker: Worker, *kinds: type[Entry]) -> list[Entry]:
    return [entry for _, entry in worker._access.view().oplog.read() if isinstance(entry, kinds)]


def suspensions(worker: Worker) -> list[int | None]:
    """When each of them was to end."""
    return [entry.wake_at for entry in entries(worker, Suspend) if isinstance(entry, Suspend)]


def polls(worker: Worker) -> int:
    """Recorded ends of waits."""
    oplog = worker._access.view().oplog
    return sum(
        isinstance(entry, ImportedFunctionInvoked) and oplog.function(entry.function).name == POLL
        for _, entry in oplog.read()
    )


def is_suspended(worker: Worker, times: int) -> bool:
    """It has given up its instance so many times, and has none."""
    is_at_rest = worker.metadata().status == "suspended" and not worker._access.runner().is_active
    return is_at_rest and len(suspensions(worker)) == times


def is_waiting(worker: Worker) -> bool:
    """In memory: it has looked at what it waits for, and its slot is free meanwhile."""
    session = worker._access.runner()._drive._session
    if session is None or session.context.wake.is_set():
        return False
    return worker._access.view().shared.slots._waiting == 1


def poke(worker: Worker) -> None:
    """Let a worker that waits in memory look again."""
    session = worker._access.runner()._drive._session
    assert session is not None
    session.context.wake.set()


# -- R48: sleeps around the threshold --------------------------------------------------------------


@pytest.mark.parametrize("late_ns", [0, 1, HOUR_NS])
@pytest.mark.parametrize("sleep_ns", [(THRESHOLD_S - 1) * S, THRESHOLD_S * S - 1])
def test_a_sleep_below_the_threshold_keeps_its_instance(
    tmp_path: Path, sleep_ns: int, late_ns: int
) -> None:
    """Looking early changes nothing; however late it looks, it ends once."""
    clock = FrozenClock()
    with hosting(tmp_path, version(), clock) as (_, worker):
        call = worker.enqueue("nap", sleep_ns)
        until(lambda: is_waiting(worker))
        clock.advance(sleep_ns - 1)
        poke(worker)
        until(lambda: is_waiting(worker))
        assert (0, False) == (polls(worker), call.done)
        clock.advance(1 + late_ns)
        poke(worker)

        assert 1 == call.result(PATIENCE_S)
        assert ([], 1) == (suspensions(worker), polls(worker))


@pytest.mark.parametrize("late_ns", [0, 1, HOUR_NS])
@pytest.mark.parametrize("sleep_s", [THRESHOLD_S, THRESHOLD_S + 1])
def test_a_sleep_from_the_threshold_on_gives_up_its_instance(
    tmp_path: Path, sleep_s: int, late_ns: int
) -> None:
    """Woken early it sleeps until the same time; however late it is woken, it ends once."""
    clock = FrozenClock()
    until_ns = EPOCH_NS + sleep_s * S
    with hosting(tmp_path, version(), clock) as (host, worker):
        call = worker.enqueue("nap", sleep_s * S)
        until(lambda: is_suspended(worker, 1))
        # As much is left as it gives up its instance for.
        clock.now_ns = until_ns - THRESHOLD_S * S
        host.workers.wake(KEY)
        until(lambda: is_suspended(worker, 2))
        # So little is left that it had better wait.
        clock.now_ns = until_ns - 1
        host.workers.wake(KEY)
        until(lambda: is_waiting(worker))
        assert (0, False) == (polls(worker), call.done)
        clock.advance(1 + late_ns)
        poke(worker)

        assert 1 == call.result(PATIENCE_S)
        assert ([until_ns, until_ns], 1) == (suspensions(worker), polls(worker))


@pytest.mark.parametrize("late_ns", [-1, 0, HOUR_NS])
@pytest.mark.parametrize("sleep_s", [THRESHOLD_S - 1, THRESHOLD_S, THRESHOLD_S + 1])
def test_a_sleep_goes_on_in_the_next_host(tmp_path: Path, sleep_s: int, late_ns: int) -> None:
    """Whether it had given up its instance or not: until its time, or ends if that is over."""
    clock = FrozenClock()
    with hosting(tmp_path, version(), clock) as (_, worker):
        worker.enqueue("nap", sleep_s * S, idempotency_key="k")
        until(lambda: is_waiting(worker) or is_suspended(worker, 1))
    clock.now_ns = EPOCH_NS + sleep_s * S + late_ns
    with hosting(tmp_path, version(), clock) as (host, worker):
        if late_ns < 0:
            host.workers.wake(KEY)
            until(lambda: is_waiting(worker))
            assert 0 == polls(worker)
            clock.advance(-late_ns)
            poke(worker)
        call = worker.call("k")
        assert call is not None

        assert 1 == call.result(PATIENCE_S)
        assert (int(sleep_s >= THRESHOLD_S), 1) == (len(suspensions(worker)), polls(worker))


# -- R29: what is ready ----------------------------------------------------------------------------

_READY: Final = """
  (global $timer (mut i32) (i32.const 0))
  (global $seen (mut i32) (i32.const 1))
  (func (export "begin") (param $ns i64)
    (global.set $timer (call $duration (local.get $ns))))
  (func (export "look") (result i32)
    (global.set $seen (i32.or (i32.shl (global.get $seen) (i32.const 1))
      (call $ready (global.get $timer))))
    (global.get $seen))
"""
_READY_EXPORTS: Final = """
  (func (export "begin") (param "ns" u64) (canon lift (core func $main "begin")))
  (func (export "look") (result u32) (canon lift (core func $main "look")))
"""


def test_whether_something_is_ready_is_recorded(tmp_path: Path) -> None:
    """A replay answers as it was, whatever time it is by then; behind its end it looks again."""
    guest = wasi_guest(_READY, _READY_EXPORTS)
    clock = FrozenClock()
    with hosting(tmp_path, guest, clock) as (_, worker):
        worker.invoke("begin", S)
        clock.advance(S - 1)
        assert 0b10 == worker.invoke("look")
        assert 0b100 == worker.invoke("look")
        clock.advance(1)
        assert 0b1001 == worker.invoke("look")
    clock.advance(HOUR_NS)
    with hosting(tmp_path, guest, clock) as (_, worker):
        assert 0b10011 == worker.invoke("look")
    clock.now_ns = EPOCH_NS
    with hosting(tmp_path, guest, clock) as (_, worker):
        assert 0b100110 == worker.invoke("look")


# -- R33: what is not on disk yet ------------------------------------------------------------------


def test_what_is_not_on_disk_yet_is_there_for_everybody(tmp_path: Path) -> None:
    """Who reads the log sees every entry up to its last index, and a rebuild replays them."""
    with hosting(tmp_path, version(), FrozenClock()) as (_, worker):
        worker.enqueue("spin")
        until(lambda: len(entries(worker, ImportedFunctionInvoked)) == 1)
        oplog = worker._access.runner().parts.oplog
        first = worker._access.runner()._drive._session
        assert oplog.committed_index < oplog.last_index
        before = list(oplog.read())
        assert [index for index, _ in before] == [entry.index for entry in worker.oplog()]
        assert len(before) == worker.metadata().oplog_index
        worker.simulate_crash()
        until(lambda: worker._access.runner()._drive._session not in {None, first})
        until(lambda: is_live(worker))

        # The second instance was told the same time again, and has recorded nothing.
        assert before == list(oplog.read())


def is_live(worker: Worker) -> bool:
    """Whether the instance has replayed the whole log."""
    session = worker._access.runner()._drive._session
    return session is not None and session.context.replay.live
