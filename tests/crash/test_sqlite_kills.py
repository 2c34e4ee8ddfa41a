"""
SQLite in a guest's private files, and a host that is killed at random moments.

Fault: SIGKILL, some time after the n-th transaction was acknowledged.

Invariants, after every kill: each acknowledged transaction is in the books once, at most one more
is there, both tables agree, and SQLite finds its file in order.

``GOLEM_HOST_TEST_SEED`` sets the seed of all that is drawn.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from ast import literal_eval
from pathlib import Path
from random import Random
from typing import Final

from tests.support.hosts import open_host
from tests.support.repository import ROOT
from tests.support.sqlite_child import BOOKS, opened

SEED: Final = int(os.environ.get("GOLEM_HOST_TEST_SEED", "1"))
KILLS: Final = 20 if os.environ.get("GOLEM_HOST_TEST_PROFILE") == "full" else 4
PER_LIFE_MAX: Final = 12
DELAY_S_MAX: Final = 0.03
DEADLINE_S: Final = 60.0


def killed(state_dir: Path, first: int, acknowledged: int, delay_s: float) -> int:
    """Start where the last one was; kill it so long after so many; the last number it has said."""
    command = [sys.executable, "-m", "tests.support.sqlite_child", str(state_dir), str(first)]
    with subprocess.Popen([*command, "1000000"], cwd=ROOT, stdout=subprocess.PIPE) as process:
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
    return int(said.split()[-1]) if said else first - 1


def books(state_dir: Path) -> tuple[list[int], int, str]:
    """The numbers in the books, their balance, and what SQLite thinks of its file."""
    with open_host(state_dir) as host:
        said = opened(host).invoke("run", BOOKS)
    assert isinstance(said, str)
    numbers, total, integrity = said.splitlines()
    return literal_eval(numbers), int(total), integrity


def test_no_transaction_is_lost_or_doubled(tmp_path: Path) -> None:
    """However often the host is killed in the middle of one."""
    random = Random(SEED)
    following = 1
    for life in range(KILLS):
        count, delay_s = random.randrange(PER_LIFE_MAX), random.uniform(0, DELAY_S_MAX)
        last = killed(tmp_path, following, count, delay_s)
        numbers, total, integrity = books(tmp_path)
        where = f"seed {SEED}, life {life}, acknowledged up to {last}"

        assert numbers == list(range(1, len(numbers) + 1)), where
        assert len(numbers) in (last, last + 1), where
        assert (sum(numbers) * 3, "ok") == (total, integrity), where
        following = last + 1
