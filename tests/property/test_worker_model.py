"""
Workers under everything that may happen to them, against a model of what must remain.

A Hypothesis state machine: scripted guests run on the host's own parts, over logs in memory or on
a disk that loses what was not synced; the computer stops before or after any operation of a log.

Invariants:

- what was acknowledged is there afterwards: accepted calls, results, forks, updates;
- no effect is repeated whose answer is in the log, or which may happen at most once;
- a worker remembers exactly what its script asked for, with the answers that it really was given;
- indexes are contiguous, what was committed never changes, an effect's token is used once;
- the status that was kept equals a fresh fold;
- a replay appends nothing, performs nothing, and ends with the same memory;
- when nothing is left to wait for, everything that was accepted is done.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from golem_host.errors import HostError
from tests.support.model.books import Account, Books
from tests.support.model.guest import Script
from tests.support.model.house import Around, House
from tests.support.model.machine import Machine, Stop
from tests.support.model.scripts import STOP, STOPS, scripts, writes

WORKERS: Final = st.integers(0, 9)
ROUNDS_MAX: Final = 40
STEPS: Final = 20
EXAMPLES: Final = {"memory": settings().max_examples, "disk": settings().max_examples // 4}
"""An operation of the disk in memory takes ten times as long as one without."""


class WorkerModel(RuleBasedStateMachine):
    """Its rules are what callers may do; each may be cut off by a stop."""

    on_disk = False
    workers_first = 1
    workers_max = 1

    def __init__(self) -> None:
        super().__init__()
        self.around = Around()
        machine = Machine.with_disk() if self.on_disk else Machine()
        self.house = House(machine, self.around)
        self.books = Books()
        self._keys = count(1)
        for number in range(self.workers_first):
            self.house.create(f"w{number}")
            self.books.accounts[f"w{number}"] = Account()

    @contextmanager
    def until(self, stop: Stop | None) -> Iterator[None]:
        """Do something, and go on with what is left if the computer stops meanwhile."""
        house = self.house
        if stop is not None:
            house.machine.on_stop = lambda: self.books.at_stop(house)
            house.stop_at(stop)
        with suppress(HostError):
            yield
        house.run()
        if stop is not None:
            self.house = house.after_stop()

    @property
    def is_alive(self) -> bool:
        """Whether what has just been done is acknowledged."""
        return self.house.machine.remains is None

    def name(self, number: int) -> str:
        names = self.house.names()
        return names[number % len(names)]

    @rule(number=WORKERS, is_durable=st.booleans(), stop=STOPS, data=st.data())
    def call(self, number: int, is_durable: bool, stop: Stop | None, data: st.DataObject) -> None:
        name, key = self.name(number), f"k{next(self._keys)}"
        others = [other for other in self.house.names() if other != name]
        may_fork = len(others) + 1 < self.workers_max
        script = data.draw(scripts(others, self.promises(), may_fork=may_fork))
        self.ask(name, key, script, stop, is_durable=is_durable)

    @rule(number=WORKERS, is_durable=st.booleans(), stop=STOP, data=st.data())
    def call_cut_off(self, number: int, is_durable: bool, stop: Stop, data: st.DataObject) -> None:
        """As `call`; it is here for its stop."""
        name, key = self.name(number), f"k{next(self._keys)}"
        others = [other for other in self.house.names() if other != name]
        script = data.draw(writes(others, self.promises()))
        self.ask(name, key, script, stop, is_durable=is_durable)

    def promises(self) -> list[tuple[str, int]]:
        """Owners and indexes of those that can be completed."""
        return [
            (each.id.worker_name, each.id.oplog_index)
            for each in self.house.promises.list()
            if not each.completed
        ]

    def ask(
        self, name: str, key: str, script: Script, stop: Stop | None, *, is_durable: bool
    ) -> None:
        self.books.scripts[key] = script
        with self.until(stop):
            self.around.world.woken(name)
            worker = self.house.worker(name)
            ask = worker.enqueue if is_durable else worker.begin
            call = ask("run", json.dumps(script), idempotency_key=key)
            if self.is_alive:
                self.books.call(name, call)
                if is_durable:
                    self.books.accept(self.house, name, key)

    @rule(number=WORKERS, stop=STOPS)
    def interrupt(self, number: int, stop: Stop | None) -> None:
        with self.until(stop):
            self.house.worker(self.name(number)).interrupt()

    @rule(number=WORKERS, stop=STOPS)
    def resume(self, number: int, stop: Stop | None) -> None:
        with self.until(stop):
            self.around.world.woken(self.name(number))
            self.house.worker(self.name(number)).resume()

    @rule(number=st.integers(0, 9), stop=STOPS)
    def complete(self, number: int, stop: Stop | None) -> None:
        waiting = [each.id for each in self.house.promises.list() if not each.completed]
        if not waiting:
            return
        with self.until(stop):
            promise = waiting[number % len(waiting)]
            assert self.house.promises.complete(promise, f"outside:{promise}".encode())

    @rule(number=WORKERS, back=st.integers(1, 30), is_index=st.booleans(), stop=STOPS)
    def revert(self, number: int, back: int, is_index: bool, stop: Stop | None) -> None:
        name = self.name(number)
        with self.until(stop):
            worker, last = self.house.worker(name), len(self.house.view(name).entries())
            self.around.world.woken(name)
            if is_index:
                worker.revert(to_index=last - back)
            else:
                worker.revert(last_invocations=1 + back % 3)

    @rule(number=WORKERS, version=st.integers(0, 2), is_automatic=st.booleans(), stop=STOPS)
    def update(self, number: int, version: int, is_automatic: bool, stop: Stop | None) -> None:
        name = self.name(number)
        with self.until(stop):
            self.around.world.woken(name)
            self.house.worker(name).update(
                version, "automatic" if is_automatic else "snapshot-based"
            )

    @rule(number=WORKERS, back=st.integers(0, 20), stop=STOPS)
    def fork(self, number: int, back: int, stop: Stop | None) -> None:
        names = self.house.names()
        if len(names) >= self.workers_max:
            return
        source, target = self.name(number), f"f{next(self._keys)}00000"
        with self.until(stop):
            cut = max(1, len(self.house.view(source).entries()) - back)
            self.house.worker(source).fork(target, cut)
            if self.is_alive:
                self.books.accounts[target] = self.books.accounts[source].copy(cut)

    @rule(number=WORKERS, which=st.integers(0, 9), stop=STOPS)
    def cancel(self, number: int, which: int, stop: Stop | None) -> None:
        name = self.name(number)
        accepted = list(self.books.accounts[name].accepted)
        if not accepted:
            return
        with self.until(stop):
            key = accepted[which % len(accepted)]
            self.books.accounts[name].canceled.add(key)
            self.house.worker(name).cancel(key)

    @rule(stop=STOPS)
    def wait(self, stop: Stop | None) -> None:
        self.house.wait()
        with self.until(stop):
            self.house.run()

    @rule()
    def rebuild(self) -> None:
        self.books.ends_where_it_began(self.house)

    @invariant()
    def keeps_its_promises(self) -> None:
        self.books.check(self.house)

    def teardown(self) -> None:
        """Let everything come to its end."""
        house = self.house
        for _ in range(ROUNDS_MAX):
            if self.books.nothing_is_left(house):
                break
            for promise in [each.id for each in house.promises.list() if not each.completed]:
                house.promises.complete(promise, b"in the end")
            for name in house.names():
                self.around.world.woken(name)
                with suppress(HostError):
                    house.worker(name).resume()
            house.wait()
            house.run()
        self.books.check(house)
        assert self.books.nothing_is_left(house)
        self.books.ends_where_it_began(house)


@pytest.mark.parametrize("workers", ["one", "several"])
@pytest.mark.parametrize("storage", ["memory", "disk"])
def test_workers_keep_their_promises(storage: str, workers: str) -> None:
    """All invariants above."""

    class Model(WorkerModel):
        on_disk = storage == "disk"
        workers_first = 1 if workers == "one" else 2
        workers_max = 1 if workers == "one" else 4

    run_state_machine_as_test(
        Model, settings=settings(max_examples=EXAMPLES[storage], stateful_step_count=STEPS)
    )
