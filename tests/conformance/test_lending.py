"""An embedder's interfaces under a real guest: live, replayed, after failures, without them."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from golem_host import (
    WRITE_REMOTE,
    CallContext,
    DeclarationError,
    Err,
    Host,
    InvocationFailedError,
    InvocationInterruptedError,
    Ok,
    Result,
    UnlinkableComponentError,
    Worker,
    WorldError,
    function,
    interface,
)
from golem_host.interfaces.described import Served, served_imports
from golem_host.worker.retry import RetryPolicy
from tests.support.cli import wait_until
from tests.support.hosts import QUICK, open_host
from tests.support.lending_guest import API, Book, Payments, Tills, paying_guest

AT_ONCE = RetryPolicy(max_attempts=2, min_delay_ns=1_000_000, max_delay_ns=1_000_000)


class World:
    """What outlives the hosts of a test: a state directory, and the embedder's book."""

    def __init__(self, root: Path) -> None:
        self.state = root / "state"
        self.book = Book(root / "book")
        self.payments = Payments(self.book)

    def open(self, *interfaces: object) -> Host:
        found = interfaces or (self.payments, Tills(self.book))
        return open_host(self.state, replace(QUICK, interfaces=found, retry_policy=AT_ONCE))

    def open_without(self) -> Host:
        return open_host(self.state)

    def charged(self) -> list[object]:
        return [line["cents"] for line in self.book.lines() if "cents" in line]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def deployed(host: Host) -> Worker:
    component = host.components.deploy(paying_guest(), name="shop")
    return host.workers.get_or_create(component, "main")


def again(host: Host) -> Worker:
    return host.workers.get("shop", "main")


def test_calls_are_performed_once(world: World) -> None:
    """And answered from the log by every later instance; handles stand for the same objects."""
    with world.open() as host:
        worker = deployed(host)
        assert [12, 9] == [worker.invoke("buy", 3, True), worker.invoke("ring", 3) - 3]
    written = world.book.lines()

    with world.open() as host:
        # Rebuilt from the log, then live again.
        assert 2 == again(host).invoke("buy", 1, True)
    assert [1, 2, 3, 1] == world.charged()
    assert len(written) + 1 == len(world.book.lines())
    keys = [line["key"] for line in world.book.lines() if "key" in line]
    assert len(keys) == len(set(keys))


def test_entries_are_named_by_interface_and_function(world: World) -> None:
    """With typed requests and responses, as of our own functions."""
    with world.open() as host:
        worker = deployed(host)
        worker.invoke("buy", 1, True)
        worker.invoke("ring", 1)
        found = [each.fields for each in worker.oplog() if each.kind == "imported-function-invoked"]

    names = [each["function-name"] for each in found]
    assert [
        f"{API}.{{charge}}",
        f"{API}.{{[constructor]till}}#number",
        f"{API}.{{[method]till.ring}}",
        f"{API}.{{[constructor]till}}#number",
        f"{API}.{{[method]till.ring}}",
    ] == names


@pytest.mark.parametrize("raising", [WorldError("busy"), ValueError("busy"), SystemExit(1)])
def test_a_failed_attempt_is_repeated_under_the_same_key(
    world: World, raising: BaseException
) -> None:
    """By the retry policy; whoever pays twice under one key pays once."""
    world.payments.answers = [Ok(2), raising, raising]
    with world.open() as host:
        assert 2 + 4 == deployed(host).invoke("buy", 2, True)
    keys = [line["key"] for line in world.book.lines()]

    assert [1, 2, 2, 2] == world.charged()
    assert keys[0] != keys[1] == keys[2] == keys[3]


def test_the_failure_that_is_left_says_what_was_raised(world: World) -> None:
    """With its last line and place; the guest's own error is another thing."""
    world.payments.answers = [ValueError("no such account")] * 3
    with world.open() as host, pytest.raises(InvocationFailedError) as caught:
        deployed(host).invoke("buy", 1, True)

    text = str(caught.value)
    assert "acme:pay/api.{charge}: ValueError: no such account (lending_guest.py, line" in text


def test_an_error_of_the_guests_type_is_a_value(world: World) -> None:
    """It is recorded, and here the guest traps on it."""
    world.payments.answers = [Err("declined")]
    with world.open() as host, pytest.raises(InvocationFailedError):
        deployed(host).invoke("buy", 1, True)
    assert [1] == world.charged()


def test_without_idempotence_a_failed_write_is_not_repeated(world: World) -> None:
    """Nobody knows whether it happened."""
    world.payments.answers = [ValueError("lost connection")]
    with world.open() as host, pytest.raises(InvocationFailedError, match="may or may not have"):
        deployed(host).invoke("buy", 1, False)
    assert [1] == world.charged()


def test_a_host_that_lends_nothing_leaves_its_workers_alone(world: World) -> None:
    """It says what is missing and how to lend it, and the next one that lends it goes on."""
    with world.open() as host:
        worker = deployed(host)
        worker.invoke("buy", 1, True)
        worker.enqueue("buy", 2, True, idempotency_key="k")
        index = worker.metadata().oplog_index
    with world.open_without() as host:
        with pytest.raises(UnlinkableComponentError) as caught:
            again(host).invoke("buy", 1, True, idempotency_key="later")
        entries = list(again(host).oplog(start=index))
    with world.open() as host:
        assert 6 == again(host).invoke("buy", 2, True, idempotency_key="k")

    text = str(caught.value)
    assert f"this host does not offer: {API}@1.0.0.{{charge}}" in text
    assert "HostConfig(interfaces=...), or `--interface MODULE:CLASS`" in text
    assert "error" not in {each.kind for each in entries}


def test_what_it_imports_can_be_looked_at_without_lending_it(world: World) -> None:
    """Listing needs no embedder; deploying does."""
    with world.open_without() as host, pytest.raises(UnlinkableComponentError):
        deployed(host)
    with world.open() as host:
        deployed(host)
    with world.open_without() as host:
        served = served_imports(host.components.get("shop"))

    assert Served("lent") == served[f"{API}@1.0.0.{{charge}}"]
    assert Served("re-executed") == served["golem:api/host@1.1.7.{set-idempotence-mode}"]


def test_a_changed_signature_is_refused_and_changes_nothing(world: World) -> None:
    """At link time; corrected, the worker goes on."""

    @interface(API)
    class Changed(Payments):
        @function(WRITE_REMOTE)
        def charge(self, account: str, amount: int) -> Result[int, str]:  # type: ignore[override]
            return Ok(len(account) + amount)

    with world.open() as host:
        deployed(host).invoke("buy", 1, True)
    with (
        world.open(Changed(world.book), Tills(world.book)) as host,
        pytest.raises(DeclarationError, match=r"it takes \(account, amount\), where the WIT says"),
    ):
        again(host).invoke("buy", 1, True)
    with world.open() as host:
        assert 2 == again(host).invoke("buy", 1, True)


def test_a_waiting_method_lets_other_workers_run(world: World) -> None:
    """A host of one thread: what the first one waits for, the second one brings."""
    arrived, go = threading.Event(), threading.Event()
    waited: list[bool] = []

    def wait(cents: int) -> None:
        if cents == 1 and not arrived.is_set():
            arrived.set()
            waited.append(go.wait(20))

    world.payments.before_answer = lambda _call, cents: wait(cents)
    config = replace(QUICK, interfaces=(world.payments, Tills(world.book)), threads_max=1)
    with open_host(world.state, config) as host:
        first = deployed(host)
        second = host.workers.get_or_create(first.component, "other")
        call = first.enqueue("buy", 1, True)
        assert arrived.wait(60)
        assert 2 == second.invoke("buy", 1, True)
        go.set()
        assert 2 == call.result(60)
    assert [True] == waited


def test_an_interrupt_waits_for_the_method_and_keeps_its_outcome(world: World) -> None:
    """What has happened is in the log before the worker stops; resumed, it is not repeated."""
    arrived = threading.Event()

    def wait(call: CallContext, _cents: int) -> None:
        if not arrived.is_set():
            arrived.set()
            # Until it is asked to stop, which it pays no heed to.
            wait_until(lambda: call._context.kill is not None)

    world.payments.before_answer = wait
    with world.open() as host:
        worker = deployed(host)
        call = worker.enqueue("buy", 50, False)
        assert arrived.wait(60)
        worker.interrupt()
        with pytest.raises(InvocationInterruptedError):
            call.result(60)
        worker.resume()
        assert 50 * 51 == worker.invoke("buy", 50, False, idempotency_key=call.key)
    assert list(range(1, 51)) == world.charged()


def test_a_method_that_asks_ends_with_its_host(world: World) -> None:
    """However long it would take; the next host makes the call again."""
    arrived = threading.Event()

    def wait(call: CallContext, _cents: int) -> None:
        arrived.set()
        while True:
            call.check()

    world.payments.before_answer = wait
    with world.open() as host:
        call = deployed(host).enqueue("buy", 1, True, idempotency_key="k")
        assert arrived.wait(60)
    with pytest.raises(InvocationInterruptedError):
        call.result(60)
    world.payments.before_answer = lambda _call, _cents: None
    with world.open() as host:
        assert 2 == again(host).invoke("buy", 1, True, idempotency_key="k")
    assert [1, 1] == world.charged()


def test_what_cannot_be_lent_is_told_when_the_host_is_opened(world: World) -> None:
    """And the directory is free for the next attempt."""
    with pytest.raises(DeclarationError, match="object declares no interface"):
        world.open(object())
    with world.open() as host:
        assert 2 == deployed(host).invoke("buy", 1, True)
