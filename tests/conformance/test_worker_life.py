"""A worker's whole life with real guests: full slots, revival, forks, reverts and updates."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from golem_host import (
    Host,
    HostConfig,
    InvalidRequestError,
    InvocationInterruptedError,
    InvocationLostError,
    WorkerExistsError,
)
from golem_host.system import SystemClock, monotonic_s
from golem_host.worker.worker import Worker
from tests.support.components import clock_component
from tests.support.hostile_guests import hostile_guest
from tests.support.hosts import QUICK, open_host
from tests.support.snapshot_guests import TRAPS, counter

PATIENCE_S = 20.0


def until(holds: Any) -> None:
    """Wait for what another thread does."""
    ends = monotonic_s() + PATIENCE_S
    while not holds():
        assert monotonic_s() < ends
        threading.Event().wait(0.005)


def now_s() -> float:
    return SystemClock().unix_ns() / 1e9


def status(worker: Worker) -> str:
    return worker.metadata().status


@contextmanager
def spinning(state_dir: Path) -> Iterator[tuple[Host, Worker]]:
    """A host with two slots, both taken by guests that never end, and another worker."""
    with open_host(state_dir, replace(QUICK, threads_max=2)) as host:
        component = host.components.deploy(clock_component(), name="clock")
        for name in ("a", "b"):
            host.workers.create(component, name).enqueue("spin")
        until(lambda: all(status(host.workers.get("clock", n)) == "running" for n in "ab"))
        yield host, host.workers.create(component, "c")


# -- full slots ------------------------------------------------------------------------------------


def test_a_call_that_waits_for_a_slot_ends_with_its_time(tmp_path: Path) -> None:
    """Although no guest gives one back."""
    with spinning(tmp_path) as (_, waiting):
        with pytest.raises(InvocationInterruptedError, match="timeout"):
            waiting.invoke("add", 1, timeout=0.05)
        assert 0 == waiting.metadata().pending


def test_a_worker_that_waits_for_a_slot_is_interrupted_and_deleted(tmp_path: Path) -> None:
    """At once, and the host closes at once."""
    with spinning(tmp_path) as (host, waiting):
        waiting.enqueue("add", 1)
        waiting.interrupt()
        waiting.delete()

        assert ["a", "b"] == [worker.name for worker in host.workers.list("clock")]


# -- forks and reverts -----------------------------------------------------------------------------


@contextmanager
def counting(state_dir: Path, config: HostConfig = QUICK) -> Iterator[tuple[Host, Worker]]:
    with open_host(state_dir, config) as host:
        component = host.components.deploy(counter(), name="counter")
        yield host, host.workers.get_or_create(component, "main")


def test_a_fork_at_every_index_goes_on(tmp_path: Path) -> None:
    """It has what the source had there, and the same invocation ends in both."""
    with counting(tmp_path) as (_, source):
        source.enqueue("add", 1, idempotency_key="k1").result(PATIENCE_S)
        source.invoke("add", 2, idempotency_key="k2")
        last = source.metadata().oplog_index
        kinds = [entry.kind for entry in source.oplog()]
        forks = [source.fork(f"f{at}", at) for at in range(1, last + 1)]
        for at, fork in enumerate(forks, start=1):
            begun = kinds[:at].count("exported-function-invoked")
            if begun:
                assert 1 == fork.invoke("add", 1, idempotency_key="k1")
            accepted = begun or int("pending-worker-invocation" in kinds[:at])
            assert (0, 1, 3)[accepted] + 10 == fork.invoke("add", 10)
        assert 3 == source.invoke("add", 0)


def test_forks_that_cannot_be_are_refused(tmp_path: Path) -> None:
    """Before anything is written."""
    with counting(tmp_path) as (host, source):
        source.invoke("add", 1)
        for name in ("", "a b", "a/b", "-x"):
            with pytest.raises(InvalidRequestError):
                source.fork(name)
        for at in (0, 99, 1 << 64):
            with pytest.raises(InvalidRequestError):
                source.fork("other", at)
        with pytest.raises(WorkerExistsError):
            source.fork("main")
        assert ["main"] == [worker.name for worker in host.workers.list("counter")]


def test_a_fork_of_an_interrupted_worker_goes_on(tmp_path: Path) -> None:
    """The source stays interrupted."""
    with spinning(tmp_path) as (host, _):
        source = host.workers.get("clock", "a")
        source.interrupt()
        fork = source.fork("d")
        until(lambda: status(fork) == "running")

        assert "interrupted" == status(source)


def test_a_revert_takes_back_invocations(tmp_path: Path) -> None:
    """Those that still count, as many as are asked for; misuse is refused and changes nothing."""
    with counting(tmp_path) as (_, worker):
        for number in (1, 2, 4, 8):
            worker.invoke("add", number, idempotency_key=f"k{number}")
        worker.revert(last_invocations=1)
        worker.revert(last_invocations=2)
        last = worker.metadata().oplog_index
        for to_index in (0, last, last + 1, 1 << 64):
            with pytest.raises(InvalidRequestError):
                worker.revert(to_index=to_index)
        for count in (0, 2, 1 << 64):
            with pytest.raises(InvalidRequestError):
                worker.revert(last_invocations=count)

        assert 9 == worker.invoke("add", 8, idempotency_key="k8")


def test_a_refused_revert_lets_the_worker_go_on(tmp_path: Path) -> None:
    """It was stopped for that only."""
    with spinning(tmp_path) as (host, _):
        worker = host.workers.get("clock", "a")
        with pytest.raises(InvalidRequestError):
            worker.revert(to_index=0)
        until(lambda: worker._access.runner().is_active)

        assert "running" == status(worker)


def test_a_revert_rescues_what_has_failed_or_exited(tmp_path: Path) -> None:
    """It takes invocations again."""
    with open_host(tmp_path) as host:
        component = host.components.deploy(hostile_guest(), name="hostile")
        for name in ("deep", "leave"):
            worker = host.workers.create(component, name)
            worker.invoke("add", 1)
            with pytest.raises(Exception, match=r"exit|stack"):
                worker.invoke(name)
            worker.revert(last_invocations=1)
            assert 3 == worker.invoke("add", 2)


# -- updates ---------------------------------------------------------------------------------------


def updated(worker: Worker, version: int, mode: str = "automatic") -> str:
    """How the update went, with its details."""
    count = len(worker.metadata().updates)
    worker.update(version, mode)
    until(
        lambda: (
            len(worker.metadata().updates) > count
            and worker.metadata().updates[-1].state != "pending"
        )
    )
    last = worker.metadata().updates[-1]
    return f"{last.state}: {last.details}" if last.details else last.state


def test_a_version_that_behaves_alike_takes_over(tmp_path: Path) -> None:
    """And another one does not: the old version goes on."""
    with counting(tmp_path) as (host, worker):
        worker.invoke("add", 1)
        host.components.deploy(counter(load=None), name="counter")
        host.components.deploy(counter(step=10), name="counter")

        assert "successful" == updated(worker, 1)
        assert "failed: " in updated(worker, 2)
        assert (1, 3) == (worker.metadata().component_version, worker.invoke("add", 2))
        with pytest.raises(InvalidRequestError, match="no version 9"):
            worker.update(9)


def test_a_snapshot_survives_restarts(tmp_path: Path) -> None:
    """What was saved is loaded on every rebuild (R4); a revert undoes the update, a fork has it."""
    with counting(tmp_path) as (host, worker):
        worker.invoke("add", 1)
        host.components.deploy(counter(step=10), name="counter")
        assert "successful" == updated(worker, 1, "snapshot-based")
        assert 21 == worker.invoke("add", 2)
    for expected in (31, 41):
        with open_host(tmp_path) as host:
            worker = host.workers.get("counter", "main")
            assert expected == worker.invoke("add", 1)
    with open_host(tmp_path) as host:
        worker = host.workers.get("counter", "main")
        fork = worker.fork("fork")
        worker.revert(last_invocations=4)

        assert (51, 7) == (fork.invoke("add", 1), worker.invoke("add", 7))
        assert (1, 0) == (
            fork.metadata().component_version,
            worker.metadata().component_version,
        )


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (counter(save=None), counter(step=10), "does not export"),
        (counter(save=TRAPS), counter(step=10), "unreachable"),
        (counter(), counter(step=10, load=None), "does not export"),
        (counter(), counter(step=10, load=TRAPS), "unreachable"),
        (counter(), counter(step=10, refuses=True), "not mine"),
    ],
)
def test_a_snapshot_that_fails_leaves_the_old_version(
    tmp_path: Path, old: bytes, new: bytes, reason: str
) -> None:
    """With its state, and with the reason in the list of updates."""
    with open_host(tmp_path) as host:
        worker = host.workers.create(host.components.deploy(old, name="counter"), "main")
        worker.invoke("add", 1)
        host.components.deploy(new, name="counter")

        assert reason in updated(worker, 1, "snapshot-based")
        assert (0, 3) == (worker.metadata().component_version, worker.invoke("add", 2))


def test_a_check_finds_the_first_difference(tmp_path: Path) -> None:
    """Without a trace in the log."""
    with counting(tmp_path) as (host, worker):
        worker.invoke("add", 1)
        host.components.deploy(counter(load=None), name="counter")
        host.components.deploy(counter(step=10), name="counter")
        before = worker.metadata()
        same, other = worker.check_update(1), worker.check_update(2)

        assert (True, False) == (same.ok, other.ok)
        assert other.difference is not None
        assert before == worker.metadata()


# -- times and ends --------------------------------------------------------------------------------


def test_scheduled_calls_wait_for_their_time(tmp_path: Path) -> None:
    """Others go first; one that is far away survives a restart and can be cancelled."""
    with counting(tmp_path) as (_, worker):
        soon = worker.enqueue("add", 1, at=now_s() + 0.3)
        past = worker.enqueue("add", 2, at=0)
        worker.enqueue("add", 4, at=now_s() + 3600, idempotency_key="far")

        assert (2, 3) == (past.result(PATIENCE_S), soon.result(PATIENCE_S))
    with counting(tmp_path) as (_, worker):
        assert 1 == worker.metadata().pending
        assert worker.cancel("far")
        assert (0, 3) == (worker.metadata().pending, worker.invoke("add", 0))


def test_an_idle_worker_keeps_its_schedule_when_it_is_interrupted(tmp_path: Path) -> None:
    """There is nothing to stop."""
    with counting(tmp_path) as (_, worker):
        call = worker.enqueue("add", 1, at=now_s() + 0.2)
        worker.interrupt()

        assert 1 == call.result(PATIENCE_S)


def test_an_ephemeral_worker_begins_anew_each_time(tmp_path: Path) -> None:
    """Also after a failure and an exit; it cannot be updated."""
    with open_host(tmp_path) as host:
        component = host.components.deploy(hostile_guest(), name="hostile", ephemeral=True)
        worker = host.workers.create(component, "main")
        for end in ("fail", "leave", "deep"):
            assert 1 == worker.invoke("add", 1)
            with pytest.raises(Exception, match=r"unreachable|exit|stack"):
                worker.invoke(end)

        assert 1 == worker.invoke("add", 1)
        with pytest.raises(InvalidRequestError):
            worker.update(0)


def test_what_an_ephemeral_worker_was_doing_is_lost_with_its_host(tmp_path: Path) -> None:
    """Its caller is told so by the key, and the worker goes on."""
    with open_host(tmp_path) as host:
        component = host.components.deploy(hostile_guest(), name="hostile", ephemeral=True)
        worker = host.workers.create(component, "main")
        worker.enqueue("spin", idempotency_key="k")
        until(lambda: status(worker) == "running")
    with open_host(tmp_path) as host:
        worker = host.workers.get("hostile", "main")

        assert 1 == worker.invoke("add", 1, timeout=PATIENCE_S)
        with pytest.raises(InvocationLostError):
            worker.invoke("spin", idempotency_key="k", timeout=PATIENCE_S)


def test_work_that_was_under_way_goes_on_in_the_next_host(tmp_path: Path) -> None:
    """Unless it is told not to, or was interrupted."""
    with open_host(tmp_path) as host:
        component = host.components.deploy(clock_component(), name="clock")
        for name in ("a", "b"):
            host.workers.create(component, name).enqueue("spin")
        until(lambda: all(status(host.workers.get("clock", n)) == "running" for n in "ab"))
        host.workers.get("clock", "b").interrupt()
    with Host.open(tmp_path, QUICK, revive=False) as host:
        assert 0 == len(host.workers._loaded)
    with open_host(tmp_path) as host:
        until(lambda: len(host.workers._loaded) > 0)
        until(lambda: host.workers.get("clock", "a")._access.runner().is_active)

        assert "interrupted" == status(host.workers.get("clock", "b"))
