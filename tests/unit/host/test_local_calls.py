"""Calls between workers of one host, whose runners are sets of keys here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from golem_host.errors import (
    ConflictError,
    InvalidRequestError,
    InvocationGoneError,
    PayloadTooLargeError,
)
from golem_host.services.calls import CallRef
from golem_host.services.components import Components
from golem_host.services.local_calls import ANSWER_BYTES_MAX, LocalCalls
from golem_host.services.peers import WorkerRef
from golem_host.services.results import Results
from golem_host.services.unfinished import Unfinished, WorkerKey
from golem_host.services.workers import Workers
from golem_host.storage.database import Database
from golem_host.worker.request import Request
from golem_oplog.cbor import encode_value
from golem_oplog.types import FunctionType, ListType, Prim, TupleType
from golem_oplog.wit_value import to_wit_value
from tests.support.contexts import CREATE

PATIENCE_S = 10.0
HEAD_BYTES = 5
"""Of a string or a list of bytes of about this length, in CBOR."""
ALICE, BOB, CAROL = (WorkerRef(CREATE.component_id, name) for name in ("alice", "bob", "carol"))


class KeysOnly:
    """In place of a worker's runner."""

    def __init__(self, on_cancel: Callable[[], None]) -> None:
        self.queued: set[str] = set()
        self.begun: set[str] = set()
        self.answers: dict[str, Request] = {}
        self._on_cancel = on_cancel

    @contextmanager
    def held(self) -> Iterator[None]:
        yield

    def is_open(self, key: str) -> bool:
        return key in self.queued | self.begun

    def cancel(self, key: str) -> bool:
        self._on_cancel()
        if key not in self.queued:
            raise InvalidRequestError(reason="nothing to cancel")
        self.queued.remove(key)
        return True

    def outcome(self, key: str) -> Request | None:
        if self.is_open(key):
            return None
        if key not in self.answers:
            raise InvocationGoneError(worker="w", idempotency_key=key)
        return self.answers[key]


class House:
    """The workers that are called, all of one component."""

    def __init__(self) -> None:
        self.on_cancel: Callable[[], None] = lambda: None
        self.runners = {each.worker_name: KeysOnly(self._canceling) for each in (ALICE, BOB, CAROL)}
        self.unfinished = Unfinished(Database(Path(":memory:")), "boot")
        self.results = Results(self.unfinished, cast("Any", None))
        around = cast("Any", self)
        self.calls = LocalCalls(cast("Workers", around), cast("Components", around), self.results)

    def _canceling(self) -> None:
        self.on_cancel()

    def runner(self, key: WorkerKey) -> KeysOnly:
        return self.runners[key.worker]

    def name_of(self, _component_id: str) -> str:
        return "cart"

    def called(self, worker: WorkerRef, *, begun: bool) -> CallRef:
        """A call to it that is there, with its own name as key."""
        runner, key = self.runners[worker.worker_name], f"of {worker.worker_name}"
        (runner.begun if begun else runner.queued).add(key)
        return CallRef(worker, key)

    def suspended(self, caller: WorkerRef, call: CallRef) -> None:
        key = WorkerKey("cart", caller.worker_name)
        self.results.expect(key, str(call))
        self.unfinished.mark(key, None, str(call))


class Seen:
    """In place of a lock: says when a second thread has come to it."""

    def __init__(self, met: threading.Event) -> None:
        self._lock = threading.Lock()
        self._met = met

    def __enter__(self) -> None:
        if self._lock.locked():
            self._met.set()
        assert self._lock.acquire(timeout=PATIENCE_S)

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def both_wait(house: House, first: tuple[WorkerRef, CallRef], second: Any) -> list[ConflictError]:
    """
    Two workers wait for a call each, and see the same circle before either has broken it.

    The second one does so as the first one is about to take back a call, and goes on after it.
    """
    refused: list[ConflictError] = []
    met, may_go_on = threading.Event(), threading.Event()
    house.calls._breaking = cast("Any", Seen(met))

    def waits(caller: WorkerRef, call: CallRef) -> None:
        try:
            with house.calls.waiting(caller, call):
                may_go_on.wait(PATIENCE_S)
        except ConflictError as error:
            refused.append(error)

    other = threading.Thread(target=waits, args=second)

    def on_cancel() -> None:
        if threading.current_thread() is other:
            met.set()
            assert may_go_on.wait(PATIENCE_S)
        elif not other.ident:
            other.start()
            assert met.wait(PATIENCE_S)

    house.on_cancel = on_cancel
    with house.results.waits(*second):
        try:
            with house.calls.waiting(*first):
                may_go_on.set()
                other.join(PATIENCE_S)
        except ConflictError as error:
            refused.append(error)
            may_go_on.set()
            other.join(PATIENCE_S)
    assert not other.is_alive()
    return refused


def test_two_that_see_their_circle_at_once_take_back_one_call() -> None:
    """The other one is done."""
    house = House()
    of_alice, of_bob = (house.called(each, begun=False) for each in (ALICE, BOB))
    refused = both_wait(house, (ALICE, of_bob), (BOB, of_alice))

    assert ["of alice"] == [key for each in house.runners.values() for key in each.queued]
    (error,) = refused
    assert "cart/alice waits for cart/bob, which waits for cart/alice" in str(error)


def test_the_reason_of_a_call_that_was_taken_back_is_kept_for_its_caller() -> None:
    """Who waits without an instance, also where another one would have taken the same call back."""
    house = House()
    of_bob, of_carol = (house.called(each, begun=True) for each in (BOB, CAROL))
    of_alice = house.called(ALICE, begun=False)
    house.suspended(CAROL, of_alice)
    refused = both_wait(house, (ALICE, of_bob), (BOB, of_carol))

    assert [] == refused
    assert not house.calls._refusals.keys() - {of_alice}
    with pytest.raises(ConflictError, match="workers would wait for each other for ever"):
        house.calls.outcome(of_alice)
    with pytest.raises(InvocationGoneError):
        house.calls.outcome(of_alice)


def test_an_answer_that_would_fill_the_memory_is_an_error_that_says_so() -> None:
    """A value a hundred times as large is not made of it."""
    house = House()
    call = CallRef(BOB, "k")
    for over, ty, value in (
        (0, Prim.STRING, "x" * (ANSWER_BYTES_MAX - HEAD_BYTES)),
        (1, Prim.STRING, "x" * (ANSWER_BYTES_MAX - HEAD_BYTES + 1)),
        (1, ListType(Prim.U8), bytes(ANSWER_BYTES_MAX - HEAD_BYTES + 1)),
    ):
        payload = encode_value(value)
        assert ANSWER_BYTES_MAX + over == len(payload)
        done = Request(call.key, FunctionType("test:it/api.{big}", (), ty), [], b"")
        done.settle(payload)
        house.runners["bob"].answers[call.key] = done
        if not over:
            assert to_wit_value(TupleType((ty,)), (value,)) == house.calls.outcome(call)
            continue
        with pytest.raises(PayloadTooLargeError, match=r"api.\{big\}: .* at most 1 MiB of CBOR"):
            house.calls.outcome(call)
