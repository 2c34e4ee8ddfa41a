"""What a worker has promised to its callers."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Any

import pytest

from golem_host.errors import (
    ConflictError,
    HostError,
    InvocationExitedError,
    InvocationFailedError,
    InvocationInterruptedError,
    PreviousInvocationFailedError,
    StateDirError,
)
from golem_host.services.calls import CallRef
from golem_host.services.unfinished import NOW, WorkerKey
from golem_host.worker.ledger import FINGERPRINT_CHARS, SAVE_FUNCTION, Ledger
from golem_host.worker.request import Request
from golem_oplog.cbor import encode_args, encode_value, fingerprint
from golem_oplog.entries import (
    CancelPendingInvocation,
    Entry,
    Error,
    ErrorKind,
    Exited,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    Log,
    LogLevel,
    PendingWorkerInvocation,
    Revert,
    Suspend,
)
from golem_oplog.memory import MemoryOplog
from golem_oplog.types import FunctionType, Prim
from tests.support.contexts import new_log
from tests.support.workers import parts
from tests.support.world import EPOCH_NS

T = EPOCH_NS
ADD = FunctionType("test:it/api.{add}", (("n", Prim.U64),), Prim.U64)
PING = FunctionType("test:it/api.{ping}", (), None)
LARGE = FunctionType("test:it/api.{large}", (("text", Prim.STRING),), Prim.STRING)
TRACEBACK = "Traceback (most recent call last):\n  File\nValueError: bad"

ADD_ID, PING_ID, LARGE_ID = range(3)


def log_of(*entries: Entry) -> MemoryOplog:
    """A log that defines the three functions, with these entries."""
    oplog = new_log()
    assert [ADD_ID, PING_ID, LARGE_ID] == [oplog.define(each) for each in (ADD, PING, LARGE)]
    for entry in entries:
        oplog.append(entry)
    return oplog


def ledger_of(*entries: Entry) -> Ledger:
    return Ledger(parts(log_of(*entries)))


def pending(key: str, number: int = 1) -> PendingWorkerInvocation:
    return PendingWorkerInvocation(T, key, ADD_ID, encode_args([number]))


def invoked(key: str, number: int = 1) -> ExportedFunctionInvoked:
    return ExportedFunctionInvoked(T, ADD_ID, encode_args([number]), key)


def failed(message: str = "it broke", detail: str = "") -> Error:
    return Error(T, ErrorKind.UNKNOWN, message, 2, None, detail)


def stderr(text: str) -> Log:
    return Log(T, LogLevel.STDERR, "", text.encode())


def request(key: str, number: int = 1) -> Request:
    args: list[Any] = [number]
    return Request(key, ADD, args, encode_args(args))


def known(ledger: Ledger, key: str, number: int = 1) -> Request | None:
    return ledger.known(Request(key, ADD, [number], b""))


COMPLETED = ExportedFunctionCompleted(T, encode_value(42))


# -- the queue -------------------------------------------------------------------------------------


def test_the_queue_is_read_from_the_log() -> None:
    """Everything that was accepted and not begun, in order of arrival."""
    ledger = ledger_of(
        pending("a", 1),
        pending("b", 2),
        pending("c", 3),
        CancelPendingInvocation(T, "b"),
        PendingWorkerInvocation(T, "update", None, b"", target_version=1),
    )

    assert [("a", ADD, [1]), ("c", ADD, [3]), ("update", SAVE_FUNCTION, [])] == [
        (each.key, each.function, each.args) for each in ledger.queue
    ]


def test_a_large_input_comes_out_of_the_blob_store() -> None:
    """Of a request that waits as of one that has begun."""
    text = "x" * 100_000
    payload = encode_args([text])
    waits = ledger_of(PendingWorkerInvocation(T, "a", LARGE_ID, payload)).find("a")
    runs = ledger_of(ExportedFunctionInvoked(T, LARGE_ID, payload, "a")).find("a")

    assert [[text], [text]] == [each.args for each in (waits, runs) if each is not None]


def test_a_request_that_did_not_begin_goes_first() -> None:
    """Its attempt ended before it was in the log; it keeps its turn."""
    ledger = ledger_of(pending("a"), pending("b"))
    first = ledger.queue.popleft()
    ledger.put_back(first)

    assert ["a", "b"] == [each.key for each in ledger.queue]


def test_a_request_is_taken_out_once() -> None:
    """And only while it waits."""
    ledger = ledger_of(invoked("running"), pending("a"), pending("b"))
    waiting = ledger.find("b")
    taken = [ledger.take_out(key) for key in ("b", "b", "running", "unknown")]

    assert [waiting, None, None, None] == taken
    assert ["a"] == [each.key for each in ledger.queue]


def test_unfinished_work_is_listed_with_what_runs_first() -> None:
    """Each with whether it has begun."""
    ledger = ledger_of(invoked("a"), pending("b"))
    ledger.add(request("c"))

    assert [("a", True), ("b", False), ("c", False)] == [
        (each.key, running) for each, running in ledger.unfinished()
    ]


def test_a_caller_that_waits_sees_the_listed_request() -> None:
    """What is listed as running is what its caller holds."""
    ledger = ledger_of(invoked("a"))
    held = ledger.find("a")

    assert [(held, True)] == ledger.unfinished()


@pytest.mark.parametrize("ending", [COMPLETED, failed(), Exited(T, 1)])
def test_what_has_an_outcome_is_not_unfinished(ending: Entry) -> None:
    """However it ended."""
    assert [] == ledger_of(invoked("a"), ending).unfinished()


# -- by key ----------------------------------------------------------------------------------------


def test_an_unknown_key_is_nobodys() -> None:
    """The request may be accepted."""
    assert known(ledger_of(invoked("a"), COMPLETED), "b") is None


@pytest.mark.parametrize(
    "log",
    [(pending("a"),), (invoked("a"),), (invoked("a"), Suspend(T)), (invoked("a"), COMPLETED)],
    ids=["waits", "runs", "suspended", "is done"],
)
def test_the_same_input_attaches(log: tuple[Entry, ...]) -> None:
    """Whatever has become of the first request by then."""
    found = known(ledger_of(*log), "a")

    assert found is not None
    assert ("a", ADD, [1]) == (found.key, found.function, found.args)


@pytest.mark.parametrize("log", [(pending("a"),), (invoked("a"),), (invoked("a"), COMPLETED)])
def test_another_input_is_refused_with_both_fingerprints(log: tuple[Entry, ...]) -> None:
    """One key stands for one call."""
    with pytest.raises(ConflictError) as caught:
        known(ledger_of(*log), "a", 2)

    first, second = (fingerprint(ADD, [n])[:FINGERPRINT_CHARS] for n in (1, 2))
    assert (
        f"idempotency key 'a' belongs to {ADD.name} with input {first}, "
        f"not to {ADD.name} with input {second}"
    ) == caught.value.reason


def test_another_function_is_refused() -> None:
    """Even if it has the same arguments."""
    with pytest.raises(ConflictError):
        ledger_of(pending("a")).known(Request("a", PING, [1], b""))


@pytest.mark.parametrize("log", [(pending("a"),), (invoked("a"),)])
def test_callers_of_one_key_share_one_request(log: tuple[Entry, ...]) -> None:
    """And so its outcome."""
    ledger = ledger_of(*log)
    held = [ledger.find("a"), known(ledger, "a")]
    ledger.settle("a", encode_value(42))

    assert held[0] is held[1]
    assert [42, 42] == [each.result(0) for each in held if each is not None]


def test_a_new_request_can_be_attached_to() -> None:
    """From the moment it is added."""
    ledger, first = ledger_of(), request("a")
    ledger.add(first)

    assert first is known(ledger, "a")


# -- outcomes --------------------------------------------------------------------------------------


def outcome(log: tuple[Entry, ...], key: str = "a") -> object:
    """The value or the error that a request which is done gives."""
    found = ledger_of(*log).find(key)
    assert found is not None
    assert found.done
    try:
        return found.result(0)
    except HostError as error:
        return error


def test_a_result_is_read_from_the_log() -> None:
    """In public form, however long ago it was written."""
    assert 42 == outcome((invoked("a"), COMPLETED, invoked("b"), Suspend(T)))


def test_a_function_without_result_gives_none() -> None:
    """That it is done is all there is to know."""
    begun = ExportedFunctionInvoked(T, PING_ID, encode_args([]), "a")

    assert outcome((begun, ExportedFunctionCompleted(T, None))) is None


def test_a_large_result_comes_out_of_the_blob_store() -> None:
    """Like every large payload."""
    text = "x" * 100_000
    begun = ExportedFunctionInvoked(T, LARGE_ID, encode_args(["q"]), "a")

    assert text == outcome((begun, ExportedFunctionCompleted(T, encode_value(text))))


def test_a_failure_is_read_from_the_log_with_what_the_guest_said() -> None:
    """What it wrote to stderr in that invocation, and its traceback where that was the reason."""
    begun = (invoked("z"), stderr("before "), COMPLETED, invoked("a"), stderr(TRACEBACK))
    errors = [outcome((*begun, failed(detail=detail))) for detail in (TRACEBACK, "")]

    assert [("it broke", TRACEBACK, TRACEBACK), ("it broke", TRACEBACK, "")] == [
        (error.error, error.stderr, error.traceback)
        for error in errors
        if isinstance(error, InvocationFailedError)
    ]


def test_an_exit_is_an_outcome() -> None:
    """With its code."""
    error = outcome((invoked("a"), Exited(T, 3)))

    assert isinstance(error, InvocationExitedError)
    assert 3 == error.exit_code


def test_every_caller_gets_an_error_of_its_own_traceback() -> None:
    """A shared error does not grow with each caller that raises it."""
    ledger = ledger_of(invoked("a"))
    held = ledger.find("a")
    assert held is not None
    ledger.fail("a", InvocationInterruptedError(kind="interrupt"))
    depths = []
    for _ in range(2):
        with pytest.raises(InvocationInterruptedError) as caught:
            held.result(0)
        depths.append(len(caught.traceback))

    assert depths[0] == depths[1]


def test_settling_what_nobody_waits_for_is_harmless() -> None:
    """The log has the outcome; there is nobody to tell."""
    ledger = ledger_of(invoked("a"))
    ledger.settle("a", None)
    ledger.fail("a", InvocationInterruptedError(kind="interrupt"))

    assert ledger.find("a") is not None


def test_a_request_that_is_not_done_can_be_waited_for() -> None:
    """Running out of time is not an outcome."""
    with pytest.raises(TimeoutError, match=r"test:it/api.\{add\} is still running"):
        request("a").result(0)


def test_failing_all_leaves_nobody_waiting() -> None:
    """Neither those in the queue nor those whose request runs."""
    ledger = ledger_of(invoked("a"), pending("b"))
    held = [ledger.find(key) for key in ("a", "b")]
    ledger.fail_all(InvocationInterruptedError(kind="the end"))

    assert [True, True] == [each.done for each in held if each is not None]
    assert [] == list(ledger.queue)


def test_a_revert_tells_who_waits_for_a_call_that_nothing_here_waits_for() -> None:
    """Its request went with an earlier host, or with an interrupt; what is pending stays so."""
    oplog = log_of(invoked("z"), COMPLETED, pending("b"), pending("a"), invoked("a"))
    of_worker = parts(oplog)
    ledger, results = Ledger(of_worker), of_worker.shared.results
    callers = {key: WorkerKey("cart", f"waits for {key}") for key in ("a", "b")}
    rung = {key: threading.Event() for key in callers}
    with ExitStack() as stack:
        for key, caller in callers.items():
            call = CallRef(of_worker.ref, key)
            results.expect(caller, str(call))
            of_worker.shared.unfinished.mark(caller, None, str(call))
            stack.enter_context(results.waking(call, rung[key]))
        before = frozenset(of_worker.status.pending)
        end = oplog.last_index
        of_worker.status.append(oplog, Revert(T, end - 1, end))
        ledger.follow_revert(before)

    assert {"a": True, "b": True} == {key: event.is_set() for key, event in rung.items()}
    left = {each.key: each.due_ns for each in of_worker.shared.unfinished.all()}
    assert {callers["a"]: NOW, callers["b"]: None} == left


def test_an_error_that_ends_everything_is_not_the_outcome_of_a_call() -> None:
    """A completion that could not be committed: whoever called looks at what the log has then."""
    oplog = log_of(invoked("a"))
    of_worker = parts(oplog)
    ledger, results = Ledger(of_worker), of_worker.shared.results
    held, call, rung = ledger.find("a"), CallRef(of_worker.ref, "a"), threading.Event()
    of_worker.status.append(oplog, COMPLETED)
    with results.waking(call, rung):
        ledger.fail_all(StateDirError(path="p", reason="full"))

    assert held is not None
    assert held.done
    assert rung.is_set()
    assert results.take(call) is None


# -- workers that are over -------------------------------------------------------------------------


@pytest.mark.parametrize("log", [(), (invoked("a"),), (invoked("a"), COMPLETED)])
def test_a_worker_that_goes_on_refuses_nobody(log: tuple[Entry, ...]) -> None:
    """Idle or running."""
    ledger = ledger_of(*log)
    ledger.refuse_if_over()

    assert ledger.over() is None


def test_a_failed_worker_refuses_with_its_failure() -> None:
    """And what the guest said in the invocation that failed."""
    ledger = ledger_of(
        invoked("z"), stderr("before"), COMPLETED, invoked("a"), stderr("why"), failed()
    )

    with pytest.raises(PreviousInvocationFailedError) as caught:
        ledger.refuse_if_over()

    assert ("it broke", "why") == (caught.value.error, caught.value.stderr)


def test_a_worker_that_never_began_refuses_with_all_it_said() -> None:
    """It failed while it started: there is no invocation to begin at."""
    error = ledger_of(stderr("why"), failed()).over()

    assert isinstance(error, PreviousInvocationFailedError)
    assert "why" == error.stderr


def test_an_exited_worker_refuses_with_its_code() -> None:
    """Whatever it is asked for next."""
    error = ledger_of(invoked("a"), Exited(T, 7)).over()

    assert isinstance(error, InvocationExitedError)
    assert 7 == error.exit_code
