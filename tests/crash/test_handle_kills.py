"""
Handles to resources of a guest, and a host that is killed at random moments.

Fault: SIGKILL, some time after the n-th call was acknowledged.

Invariants, after every kill: each handle that was handed out and not dropped stands for the counter
that the calls have made of it, no other one is open, and the calls that were acknowledged gave what
a dict would have given.

``GOLEM_HOST_TEST_SEED`` sets the seed of all that is drawn.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections import deque
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

from tests.support.handle_child import opened, plan
from tests.support.hosts import open_host
from tests.support.repository import ROOT

SEED: Final = int(os.environ.get("GOLEM_HOST_TEST_SEED", "1"))
KILLS: Final = 20 if os.environ.get("GOLEM_HOST_TEST_PROFILE") == "full" else 4
PER_LIFE_MAX: Final = 25
DELAY_S_MAX: Final = 0.01
DEADLINE_S: Final = 60.0
STEPS: Final = 100_000


def killed(state_dir: Path, acknowledged: int, delay_s: float) -> list[str]:
    """What a process has said that was killed so long after so many lines."""
    command = [sys.executable, "-m", "tests.support.handle_child", str(state_dir)]
    with subprocess.Popen(
        [*command, str(SEED), str(STEPS)], cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        descriptor, said = process.stdout.fileno(), b""
        try:
            while said.count(b"\n") < acknowledged:
                assert select.select([descriptor], [], [], DEADLINE_S)[0], said
                piece = os.read(descriptor, 65536)
                assert piece, "the process has ended by itself"
                said += piece
            # Not to wait for anything: the moment of the kill is drawn.
            select.select([], [], [], delay_s)
        finally:
            process.kill()
        said += process.stdout.read()
    return said.decode().splitlines()


def counts_after(steps: int) -> dict[int, int]:
    models = deque((model for _, model in islice(plan(SEED, STEPS), steps)), 1)
    return models[0].counts if models else {}


def test_no_handle_is_lost_or_mistaken(tmp_path: Path) -> None:
    """However often the host is killed in the middle of a call that makes or drops some."""
    random = Random(SEED)
    taken = 0
    for life in range(KILLS):
        wanted = taken + random.randrange(PER_LIFE_MAX)
        said = killed(tmp_path, wanted, random.uniform(0, DELAY_S_MAX))
        taken = max(taken, len(said))
        where = f"seed {SEED}, life {life}, acknowledged {taken}"

        assert [f"{number} ok" for number in range(len(said))] == said, where
        with open_host(tmp_path) as host:
            worker = opened(host)
            # A call that was under way when the kill came is finished before this one.
            worker.invoke("sum", [])
            held = worker.metadata().resources
            counts = {each.handle: worker.invoke("counter.get", each) for each in held}
        # The call that was under way may be done as well.
        assert counts in (counts_after(taken), counts_after(taken + 1)), where
