"""
One worker's life, with a guest that is a script: what callers are promised whatever comes in between.

What must happen at a certain moment is made to happen there: in the middle of a commit, or where a
thread is about to end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from golem_host.component import Component
from golem_host.config import HostConfig
from golem_host.errors import (
    ConflictError,
    HostClosedError,
    InvalidRequestError,
    InvocationExitedError,
    InvocationFailedError,
    InvocationInterruptedError,
    ParamTypeMismatchError,
    QueueFullError,
    StateDirError,
)
from golem_host.failures import GuestError
from golem_host.services.slots import RunSlots, Slot
from golem_host.signals import ExitSignal, InterruptSignal, SuspendSignal
from golem_host.status import fold
from golem_host.system import SystemClock
from golem_host.worker.request import Request
from golem_host.worker.retry import MS, RetryPolicy
from golem_host.worker.runner import KEY_BYTES_MAX, Runner
from golem_oplog.cbor import encode_args
from golem_oplog.entries import (
    Entry,
    Error,
    Exited,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    ImportedFunctionInvoked,
    Interrupted,
    LogLevel,
    PendingWorkerInvocation,
    Suspend,
)
from golem_oplog.errors import OplogWriteError
from golem_oplog.memory import MemoryOplog
from golem_oplog.types import Prim
from tests.support.contexts import CREATE
from tests.support.durable_calls import DurableCalls, handlers_of
from tests.support.scripted_guest import Body, HostCalls, ScriptedGuest, exported
from tests.support.waiting import until
from tests.support.workers import parts
from tests.support.world import ScriptedRandom

RUN = exported("test:it/api", "run", (("n", Prim.U32),), Prim.U64)
PATIENCE_S = 10.0
HOUR_NS = 3600 * 10**9
AT_ONCE = RetryPolicy(3, 0, 0, 1.0, None)
E = TypeVar("E", bound=Entry)


def nothing() -> None:
    """Nothing happens meanwhile."""


class InterruptedOplog(MemoryOplog):
    """A log in the middle of whose commits something else may happen."""

    meanwhile: Callable[[], None] = staticmethod(nothing)

    def commit(self) -> None:
        self.meanwhile()
        super().commit()


class Bench:
    """A worker whose only export is this function."""

    def __init__(
        self,
        body: Body,
        *,
        oplog: InterruptedOplog | None = None,
        policy: RetryPolicy = AT_ONCE,
        threads_max: int = 2,
        pending_max: int = 100,
    ) -> None:
        self.oplog = oplog or InterruptedOplog(CREATE)
        self.calls = DurableCalls()
        guest = ScriptedGuest({RUN: body}, handlers_of(self.calls))
        settings = HostConfig(
            clock=SystemClock(),
            random=ScriptedRandom(),
            retry_policy=policy,
            threads_max=threads_max,
            pending_max=pending_max,
        )
        self.parts = parts(self.oplog, guest, settings)
        self.runner = Runner(self.parts)

    def submit(self, key: str, number: int = 1, *, durable: bool = False) -> Request:
        args: list[Any] = [number]
        asked = Request(key, RUN.type, args, encode_args(args))
        return self.runner.submit(asked, durable=durable)

    def entries(self, kind: type[E]) -> list[E]:
        return [entry for _, entry in self.oplog.read() if isinstance(entry, kind)]

    def interrupt_from_elsewhere(self) -> None:
        """Return when another thread's interrupt has reached the runner."""
        reached = threading.Event()
        poke = self.runner._drive.poke

        def poke_and_say() -> None:
            poke()
            reached.set()

        self.runner._drive.poke = poke_and_say  # type: ignore[method-assign]
        threading.Thread(target=self.runner.interrupt, args=(InterruptSignal(),)).start()
        assert reached.wait(PATIENCE_S)


@contextmanager
def bench(body: Body, **settings: Any) -> Iterator[Bench]:
    made = Bench(body, **settings)
    try:
        yield made
    finally:
        made.runner.close()


def gives_back(_host: HostCalls, number: int) -> int:
    return number


class Gate:
    """A guest that runs until it is let go."""

    def __init__(self) -> None:
        self.is_entered = threading.Event()
        self.may_leave = threading.Event()

    def __call__(self, _host: HostCalls, number: int) -> int:
        self.is_entered.set()
        assert self.may_leave.wait(PATIENCE_S)
        return number


# -- the same key again ----------------------------------------------------------------------------


def test_a_call_that_is_accepted_again_while_it_ends_is_not_made_again() -> None:
    """In the middle of the commit of its end: a later host must not find it pending."""
    again: list[Request] = []
    with bench(gives_back) as b:

        def meanwhile() -> None:
            if b.entries(ExportedFunctionCompleted):
                b.oplog.meanwhile = nothing
                again.append(b.submit("a", durable=True))

        b.oplog.meanwhile = meanwhile
        first = b.submit("a").result(PATIENCE_S)

        assert (1, 1) == (first, again[0].result(PATIENCE_S))
        assert [] == b.entries(PendingWorkerInvocation)
        assert {} == fold(b.oplog.read).pending


# -- when the state directory fails ----------------------------------------------------------------


def failing(_key: object, _due_ns: object, _promise: object = None) -> None:
    raise StateDirError(path="host.db", reason="no space left on device")


def test_a_state_directory_that_fails_keeps_no_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its callers are told, others go on, and the worker is looked at again after a while."""

    def suspends(_host: HostCalls, _number: int) -> int:
        monkeypatch.setattr(b.parts.shared.unfinished, "mark", failing)
        raise SuspendSignal("waiting for a timer", b.parts.shared.config.clock.unix_ns() + HOUR_NS)

    with bench(suspends, threads_max=1) as b:
        request = b.submit("a", durable=True)
        with pytest.raises(StateDirError, match="no space left"):
            request.result(PATIENCE_S)
        until(lambda: b.runner._drive.thread is None)
        freed = threading.Event()
        b.parts.shared.slots.start(lambda _slot: freed.set())

        assert freed.wait(PATIENCE_S)
        assert b.runner.broken is not None
        assert [b.parts.key] == list(b.parts.shared.scheduler._due)


def test_a_log_that_fails_at_the_end_of_a_call_is_opened_anew() -> None:
    """Memory has the call as done and the disk has not: somebody must look, this host or the next."""
    with bench(gives_back) as b:

        def meanwhile() -> None:
            if b.entries(ExportedFunctionCompleted):
                raise OplogWriteError(path="log", cause="no space left on device")

        b.oplog.meanwhile = meanwhile
        request = b.submit("a", durable=True)
        with pytest.raises(StateDirError, match="no space left"):
            request.result(PATIENCE_S)
        until(lambda: b.runner._drive.thread is None)

        assert [b.parts.key] == [row.key for row in b.parts.shared.unfinished.all()]
        assert [b.parts.key] == list(b.parts.shared.scheduler._due)
        b.oplog.meanwhile = nothing


def test_a_host_that_closes_fails_nobody() -> None:
    """What a guest asked of another worker meanwhile is asked again by the next host."""

    def asks(_host: HostCalls, number: int) -> int:
        if not asked.is_set():
            asked.set()
            raise HostClosedError
        return number

    asked = threading.Event()
    with bench(asks) as b:
        assert 1 == b.submit("a").result(PATIENCE_S)
        assert [] == b.entries(Error)


# -- what is taken ---------------------------------------------------------------------------------


def test_a_worker_that_stands_still_takes_only_so_many_calls() -> None:
    """A repeated one is no further one; when the queue moves on there is room again."""
    gate = Gate()
    with bench(gate, pending_max=2) as b:
        running = b.submit("a")
        assert gate.is_entered.wait(PATIENCE_S)
        waiting = [b.submit("b", durable=True), b.submit("c")]
        with pytest.raises(QueueFullError) as full:
            b.submit("d")
        again = b.submit("b")
        gate.may_leave.set()
        results = [each.result(PATIENCE_S) for each in (running, *waiting, again)]
        later = b.submit("d").result(PATIENCE_S)

    assert 2 == full.value.pending_max
    assert [1, 1, 1, 1, 1] == [*results, later]


@pytest.mark.parametrize("key", ["k" * (KEY_BYTES_MAX + 1), "\u00e9" * (KEY_BYTES_MAX // 2 + 1)])
def test_a_key_is_no_place_to_keep_things(key: str) -> None:
    """It stays in memory for as long as its worker does."""
    with bench(gives_back) as b:
        with pytest.raises(InvalidRequestError, match="at most 1024 bytes"):
            b.submit(key)
        longest = b.submit("k" * KEY_BYTES_MAX)

        assert 1 == longest.result(PATIENCE_S)


# -- wake-ups --------------------------------------------------------------------------------------


def suspends_first(b: Callable[[], Bench]) -> Body:
    def body(_host: HostCalls, number: int) -> int:
        if not b().entries(Suspend):
            raise SuspendSignal("waiting for a timer", None)
        return number

    return body


def test_a_request_that_comes_in_while_a_worker_suspends_wakes_it() -> None:
    """Also in the moment in which the suspension is being committed."""
    came_in: list[Request] = []
    with bench(suspends_first(lambda: b)) as b:

        def meanwhile() -> None:
            if b.entries(Suspend) and not came_in:
                came_in.append(b.submit("b", 2))

        b.oplog.meanwhile = meanwhile
        first = b.submit("a")

        assert 1 == first.result(PATIENCE_S)
        assert 2 == came_in[0].result(PATIENCE_S)


def test_a_wake_up_finds_a_thread_or_starts_one() -> None:
    """Also where the last one is just about to end."""

    class Ending(Slot):
        def give(self) -> None:
            super().give()
            if not b.entries(ExportedFunctionCompleted):
                b.runner.wake()

    class Slots(RunSlots):
        def slot(self, is_stopped: Callable[[], bool]) -> Slot:
            return Ending(self, is_stopped)

    with bench(suspends_first(lambda: b)) as b:
        b.parts.shared = replace(b.parts.shared, slots=Slots(1))

        assert 1 == b.submit("a").result(PATIENCE_S)


# -- interrupts ------------------------------------------------------------------------------------


def test_an_interrupt_while_a_failure_is_recorded_holds() -> None:
    """The worker stops instead of trying again."""

    def fails(_host: HostCalls, _number: int) -> int:
        raise GuestError("again and again")

    slowly = RetryPolicy(99, 3_600_000 * MS, 3_600_000 * MS, 1.0, None)
    with bench(fails, policy=slowly) as b:

        def meanwhile() -> None:
            if b.entries(Error):
                b.oplog.meanwhile = nothing
                b.interrupt_from_elsewhere()

        b.oplog.meanwhile = meanwhile
        request = b.submit("a")

        with pytest.raises(InvocationInterruptedError):
            request.result(PATIENCE_S)
        assert 1 == len(b.entries(Interrupted))


def test_an_interrupt_reaches_an_instance_that_has_just_been_made() -> None:
    """A guest that never returns must not start behind its back."""

    def runs(host: HostCalls, _number: int) -> int:
        while True:
            host("pure", 1)

    with bench(runs) as b:
        build = b.runner._drive._build

        def build_and_be_interrupted() -> Any:
            session = build()
            b.interrupt_from_elsewhere()
            return session

        b.runner._drive._build = build_and_be_interrupted  # type: ignore[method-assign]
        request = b.submit("a")

        with pytest.raises(InvocationInterruptedError):
            request.result(PATIENCE_S)


def test_an_idle_worker_is_not_interrupted() -> None:
    """There is nothing to stop, and nothing to resume (spec 5.4)."""
    with bench(gives_back) as b:
        b.submit("a").result(PATIENCE_S)
        b.runner.interrupt(InterruptSignal())

        assert [] == b.entries(Interrupted)
        assert 2 == b.submit("b", 2).result(PATIENCE_S)


def test_a_caller_that_gives_up_stops_its_own_invocation_only() -> None:
    """What waits behind another one's is taken out of the queue."""
    gate = Gate()
    with bench(gate) as b:
        first, second = b.submit("a"), b.submit("b", 2)
        assert gate.is_entered.wait(PATIENCE_S)
        b.runner.give_up(second)
        gate.may_leave.set()

        assert 1 == first.result(PATIENCE_S)
        with pytest.raises(InvocationInterruptedError):
            second.result(0)
        assert ["a"] == [entry.idempotency_key for entry in b.entries(ExportedFunctionInvoked)]


def test_a_caller_that_gives_up_leaves_what_was_accepted() -> None:
    """An enqueued request is made whatever happens."""
    gate = Gate()
    with bench(gate) as b:
        b.submit("a")
        second = b.submit("b", 2, durable=True)
        assert gate.is_entered.wait(PATIENCE_S)
        b.runner.give_up(second)
        gate.may_leave.set()

        assert 2 == second.result(PATIENCE_S)


def test_a_caller_that_gives_up_stops_what_runs() -> None:
    """Durably, as an interrupt does."""

    def runs(host: HostCalls, _number: int) -> int:
        entered.set()
        while True:
            host("pure", 1)

    entered = threading.Event()
    with bench(runs) as b:
        request = b.submit("a")
        assert entered.wait(PATIENCE_S)
        b.runner.give_up(request)

        with pytest.raises(InvocationInterruptedError):
            request.result(0)
        assert 1 == len(b.entries(Interrupted))


# -- promises --------------------------------------------------------------------------------------


def test_a_canceled_request_answers_its_callers() -> None:
    """Nobody waits for what will never be done."""
    gate = Gate()
    with bench(gate) as b:
        b.submit("a")
        request = b.submit("b", 2, durable=True)
        assert gate.is_entered.wait(PATIENCE_S)

        assert b.runner.cancel("b")
        with pytest.raises(ConflictError, match="canceled"):
            request.result(0)
        gate.may_leave.set()


def test_nobody_learns_of_an_outcome_that_is_not_durable() -> None:
    """Also not by the key, from another thread, while the completion is being committed."""
    seen: list[tuple[bool, bool]] = []
    with bench(gives_back) as b:

        def meanwhile() -> None:
            if b.entries(ExportedFunctionCompleted):
                b.oplog.meanwhile = nothing
                # A caller of another time: nobody in this process holds the request.
                b.runner.ledger._open.clear()
                request = b.runner.attach("a")
                assert request is not None
                seen.append((request.done, b.oplog.committed_index == b.oplog.last_index))
                looked.set()

        looked = threading.Event()
        b.oplog.meanwhile = meanwhile
        b.submit("a")

        assert looked.wait(PATIENCE_S)
        assert [(True, True)] == seen


def test_accepting_a_request_for_good_that_already_waits_makes_it_durable() -> None:
    """`enqueue` promises the same whoever asked first."""
    gate = Gate()
    with bench(gate) as b:
        b.submit("a")
        assert gate.is_entered.wait(PATIENCE_S)
        requests = [b.submit("b", 2, durable=durable) for durable in (False, True, True)]

        assert ["b"] == [entry.idempotency_key for entry in b.entries(PendingWorkerInvocation)]
        assert b.oplog.committed_index == b.oplog.last_index
        gate.may_leave.set()
        assert [2, 2, 2] == [request.result(PATIENCE_S) for request in requests]


def test_the_queue_of_a_worker_that_exits_is_canceled() -> None:
    """Its callers are told, and another process will not wait for what it finds."""

    def exits(host: HostCalls, number: int) -> int:
        gate(host, number)
        raise ExitSignal(3)

    gate = Gate()
    with bench(exits) as b:
        first = b.submit("a")
        second = b.submit("b", 2, durable=True)
        gate.may_leave.set()

        for request in (first, second):
            with pytest.raises(InvocationExitedError):
                request.result(PATIENCE_S)
        assert {} == b.parts.status.pending


def test_a_request_left_over_by_a_worker_that_is_over_is_refused() -> None:
    """A crash came between its end and the end of its queue."""
    oplog = InterruptedOplog(CREATE)
    number = oplog.define(RUN.type)
    for entry in (
        PendingWorkerInvocation(0, "b", number, encode_args([2])),
        ExportedFunctionInvoked(0, number, encode_args([1]), "a"),
        Exited(0, 1),
    ):
        oplog.append(entry)
    with bench(gives_back, oplog=oplog) as b, pytest.raises(InvocationExitedError):
        b.submit("b", 2)


def test_closing_many_workers_waits_for_none_that_holds_anothers_place() -> None:
    """Asked to end first, each gives back what the other one waits for."""

    def runs(host: HostCalls, _number: int) -> int:
        entered.set()
        while True:
            host("pure", 1)

    entered = threading.Event()
    running, waiting = Bench(runs, threads_max=1), Bench(gives_back)
    waiting.parts.shared = running.parts.shared
    running.submit("a")
    assert entered.wait(PATIENCE_S)
    waiting.submit("a")
    runners = (waiting.runner, running.runner)
    for runner in runners:
        runner.begin_close()
    for runner in runners:
        runner.close()

    assert [False, False] == [runner.is_active for runner in runners]


# -- failures --------------------------------------------------------------------------------------


def reads(host: HostCalls, number: int) -> int:
    """Two reads of the world, one after the other."""
    first: int = host("read-remote", number)
    second: int = host("read-remote", number + 1)
    return first + second


def test_a_failure_that_was_recorded_is_not_tried_again() -> None:
    """The fourth attempt is the last: the next one would be given the same answer."""
    with bench(reads) as b:
        b.calls.failures = ["no route"] * 9
        request = b.submit("a")

        with pytest.raises(InvocationFailedError, match="no route"):
            request.result(PATIENCE_S)
        assert 4 == len(b.entries(Error))
        assert ["no route"] == [entry.error for entry in b.entries(ImportedFunctionInvoked)]


def test_every_call_has_attempts_of_its_own() -> None:
    """One that fails for the first time is not at its last because another one was."""
    with bench(reads) as b:
        fails_at_first = {1: 3, 2: 1}

        def before_answer(_: object) -> None:
            call = b.calls.performed[-1]
            fails = b.calls.performed.count(call) <= fails_at_first[call[1]]
            b.calls.failures = ["no route"] if fails else []

        b.calls.before_answer = before_answer

        assert 30 == b.submit("a").result(PATIENCE_S)


def test_arguments_that_do_not_fit_fail_their_invocation_alone() -> None:
    """A handle that is not open any more is the caller's mistake, not the worker's end."""

    def refuses(_host: HostCalls, number: int) -> int:
        if number == 1:
            raise ParamTypeMismatchError(function="run", parameter="n", reason="no open handle 9")
        return number

    with bench(refuses) as b:
        request = b.submit("a")

        with pytest.raises(ParamTypeMismatchError):
            request.result(PATIENCE_S)
        assert 2 == b.submit("b", 2).result(PATIENCE_S)


def test_trouble_with_the_state_directory_is_no_failure_of_the_guest() -> None:
    """It is told to whoever waits, and not written into the worker's past."""

    def find(_component_id: str, _version: int) -> Component:
        raise StateDirError(path="somewhere", reason="database is locked")

    with bench(gives_back) as b:
        b.parts.shared = replace(b.parts.shared, find_component=find)
        request = b.submit("a")

        with pytest.raises(StateDirError, match="database is locked"):
            request.result(PATIENCE_S)
        assert ([], None) == (b.entries(Error), b.parts.status.error)


def test_a_traceback_that_the_guest_has_dealt_with_is_not_the_reason() -> None:
    """Only what a guest says as it gives up is about that."""

    def logs_and_breaks_a_rule(host: HostCalls, _number: int) -> int:
        text = b"Traceback (most recent call last):\n  File\nValueError: dealt with\n"
        host._context.emit(LogLevel.STDERR, text)
        raise GuestError("poll of an empty list")

    with bench(logs_and_breaks_a_rule, policy=RetryPolicy(0)) as b:
        request = b.submit("a")

        with pytest.raises(InvocationFailedError) as caught:
            request.result(PATIENCE_S)
    assert ("poll of an empty list", "") == (caught.value.error, caught.value.traceback)
