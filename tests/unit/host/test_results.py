"""Who is told when a worker has answered another one; nothing here has an instance or a log."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import cast

import pytest

from golem_host.services.calls import BETWEEN, CallRef
from golem_host.services.peers import WorkerRef
from golem_host.services.results import Results
from golem_host.services.scheduler import Scheduler
from golem_host.services.unfinished import NOW, Unfinished, Waiting, WorkerKey
from golem_host.signals import SuspendSignal
from golem_host.storage.database import Database
from golem_host.worker.request import Request
from golem_oplog.types import FunctionType
from tests.support.contexts import CREATE

ALICE, BOB = (WorkerKey("cart", name) for name in ("alice", "bob"))
CAROL = WorkerRef(CREATE.component_id, "carol")
ONE, TWO = CallRef(CAROL, "one"), CallRef(CAROL, "two")
BOTH = BETWEEN.join(map(str, (ONE, TWO)))


class Around:
    """What outlives a host's memory, and what was to be woken."""

    def __init__(self) -> None:
        self.unfinished = Unfinished(Database(Path(":memory:")), "boot")
        self.woken: list[tuple[object, int]] = []
        self.results = self.new_host()

    def at(self, key: object, unix_ns: int) -> None:
        self.woken.append((key, unix_ns))

    def new_host(self) -> Results:
        self.results = Results(self.unfinished, cast("Scheduler", self))
        return self.results

    def parks(self, caller: WorkerKey, awaited: str, due_ns: int | None = None) -> None:
        """As a worker does that gives up its instance."""
        self.results.expect(caller, awaited)
        self.unfinished.mark(caller, due_ns, awaited)


@pytest.fixture
def around() -> Around:
    return Around()


def test_a_call_has_a_text_and_is_read_from_it() -> None:
    """Other things that a worker waits for are no calls."""
    assert CallRef.parse(str(ONE)) == ONE
    assert [ONE, TWO] == CallRef.parse_all(BOTH)
    assert CallRef.parse(BOTH) is None
    for promise in ("", f"{CREATE.component_id}/carol/7"):
        assert [] == CallRef.parse_all(promise)


@pytest.mark.parametrize("awaited", [str(ONE), BOTH])
@pytest.mark.parametrize("restarted", [False, True])
def test_whoever_waits_without_an_instance_goes_on(
    around: Around, awaited: str, *, restarted: bool
) -> None:
    """Its row says so before anything else happens; also where an earlier host has written it."""
    around.parks(ALICE, awaited)
    around.parks(BOB, str(TWO))
    if restarted:
        around.new_host()
    around.results.settled(ONE)

    assert [(ALICE, NOW)] == around.woken
    assert {Waiting(ALICE, NOW, None), Waiting(BOB, None, str(TWO))} == set(around.unfinished.all())


def test_what_was_settled_is_not_waited_for_once_more(around: Around) -> None:
    """The thread that parks a worker may write its row after the answer has come."""
    around.parks(ALICE, str(ONE))
    around.results.settled(ONE)
    around.unfinished.rest(ALICE, None, str(ONE))

    assert [Waiting(ALICE, NOW, None)] == around.unfinished.all()


def test_who_waits_for_something_else_by_now_is_left_alone(around: Around) -> None:
    """The index may know too much, the row does not."""
    around.parks(ALICE, str(ONE))
    around.parks(ALICE, str(TWO))
    around.results.settled(ONE)

    assert [] == around.woken
    assert [Waiting(ALICE, None, str(TWO))] == around.unfinished.all()


def test_a_worker_that_is_loaded_looks_after_its_callers(around: Around) -> None:
    """A kill may have come between what it did and who waits for that."""
    around.parks(ALICE, str(ONE))
    around.parks(BOB, str(TWO))
    results = around.new_host()
    results.loaded(CAROL, lambda key: key == "two")

    assert [(ALICE, NOW)] == around.woken


def test_an_outcome_that_was_waited_for_in_memory_need_not_be_read(around: Around) -> None:
    """Once, and not after the other worker's past has changed."""
    done = Request("one", FunctionType("f", (), None), [], b"")
    for is_forgotten in (False, True):
        with around.results.waking(ONE, threading.Event()):
            around.results.settled(ONE, done)
            around.results.settled(TWO, done)
        if is_forgotten:
            around.results.forget(CAROL)
        assert (None if is_forgotten else done) is around.results.take(ONE)
        assert around.results.take(ONE) is around.results.take(TWO) is None


def test_a_worker_that_is_gone_is_not_waited_for(around: Around) -> None:
    """With an instance or without one; others are not concerned."""
    other = CallRef(WorkerRef(CREATE.component_id, "dave"), "one")
    mine, others = threading.Event(), threading.Event()
    around.parks(ALICE, str(TWO))
    with around.results.waking(ONE, mine), around.results.waking(other, others):
        around.results.gone(CAROL)

    assert (True, False) == (mine.is_set(), others.is_set())
    assert [(ALICE, NOW)] == around.woken


def test_what_a_worker_waits_for_alone_is_known(around: Around) -> None:
    """A time would end the wait, and so would the other one of two answers."""
    me = WorkerRef(CREATE.component_id, "alice")
    for awaited, due_ns, known in (
        (str(ONE), None, ONE),
        (str(ONE), 5, None),
        (BOTH, None, None),
        (f"{CREATE.component_id}/carol/7", None, None),
    ):
        around.parks(ALICE, awaited, due_ns)
        assert known == around.results.awaited_by(me, lambda: ALICE)


def test_what_is_waited_for_in_memory_is_known_until_the_row_says_so(around: Around) -> None:
    """However the wait ends, but for giving up the instance."""
    me = WorkerRef(CREATE.component_id, "alice")

    def waits(error: BaseException | None = None) -> None:
        with around.results.waits(me, ONE):
            assert ONE == around.results.awaited_by(me, lambda: ALICE)
            if error is not None:
                raise error

    waits()
    assert around.results.awaited_by(me, lambda: ALICE) is None
    with pytest.raises(KeyError):
        waits(KeyError())
    assert around.results.awaited_by(me, lambda: ALICE) is None
    with pytest.raises(SuspendSignal):
        waits(SuspendSignal("x"))
    assert ONE == around.results.awaited_by(me, lambda: ALICE)
    around.results.rests(me)
    assert around.results.awaited_by(me, lambda: ALICE) is None
