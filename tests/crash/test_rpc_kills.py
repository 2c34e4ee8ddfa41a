"""
Workers that call each other, killed at every entry of every log.

Each script (`tests.support.rpc_kills`) is played once without disturbance while
`tests.support.moments` keeps what a kill would leave: before each entry, its effect having happened
or not, and after each commit; with what was appended on disk or lost.  On each of these a new host lets what has begun come to its end, and then the script is played
again.

Invariants: answers are those of the undisturbed run; no key has begun twice in any log; what was
said to a worker it has heard once; money is conserved; everybody comes to rest.

The short tests draw some of the moments with ``GOLEM_HOST_TEST_SEED``, the long ones take all.  A
few of the kills are done to real processes, one after the other.
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
from typing import Any, Final

import pytest

from golem_host import Host
from tests.support.host_api_scripts import config
from tests.support.hosts import open_host
from tests.support.moments import COMPONENTS, Files, Moment, packed, unpack, watched
from tests.support.repository import ROOT
from tests.support.rpc_kills import SCRIPTS, play, set_up
from tests.support.waiting import PATIENCE_S, until

SEED: Final = int(os.environ.get("GOLEM_HOST_TEST_SEED", "1"))
DRAWN: Final = 2
"""Moments that the short test takes of each script, twice."""
KILLS: Final = 20 if os.environ.get("GOLEM_HOST_TEST_PROFILE") == "full" else 2
"""Of real processes, for each script."""
EXPECTED: Final[dict[str, list[Any]]] = {
    "everything": [
        "[1, 3, 1, 'RpcError_ProtocolError']",
        ["awaited", "handed over", "future", "scheduled"],
        5,
    ],
    "each_other": [],
}


@pytest.fixture(scope="module")
def begun() -> Iterator[Path]:
    """A state directory in which every script begins."""
    with TemporaryDirectory() as folder:
        set_up(Path(folder))
        yield Path(folder)


@contextmanager
def reopened(begun: Path, files: Files | None = None) -> Iterator[tuple[Host, Path]]:
    """A host on what a kill has left."""
    with TemporaryDirectory() as folder:
        state_dir = unpacked(begun, Path(folder) / "state", files)
        with open_host(state_dir, config()) as host:
            yield host, state_dir


def unpacked(begun: Path, state_dir: Path, files: Files | None = None) -> Path:
    unpack(packed(begun, components=False) if files is None else files, state_dir)
    shutil.copytree(begun / COMPONENTS, state_dir / COMPONENTS, copy_function=os.link)
    return state_dir


def undisturbed(begun: Path, name: str, *, flushing: bool) -> tuple[list[Any], list[Moment]]:
    with (
        reopened(begun) as (host, state_dir),
        watched(host, state_dir, flushing=flushing, components=False) as moments,
    ):
        said = play(host, SCRIPTS[name])
    assert EXPECTED.get(name, said) == said
    return said, moments


def check(begun: Path, name: str, moment: Moment, expected: list[Any]) -> None:
    with reopened(begun, moment.files) as (host, _):
        try:
            # What has begun comes to its end by itself, before anybody asks for it.
            until(lambda: not host.workers._shared.unfinished.all())
            assert expected == play(host, SCRIPTS[name])
        except BaseException as error:
            error.add_note(f"killed {moment.label} by seed {SEED}")
            raise


def test_a_transfer_has_its_effects(begun: Path) -> None:
    """Undisturbed: what the kills are measured against is not nothing."""
    (made, refused, balances, transfers), _ = undisturbed(begun, "transfer", flushing=False)

    assert "Ok(value=89900)" == str(made)
    assert "full: it would hold more than 100000" == refused.value
    assert {"rich": 89_900, "new": 100, "full": 99_999} == balances
    assert [{"source": "rich", "target": "new", "cents": 100}] == transfers


@pytest.mark.parametrize("flushing", [False, True], ids=["committed", "appended"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_kill_at_an_entry_changes_nothing(begun: Path, name: str, *, flushing: bool) -> None:
    """Some of the moments, and always the first and the last."""
    said, moments = undisturbed(begun, name, flushing=flushing)
    between = moments[1:-1]
    picked = Random(f"{SEED} {name} {flushing}").sample(between, min(len(between), DRAWN))

    for moment in (moments[0], *picked, moments[-1]):
        check(begun, name, moment, said)


@pytest.mark.long
@pytest.mark.parametrize("flushing", [False, True], ids=["committed", "appended"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_kill_at_every_entry_changes_nothing(begun: Path, name: str, *, flushing: bool) -> None:
    """All moments, one after the other."""
    said, moments = undisturbed(begun, name, flushing=flushing)
    for moment in moments:
        check(begun, name, moment, said)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name == "each_other" else pytest.mark.long)
        for name in SCRIPTS
    ],
)
def test_processes_that_are_killed_again_and_again_change_nothing(
    begun: Path, name: str, tmp_path: Path
) -> None:
    """Each dies by SIGKILL a few entries after the one before, until one comes to the end."""
    said, _ = undisturbed(begun, name, flushing=False)
    state_dir, random = unpacked(begun, tmp_path / "state"), Random(f"{SEED} {name}")
    for number in range(KILLS):
        killed_at = str(random.randint(2, 12))
        with subprocess.Popen(
            [sys.executable, "-m", "tests.support.rpc_kills", state_dir, name, killed_at], cwd=ROOT
        ) as process:
            process.wait(PATIENCE_S * 2)
        if not process.returncode:
            assert number >= min(KILLS - 1, 5)
            break
        assert -signal.SIGKILL == process.returncode
    (state_dir / "control.sock").unlink(missing_ok=True)

    with open_host(state_dir, config()) as host:
        assert said == play(host, SCRIPTS[name])
