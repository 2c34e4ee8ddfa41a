"""
Workers that leave memory, with all that may happen in that moment.

The host is a real one.  Where something must happen at a certain moment, the guest is a script and
the method of the host that is called there is made to wait for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from golem_host import Host, HostConfig
from golem_host.context import InstanceContext
from golem_host.services import loaded
from golem_host.services.loaded import LoadedWorkers
from golem_host.services.output import WorkerOutput
from golem_host.services.promises import PromiseId, Promises
from golem_host.services.slots import Slot
from golem_host.services.unfinished import Unfinished, WorkerKey
from golem_host.signals import SuspendSignal
from golem_host.system import SystemClock
from golem_host.worker.agenda import Agenda
from golem_host.worker.drive import Drive
from golem_host.worker.endings import Endings
from golem_host.worker.retry import RetryPolicy
from golem_host.worker.runner import Runner
from golem_host.worker.worker import Worker
from golem_oplog.entries import (
    Entry,
    Error,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    PendingWorkerInvocation,
    Suspend,
)
from golem_oplog.protocol import SyncLevel
from golem_oplog.types import Prim
from tests.support.cli_guest import cli_guest
from tests.support.components import clock_component
from tests.support.hosts import open_host
from tests.support.scripted_guest import Body, HostCalls, ScriptedGuest, exported
from tests.support.version_guests import version
from tests.support.waiting import PATIENCE_S, until

AFTER_MS: Final = 3_600_000
AFTER_NS: Final = AFTER_MS * 1_000_000
GRACE_S: Final = 0.02
AT_ONCE: Final = HostConfig(sync_level=SyncLevel.PROCESS, suspend_after_s=0, idle_after_s=0)
"""Nothing stays in memory or keeps a thread without need."""


class MovableClock:
    """The time of day, set forward by so much."""

    by_ns = 0

    def unix_ns(self) -> int:
        return SystemClock.unix_ns() + self.by_ns

    def resolution_ns(self) -> int:
        return 1


def key(name: str, component: str = "cli") -> WorkerKey:
    return WorkerKey(component, name)


def in_memory(host: Host) -> set[str]:
    return {found.worker for found in host.workers._loaded._runners}


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("golem-worker")]


def status(worker: Worker) -> str:
    return worker.metadata().status


def entries(worker: Worker, *kinds: type[Entry]) -> list[Entry]:
    return [entry for _, entry in worker._access.view().oplog.read() if isinstance(entry, kinds)]


@contextmanager
def cli_host(state_dir: Path, config: HostConfig = AT_ONCE) -> Iterator[tuple[Host, Worker]]:
    """A host, and a worker of `cli_guest`."""
    with open_host(state_dir, config) as host:
        component = host.components.deploy(cli_guest(), name="cli")
        yield host, host.workers.create(component, "a")


# -- suspended workers -----------------------------------------------------------------------------


def test_a_suspended_worker_leaves_memory(tmp_path: Path) -> None:
    """It has no runner and no thread, and looking at what it does brings it back as a log only."""
    with cli_host(tmp_path) as (host, worker):
        worker.enqueue("nap", AFTER_MS)
        until(lambda: not in_memory(host) and not threads())

        known = host.workers.metadata(key("a"))
        assert known is not None
        assert ("suspended", set()) == (known.status, in_memory(host))


def test_a_worker_that_suspends_while_it_is_in_use_leaves_afterwards(tmp_path: Path) -> None:
    """Such as one that is quicker than its caller comes back from asking."""
    with cli_host(tmp_path) as (host, worker):
        runner = worker._access.runner()
        with runner.held():
            worker.enqueue("nap", AFTER_MS)
            until(lambda: runner.parts.status.status == "suspended" and not threads())
            assert runner is host.workers.find_runner(key("a"))

        assert set() == in_memory(host)


def test_a_worker_that_has_to_stand_still_stays(tmp_path: Path) -> None:
    """Whoever made it stand still is about to do something with it."""
    with cli_host(tmp_path) as (host, worker):
        worker.invoke("add", 1)
        until(lambda: not threads())
        with worker._access.runner().paused(lambda: None):
            assert not worker._access.runner().retire()

        host.workers.retire(key("a"))
        assert set() == in_memory(host)


def test_a_worker_that_was_held_back_before_it_began_stays(tmp_path: Path) -> None:
    """Its log does not say so: what would be loaded again would begin."""
    with cli_host(tmp_path, replace(AT_ONCE, threads_max=1)) as (host, first):
        first.enqueue("spin")
        until(lambda: status(first) == "running")
        other = host.workers.create(first.component, "b")
        call = other.enqueue("add", 1)
        other.interrupt()
        first.interrupt()
        until(lambda: not threads())
        host.workers.retire(key("b"))
        assert host.workers.find_runner(key("b")) is not None
        other.resume()

        assert 1 == call.result(PATIENCE_S)


def test_a_call_held_meanwhile_gets_its_result(tmp_path: Path) -> None:
    """From the runner that comes after, and so does a caller who asks while there is none."""
    clock = MovableClock()
    with cli_host(tmp_path, replace(AT_ONCE, clock=clock)) as (host, worker):
        call = worker.enqueue("nap", AFTER_MS, idempotency_key="k")
        until(lambda: not in_memory(host) and not threads())
        got: list[object] = []
        waiting = threading.Thread(target=lambda: got.append(call.result(PATIENCE_S)))
        waiting.start()
        clock.by_ns = AFTER_NS
        host.workers.wake(key("a"))
        waiting.join(PATIENCE_S)

        assert ([AFTER_MS], AFTER_MS) == (got, call.result(0))
        assert 1 == len(entries(worker, ExportedFunctionInvoked))


def test_a_watched_worker_stays(tmp_path: Path) -> None:
    """As long as it is watched: its watcher sees what comes after the suspension."""
    clock = MovableClock()
    seen: list[bytes] = []
    with cli_host(tmp_path, replace(AT_ONCE, clock=clock)) as (host, worker):
        with worker.attach(lambda _, data: seen.append(data), lambda _: None):
            call = worker.enqueue("nap", AFTER_MS)
            until(lambda: status(worker) == "suspended" and not threads())
            host.workers.retire(key("a"))
            assert {"a"} == in_memory(host)
            clock.by_ns = AFTER_NS
            host.workers.wake(key("a"))
            call.result(PATIENCE_S)
        until(lambda: not threads())
        host.workers.retire(key("a"))

        assert set() == in_memory(host)
    assert b"napping\nawake\n" == b"".join(seen)


# -- too many of them ------------------------------------------------------------------------------


def test_the_longest_unused_is_put_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When there are more than may be; it loses nothing by it."""
    monkeypatch.setattr(loaded, "LOADED_MAX", 2)
    with cli_host(tmp_path) as (host, first):
        others = [host.workers.create(first.component, name) for name in "bc"]
        seen = []
        for worker in (first, others[0], first, others[1]):
            worker.invoke("add", 1)
            until(lambda: not threads())
            seen.append(in_memory(host))
        assert [{"a"}, {"a", "b"}, {"a", "b"}, {"a", "c"}] == seen

        assert 2 == others[0].invoke("add", 1)


def test_what_runs_is_not_put_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although there are too many."""
    monkeypatch.setattr(loaded, "LOADED_MAX", 1)
    with cli_host(tmp_path) as (host, first):
        first.enqueue("spin")
        until(lambda: status(first) == "running")
        runner = first._access.runner()
        other = host.workers.create(first.component, "b")
        other.invoke("add", 1)
        until(lambda: not other._access.runner().is_active)
        host.workers.create(first.component, "c").invoke("add", 1)

        assert (runner, "running") == (host.workers.find_runner(key("a")), status(first))
        assert "b" not in in_memory(host)


# -- scripts ---------------------------------------------------------------------------------------

ADD: Final = exported("test:guest/api@1.0.0", "add", (("by", Prim.U64),), Prim.U64)


@contextmanager
def scripted(
    state_dir: Path, body: Body, config: HostConfig = AT_ONCE
) -> Iterator[tuple[Host, Worker]]:
    """A host whose only worker's ``add`` does this."""
    guest = ScriptedGuest({ADD: body})
    with open_host(state_dir, config) as host:
        workers = host.workers
        workers._shared = replace(workers._shared, link=lambda _: guest.linked())
        component = host.components.deploy(clock_component(), name="clock")
        yield host, workers.create(component, "a")


def test_a_far_retry_gives_up_the_thread(tmp_path: Path) -> None:
    """What is asked for meanwhile waits behind it (R34) and changes nothing about its time."""
    clock = MovableClock()
    fails = [True]

    def body(_host: HostCalls, number: int) -> int:
        if fails:
            raise RuntimeError(fails.pop())
        return number

    slowly = RetryPolicy(9, AFTER_NS, AFTER_NS, 1.0, None)
    with scripted(tmp_path, body, replace(AT_ONCE, clock=clock, retry_policy=slowly)) as (
        host,
        worker,
    ):
        first = worker.enqueue("add", 1, idempotency_key="first")
        until(lambda: status(worker) == "retrying" and not threads())
        (error,) = entries(worker, Error)
        assert isinstance(error, Error)
        second = worker.enqueue("add", 2, idempotency_key="second")
        until(lambda: not threads())
        due = dict(host.workers._shared.scheduler._due)

        assert ("retrying", 1) == (status(worker), worker.metadata().pending)
        assert {key("a", "clock"): error.retry_at} == due
        clock.by_ns = AFTER_NS
        host.workers.wake(key("a", "clock"))
        assert (1, 2) == (first.result(PATIENCE_S), second.result(PATIENCE_S))
        kinds = (ExportedFunctionInvoked, ExportedFunctionCompleted, PendingWorkerInvocation)
        assert [
            "PendingWorkerInvocation",
            "ExportedFunctionInvoked",
            "PendingWorkerInvocation",
            "ExportedFunctionCompleted",
            "ExportedFunctionInvoked",
            "ExportedFunctionCompleted",
        ] == [type(entry).__name__ for entry in entries(worker, *kinds)]


# -- a promise that is completed while a worker parks ----------------------------------------------


class Moment(NamedTuple):
    """Before or after a method of the host, when it is called from the wait on."""

    owner: type
    method: str
    is_after: bool
    is_locked: bool = False
    """Nobody else gets on before the lock is free again: the completion is only begun here."""
    number: int = 1
    """Which of its calls."""


MOMENTS: Final = (
    Moment(Unfinished, "mark", is_after=False),
    Moment(Unfinished, "mark", is_after=True),
    Moment(Endings, "_park", is_after=False),
    Moment(Endings, "_park", is_after=True),
    Moment(WorkerOutput, "notify", is_after=True),
    Moment(Promises, "is_settled", is_after=True),
    Moment(Drive, "_may_go_on", is_after=True, is_locked=True),
    Moment(Drive, "_end_thread", is_after=True, is_locked=True),
    Moment(Agenda, "note_rest", is_after=False, is_locked=True),
    Moment(Agenda, "note_rest", is_after=True, is_locked=True),
    Moment(Slot, "give", is_after=False),
    Moment(Slot, "give", is_after=True),
    Moment(LoadedWorkers, "retire", is_after=False),
    Moment(Runner, "retire", is_after=False),
    Moment(Runner, "_close_log", is_after=False),
    Moment(Runner, "retire", is_after=True),
    Moment(LoadedWorkers, "retire", is_after=True),
)


class Meanwhile:
    """Something that is done from another thread, once, when its moment comes."""

    def __init__(self, moment: Moment, act: Callable[[], object]) -> None:
        self.moment = moment
        self.is_armed = False
        self.has_come = False
        self._left = moment.number
        self._thread = threading.Thread(target=act)

    def put(self, monkeypatch: pytest.MonkeyPatch) -> None:
        owner, method, is_after, *_ = self.moment
        was: Callable[..., Any] = getattr(owner, method)

        def hooked(*args: Any, **kwargs: Any) -> Any:
            if not is_after:
                self._come()
            result = was(*args, **kwargs)
            if is_after:
                self._come()
            return result

        monkeypatch.setattr(owner, method, hooked)

    def _come(self) -> None:
        if not self.is_armed:
            return
        self._left -= 1
        if self._left:
            return
        self.is_armed = False
        self._thread.start()
        self.has_come = True
        if not self.moment.is_locked:
            self._thread.join(PATIENCE_S)
            assert not self._thread.is_alive()

    def end(self) -> None:
        self._thread.join(PATIENCE_S)


def named(moment: Moment) -> str:
    return f"{'after' if moment.is_after else 'before'}-{moment.method}-{moment.number}"


@pytest.mark.parametrize("moment", MOMENTS, ids=named)
def test_a_promise_completed_while_a_worker_parks_wakes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: Moment
) -> None:
    """Whatever the moment: nobody looks for it a second time."""
    promise = PromiseId("00000000-0000-4000-8000-000000000001", "a", 3)

    def body(_host: HostCalls, number: int) -> int:
        if host.promises.get(promise) is None:
            meanwhile.is_armed = True
            raise SuspendSignal("waiting for a promise", promise=str(promise))
        return number

    with scripted(tmp_path, body) as (host, worker):
        host.promises.create(promise)
        meanwhile = Meanwhile(moment, lambda: host.promises.complete(promise, b"x"))
        meanwhile.put(monkeypatch)
        call = worker.enqueue("add", 5)
        # Whoever waits for the result keeps the worker in memory.
        until(lambda: meanwhile.has_come)

        assert 5 == call.result(PATIENCE_S)
        meanwhile.end()
        assert (True, 1) == (meanwhile.has_come, len(entries(worker, Suspend)))
        until(lambda: not host.workers._shared.unfinished.all())


LOOKS: Final = (
    # Before it can be heard of, before and after the first look, and in memory.
    Moment(Promises, "waking", is_after=False),
    Moment(Promises, "is_completed", is_after=False),
    Moment(Promises, "is_completed", is_after=True),
    Moment(InstanceContext, "wait_until", is_after=False),
    Moment(Slot, "released", is_after=False),
    Moment(Slot, "released", is_after=True),
    # The grace period is over: before and after the last look with an instance.
    Moment(Promises, "is_completed", is_after=False, number=2),
    Moment(Promises, "is_completed", is_after=True, number=2),
    # Suspended: before and after the look that is taken once somebody could find it.
    Moment(Promises, "is_completed", is_after=False, number=3),
    Moment(Promises, "is_completed", is_after=True, number=3),
)
"""Of a wait that is suspended only after a while."""


@pytest.mark.parametrize("moment", [*LOOKS, *MOMENTS], ids=named)
def test_a_promise_completed_while_a_guest_waits_wakes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: Moment
) -> None:
    """A real one, from before it looks until it is put away; nobody asks for its result."""
    made: list[PromiseId] = []
    create = Promises.create

    def creating(promises: Promises, promise: PromiseId) -> None:
        create(promises, promise)
        made.append(promise)
        # From here on, the moments are those of the wait.
        meanwhile.is_armed = True

    monkeypatch.setattr(Promises, "create", creating)
    idle_after_s = 0.0
    if moment in LOOKS:
        # A grace period that ends would make up for what was lost in it.
        idle_after_s = GRACE_S if moment.number > 1 else 10 * PATIENCE_S
    with open_host(tmp_path, replace(AT_ONCE, idle_after_s=idle_after_s)) as host:
        component = host.components.deploy(version(), name="waits")
        worker = host.workers.create(component, "a")
        meanwhile = Meanwhile(moment, lambda: host.promises.complete(made[0], b"four"))
        meanwhile.put(monkeypatch)
        worker.enqueue("wait", idempotency_key="k")
        until(lambda: meanwhile.has_come)
        meanwhile.end()
        known = host.workers.metadata
        until(lambda: (found := known(key("a", "waits"))) is not None and found.status == "idle")
        call = worker.call("k")

        # It is idle as soon as the log says so, and done once that is on disk.
        assert call is not None
        assert 4 == call.result(PATIENCE_S)
        is_early = moment in LOOKS[:-3]
        assert int(not is_early) == len(entries(worker, Suspend))
