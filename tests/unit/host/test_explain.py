"""What is said of a worker that does not go on."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from golem_host.services.calls import BETWEEN, CallRef
from golem_host.services.peers import Peers, WorkerRef
from golem_host.services.promises import PromiseId
from golem_host.worker.explain import explain
from golem_oplog.entries import (
    Entry,
    Error,
    ErrorKind,
    Exited,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    Interrupted,
    PendingUpdate,
    PendingWorkerInvocation,
    Suspend,
)
from golem_oplog.types import FunctionType
from tests.support.contexts import CREATE, new_log
from tests.support.workers import parts

S = 1_000_000_000
T = CREATE.timestamp + 60 * S
INVOKED = ExportedFunctionInvoked(T, 0, b"", "k")
PROMISE = PromiseId(CREATE.component_id, CREATE.worker_name, 3)


def failed(retry_at: int | None = None, message: str = "oops") -> Error:
    return Error(T + S, ErrorKind.UNKNOWN, message, 2, retry_at)


def accepted(key: str, not_before: int | None = None) -> PendingWorkerInvocation:
    return PendingWorkerInvocation(T, key, 0, b"", None, not_before)


LABEL = "scripted/alice"
BEGUN = "2023-11-14 22:14:20Z"
LATER = "2023-11-14 22:14:21Z"
CASES = [
    (
        (INVOKED, ExportedFunctionCompleted(T + S, b"")),
        f"waits for calls, since {LATER}; `golem-host worker invoke {LABEL} CALL` makes one",
    ),
    (
        (INVOKED,),
        (
            f"is in the middle of f, begun at {BEGUN}; "
            f"`golem-host worker resume {LABEL}` continues it if no process is at work on it"
        ),
    ),
    (
        (INVOKED, Suspend(T + S, "timer", T + 2 * S)),
        (
            f"sleeps since {LATER}, until 2023-11-14 22:14:22Z; "
            f"`golem-host worker resume {LABEL}` waits with it if no process does"
        ),
    ),
    (
        (INVOKED, Suspend(T + S, "nobody knows")),
        (
            f"is suspended, since {LATER}: nobody knows; "
            f"`golem-host worker resume {LABEL}` continues it"
        ),
    ),
    (
        (INVOKED, Suspend(T + S, "promise", None, str(PROMISE))),
        (
            f"waits for promise {PROMISE}, since {LATER}; "
            f"`golem-host promise complete {PROMISE}` lets it go on"
        ),
    ),
    (
        (INVOKED, failed()),
        (
            f"failed at {LATER}: oops; "
            f"`golem-host worker revert {LABEL} --last 1` takes back the call that failed"
        ),
    ),
    (
        (INVOKED, failed(T + S), failed(T + 5 * S, "two\nlines")),
        (
            f"failed 2 times, last at {LATER}: two lines; the next attempt is due at "
            f"2023-11-14 22:14:25Z; `golem-host worker resume {LABEL}` makes it if no process does"
        ),
    ),
    (
        (INVOKED, Interrupted(T + S)),
        f"was interrupted at {LATER}; `golem-host worker resume {LABEL}` continues it",
    ),
    (
        (INVOKED, Exited(T + S, 7)),
        (
            f"ended itself with code 7 at {LATER}; "
            f"`golem-host worker revert {LABEL} --last 1` takes that call back"
        ),
    ),
    (
        (accepted("a"), accepted("b")),
        (
            f"has 2 accepted calls in its queue, since {BEGUN}; "
            f"`golem-host worker resume {LABEL}` makes what is due if no process does"
        ),
    ),
    (
        (accepted("a", 1 << 62),),
        (
            f"has 1 accepted call in its queue, since {BEGUN}, the first one due at "
            f"2116-02-20 23:53:38Z; `golem-host worker resume {LABEL}` makes what is due if no "
            "process does"
        ),
    ),
    (
        (INVOKED, Interrupted(T + S), PendingUpdate(T + S, 3, None)),
        (
            f"was interrupted at {LATER}, an update to version 3 waits; "
            f"`golem-host worker resume {LABEL}` continues it"
        ),
    ),
]


@pytest.mark.parametrize(("entries", "sentence"), CASES)
def test_a_sentence_says_why_since_when_and_what_helps(
    entries: tuple[Entry, ...], sentence: str
) -> None:
    """For each state that a log can end in."""
    oplog = new_log()
    oplog.define(FunctionType("f", (), None))
    for entry in entries:
        oplog.append(entry)
    view = parts(oplog)
    if "promise" in sentence:
        view.shared.promises.create(PROMISE)

    found = explain(view)

    assert f"{LABEL} {sentence}" == found.sentence
    assert (LABEL, view.status.status) == (found.worker, found.status)
    assert f"`{found.remedy}`" in found.sentence
    assert T <= found.since_ns <= T + S


def test_a_promise_that_is_completed_is_not_waited_for() -> None:
    """The host ended before it could tell the worker."""
    oplog = new_log()
    oplog.define(FunctionType("f", (), None))
    oplog.append(INVOKED)
    oplog.append(Suspend(T, "promise", None, str(PROMISE)))
    view = parts(oplog)
    view.shared.promises.create(PROMISE)
    view.shared.promises.complete(PROMISE, b"")

    assert explain(view).sentence.endswith(
        f"which is settled; `golem-host worker resume {LABEL}` continues it"
    )


def test_the_time_of_going_on_is_told() -> None:
    """For programs; None where it does not go on by itself."""
    oplog = new_log()
    oplog.define(FunctionType("f", (), None))
    oplog.append(INVOKED)
    assert explain(parts(oplog)).until_ns is None
    oplog.append(Suspend(T, "timer", T + 5))

    assert T + 5 == explain(parts(oplog)).until_ns


@pytest.mark.parametrize(("others", "name"), [("", "cart"), (", or of 1 more", None)])
def test_the_answer_of_another_worker_is_told_with_who_owes_it(
    others: str, name: str | None
) -> None:
    """As its log says it; a component that is gone is named by its id."""
    call = CallRef(WorkerRef(CREATE.component_id, "bob"), "k2")
    reason = f"waiting for the result of cart/bob note, key k2{others}"
    oplog = new_log()
    oplog.define(FunctionType("f", (), None))
    oplog.append(INVOKED)
    oplog.append(Suspend(T + S, reason, None, BETWEEN.join([str(call)] * 2)))
    view = parts(oplog)
    peers = SimpleNamespace(component_name_of=lambda _: name)
    view.shared = replace(view.shared, peers=cast("Peers", peers))

    assert explain(view).sentence == (
        f"{LABEL} waits for the result of cart/bob note, key k2{others}, since {LATER}; "
        f"`golem-host worker explain {name or CREATE.component_id}/bob` says why it is not there"
    )


def test_the_answer_that_is_waited_for_with_an_instance_is_told_too() -> None:
    """By whoever runs the worker: it is not in the log."""
    call = CallRef(WorkerRef(CREATE.component_id, "bob"), "k2")
    oplog = new_log()
    oplog.define(FunctionType("f", (), None))
    oplog.append(INVOKED)
    view = parts(oplog)
    peers = SimpleNamespace(component_name_of=lambda _: "cart")
    view.shared = replace(view.shared, peers=cast("Peers", peers))
    with view.shared.results.waits(view.ref, call):
        found = explain(view).sentence

    assert found == (
        f"{LABEL} is in the middle of f, begun at {BEGUN}, and waits for the result of cart/bob, "
        "key k2; `golem-host worker explain cart/bob` says why it is not there"
    )
