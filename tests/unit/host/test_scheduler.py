"""Something to do at a time, with a clock that moves when it is told to."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

import pytest

from golem_host.services import scheduler as module
from golem_host.services.scheduler import Scheduler
from tests.support.world import EPOCH_NS, FrozenClock

T = EPOCH_NS
HOUR_NS = 3600 * 1_000_000_000
PATIENCE_S = 10.0
"""How long a thread may take that has nothing to wait for."""


class Bench:
    """A scheduler and what it has done."""

    def __init__(self) -> None:
        self.clock = FrozenClock(T)
        self.scheduler = Scheduler(self.clock, self.act)
        self.done: list[str] = []
        self.actions: dict[Hashable, Callable[[], None]] = {}

    def act(self, key: Hashable) -> None:
        if key in self.actions:
            self.actions[key]()
        else:
            self.done.append(str(key))

    def at(self, unix_ns: int, name: str) -> None:
        self.scheduler.at(name, unix_ns)

    def call_at(self, unix_ns: int, action: Callable[[], None]) -> None:
        key = object()
        self.actions[key] = action
        self.scheduler.at(key, unix_ns)

    def looks(self) -> None:
        """Return when the scheduler has looked at the clock, and done what is due."""
        looked = threading.Event()
        self.call_at(self.clock.now_ns, looked.set)
        assert looked.wait(PATIENCE_S)

    def rests(self) -> None:
        """Return when nothing is scheduled any more, and so no thread is left."""
        thread = self.scheduler._thread
        if thread is not None:
            thread.join(PATIENCE_S)
        assert self.scheduler._thread is None


@contextmanager
def bench() -> Iterator[Bench]:
    made = Bench()
    try:
        yield made
    finally:
        made.scheduler.close()


def test_what_is_due_is_done_at_once() -> None:
    """Also what was due long ago: a laptop may have slept."""
    with bench() as b:
        b.at(T, "now")
        b.at(T - HOUR_NS, "before")
        b.rests()

        assert {"now", "before"} == set(b.done)


def test_nothing_is_done_before_its_time() -> None:
    """A nanosecond too early is too early."""
    with bench() as b:
        b.at(T + HOUR_NS, "later")
        b.clock.advance(HOUR_NS - 1)
        b.looks()
        early = list(b.done)
        b.clock.advance(1)
        b.looks()

        assert ([], ["later"]) == (early, b.done)


def test_actions_are_done_in_the_order_of_their_times() -> None:
    """Equal times in the order in which they were scheduled."""
    with bench() as b:
        for hours, name in ((2, "c"), (1, "a"), (3, "d"), (1, "b")):
            b.at(T + hours * HOUR_NS, name)
        b.clock.advance(3 * HOUR_NS)
        b.looks()
        b.rests()

        assert ["a", "b", "c", "d"] == b.done


def test_a_nearer_time_overtakes_a_farther_one() -> None:
    """It is not waited for behind what was scheduled before it."""
    with bench() as b:
        b.at(T + HOUR_NS, "far")
        b.at(T, "near")
        b.looks()

        assert ["near"] == b.done


def test_a_clock_that_is_set_back_makes_it_wait() -> None:
    """Times are times of day, whatever happens to the clock."""
    with bench() as b:
        b.at(T + HOUR_NS, "later")
        b.clock.advance(-HOUR_NS)
        b.looks()
        b.clock.advance(HOUR_NS)
        b.looks()

        assert [] == b.done


def test_the_clock_is_looked_at_even_if_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a clock that is set ahead does not leave anybody waiting for its old pace."""
    monkeypatch.setattr(module, "WAIT_NS_MAX", 1_000_000)
    done = threading.Event()
    with bench() as b:
        b.call_at(T + HOUR_NS, done.set)
        b.looks()
        b.clock.advance(HOUR_NS)

        assert done.wait(PATIENCE_S)


def test_there_is_a_thread_only_while_something_is_scheduled() -> None:
    """An idle host has none, and the next action starts another."""
    with bench() as b:
        b.at(T, "first")
        b.rests()
        b.at(T, "second")
        b.rests()

        assert ["first", "second"] == b.done


def test_an_action_may_schedule_another() -> None:
    """As a worker does that suspends again."""
    with bench() as b:
        done = threading.Event()
        b.call_at(T, lambda: b.call_at(T, done.set))

        assert done.wait(PATIENCE_S)


def test_a_failing_action_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """It is reported, with its traceback."""

    def fail() -> None:
        raise ValueError("bad action")

    with bench() as b, caplog.at_level(logging.ERROR):
        b.call_at(T, fail)
        b.at(T, "next")
        b.rests()

        assert ["next"] == b.done
    assert [("a scheduled action failed", ValueError)] == [
        (record.message, record.exc_info[0]) for record in caplog.records if record.exc_info
    ]


def test_closing_forgets_everything() -> None:
    """No action begins after it, no thread is left, and nothing can be scheduled."""
    b = Bench()
    b.at(T + HOUR_NS, "later")
    thread = b.scheduler._thread
    assert thread is not None
    b.scheduler.close()
    b.clock.advance(HOUR_NS)
    b.at(T, "too late")

    assert ([], False, None) == (b.done, thread.is_alive(), b.scheduler._thread)


def test_closing_waits_for_the_action_under_way() -> None:
    """Whoever closes may take away what the action uses."""
    b = Bench()
    begun, may_end = threading.Event(), threading.Event()

    def act() -> None:
        begun.set()
        assert may_end.wait(PATIENCE_S)
        b.done.append("act")

    b.call_at(T, act)
    assert begun.wait(PATIENCE_S)
    threading.Thread(target=may_end.set).start()
    b.scheduler.close()

    assert ["act"] == b.done


def test_a_key_has_one_time() -> None:
    """What is scheduled again is done at the later call's time, and once."""
    with bench() as b:
        b.at(T + HOUR_NS, "moved")
        b.at(T + 2 * HOUR_NS, "moved")
        b.clock.advance(HOUR_NS)
        b.looks()
        early = list(b.done)
        b.clock.advance(HOUR_NS)
        b.looks()

        assert ([], ["moved"]) == (early, b.done)


def test_what_is_forgotten_is_not_done() -> None:
    """As for a worker that is interrupted while it sleeps."""
    with bench() as b:
        b.at(T + HOUR_NS, "forgotten")
        b.scheduler.forget("forgotten")
        b.clock.advance(HOUR_NS)
        b.looks()

        assert [] == b.done


def test_times_that_are_not_meant_any_more_do_not_pile_up() -> None:
    """A worker that sleeps again and again costs one entry."""
    with bench() as b:
        for hours in range(1, 10_001):
            b.at(T + hours * HOUR_NS, "sleeper")

        assert len(b.scheduler._heap) < 100
