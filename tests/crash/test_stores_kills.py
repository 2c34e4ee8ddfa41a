"""
A guest that changes what all workers share, killed at every entry.

The guest is played once while `tests.support.moments` keeps what a kill would leave before each
entry, its effect having happened or not, and after each commit; then again from each of these.

Invariants: every change outside of the atomic region is made exactly once, so that the guest is given
the answers of the undisturbed run and leaves the same in the stores, without any content that nobody
refers to.  A region that a kill has cut off makes all of its changes anew.

The short test draws some moments with ``GOLEM_HOST_TEST_SEED``, the long one takes all.  A few kills
are done to real processes.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import pytest

from tests.support.host_api_scripts import config
from tests.support.hosts import open_host
from tests.support.moments import COMPONENTS, Files, Moment, packed, unpack, watched
from tests.support.repository import ROOT
from tests.support.stores_kills import Ends, play, set_up
from tests.support.waiting import PATIENCE_S

SEED: Final = int(os.environ.get("GOLEM_HOST_TEST_SEED", "1"))
DRAWN: Final = 4
"""Moments that the short test takes, twice."""
ADDED: Final = 201
"""What the region adds up when nothing cuts it off."""


class Run(NamedTuple):
    """The program played once, and where it may be killed."""

    begun: Path
    """The state directory in which it begins."""
    ends: Ends
    moments: list[Moment]


@contextmanager
def reopened(begun: Path, files: Files) -> Iterator[Path]:
    """A state directory as a kill has left it."""
    with TemporaryDirectory() as folder:
        state_dir = Path(folder) / "state"
        shutil.copytree(begun / COMPONENTS, state_dir / COMPONENTS)
        yield unpack(files, state_dir)


@contextmanager
def undisturbed(*, flushing: bool) -> Iterator[Run]:
    with TemporaryDirectory() as folder:
        begun = Path(folder) / "begun"
        set_up(begun)
        with (
            reopened(begun, packed(begun, components=False)) as state_dir,
            open_host(state_dir, config()) as host,
            watched(host, state_dir, flushing=flushing, components=False) as moments,
        ):
            ends = play(host)
        yield Run(begun, ends, moments)


def compare(undisturbed: Ends, killed: Ends) -> None:
    """What is counted in the region differs by what was done there before it was redone."""
    assert undisturbed[:2] == killed[:2]
    assert killed.redone in (0, 1)
    assert ADDED <= killed.counted <= ADDED * (1 + killed.redone)


def check(run: Run, moment: Moment) -> None:
    with reopened(run.begun, moment.files) as state_dir:
        try:
            with open_host(state_dir, config()) as host:
                compare(run.ends, play(host))
        except BaseException as error:
            error.add_note(f"killed {moment.label} by seed {SEED}")
            raise


def test_the_undisturbed_run_is_what_it_should_be() -> None:
    """What the kills are measured against is not nothing."""
    with undisturbed(flushing=False) as run:
        output, (pairs, containers, objects, chunks, contents, effects), *region = run.ends

    said = output.splitlines()
    assert ["5", "6 True"] == said[:2]
    assert "11" == said[-2]
    assert "100 True True False" in said
    assert [ADDED, 0] == region
    assert 2 == output.count("[warn] app: same\n")
    assert [("n", b"11"), ("tries", b"3"), ("x", b"1")] == [pair[1:] for pair in pairs]
    assert [("c",), ("d",)] == containers
    assert [("c", "p", 1_280_000)] == objects
    assert bytes(range(256)) * 5000 == b"".join(data for _, data in chunks)
    assert ([(1,)], [("main", 1)]) == (contents, effects)


@pytest.mark.parametrize("flushing", [False, True], ids=["committed", "appended"])
def test_a_kill_at_an_entry_changes_nothing(flushing: bool) -> None:
    """Some of the moments, and always the first and the last."""
    with undisturbed(flushing=flushing) as run:
        picked = Random(f"{SEED} {flushing}").sample(run.moments[1:-1], DRAWN)
        for moment in (run.moments[0], *picked, run.moments[-1]):
            check(run, moment)


@pytest.mark.long
@pytest.mark.parametrize("flushing", [False, True], ids=["committed", "appended"])
def test_a_kill_at_every_entry_changes_nothing(flushing: bool) -> None:
    """All moments, one after the other."""
    with undisturbed(flushing=flushing) as run:
        for moment in run.moments:
            check(run, moment)


@pytest.mark.parametrize("number", [1, pytest.param(2, marks=pytest.mark.long)])
def test_a_killed_process_changes_nothing(number: int, tmp_path: Path) -> None:
    """It dies by SIGKILL when some entry is about to be appended."""
    with undisturbed(flushing=True) as run:
        appended = sum(moment.label.startswith("before") for moment in run.moments)
        at = Random(f"{SEED} process {number}").randint(2, appended)
        state_dir = tmp_path / "state"
        shutil.copytree(run.begun, state_dir)
        (state_dir / "control.sock").unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.support.stores_kills", str(state_dir), str(at)]
        with subprocess.Popen(command, cwd=ROOT) as process:
            process.wait(PATIENCE_S)
        assert -signal.SIGKILL == process.returncode
        with open_host(state_dir, config()) as host:
            compare(run.ends, play(host))
