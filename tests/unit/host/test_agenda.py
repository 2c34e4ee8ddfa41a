"""When a worker without a thread goes on by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from golem_host.services.calls import CallRef
from golem_host.services.peers import WorkerRef
from golem_host.services.results import Results
from golem_host.services.scheduler import Scheduler
from golem_host.services.unfinished import NOW, Unfinished, Waiting, WorkerKey
from golem_host.worker.agenda import Agenda
from golem_host.worker.endings import Endings
from golem_host.worker.ledger import Ledger
from golem_oplog.cbor import encode_args
from golem_oplog.entries import ExportedFunctionInvoked, Suspend
from golem_oplog.types import FunctionType
from tests.support.contexts import CREATE, new_log
from tests.support.workers import parts
from tests.support.world import EPOCH_NS

LATER = EPOCH_NS + 3_600_000_000_000
CALL = CallRef(WorkerRef(CREATE.component_id, "bob"), "k")
WAITS = FunctionType("test:it/api.{waits}", (), None)


class Due:
    """In place of the scheduler: the one time at which each worker is due."""

    def __init__(self) -> None:
        self.times: dict[object, int] = {}
        self.before: Callable[[], None] = lambda: None

    def at(self, key: object, unix_ns: int) -> None:
        self.before()
        self.times[key] = unix_ns


class Suspended:
    """A worker that waits for `CALL` and a timer, and is about to lose its thread."""

    def __init__(self, wake_at: int | None) -> None:
        oplog = new_log()
        begun = ExportedFunctionInvoked(EPOCH_NS, oplog.define(WAITS), encode_args([]), "a")
        for entry in (begun, Suspend(EPOCH_NS, "waits", wake_at, str(CALL))):
            oplog.append(entry)
        made = parts(oplog)
        self.due = Due()
        scheduler = cast("Scheduler", self.due)
        self.unfinished: Unfinished = made.shared.unfinished
        self.results = Results(self.unfinished, scheduler)
        made.shared = replace(made.shared, scheduler=scheduler, results=self.results)
        self.key: WorkerKey = made.key
        ledger = Ledger(made)
        self.ends = Endings(made, ledger, threading.Condition())
        self.ends.parked = True
        self.agenda = Agenda(made, ledger, self.ends)
        self.results.expect(self.key, str(CALL))
        self.unfinished.mark(self.key, wake_at, str(CALL))

    def answered(self) -> None:
        self.due.before = lambda: None
        self.results.settled(CALL)


@pytest.mark.parametrize("moment", ["before", "between", "after"])
def test_an_answer_is_not_put_off_to_the_time_that_is_waited_for_as_well(moment: str) -> None:
    """Whenever the other worker gives it while this one loses its thread."""
    worker = Suspended(LATER)
    if moment == "before":
        worker.answered()
    if moment == "between":
        # As the thread is about to schedule the later time.
        worker.due.before = worker.answered
    worker.agenda.note_rest(is_closing=False)
    if moment == "after":
        assert {worker.key: LATER} == worker.due.times
        worker.answered()

    assert {worker.key: NOW} == worker.due.times
    assert [Waiting(worker.key, NOW, None)] == worker.unfinished.all()


@pytest.mark.parametrize("wake_at", [None, LATER])
def test_who_is_not_answered_rests(wake_at: int | None) -> None:
    """Until its time, if there is one."""
    worker = Suspended(wake_at)
    worker.agenda.note_rest(is_closing=False)

    assert ({} if wake_at is None else {worker.key: wake_at}) == worker.due.times
    assert [Waiting(worker.key, wake_at, str(CALL))] == worker.unfinished.all()


@pytest.mark.parametrize(("parked", "is_closing"), [(False, False), (True, True)])
def test_who_goes_on_without_being_called_is_not_called(
    parked: bool,
    is_closing: bool,
) -> None:
    """After a pause the worker looks by itself; after a close the next host reads the row."""
    worker = Suspended(None)
    worker.answered()
    worker.due.times.clear()
    worker.ends.parked = parked
    worker.agenda.note_rest(is_closing=is_closing)

    assert {} == worker.due.times
    assert [Waiting(worker.key, NOW, None)] == worker.unfinished.all()
