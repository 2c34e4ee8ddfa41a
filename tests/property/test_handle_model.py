"""
Sequences of calls that make, use and drop resources, against a dict.

Between the calls the host is opened anew, the worker is forked, reverted, or its instance thrown
away.  Invariants: every answer is the dict's, what the log says is open is what the dict holds, and
no number is handed out twice in the life of a worker.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random  # noqa: TID251 - of a fixed seed
from typing import Final

import pytest

from golem_host import Host
from golem_host.worker.worker import Worker
from tests.support.handle_guests import handle_guest
from tests.support.handle_model import REFUSED, HandleModel, counter, take
from tests.support.hosts import open_host

IS_FULL: Final = os.environ.get("GOLEM_HOST_TEST_PROFILE") == "full"
SEEDS: Final = range(40 if IS_FULL else 4)
STEPS: Final = 60
MARKS_MAX: Final = 5


class Life:
    """One worker, what is expected of it, and points of its past to go back to."""

    def __init__(self, host: Host, worker: Worker, model: HandleModel) -> None:
        self.host = host
        self.worker = worker
        self.model = model
        self.marks: list[tuple[int, HandleModel]] = []

    def mark(self) -> None:
        at = self.worker.metadata().oplog_index
        self.marks = [*self.marks[1 - MARKS_MAX :], (at, self.model.copy())]

    def revert(self, random: Random) -> None:
        if not self.marks:
            return
        number = random.randrange(len(self.marks))
        index, then = self.marks[number]
        if index == self.worker.metadata().oplog_index:
            # There is nothing behind it.
            return
        self.marks = self.marks[: number + 1]
        gone = self.model.last
        self.worker.revert(to_index=index)
        # Numbers go on behind the highest that was ever given.
        self.model = then.copy()
        self.model.last = gone

    def check(self) -> None:
        assert self.model.resources == self.worker.metadata().resources
        for number in range(1, self.model.last + 1):
            step = ("counter.get", (counter(number),), None)
            assert self.model.counts.get(number, REFUSED) == take(self.worker, step)


@pytest.mark.parametrize("seed", SEEDS)
def test_handles_are_what_a_dict_says(tmp_path: Path, seed: int) -> None:
    """Whatever happens between the calls."""
    random = Random(seed)
    with open_host(tmp_path) as host:
        component = host.components.deploy(handle_guest(), name="handles")
        host.workers.create(component, "w0")
    lives = [("w0", HandleModel(), list[tuple[int, HandleModel]]())]
    for _ in range(4):
        with open_host(tmp_path) as host:
            here = []
            for name, model, marks in lives:
                life = Life(host, host.workers.get("handles", name), model)
                life.marks = marks
                here.append(life)
            for _ in range(STEPS // 4):
                life = random.choice(here)
                match random.randrange(10):
                    case 0:
                        life.mark()
                    case 1:
                        life.revert(random)
                    case 2:
                        life.worker.simulate_crash()
                    case 3 if len(here) < 3:
                        fork = life.worker.fork(f"w{len(here)}")
                        here.append(Life(host, fork, life.model.copy()))
                    case _:
                        step = life.model.step(random)
                        assert step[2] == take(life.worker, step), (seed, step)
            for life in here:
                life.check()
            lives = [(life.worker.name, life.model, life.marks) for life in here]
