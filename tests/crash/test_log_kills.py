"""
A worker that reads logs, its own among them, killed at every entry.

It is played once without disturbance, while `tests.support.moments` keeps what a kill would leave
at every moment; on each of these it is played again, in a new host.  Real processes are killed by
SIGKILL before an entry: the fast run draws some with ``GOLEM_HOST_TEST_SEED``, the long one takes
all.

Invariant: what every call read, and each entry of the log that counts, with its index, are those of
the undisturbed run.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from tests.support.hosts import open_host
from tests.support.log_guest import config, play, set_up
from tests.support.moments import Files, Moment, packed, unpack, watched
from tests.support.repository import ROOT
from tests.support.waiting import PATIENCE_S

SEED: Final = int(os.environ.get("GOLEM_HOST_TEST_SEED", "1"))
DRAWN: Final = 3
"""Processes that the fast run kills."""

Ends = tuple[list[Any], list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A state directory in which the play begins."""
    state_dir = tmp_path_factory.mktemp("begun") / "state"
    set_up(state_dir)
    return packed(state_dir)


def played(files: Files, folder: Path) -> Ends:
    """The end of the play on what a kill has left."""
    with open_host(unpack(files, folder), config()) as host:
        return play(host)


def moments_of(begun: Files, folder: Path, *, flushing: bool) -> tuple[Ends, list[Moment]]:
    state_dir = unpack(begun, folder)
    with (
        open_host(state_dir, config()) as host,
        watched(host, state_dir, flushing=flushing) as moments,
    ):
        return play(host), moments


def test_the_play_reads_what_it_is_to_read(begun: Files, tmp_path: Path) -> None:
    """Undisturbed: what the kills are measured against branches and has pages of all kinds."""
    (answers, _), _ = moments_of(begun, tmp_path / "state", flushing=False)
    counted, _, page, _, found, end, none, of_bob, more, last = answers

    cases = [entry.case.removeprefix("exported-function-") for _, entry in found]
    # Of bob's 13 entries the number is odd, so that alice asks for the time.
    assert (2, 13, 30) == (counted, of_bob, last)
    # The result of `next` has the calls of bob in it.
    assert ["create", "invoked", "completed"] == cases
    assert "imported-function-invoked" == page[0].case
    assert (None, None) == (end, none)
    assert more is None


@pytest.mark.parametrize("flushing", [False, True], ids=["committed", "appended"])
def test_a_kill_at_any_moment_changes_nothing(begun: Files, tmp_path: Path, flushing: bool) -> None:
    """Before each entry and after each commit, with what was appended on disk or lost."""
    ends, moments = moments_of(begun, tmp_path / "state", flushing=flushing)
    picked = Random(SEED).sample(moments[1:-1], DRAWN)

    for number, moment in enumerate((moments[0], *picked, moments[-1])):
        assert ends == played(moment.files, tmp_path / str(number)), moment.label


@pytest.mark.long
@pytest.mark.parametrize("flushing", [False, True], ids=["committed", "appended"])
def test_a_kill_at_every_moment_changes_nothing(
    begun: Files, tmp_path: Path, flushing: bool
) -> None:
    """All of them, one after the other."""
    ends, moments = moments_of(begun, tmp_path / "state", flushing=flushing)

    for number, moment in enumerate(moments):
        assert ends == played(moment.files, tmp_path / str(number)), moment.label


def _check_process(begun: Files, tmp_path: Path, number: int, ends: Ends) -> None:
    state_dir = unpack(begun, tmp_path / f"killed-{number}")
    command = [sys.executable, "-m", "tests.support.log_child", str(state_dir), str(number)]
    done = subprocess.run(command, cwd=ROOT, check=False, timeout=PATIENCE_S)

    assert -signal.SIGKILL == done.returncode
    assert ends == played(packed(state_dir), tmp_path / f"again-{number}")


def _processes(begun: Files, tmp_path: Path) -> tuple[Ends, int]:
    ends, moments = moments_of(begun, tmp_path / "state", flushing=False)
    return ends, sum(moment.label.startswith("before") for moment in moments)


def test_a_killed_process_changes_nothing(begun: Files, tmp_path: Path) -> None:
    """It dies by SIGKILL when some entry is about to be appended."""
    ends, appended = _processes(begun, tmp_path)
    for number in Random(SEED).sample(range(1, appended + 1), DRAWN):
        _check_process(begun, tmp_path, number, ends)


@pytest.mark.long
def test_a_process_killed_at_every_entry_changes_nothing(begun: Files, tmp_path: Path) -> None:
    """One process for each entry."""
    ends, appended = _processes(begun, tmp_path)
    for number in range(1, appended + 1):
        _check_process(begun, tmp_path, number, ends)
