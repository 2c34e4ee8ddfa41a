"""
A guest whose library makes functions durable, killed at every entry, against a server that counts.

The program is played once while `tests.support.moments` keeps what a kill would leave before each
entry and after each commit, then again from each of these.  A last time it is replayed from its
end, and must answer everything from the log.

Invariants: the guest's output is that of the undisturbed run; the effect of a function is asked for
again, once, exactly where the log has no outcome of it, or where its batch was not ended; without
idempotence what was begun and has no end fails, and is not asked for again.

The short test draws some moments with ``GOLEM_HOST_TEST_SEED``, the long one takes all.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple, TypeAlias

import pytest

from golem_host import InvocationFailedError
from golem_oplog.entries import (
    BeginRemoteWrite,
    ChangePersistenceLevel,
    EndRemoteWrite,
    Entry,
    ImportedFunctionInvoked,
    PersistenceLevel,
)
from golem_oplog.protocol import ReadableOplog
from golem_oplog.query import view_entries
from golem_oplog.regions import Regions
from tests.support.hosts import open_host
from tests.support.http_kills import KEY, config, play
from tests.support.http_servers import Served, serving
from tests.support.library_kills import set_up
from tests.support.moments import COMPONENTS, Files, Moment, packed, unpack, watched
from tests.support.repository import ROOT
from tests.support.waiting import PATIENCE_S
from tests.support.wasi_hosts import RUN

SEED: Final = int(os.environ.get("GOLEM_HOST_TEST_SEED", "1"))
DRAWN: Final = 2
"""Moments that the short test takes, twice."""
REPLAYED: Final = 10
"""The long test replays every so many moments once more."""
REPEATED: Final = ("one after the other", "in a batch", "in spans")
SAMPLED: Final = [
    REPEATED[0],
    *(pytest.param(name, marks=pytest.mark.long) for name in REPEATED[1:]),
]
"""What every run has of these programs."""
UNWRAPPED: Final = "/unwrapped"
AT_MOST_ONCE: Final = ("without idempotence", "a batch without idempotence")


Kept: TypeAlias = tuple[int, Entry, str]


class Run(NamedTuple):
    """A program played once, and where it may be killed."""

    served: Served
    begun: Path
    """The state directory in which it begins."""
    output: str
    targets: list[str]
    """What the server was asked for."""
    traces: dict[str, str | None]
    """The span that each of these requests named."""
    moments: list[Moment]


@contextmanager
def reopened(begun: Path, files: Files) -> Iterator[Path]:
    """A state directory as a kill has left it."""
    with TemporaryDirectory() as folder:
        state_dir = Path(folder) / "state"
        shutil.copytree(begun / COMPONENTS, state_dir / COMPONENTS)
        yield unpack(files, state_dir)


@contextmanager
def undisturbed(name: str, *, flushing: bool) -> Iterator[Run]:
    with TemporaryDirectory() as folder, serving() as served:
        begun = Path(folder) / "begun"
        set_up(begun, name, served.url)
        with (
            reopened(begun, packed(begun, components=False)) as state_dir,
            open_host(state_dir, config()) as host,
            watched(host, state_dir, flushing=flushing, components=False) as moments,
        ):
            output = play(host)
        targets = [asked.target for asked in served.asked]
        yield Run(served, begun, output, targets, traces_of(served), moments)


def traces_of(served: Served) -> dict[str, str | None]:
    return {asked.target: asked.header("traceparent") for asked in served.asked}


class Left(NamedTuple):
    """What the log of a worker that was killed says."""

    known: set[str]
    """What the server needs not be asked for again."""
    is_begun: bool
    """Whether a remote write was begun, outside of what is passed over, and has no end."""


def left_in(state_dir: Path) -> Left:
    with open_host(state_dir, replace(config(), threads_max=0)) as host:
        view = host.workers.get("http", "main")._access.view()
        entries = list(kept(view.oplog))
    ended = {each.begin_index for _, each, _ in entries if isinstance(each, EndRemoteWrite)}
    begun = (at for at, each, _ in entries if isinstance(each, BeginRemoteWrite))
    unfinished = next((at for at in begun if at not in ended), None)
    counts = [each for each in entries if unfinished is None or each[0] < unfinished]
    return Left({target for _, _, target in counts if target}, unfinished is not None)


def kept(oplog: ReadableOplog) -> Iterator[Kept]:
    """What a replay meets; with the target that was asked for where an outcome says one."""
    skipped, in_zone = Regions(oplog.read()).skipped, False
    for index, entry in oplog.read():
        if isinstance(entry, ChangePersistenceLevel) and index not in skipped:
            in_zone = entry.level == PersistenceLevel.PERSIST_NOTHING
        if index in skipped or in_zone:
            continue
        target = ""
        if isinstance(entry, ImportedFunctionInvoked):
            (view,) = view_entries(oplog, index, index)
            fields: dict[str, Any] = view.fields
            if fields["function-name"].startswith("acme:library::"):
                (argument,) = (each.value for each in fields["request"])
                target = argument.decode() if isinstance(argument, bytes) else argument
        yield index, entry, target


def resume(run: Run, state_dir: Path) -> tuple[str, list[str]]:
    """The output of a worker that goes on, and what it asks the server for."""
    run.served.asked.clear()
    with open_host(state_dir, config()) as host:
        output = play(host)
    return output, [asked.target for asked in run.served.asked]


def check(run: Run, moment: Moment, *, replaying: bool) -> None:
    with reopened(run.begun, moment.files) as state_dir:
        left = left_in(state_dir)
        try:
            output, targets = resume(run, state_dir)
            assert run.output == output
            again = [target for target in run.targets if target not in left.known]
            # One request is the guest's own, and durable by itself: a kill may leave it answered.
            assert targets in (again, [target for target in again if target != UNWRAPPED])
            assert {target: run.traces[target] for target in targets} == traces_of(run.served)
            if replaying:
                check_replay(run, state_dir)
        except BaseException as error:
            error.add_note(f"killed {moment.label} by seed {SEED}")
            raise


def check_replay(run: Run, state_dir: Path) -> None:
    """The same worker again, from its log without its completion: nobody is asked."""
    with open_host(state_dir, replace(config(), threads_max=0)) as host:
        last_index = host.workers.get("http", "main").metadata().oplog_index
        host.workers.get("http", "main").fork("again", at=last_index - 1)
    run.served.asked.clear()
    with open_host(state_dir, config()) as host:
        again = host.workers.get("http", "again")
        again.invoke(RUN, idempotency_key=KEY, timeout=PATIENCE_S)
        assert run.output == "".join(line.text for line in again.output())
    assert [] == run.served.asked


@pytest.mark.parametrize("flushing", [False, True], ids=["committed", "appended"])
@pytest.mark.parametrize("name", SAMPLED)
def test_a_kill_at_an_entry_changes_nothing(name: str, flushing: bool) -> None:
    """Some of the moments, and always the last; replayed once more after one of them."""
    with undisturbed(name, flushing=flushing) as run:
        draw = Random(f"{SEED} {name} {flushing}")
        picked = draw.sample(run.moments[1:-1], DRAWN)
        for moment in (*picked, run.moments[-1]):
            check(run, moment, replaying=moment is picked[0])


@pytest.mark.long
@pytest.mark.parametrize("flushing", [False, True], ids=["committed", "appended"])
@pytest.mark.parametrize("name", REPEATED)
def test_a_kill_at_every_entry_changes_nothing(name: str, flushing: bool) -> None:
    """All moments, one after the other; replayed once more after some of them."""
    with undisturbed(name, flushing=flushing) as run:
        for number, moment in enumerate(run.moments):
            check(run, moment, replaying=number % REPLAYED == 0)


@pytest.mark.long
@pytest.mark.parametrize("name", AT_MOST_ONCE)
def test_without_idempotence_what_was_begun_is_not_done_again(name: str) -> None:
    """It fails for good where it has no end in the log; else everything is as it was."""
    outcomes = set()
    with undisturbed(name, flushing=True) as run:
        for moment in reversed(run.moments):
            with reopened(run.begun, moment.files) as state_dir:
                left = left_in(state_dir)
                try:
                    output, targets = resume(run, state_dir)
                    outcome = "same" if output == run.output else output
                except InvocationFailedError as failed:
                    targets = [asked.target for asked in run.served.asked]
                    outcome = "failed" if "is not repeated" in str(failed.error) else str(failed)
            outcomes.add((left.is_begun, bool(left.known), tuple(targets), outcome))
            if not left.is_begun and not left.known:
                # Before that, nothing has to do with the function.
                break

    assert {
        (False, False, ("/write",), "same"),
        (True, False, (), "failed"),
        (False, True, (), "same"),
    } == outcomes


def test_a_function_of_another_name_is_not_answered() -> None:
    """The library of the replayed guest asks for one function, and the log has another."""
    with undisturbed("renamed", flushing=True) as run, TemporaryDirectory() as folder:
        state_dir = Path(folder) / "state"
        shutil.copytree(run.begun / COMPONENTS, state_dir / COMPONENTS)
        unpack(run.moments[-2].files, state_dir)
        with (
            open_host(state_dir, config()) as host,
            pytest.raises(InvocationFailedError) as failed,
        ):
            play(host)

    assert "acme:library::first is not acme:library::second" in str(failed.value)
    assert [] == run.served.asked[len(run.targets) :]


@pytest.mark.parametrize("name", SAMPLED)
def test_a_killed_process_changes_nothing(name: str, tmp_path: Path) -> None:
    """It dies by SIGKILL when some entry is about to be appended."""
    with undisturbed(name, flushing=True) as run:
        appended = sum(moment.label.startswith("before") for moment in run.moments)
        number = Random(f"{SEED} process {name}").randint(2, appended)
        state_dir = tmp_path / "state"
        shutil.copytree(run.begun, state_dir)
        (state_dir / "control.sock").unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.support.library_kills", str(state_dir), str(number)]
        with subprocess.Popen(command, cwd=ROOT) as process:
            process.wait(PATIENCE_S)
        assert -signal.SIGKILL == process.returncode
        left = packed(state_dir, components=False)

        check(run, Moment(f"before entry {number}", left), replaying=True)
