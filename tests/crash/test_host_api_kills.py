"""
``golem:api/host`` used by a real component, killed at every entry.

Each script (`tests.support.host_api_scripts`) is played once without disturbance while
`tests.support.moments` keeps what a kill would leave at every moment: before each entry of every
log, its effect having happened or not, and after each commit; with what was appended on disk or
lost.  On each of these the script is played again, in a new host.

Invariant: answers, what counts in every log, promises, versions, and how often each worker was
reverted or updated are those of the undisturbed run.

The short test draws some of the moments with ``GOLEM_HOST_TEST_SEED``, the long one takes all.  A
few of the kills are done to real processes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import pytest

from golem_host import Host, PromiseId
from golem_oplog.entries import Suspend
from tests.support.cli import Cli
from tests.support.host_api_child import PARKED
from tests.support.host_api_guest import COMPOSED, PASSED_ON
from tests.support.host_api_scripts import (
    SCRIPTS,
    WORKERS,
    Play,
    Script,
    config,
    fails_at_once,
    play_to_the_end,
    set_up,
    waiting,
)
from tests.support.hosts import open_host
from tests.support.moments import Files, Moment, packed, unpack, watched
from tests.support.repository import ROOT
from tests.support.waiting import PATIENCE_S, until

SEED: Final = int(os.environ.get("GOLEM_HOST_TEST_SEED", "1"))
DRAWN: Final = 8
"""Moments that the short test takes of each script, twice."""
AFTER: Final = "after reopening"
BEFORE: Final = "before reopening"


class Undisturbed(NamedTuple):
    """A run that nobody kills, and what a kill would have left at its moments."""

    ends: tuple[list[Any], dict[str, Any]]
    moments: list[Moment]


@pytest.fixture(scope="module")
def begun() -> Files:
    """A state directory in which every script begins."""
    with TemporaryDirectory() as folder:
        set_up(Path(folder))
        return packed(Path(folder))


def drawn(*about: object) -> Random:
    return Random(f"{SEED} {about}")


def undisturbed(files: Files, script: Script, *, flushing: bool) -> Undisturbed:
    with (
        reopened(files) as (host, state_dir),
        watched(host, state_dir, flushing=flushing) as moments,
    ):
        ends = play_to_the_end(host, script)
    return Undisturbed(ends, moments)


@contextmanager
def reopened(files: Files) -> Iterator[tuple[Host, Path]]:
    """A host on what a kill has left."""
    with TemporaryDirectory() as folder:
        state_dir = unpack(files, Path(folder) / "state")
        with open_host(state_dir, config()) as host:
            yield host, state_dir


def check(script: Script, moment: Moment, expected: tuple[list[Any], dict[str, Any]]) -> None:
    with reopened(moment.files) as (host, _):
        try:
            assert expected == play_to_the_end(host, script)
        except BaseException as error:
            error.add_note(f"killed {moment.label} by seed {SEED}")
            raise


def test_every_function_is_in_a_script(begun: Files) -> None:
    """One that is added is killed, too; the guest waits and is put away in one of them."""
    called: set[str] = set()

    class Listener(Play):
        def __call__(self, function: str, *args: Any, worker: str = "alice") -> Any:
            called.add(function)
            return super().__call__(function, *args, worker=worker)

    for script in SCRIPTS.values():
        with reopened(begun) as (host, _):
            script(Listener(host))
            if script is waiting:
                log = host.workers.get("api", "alice")._access.runner().parts.oplog
                assert 2 == sum(isinstance(entry, Suspend) for _, entry in log.read())

    assert {*PASSED_ON, *COMPOSED} == called


EFFECTS: Final[dict[str, tuple[list[Any], dict[str, dict[str, int]]]]] = {
    "fork": (["original", "forked"], {"copy": {}}),
    "fork_worker": ([None, 3, 4], {"copy": {}}),
    "revert": ([None, None, 3, 2], {"bob": {"Revert": 1}, "carol": {"Revert": 1}}),
    "update": (
        [None, None, None, 70, 40, 13],
        {who: {"PendingUpdate": 1, "SuccessfulUpdate": 1} for who in WORKERS},
    ),
    "waiting": ([b"by the host", True, b"by bob"], {}),
}
"""The first answers, and what was done to workers."""


@pytest.mark.parametrize("name", EFFECTS)
def test_a_script_has_its_effects(begun: Files, name: str) -> None:
    """Undisturbed: what the kills are measured against is not nothing."""
    answers, effects = EFFECTS[name]
    given, found = undisturbed(begun, SCRIPTS[name], flushing=False).ends

    assert answers == given[: len(answers)]
    assert {who: {} for who in WORKERS} | effects == {
        who: found[who][3] for who in found if who != "promises"
    }


@pytest.mark.parametrize("flushing", [False, True], ids=["committed", "appended"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_kill_at_an_entry_changes_nothing(begun: Files, name: str, flushing: bool) -> None:
    """Some of the moments, and always the first and the last."""
    script = SCRIPTS[name]
    run = undisturbed(begun, script, flushing=flushing)
    moments = run.moments[1:-1]
    picked = drawn(name, flushing).sample(moments, min(len(moments), DRAWN))

    for moment in (run.moments[0], *picked, run.moments[-1]):
        check(script, moment, run.ends)


@pytest.mark.long
@pytest.mark.parametrize("flushing", [False, True], ids=["committed", "appended"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_kill_at_every_entry_changes_nothing(begun: Files, name: str, flushing: bool) -> None:
    """All moments, one after the other."""
    script = SCRIPTS[name]
    run = undisturbed(begun, script, flushing=flushing)
    for moment in run.moments:
        check(script, moment, run.ends)


@pytest.mark.long
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_second_kill_changes_nothing(begun: Files, name: str) -> None:
    """In the run that goes on after the first one, at any of its moments."""
    script = SCRIPTS[name]
    run = undisturbed(begun, script, flushing=False)
    for first in drawn("twice", name).sample(run.moments, min(len(run.moments), DRAWN)):
        again = undisturbed(first.files, script, flushing=True)
        assert run.ends == again.ends
        for second in again.moments:
            check(script, second, run.ends)


def test_a_remote_write_of_unknown_outcome_fails_for_good(begun: Files) -> None:
    """With idempotence off (R46): it may have happened, and is not done again."""
    run = undisturbed(begun, fails_at_once, flushing=True)
    assert True is run.ends[0][-1]
    lost = []
    for moment in run.moments:
        with reopened(moment.files) as (host, _):
            (promise, _, outcome), found = play_to_the_end(host, fails_at_once)
        if outcome is True:
            assert run.ends == ([promise, None, True], found)
        else:
            assert "it may or may not have happened, and is not repeated" in outcome
            assert found["promises"][0][1] in {None, b"one"}
            lost.append(found["promises"][0][1])

    # Between begin and effect, and between effect and entry, or its end.
    assert {None, b"one"} == set(lost)
    assert len(lost) < len(run.moments)


# -- real processes --------------------------------------------------------------------------------


def start(state_dir: Path, script: str, number: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.host_api_child", state_dir, script, str(number)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_killed_process_changes_nothing(begun: Files, name: str, tmp_path: Path) -> None:
    """It dies by SIGKILL when some entry is about to be appended."""
    script = SCRIPTS[name]
    run = undisturbed(begun, script, flushing=False)
    appended = sum(moment.label.startswith("before") for moment in run.moments)
    number = drawn("process", name).randint(1, appended)
    state_dir = unpack(begun, tmp_path / "state")
    with start(state_dir, name, number) as process:
        process.communicate(timeout=PATIENCE_S)
    assert -signal.SIGKILL == process.returncode
    (state_dir / "control.sock").unlink(missing_ok=True)

    check(script, Moment(f"before entry {number}", packed(state_dir)), run.ends)


@pytest.mark.parametrize("when", [BEFORE, AFTER])
def test_a_promise_completed_by_another_process_wakes_who_was_parked(
    begun: Files, tmp_path: Path, when: str
) -> None:
    """Its host was killed, and it waited without an instance."""
    state_dir = unpack(begun, tmp_path / "state")
    with start(state_dir, PARKED, 0) as process:
        assert process.stdout is not None
        promise = process.stdout.readline().strip()
        process.kill()
    assert -signal.SIGKILL == process.returncode
    other = Cli(tmp_path)
    if when == BEFORE:
        other.ok("promise", "complete", promise, "late")
    with open_host(state_dir, replace(config(), control_socket=True)) as host:
        alice = host.workers.get("api", "alice")
        if when == AFTER:
            assert "suspended" == alice.metadata().status
            other.ok("promise", "complete", promise, "late")
        until(lambda: "k2" in alice._access.view().status.results)
        found = alice.call("k2")

        assert found is not None
        assert b"late" == found.result(PATIENCE_S)
        assert b"late" == host.promises.get(PromiseId.parse(promise))
        kinds = [entry.kind for entry in alice.oplog()]
        # Entries before the wait, and those of the wait.
        assert ["suspend", "imported-function-invoked", "exported-function-completed"] == kinds[-3:]
