"""Updates of workers in every state, their order, their crashes, and the check beforehand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from golem_host import HostConfig, HostError, InvalidRequestError, InvocationFailedError
from golem_host.context import InstanceContext
from golem_host.system import monotonic_s
from golem_host.wire import Public
from golem_host.worker import rebuild
from golem_host.worker.parts import Parts
from golem_host.worker.retry import RetryPolicy
from golem_host.worker.runner import Runner
from golem_host.worker.session import Start
from golem_host.worker.worker import Worker
from golem_oplog.entries import Entry, SuccessfulUpdate
from tests.support.cli import wait_until
from tests.support.hosts import QUICK, open_host
from tests.support.killed_update import kill_in_update
from tests.support.version_guests import FOR_EVER, version

PATIENCE_S = 20.0
HOUR_NS = 3600 * 10**9
PATIENT = replace(QUICK, suspend_after_s=7200.0)
"""A sleeper keeps its instance."""
STRICT = replace(QUICK, retry_policy=RetryPolicy(max_attempts=0))
"""What fails is not tried again."""
ACCEPTING = replace(QUICK, threads_max=0)
"""Everything is accepted, and nothing runs before the next host."""


@contextmanager
def hosting(state_dir: Path, *versions: bytes, config: HostConfig = QUICK) -> Iterator[Worker]:
    """A worker that was made with the first of these versions, the others deployed as well."""
    with open_host(state_dir, config) as host:
        first = host.components.deploy(versions[0], name="it")
        worker = host.workers.create(first, "main")
        for other in versions[1:]:
            host.components.deploy(other, name="it")
        yield worker


@contextmanager
def again(state_dir: Path, config: HostConfig = QUICK) -> Iterator[Worker]:
    with open_host(state_dir, config) as host:
        yield host.workers.get("it", "main")


def status(worker: Worker) -> str:
    return worker.metadata().status


def kinds(worker: Worker) -> list[str]:
    return [entry.kind for entry in worker.oplog()]


def states(worker: Worker) -> list[tuple[int, str]]:
    return [(update.target_version, update.state) for update in worker.metadata().updates]


def settled(worker: Worker) -> list[tuple[int, str]]:
    """How all updates went, once they are over."""
    wait_until(lambda: all(state != "pending" for _, state in states(worker)))
    return states(worker)


def result_of(worker: Worker, key: str) -> Public:
    """What comes of a call that another host has accepted."""
    call = worker.call(key)
    assert call is not None
    return call.result(PATIENCE_S)


def begun(worker: Worker, calls: int) -> Callable[[], bool]:
    """Whether the worker is in an invocation, after so many recorded calls."""
    return lambda: (
        status(worker) == "running" and kinds(worker).count("imported-function-invoked") >= calls
    )


def test_an_old_version_may_fail_while_an_update_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failure is its own and is tried again, with the new version: nothing is jumped over."""
    asked, may_go = threading.Event(), threading.Event()
    monotonic_ns, append_durably = InstanceContext.monotonic_ns, Runner.append_durably

    def held(context: InstanceContext) -> int:
        asked.set()
        assert may_go.wait(PATIENCE_S)
        return monotonic_ns(context)

    with hosting(tmp_path, version(), version(fail="")) as worker:

        def appended_meanwhile(runner: Runner, entry: Entry) -> None:
            append_durably(runner, entry)
            may_go.set()
            wait_until(lambda: "error" in kinds(worker) or "failed-update" in kinds(worker))

        monkeypatch.setattr(InstanceContext, "monotonic_ns", held)
        monkeypatch.setattr(Runner, "append_durably", appended_meanwhile)
        call = worker.enqueue("fail")
        assert asked.wait(PATIENCE_S)
        worker.update(1)

        assert 8 == call.result(PATIENCE_S)
        assert [(1, "successful")] == states(worker)
        assert "jump" not in kinds(worker)


# -- in every state --------------------------------------------------------------------------------


def test_a_sleeper_is_updated_in_its_sleep(tmp_path: Path) -> None:
    """The invocation goes on with the new code, which need not sleep any longer."""
    with hosting(tmp_path, version(), version(step=10, nap=""), config=PATIENT) as worker:
        call = worker.enqueue("nap", HOUR_NS)
        wait_until(begun(worker, 1))
        worker.update(1)

        assert 10 == call.result(PATIENCE_S)
        assert ([(1, "successful")], 1) == (states(worker), worker.metadata().component_version)


def test_a_worker_in_an_endless_loop_is_updated(tmp_path: Path) -> None:
    """What it computes is thrown away, and the new code ends."""
    with hosting(tmp_path, version(), version(spin="")) as worker:
        call = worker.enqueue("spin")
        wait_until(begun(worker, 1))
        worker.update(1)

        assert 7 == call.result(PATIENCE_S)


def test_a_worker_that_waits_for_a_promise_is_updated(tmp_path: Path) -> None:
    """It waits for the same promise, and uses it with the new code."""
    with hosting(tmp_path, version(), version(step=10), config=PATIENT) as worker:
        call = worker.enqueue("wait")
        wait_until(begun(worker, 1))
        worker.update(1)
        assert [(1, "successful")] == settled(worker)
        _complete(worker, b"four")

        assert 40 == call.result(PATIENCE_S)


def _complete(worker: Worker, data: bytes) -> None:
    promises = worker._access.runner().parts.shared.promises
    (promise,) = promises.list()
    assert promises.complete(promise.id, data)


def test_a_suspended_worker_is_updated_at_once(tmp_path: Path) -> None:
    """It is not awaited: the new code goes on where the old one slept."""
    with hosting(tmp_path, version(), version(step=10, nap="")) as worker:
        call = worker.enqueue("nap", HOUR_NS)
        wait_until(lambda: status(worker) == "suspended")
        worker.update(1)

        assert 10 == call.result(PATIENCE_S)


def test_a_suspended_worker_stays_suspended_through_an_update(tmp_path: Path) -> None:
    """When the new code sleeps as well; it can be updated once more."""
    versions = (version(), version(step=5), version(step=10, nap=""))
    with hosting(tmp_path, *versions) as worker:
        call = worker.enqueue("nap", HOUR_NS)
        wait_until(lambda: status(worker) == "suspended")
        worker.update(1)
        assert [(1, "successful")] == settled(worker)
        wait_until(lambda: status(worker) == "suspended")
        worker.update(2)

        assert 10 == call.result(PATIENCE_S)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_failed_worker_is_rescued(tmp_path: Path, restarted: bool) -> None:
    """By code that does not fail: the invocation that had failed comes to an end after all."""
    with hosting(tmp_path, version(), version(fail=""), config=STRICT) as worker:
        worker.invoke("add", 1)
        with pytest.raises(InvocationFailedError):
            worker.invoke("fail", idempotency_key="k")
        assert "failed" == status(worker)
        if not restarted:
            _rescue(worker)
    if restarted:
        with again(tmp_path, STRICT) as worker:
            _rescue(worker)


def _rescue(worker: Worker) -> None:
    worker.update(1)
    assert [(1, "successful")] == settled(worker)
    wait_until(lambda: status(worker) == "idle")
    assert (8, 3) == (worker.invoke("fail", idempotency_key="k"), worker.invoke("add", 2))


def test_a_watcher_learns_of_an_update_once_it_is_on_disk(tmp_path: Path) -> None:
    """With how many calls have other arguments, and of what size the new version is."""
    told: list[tuple[str, bool]] = []
    versions = (version(), version(more=1, spin=""), version(fail=""))
    with hosting(tmp_path, *versions) as worker:
        worker.invoke("draw", 8)
        parts = worker._access.runner().parts

        def note(text: str) -> None:
            told.append((text, parts.oplog.committed_index == parts.oplog.last_index))

        with worker.attach(lambda _stream, _data: None, note):
            for number in (1, 2):
                worker.update(number)
                assert (number, "successful") == settled(worker)[-1]
                worker.invoke("add", 1)
        sizes = [
            entry.component_size_bytes
            for _, entry in parts.oplog.read()
            if isinstance(entry, SuccessfulUpdate)
        ]

    assert [
        ("updated to version 1; 1 calls have other arguments", True),
        ("updated to version 2", True),
    ] == told
    assert [len(each) for each in versions[1:]] == sizes


# -- order -----------------------------------------------------------------------------------------


def test_updates_are_tried_in_their_order(tmp_path: Path) -> None:
    """One that fails is left out, and those behind it are tried all the same."""
    alike = version(fail="")
    with hosting(tmp_path, version(), alike, version(step=10), version(spin="")) as worker:
        worker.invoke("add", 1)
    with again(tmp_path, ACCEPTING) as worker:
        for number in (1, 2, 3):
            worker.update(number)
        assert [(1, "pending"), (2, "pending"), (3, "pending")] == states(worker)
    with again(tmp_path) as worker:
        assert [(1, "successful"), (2, "failed"), (3, "successful")] == settled(worker)
        assert (3, 7) == (worker.invoke("add", 2), worker.invoke("spin"))


def test_a_snapshot_is_taken_when_the_queue_comes_to_it(tmp_path: Path) -> None:
    """What was accepted before runs with the old code, what came after with the new."""
    with hosting(tmp_path, version(), version(step=10), config=ACCEPTING) as worker:
        worker.enqueue("add", 1, idempotency_key="before")
        worker.update(1, "snapshot-based")
        worker.enqueue("add", 1, idempotency_key="after")
    with again(tmp_path) as worker:
        assert (1, 11) == (result_of(worker, "before"), result_of(worker, "after"))
        assert [(1, "successful")] == states(worker)


@pytest.mark.parametrize("mode", ["automatic", "snapshot-based"])
def test_an_export_that_is_gone_fails_its_call_only(tmp_path: Path, mode: str) -> None:
    """It was accepted for the old version; the worker goes on."""
    with hosting(tmp_path, version(), version(without="gone"), config=ACCEPTING) as worker:
        worker.update(1, mode)
        worker.enqueue("gone", idempotency_key="gone")
        worker.enqueue("add", 1, idempotency_key="add")
    with again(tmp_path) as worker:
        with pytest.raises(InvalidRequestError, match="no export gone"):
            result_of(worker, "gone")
        assert (1, "idle") == (result_of(worker, "add"), status(worker))


# -- crashes and replay ----------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["before", "after"])
@pytest.mark.parametrize("mode", ["automatic", "snapshot-based"])
def test_a_killed_host_updates_once_it_is_back(tmp_path: Path, mode: str, point: str) -> None:
    """The request was on disk: one update, tried again from the start, with nothing lost."""
    with hosting(tmp_path, version(), version(more=1)) as worker:
        assert 3 == worker.invoke("add", 3)
    kill_in_update(tmp_path, "it", "main", mode, point)
    for total in (4, 5):
        with again(tmp_path) as worker:
            assert [(1, "successful")] == settled(worker)
            assert (1, total) == (worker.metadata().component_version, worker.invoke("add", 1))
            assert 1 == kinds(worker).count("successful-update")


def test_requests_are_compared_again_behind_an_update(tmp_path: Path) -> None:
    """Another argument is allowed for what the old code asked, and a divergence for its own."""
    with hosting(tmp_path, version(), version(more=1), version(more=2)) as worker:
        drawn = worker.invoke("draw", 8, idempotency_key="k")
        worker.update(1)
        assert [(1, "successful")] == settled(worker)
    with pytest.MonkeyPatch.context() as patch:
        _run_another(patch, 2)
        with again(tmp_path, STRICT) as worker:
            assert (0, drawn) == (
                worker.invoke("add", 0),
                worker.invoke("draw", 8, idempotency_key="k"),
            )
    with again(tmp_path) as worker:
        worker.invoke("draw", 8)
    with pytest.MonkeyPatch.context() as patch:
        _run_another(patch, 2)
        differs = pytest.raises(HostError, match=r"bytes\(9\), attempted .*bytes\(10\)")
        with again(tmp_path, STRICT) as worker, differs:
            worker.invoke("add", 0)


def test_requests_are_not_compared_where_nobody_wants_that(tmp_path: Path) -> None:
    """Only names are then; the guest is given what was recorded for other arguments."""
    with hosting(tmp_path, version(), version(more=1)) as worker:
        drawn = worker.invoke("draw", 8, idempotency_key="k")
    with pytest.MonkeyPatch.context() as patch:
        _run_another(patch, 1)
        with again(tmp_path, replace(STRICT, compare_requests=False)) as worker:
            assert (0, drawn) == (
                worker.invoke("add", 0),
                worker.invoke("draw", 8, idempotency_key="k"),
            )


def _run_another(patch: pytest.MonkeyPatch, number: int) -> None:
    """Let hosts run another version than the one that the log names."""
    real = rebuild.start_of

    def start_of(parts: Parts, asked: int) -> Start:
        linked = parts.shared.link(parts.component_of(number))
        return replace(real(parts, asked), linked=linked)

    patch.setattr(rebuild, "start_of", start_of)


# -- the check -------------------------------------------------------------------------------------


def test_a_check_of_a_version_that_loops_ends_with_its_time(tmp_path: Path) -> None:
    """The worker is as before."""
    with hosting(tmp_path, version(), version(add=FOR_EVER)) as worker:
        worker.invoke("add", 1)
        began = monotonic_s()
        check = worker.check_update(1, timeout=0.3)

        assert 0.3 <= monotonic_s() - began < PATIENCE_S
        assert (False, None) == (check.ok, check.difference)
        assert "did not come to the end of the log within 0.3 s" in check.reason
        assert (3, []) == (worker.invoke("add", 2), states(worker))


def test_a_check_of_a_fresh_worker_finds_nothing(tmp_path: Path) -> None:
    """There is nothing to replay, and nothing is performed."""
    with hosting(tmp_path, version(), version(add=FOR_EVER)) as worker:
        check = worker.check_update(1, timeout=PATIENCE_S)

        assert (True, 1, 0) == (check.ok, check.replayed_to, check.requests_differing)
        assert ["create"] == kinds(worker)


def test_a_check_counts_requests_that_differ(tmp_path: Path) -> None:
    """They are no obstacle: the update that follows succeeds."""
    with hosting(tmp_path, version(), version(more=1)) as worker:
        for _ in range(3):
            worker.invoke("draw", 8)
        check = worker.check_update(1)

        assert (True, 3) == (check.ok, check.requests_differing)
        worker.update(1)
        assert [(1, "successful")] == settled(worker)
