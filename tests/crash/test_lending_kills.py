"""
A host that lends an interface, killed at each write, sync and effect of a guest that pays by it.

Faults: the process ends before or after the n-th write or sync of its log, in the middle of a
write, and before or after the n-th effect of the embedder's own.

Invariants, once the same call was made again:

- with idempotence, the guest learns what it learns undisturbed; each charge was made, and one that
  was made twice has one key, which no other charge has;
- without it, no charge was made twice, and the call has either succeeded or says that nobody knows;
- a till that was rebuilt has the number that it had when it was used.

``GOLEM_HOST_TEST_SEED`` sets the seed of the sample that is drawn where not all points are tried.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest

from tests.support.lending_child import COUNT
from tests.support.lending_guest import Book
from tests.support.repository import ROOT

SEED: Final = int(os.environ.get("GOLEM_HOST_TEST_SEED", "1"))
IS_FULL: Final = os.environ.get("GOLEM_HOST_TEST_PROFILE") == "full"
SAMPLE: Final = 20
"""Each takes two processes."""
STEPS: Final = (
    *(("effect", when) for when in ("before", "after")),
    *(("write", when) for when in ("before", "torn", "after")),
    *(("sync", when) for when in ("before", "after")),
)
CASES: Final = (("buy", True), ("buy", False), ("ring", True))


def child(root: Path, export: str, idempotent: bool, kill_at: str = "") -> Any:
    """What a process has printed; None for one that was killed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.lending_child", root, export, str(idempotent)],
        cwd=ROOT,
        env=os.environ | {"LENDING_KILL_AT": kill_at},
        capture_output=True,
        timeout=60,
        check=False,
    )
    if done.returncode == -signal.SIGKILL and kill_at:
        return None
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@cache
def undisturbed(export: str, idempotent: bool) -> Any:
    with TemporaryDirectory() as root:
        return child(Path(root), export, idempotent)


def points(export: str, idempotent: bool) -> list[str]:
    """Around each effect and `SAMPLE` others, or one that needs no undisturbed run to be known."""
    pick = Random(f"{SEED} {export} {idempotent}")
    if not IS_FULL:
        return [f"effect:{pick.choice(('before', 'after'))}:{pick.randint(1, COUNT)}"]
    counts = undisturbed(export, idempotent)["counts"]
    every = [
        f"{operation}:{when}:{number}"
        for operation, when in STEPS
        for number in range(1, counts[operation] + 1)
    ]
    effects = [point for point in every if point.startswith("effect")]
    return effects + pick.sample([point for point in every if point not in effects], SAMPLE)


@pytest.mark.parametrize(("export", "idempotent"), CASES)
def test_a_kill_leaves_each_effect_accounted_for(
    export: str, idempotent: bool, tmp_path: Path
) -> None:
    """Wherever it comes."""
    killed = 0
    for number, point in enumerate(points(export, idempotent)):
        root = tmp_path / str(number)
        root.mkdir()
        killed += child(root, export, idempotent, point) is None
        outcome = child(root, export, idempotent)["outcome"]
        lines = Book(root / "book").lines()
        try:
            if export == "ring":
                check_tills(lines, outcome)
            else:
                check_charges(lines, outcome, idempotent)
        except BaseException as error:
            error.add_note(f"seed {SEED}, {export}, {point}: {outcome} {lines}")
            raise
    assert killed > 0


def check_charges(lines: list[dict[str, object]], outcome: object, idempotent: bool) -> None:
    cents = [line["cents"] for line in lines]
    if not idempotent:
        assert len(cents) == len(set(cents))
        if outcome != COUNT * (COUNT + 1):
            assert "may or may not have happened" in str(outcome)
        return
    assert COUNT * (COUNT + 1) == outcome
    keys = defaultdict(set)
    for line in lines:
        keys[line["cents"]].add(line["key"])
    assert set(range(1, COUNT + 1)) == keys.keys()
    assert all(len(each) == 1 for each in keys.values())
    assert COUNT == len({str(each) for each in keys.values()})


def check_tills(lines: list[dict[str, object]], outcome: object) -> None:
    rung = [int(str(line["rung"])) for line in lines if "rung" in line]
    tills = list(dict.fromkeys(line["till"] for line in lines if "till" in line))
    assert sum(rung) == outcome
    assert set(range(1, COUNT + 1)) <= set(rung)
    # Its number is in the log before a till is used: one whose entry was lost is none of them.
    assert 2 == len(tills)
