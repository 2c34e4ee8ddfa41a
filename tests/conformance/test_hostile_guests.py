"""
Guests that mean harm, or know no better: each ends in a named failure and harms itself only.

What is bounded: time (by whoever stops it), stack, memory, open resources, bytes per call, random
bytes per call, and what the host keeps of a guest's output.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Event

import pytest

from golem_host import (
    ComponentError,
    Host,
    HostError,
    InvocationExitedError,
    InvocationFailedError,
    InvocationInterruptedError,
    OplogLimitError,
    PayloadTooLargeError,
    PreviousInvocationFailedError,
)
from golem_host.resources import RESOURCES_MAX
from golem_host.worker.retry import RetryPolicy
from golem_host.worker.worker import Worker
from tests.support.hostile_guests import hostile_guest, large, starting_with
from tests.support.hosts import QUICK, open_host
from tests.support.memory import resident_bytes

MIB = 1 << 20
MEMORY_BYTES_MAX = 8 * MIB
QUICKLY_S = 30
"""A deadline for what takes milliseconds, on a machine that does other things as well."""

CONFIG = replace(
    QUICK,
    memory_bytes_max=MEMORY_BYTES_MAX,
    threads_max=10,
    retry_policy=RetryPolicy(max_attempts=1, min_delay_ns=1_000_000, max_delay_ns=1_000_000),
)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with open_host(tmp_path / "state", CONFIG) as opened:
        opened.components.deploy(hostile_guest(), name="hostile")
        yield opened


def worker(host: Host, name: str) -> Worker:
    return host.workers.get_or_create(host.components.get("hostile"), name)


def running(guest: Worker, function: str) -> None:
    """Start something that does not end, and wait for its first output."""
    begun = Event()
    with guest.attach(lambda *_: begun.set(), lambda _: None):
        guest.enqueue(function)
        assert begun.wait(QUICKLY_S)


ENDLESS = ("spin", "watch", "pour-for-ever")


@pytest.mark.parametrize("function", ENDLESS)
def test_a_guest_that_never_ends_is_stopped_and_others_go_on(host: Host, function: str) -> None:
    """While it runs others answer; once stopped it stays so, and says why."""
    endless = worker(host, "endless")
    running(endless, function)

    assert [1, 3] == [worker(host, "other").invoke("add", n, timeout=QUICKLY_S) for n in (1, 2)]
    endless.interrupt()
    assert "interrupted" == endless.metadata().status
    assert 6 == worker(host, "other").invoke("add", 3, timeout=QUICKLY_S)


@pytest.mark.parametrize("function", ENDLESS)
def test_a_timeout_ends_what_never_ends(host: Host, function: str) -> None:
    """The caller gets its thread back."""
    with pytest.raises(InvocationInterruptedError) as caught:
        worker(host, "endless").invoke(function, timeout=0.1)

    assert "timeout" == caught.value.kind


@pytest.mark.parametrize("function", ENDLESS)
def test_a_worker_that_never_ends_can_be_deleted(host: Host, function: str) -> None:
    """Its name is free again at once."""
    running(worker(host, "endless"), function)
    worker(host, "endless").delete()

    assert 5 == worker(host, "endless").invoke("add", 5, timeout=QUICKLY_S)


def test_a_host_closes_over_guests_that_never_end(tmp_path: Path) -> None:
    """`close` returns, and the next host finds them as a crash would have left them."""
    with open_host(tmp_path / "state", CONFIG) as host:
        host.components.deploy(hostile_guest(), name="hostile")
        for function in ENDLESS:
            running(worker(host, function), function)
    with open_host(tmp_path / "state", CONFIG) as host:
        statuses = {worker(host, name).metadata().status for name in ENDLESS}

    assert {"running"} == statuses


@pytest.mark.parametrize("suspend_after_s", [0.0, 1e12])
def test_a_wait_of_centuries_is_a_wait(suspend_after_s: float, tmp_path: Path) -> None:
    """With its instance or without; it can be stopped, and survives the host."""
    config = replace(CONFIG, suspend_after_s=suspend_after_s)
    with open_host(tmp_path / "state", config) as host:
        host.components.deploy(hostile_guest(), name="hostile")
        call = worker(host, "dozer").enqueue("doze")
        with pytest.raises(TimeoutError):
            call.result(0.2)
    with open_host(tmp_path / "state", config) as host:
        dozer = worker(host, "dozer")
        status = dozer.metadata().status
        dozer.resume()
        dozer.interrupt()
        entries = [entry.kind for entry in dozer.oplog()]
        assert status in {"suspended", "running"}
        assert (status == "suspended") == ("suspend" in entries)
        assert "error" not in entries
        assert "interrupted" == dozer.metadata().status


def failure(guest: Worker, function: str, *args: int) -> HostError:
    with pytest.raises(HostError) as caught:
        guest.invoke(function, *args, timeout=QUICKLY_S)
    return caught.value


def test_deep_recursion_fails_for_good(host: Host) -> None:
    """The guest's stack has an end; another attempt would meet it again, so there is none."""
    deep = worker(host, "deep")
    error = failure(deep, "deep")

    assert isinstance(error, InvocationFailedError)
    assert "call stack exhausted" in error.error
    errors = [entry.fields for entry in deep.oplog() if entry.kind == "error"]
    assert 1 == len(errors)
    assert "failed" == deep.metadata().status
    assert isinstance(failure(deep, "add", 1), PreviousInvocationFailedError)


def test_memory_ends_at_the_bound(host: Host) -> None:
    """Up to the bound the guest gets what it asks for; beyond it sees its allocation fail."""
    greedy = worker(host, "greedy")
    grown = [greedy.invoke("grow", pages) for pages in (1, MEMORY_BYTES_MAX // 65_536, 1)]

    assert [3, -1, 4] == grown
    assert 1 == greedy.invoke("add", 1)


def test_a_component_that_begins_beyond_the_bound_is_refused(host: Host) -> None:
    """At load, with both numbers, and nothing is stored."""
    with pytest.raises(ComponentError) as caught:
        host.components.deploy(large(129), name="large")

    assert "starts with 8454144 bytes of memory; 8388608 is the limit" == caught.value.reason
    assert ["hostile"] == [component.name for component in host.components.all()]


STARTS = {
    "traps": ("unreachable", "unreachable"),
    "recurses": ("(call $begin)", "call stack exhausted"),
    "polls nothing": (
        "(call $poll (i32.const 0) (i32.const 0) (i32.const 65536))",
        "poll of an empty list",
    ),
}


@pytest.mark.parametrize("what", STARTS)
def test_a_guest_that_fails_at_start_fails_its_invocation(host: Host, what: str) -> None:
    """It can be deployed, and what is asked of it says why it cannot be answered."""
    body, said = STARTS[what]
    component = host.components.deploy(starting_with(body), name="starts")
    guest = host.workers.create(component, "alice")
    error = failure(guest, "add", 1)

    assert isinstance(error, InvocationFailedError)
    assert said in error.error
    assert "failed" == guest.metadata().status
    assert 2 == worker(host, "other").invoke("add", 2)


def test_a_guest_that_exits_at_start_has_exited(host: Host) -> None:
    """As if an invocation had done it."""
    component = host.components.deploy(starting_with("(call $exit (i32.const 1))"), name="starts")
    guest = host.workers.create(component, "alice")

    assert isinstance(failure(guest, "add", 1), InvocationExitedError)


def test_a_guest_that_never_starts_is_stopped(host: Host) -> None:
    """A loop in a start function is a loop like any other."""
    component = host.components.deploy(starting_with("(loop $l (br $l))"), name="starts")
    guest = host.workers.create(component, "alice")
    with pytest.raises(InvocationInterruptedError):
        guest.invoke("add", 1, timeout=0.1)

    assert 2 == worker(host, "other").invoke("add", 2)


def test_a_guest_holds_so_many_resources_and_no_more(host: Host) -> None:
    """Far below what would abort the process; up to the bound everything works."""
    hoarder = worker(host, "hoarder")
    hoarder.invoke("hoard", RESOURCES_MAX)
    error = failure(hoarder, "hoard", 1)

    assert isinstance(error, InvocationFailedError)
    assert f"more than {RESOURCES_MAX} open resources" == error.error


def test_a_write_beyond_what_a_call_can_carry_fails_for_good(host: Host) -> None:
    """The error names the function and the bound."""
    writer = worker(host, "writer")
    error = failure(writer, "huge", 3 * MIB)

    assert isinstance(error, PayloadTooLargeError)
    assert error.function.startswith("one of wasi:io/poll@0.2.3.{poll}, wasi:io/streams@0.2.3.{")
    assert "test:hostile/api@1.0.0.{huge}" == error.caller
    assert "2.67 MiB" in str(error)
    assert "failed" == writer.metadata().status


def test_random_bytes_end_at_a_bound(host: Host) -> None:
    """A guest cannot make the host draw, and record, without end."""
    error = failure(worker(host, "drawer"), "draw", 1 << 40)

    assert isinstance(error, InvocationFailedError)
    assert "random bytes in one call" in error.error


@pytest.mark.parametrize("function", ["watch", "pour-for-ever", "hoard-text"])
def test_a_log_that_grows_without_end_fails_its_worker(function: str, tmp_path: Path) -> None:
    """By calls, by output or by large payloads; for good, by name, and nobody else is harmed."""
    config = replace(CONFIG, oplog_bytes_max=MIB)
    with open_host(tmp_path / "state", config) as host:
        host.components.deploy(hostile_guest(), name="hostile")
        endless = worker(host, "endless")
        error = failure(endless, function)

        assert isinstance(error, OplogLimitError)
        assert MIB == error.size_bytes_max
        assert MIB < error.size_bytes < 2 * MIB
        assert 1 == len([entry for entry in endless.oplog() if entry.kind == "error"])
        assert "failed" == endless.metadata().status
        assert isinstance(failure(endless, "add", 1), PreviousInvocationFailedError)
        assert 1 == worker(host, "other").invoke("add", 1)
    with open_host(tmp_path / "state", config) as host:
        assert "oplog_bytes_max" in str(worker(host, "endless").metadata().last_error)


def test_a_guest_that_writes_too_fast_waits(tmp_path: Path) -> None:
    """Beyond what the rate allows at once it gets no further, and can be stopped as it waits."""
    with open_host(tmp_path / "state", replace(CONFIG, output_bytes_per_s=4096)) as host:
        host.components.deploy(hostile_guest(), name="hostile")
        pourer = worker(host, "pourer")
        with pytest.raises(InvocationInterruptedError):
            pourer.invoke("pour-for-ever", timeout=0.5)
        written = sum(len(line.text) for line in pourer.output())

    assert 4096 <= written <= 3 * 4096


class Peak:
    """The most that the process has grown by, looked at on each call."""

    def __init__(self) -> None:
        gc.collect()
        self._before = resident_bytes()
        self.bytes = 0

    def __call__(self, *_: object) -> None:
        self.bytes = max(self.bytes, resident_bytes() - self._before)


POURED = 800
"""Writes of 64 KiB: 50 MiB."""


def test_a_guest_that_pours_out_output_does_not_fill_the_host(host: Host, tmp_path: Path) -> None:
    """50 MiB written, shown and replayed, and the host grows by a fraction of it."""
    pourer = worker(host, "pourer")
    pourer.invoke("pour", 20)
    shown: list[int] = []
    peak = Peak()

    def show(_: str, data: bytes) -> None:
        shown.append(len(data))
        peak()

    with pourer.attach(show, lambda _: None):
        pourer.invoke("pour", POURED)
    assert POURED * 65_536 == sum(shown)
    with pourer.attach(show, lambda _: None):
        pourer.simulate_crash()
        pourer.invoke("add", 1)
        peak()
    assert POURED * 65_536 == sum(shown)
    assert peak.bytes < 24 * MIB


OUTCOMES: dict[str, tuple[tuple[int, ...], Callable[[object], bool]]] = {
    "add": ((7,), lambda outcome: outcome == 7),
    "fail": ((), lambda o: isinstance(o, InvocationFailedError) and "about to fail" in o.stderr),
    "leave": ((), lambda o: isinstance(o, InvocationExitedError) and o.exit_code == 1),
    "deep": ((), lambda o: isinstance(o, InvocationFailedError) and "stack" in o.error),
    "hoard": ((RESOURCES_MAX + 1,), lambda o: "open resources" in str(o)),
    "poll-nothing": ((), lambda o: "poll of an empty list" in str(o)),
    "forge": ((), lambda o: isinstance(o, InvocationFailedError) and "handle" in o.error),
    "draw": ((1 << 40,), lambda o: "random bytes in one call" in str(o)),
}


def test_eight_that_fail_at_once_fail_each_in_its_own_way(host: Host) -> None:
    """No failure lands with another worker, and nobody misses its own."""
    rounds = 5
    together = Barrier(len(OUTCOMES))

    def outcomes(function: str) -> list[object]:
        args, _ = OUTCOMES[function]
        found: list[object] = []
        for number in range(rounds):
            guest = worker(host, f"{function}-{number}")
            together.wait(QUICKLY_S)
            try:
                found.append(guest.invoke(function, *args, timeout=QUICKLY_S))
            except HostError as error:
                found.append(error)
        return found

    with ThreadPoolExecutor(len(OUTCOMES)) as pool:
        found = dict(zip(OUTCOMES, pool.map(outcomes, OUTCOMES), strict=True))
    wrong = {
        function: outcome
        for function, (_, is_right) in OUTCOMES.items()
        for outcome in found[function]
        if not is_right(outcome)
    }

    assert {} == wrong
    assert [rounds] * len(OUTCOMES) == [len(each) for each in found.values()]
