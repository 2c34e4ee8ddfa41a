"""
The process that `tests/crash/test_handle_kills.py` kills: a host that takes a fixed plan of steps.

``python -m tests.support.handle_child STATE_DIR SEED STEPS`` takes each step of the plan under a key
of its own, so that one taken by an earlier process is not taken again, and writes a line for each
that was acknowledged: its number, and whether the answer was the expected one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from golem_host import Host
from golem_host.worker.worker import Worker
from tests.support.handle_guests import handle_guest
from tests.support.handle_model import HandleModel, Step, take
from tests.support.hosts import open_host

NAME: Final = "handles"


def plan(seed: int, steps: int) -> Iterator[tuple[Step, HandleModel]]:
    """Steps, each with what a caller may expect once it is taken."""
    random, model = Random(seed), HandleModel()
    for _ in range(steps):
        yield model.step(random), model


def opened(host: Host) -> Worker:
    if not host.components.all():
        host.components.deploy(handle_guest(), name=NAME)
    return host.workers.get_or_create(host.components.get(NAME), "main")


def main(state_dir: Path, seed: int, steps: int) -> None:
    with open_host(state_dir) as host:
        worker = opened(host)
        for number, (step, _) in enumerate(plan(seed, steps)):
            answer = take(worker, step, f"k{number}")
            verdict = "ok" if answer == step[2] else f"{step} gave {answer}"
            sys.stdout.write(f"{number} {verdict}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
