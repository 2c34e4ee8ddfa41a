"""Forks and reverts of workers in the middle of something, and the tokens that name them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from golem_host import Host, HostConfig, InvocationInterruptedError, WorkerExistsError
from golem_host.services.unfinished import WorkerKey
from golem_host.worker.retry import RetryPolicy
from golem_host.worker.surgery import revert
from golem_host.worker.worker import Worker
from tests.support.cli import wait_until
from tests.support.hosts import QUICK, open_host
from tests.support.version_guests import version

PATIENCE_S = 20.0
HOUR_NS = 3600 * 10**9
FAR = datetime(2100, 1, 1, tzinfo=UTC)
NAP_NS = 400_000_000
PATIENT = replace(QUICK, suspend_after_s=7200.0)
"""A sleeper keeps its instance."""
HASTY = replace(QUICK, suspend_after_s=0.01)
"""It gives it up at once."""
SLOW = replace(QUICK, retry_policy=RetryPolicy(min_delay_ns=HOUR_NS, max_delay_ns=HOUR_NS))
"""What has failed is tried again in an hour."""
HOST_CALL = "imported-function-invoked"
SOURCE = WorkerKey("it", "main")


@contextmanager
def hosting(
    state_dir: Path, *, config: HostConfig = QUICK, guest: bytes | None = None
) -> Iterator[tuple[Host, Worker]]:
    with open_host(state_dir, config) as host:
        component = host.components.deploy(guest or version(), name="it")
        yield host, host.workers.create(component, "main")


def status(worker: Worker) -> str:
    return worker.metadata().status


def kinds(worker: Worker) -> list[str]:
    return [entry.kind for entry in worker.oplog()]


def index_of(worker: Worker, kind: str, number: int = 1) -> int:
    """Wait for so many entries of a kind: the index of the last of them."""
    wait_until(lambda: kinds(worker).count(kind) >= number)
    return [entry.index for entry in worker.oplog() if entry.kind == kind][number - 1]


def begun(worker: Worker) -> Callable[[], bool]:
    """Whether the worker is in an invocation, after a recorded call."""
    return lambda: status(worker) == "running" and HOST_CALL in kinds(worker)


def result_of(worker: Worker, key: str) -> object:
    """What comes of a call that the log says was accepted."""
    call = worker.call(key)
    assert call is not None
    return call.result(PATIENCE_S)


def complete_all(host: Host, data: bytes) -> None:
    for promise in list(host.promises.list()):
        host.promises.complete(promise.id, data)


# -- tokens ----------------------------------------------------------------------------------------


def test_a_fork_is_made_once_for_its_token(tmp_path: Path) -> None:
    """Also in the next host; another token, or none, finds the name taken."""
    with hosting(tmp_path) as (host, source):
        source.invoke("add", 1)
        first = host.workers.fork(SOURCE, "fork", token="t")
        assert 11 == first.invoke("add", 10)
        source.invoke("add", 1)
        assert 11 == host.workers.fork(SOURCE, "fork", token="t").invoke("add", 0)
    with open_host(tmp_path, QUICK) as host:
        assert 11 == host.workers.fork(SOURCE, "fork", token="t").invoke("add", 0)
        for token in ("other", ""):
            with pytest.raises(WorkerExistsError):
                host.workers.fork(SOURCE, "fork", token=token)
        assert ["fork", "main"] == sorted(worker.name for worker in host.workers.list("it"))


def test_a_fork_that_was_interrupted_is_not_woken_by_its_token(tmp_path: Path) -> None:
    """Whoever asks once more, after a kill, wakes it only if it has never gone on."""
    with hosting(tmp_path) as (host, source):
        source.enqueue("spin", idempotency_key="k")
        wait_until(begun(source))
        source.interrupt()
        cut = source.metadata().oplog_index
        # A kill comes before it is set going.
        host.workers._forks.fork(SOURCE, WorkerKey("it", "fork"), cut, "t", ())
        fork = host.workers.fork(SOURCE, "fork", cut, token="t")
        wait_until(lambda: status(fork) == "running")
        fork.interrupt()
        again = host.workers.fork(SOURCE, "fork", cut, token="t")

        assert again._access.runner()._ends.interrupted
        assert "interrupted" == status(again)


def test_a_revert_happens_once_for_its_token(tmp_path: Path) -> None:
    """Also in the next host, and whatever it was that the token's second use would take back."""
    with hosting(tmp_path) as (_, worker):
        for number in (1, 2, 4):
            worker.invoke("add", number)
        for _ in range(2):
            revert(worker._access.runner(), to_index=None, last_invocations=1, token="t")
        assert 3 == worker.invoke("add", 0)
    with open_host(tmp_path, QUICK) as host:
        worker = host.workers.get("it", "main")
        revert(worker._access.runner(), to_index=None, last_invocations=1, token="t")
        revert(worker._access.runner(), to_index=None, last_invocations=2, token="u")
        revert(worker._access.runner(), to_index=None, last_invocations=1, token="t")

        assert 1 == worker.invoke("add", 0)
        assert 2 == kinds(worker).count("revert")


# -- forks of what is under way --------------------------------------------------------------------


def test_a_fork_of_a_sleeper_wakes_with_it(tmp_path: Path) -> None:
    """Each ends its own invocation, with the source's state and result."""
    with hosting(tmp_path, config=PATIENT) as (_, source):
        source.invoke("add", 1)
        call = source.enqueue("nap", NAP_NS, idempotency_key="k")
        fork = source.fork("fork", index_of(source, HOST_CALL))

        assert (2, 2) == (call.result(PATIENCE_S), result_of(fork, "k"))
        assert (7, 12) == (source.invoke("add", 5), fork.invoke("add", 10))


def test_a_fork_of_a_suspended_worker_ends_as_it_does(tmp_path: Path) -> None:
    """It sleeps to the same time, without an instance."""
    with hosting(tmp_path, config=HASTY) as (_, source):
        call = source.enqueue("nap", NAP_NS, idempotency_key="k")
        fork = source.fork("fork", index_of(source, "suspend"))

        assert (1, 1) == (call.result(PATIENCE_S), result_of(fork, "k"))


def test_a_fork_of_a_worker_that_waits_for_a_promise_waits_for_the_same(tmp_path: Path) -> None:
    """Both go on when it is completed."""
    with hosting(tmp_path) as (host, source):
        call = source.enqueue("wait", idempotency_key="k")
        wait_until(lambda: len(list(host.promises.list())) == 1)
        fork = source.fork("fork")
        assert 1 == len(list(host.promises.list()))
        complete_all(host, b"four")

        assert (4, 4) == (call.result(PATIENCE_S), result_of(fork, "k"))


def test_a_fork_of_a_spinning_worker_ends_as_it_does(tmp_path: Path) -> None:
    """Both are stopped on demand, each for itself, and go on with the next version's code."""
    with hosting(tmp_path) as (host, source):
        call = source.enqueue("spin", idempotency_key="k")
        wait_until(begun(source))
        fork = source.fork("fork")
        wait_until(begun(fork))
        source.interrupt()
        with pytest.raises(InvocationInterruptedError):
            call.result(PATIENCE_S)
        assert ("interrupted", "running") == (status(source), status(fork))
        host.components.deploy(version(spin=""), name="it")
        source.update(1)
        fork.update(1)

        assert (7, 7) == (result_of(source, "k"), result_of(fork, "k"))


def test_a_key_gives_the_forks_own_result(tmp_path: Path) -> None:
    """Where the fork has drawn for itself, again and again; what ended before the cut is shared."""
    with hosting(tmp_path) as (_, source):
        shared = source.invoke("race", 0, idempotency_key="ended")
        before = kinds(source).count(HOST_CALL)
        source.enqueue("race", NAP_NS, idempotency_key="open")
        fork = source.fork("fork", index_of(source, HOST_CALL, before + 1))
        results = [result_of(worker, "open") for worker in (source, fork, source, fork)]

        assert results[:2] == results[2:]
        assert results[0] != results[1]
        assert shared == result_of(fork, "ended")
        assert results[1] == fork.invoke("race", NAP_NS, idempotency_key="open")


# -- reverts of what is under way ------------------------------------------------------------------


def test_a_worker_that_waits_to_try_again_is_reverted(tmp_path: Path) -> None:
    """At once; its caller is told, and what comes next does not wait for the old schedule."""
    with hosting(tmp_path, config=SLOW) as (_, worker):
        worker.invoke("add", 1)
        call = worker.begin("fail")
        wait_until(lambda: status(worker) == "retrying")
        worker.revert(last_invocations=1)

        with pytest.raises(InvocationInterruptedError, match="reverted"):
            call.result(PATIENCE_S)
        assert (3, "idle") == (worker.invoke("add", 2, timeout=PATIENCE_S), status(worker))
        assert 0 == worker.metadata().retry_count


def test_a_running_worker_is_reverted(tmp_path: Path) -> None:
    """Its caller, and who has joined it, are told; who was told by a result keeps that."""
    with hosting(tmp_path) as (_, worker):
        done = worker.begin("add", 1, idempotency_key="done")
        assert 1 == done.result(PATIENCE_S)
        calls = [worker.begin("spin", idempotency_key="k") for _ in range(2)]
        wait_until(begun(worker))
        worker.revert(last_invocations=2)

        for call in calls:
            with pytest.raises(InvocationInterruptedError, match="reverted"):
                call.result(PATIENCE_S)
        assert (1, 2) == (done.result(0), worker.invoke("add", 2))


def test_a_caller_in_another_thread_learns_of_a_revert(tmp_path: Path) -> None:
    """While it waits in `Worker.invoke`."""
    with hosting(tmp_path) as (_, worker):
        kept: list[BaseException] = []

        def invoke() -> None:
            try:
                worker.invoke("spin")
            except InvocationInterruptedError as error:
                kept.append(error)

        caller = threading.Thread(target=invoke)
        caller.start()
        wait_until(begun(worker))
        worker.revert(last_invocations=1)
        caller.join(PATIENCE_S)

        assert ["reverted" in str(error) for error in kept] == [True]


def test_who_waits_for_what_is_still_running_after_a_revert_waits_on(tmp_path: Path) -> None:
    """Only what it had done behind the target is gone: it makes another promise, and ends."""
    with hosting(tmp_path) as (host, worker):
        call = worker.enqueue("wait", idempotency_key="k")
        made = index_of(worker, HOST_CALL)
        wait_until(lambda: len(list(host.promises.list())) == 1)
        worker.revert(to_index=made - 1)
        assert not call.done
        worker.resume()
        wait_until(lambda: len(list(host.promises.list())) == 2)
        complete_all(host, b"four")

        assert (4, 4) == (call.result(PATIENCE_S), result_of(worker, "k"))
        assert 1 == kinds(worker).count("exported-function-invoked")


def test_who_waits_behind_what_is_reverted_is_served(tmp_path: Path) -> None:
    """What had not begun and is in no log is no part of the past."""
    with hosting(tmp_path) as (_, worker):
        worker.invoke("add", 1)
        first = worker.begin("spin")
        wait_until(begun(worker))
        behind = worker.begin("add", 2)
        worker.revert(last_invocations=1)

        with pytest.raises(InvocationInterruptedError, match="reverted"):
            first.result(PATIENCE_S)
        assert 3 == behind.result(PATIENCE_S)


def test_what_was_accepted_behind_the_target_is_gone(tmp_path: Path) -> None:
    """Its entry is reverted with the rest, and so its caller learns of that (spec 2.13)."""
    with hosting(tmp_path) as (_, worker):
        worker.invoke("add", 1)
        first = worker.begin("spin")
        wait_until(begun(worker))
        behind = [worker.enqueue("add", 4), worker.enqueue("add", 8, at=FAR)]
        worker.revert(last_invocations=1)

        for call in (first, *behind):
            with pytest.raises(InvocationInterruptedError, match="reverted"):
                call.result(PATIENCE_S)
        assert 0 == worker.metadata().pending
        assert 3 == worker.invoke("add", 2)
    with open_host(tmp_path, QUICK) as host:
        assert 19 == host.workers.get("it", "main").invoke("add", 16)


def test_what_is_pending_again_after_a_revert_is_run(tmp_path: Path) -> None:
    """It was accepted for good: its caller waits on and gets the result of the second run."""
    with hosting(tmp_path) as (host, worker):
        worker.invoke("add", 1)
        call = worker.enqueue("wait", idempotency_key="k")
        wait_until(lambda: len(list(host.promises.list())) == 1)
        worker.revert(last_invocations=1)
        wait_until(lambda: len(list(host.promises.list())) == 2)
        complete_all(host, b"four")

        assert (5, 5) == (call.result(PATIENCE_S), result_of(worker, "k"))
        assert 3 == kinds(worker).count("exported-function-invoked")


def test_what_has_ended_is_pending_again_and_runs_with_new_state(tmp_path: Path) -> None:
    """Its key then has the second result, and keeps it in the next host."""
    with hosting(tmp_path) as (_, worker):
        worker.invoke("add", 1)
        before = worker.metadata().oplog_index
        worker.enqueue("add", 2, idempotency_key="k").result(PATIENCE_S)
        worker.invoke("add", 4)
        accepted = before + 1
        assert "pending-worker-invocation" == kinds(worker)[accepted - 1]
        worker.revert(to_index=accepted)
        assert 3 == result_of(worker, "k")
        worker.revert(to_index=before)
        assert 9 == worker.invoke("add", 8, idempotency_key="k")
    with open_host(tmp_path, QUICK) as host:
        assert 9 == host.workers.get("it", "main").invoke("add", 8, idempotency_key="k")
