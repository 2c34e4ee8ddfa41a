"""
A guest that uses ``wasi:http``, killed at every entry, against a server that counts.

The guest is played once while `tests.support.moments` keeps what a kill would leave before each
entry and after each commit, then again from each of these.

Invariants: the guest's output is that of the undisturbed run; no exchange is sent again that has its
end in the log, and an unfinished one at most once more, under its own key.

The short test draws some moments with ``GOLEM_HOST_TEST_SEED``, the long one takes all.  A few kills
are done to real processes.
"""

from __future__ import annotations

import hashlib
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
from typing import Final, NamedTuple

import pytest

from golem_host import InvocationFailedError
from golem_host.keys import derive_key
from golem_oplog.entries import BeginRemoteWrite, EndRemoteWrite, Entry, ImportedFunctionInvoked
from tests.support.hosts import open_host
from tests.support.http_kills import BY_SOCKETS, KEY, config, play, set_up
from tests.support.http_servers import Answer, Asked, Served, serving
from tests.support.moments import Files, Moment, packed, unpack, watched
from tests.support.repository import ROOT
from tests.support.waiting import PATIENCE_S

SEED: Final = int(os.environ.get("GOLEM_HOST_TEST_SEED", "1"))
DRAWN: Final = 2
"""Moments that the short test takes, twice."""
COMPONENTS: Final = "components"
"""What never changes, and is large."""


def answer(asked: Asked) -> Answer:
    """The same to the same request."""
    digest = hashlib.sha256(asked.body).hexdigest()
    if asked.target == "/chunked":
        body = bytes(range(256)) * 400
        return 200, [("transfer-encoding", "chunked"), ("x-a", "1"), ("x-a", "2")], body
    return 200, [], f"{asked.method} {asked.target} {len(asked.body)} {digest}".encode()


class Run(NamedTuple):
    """A program played once, and where it may be killed."""

    served: Served
    begun: Path
    """The state directory in which it begins."""
    output: str
    keys: set[str | None]
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
    with TemporaryDirectory() as folder, serving(answer) as served:
        begun = Path(folder) / "begun"
        set_up(begun, name, served.url)
        with (
            reopened(begun, packed(begun, COMPONENTS)) as state_dir,
            open_host(state_dir, config()) as host,
            watched(host, state_dir, flushing=flushing, without=COMPONENTS) as moments,
        ):
            output = play(host)
        keys = served.keys()
        assert name == BY_SOCKETS or {1} == set(keys.values())
        yield Run(served, begun, output, set(keys), moments)


def entries_in(state_dir: Path) -> list[tuple[int, Entry]]:
    with open_host(state_dir, replace(config(), threads_max=0)) as host:
        return list(host.workers.get("http", "main")._access.view().oplog.read())


def keys_in(state_dir: Path) -> tuple[set[str], set[str]]:
    """Of the exchanges that are begun in the log, and of those that have their end in it."""
    entries = entries_in(state_dir)
    begun = [index for index, each in entries if isinstance(each, BeginRemoteWrite)]
    ended = [each.begin_index for _, each in entries if isinstance(each, EndRemoteWrite)]
    begun_keys, ended_keys = (
        {str(derive_key(KEY, begin)) for begin in begins} for begins in (begun, ended)
    )
    return begun_keys, ended_keys


def check(run: Run, moment: Moment) -> None:
    with reopened(run.begun, moment.files) as state_dir:
        begun, finished = keys_in(state_dir)
        run.served.asked.clear()
        try:
            with open_host(state_dir, config()) as host:
                assert run.output == play(host)
            keys = run.served.keys()
            assert begun <= run.keys
            assert set() == keys.keys() & finished
            assert {*keys.values()} <= {1}
            # What was not begun is sent for the first time; its keys depend on what came before.
            assert len(run.keys) - len(begun) == len(keys.keys() - begun)
        except BaseException as error:
            error.add_note(f"killed {moment.label} by seed {SEED}")
            raise


@pytest.mark.parametrize("flushing", [False, True], ids=["committed", "appended"])
@pytest.mark.parametrize("name", ["one after the other", "at once"])
def test_a_kill_at_an_entry_changes_nothing(name: str, flushing: bool) -> None:
    """Some of the moments, and always the first and the last."""
    with undisturbed(name, flushing=flushing) as run:
        draw = Random(f"{SEED} {name} {flushing}")
        picked = draw.sample(run.moments[1:-1], DRAWN)
        for moment in (run.moments[0], *picked, run.moments[-1]):
            check(run, moment)


@pytest.mark.long
@pytest.mark.parametrize("flushing", [False, True], ids=["committed", "appended"])
@pytest.mark.parametrize("name", ["one after the other", "at once"])
def test_a_kill_at_every_entry_changes_nothing(name: str, flushing: bool) -> None:
    """All moments, one after the other."""
    with undisturbed(name, flushing=flushing) as run:
        for moment in run.moments:
            check(run, moment)


def outcome_of(run: Run, moment: Moment) -> tuple[bool, bool, str]:
    """Whether the exchange was begun and answered in the log, and what came of it."""
    with reopened(run.begun, moment.files) as state_dir:
        entries = entries_in(state_dir)
        run.served.asked.clear()
        with open_host(state_dir, config()) as host:
            try:
                outcome = "same" if play(host) == run.output else "lost"
            except InvocationFailedError as failed:
                outcome = "failed" if "is not repeated" in str(failed.error) else str(failed)
    has_begun = any(isinstance(each, BeginRemoteWrite) for _, each in entries)
    is_answered = any(
        isinstance(each, ImportedFunctionInvoked) and each.begin_index is not None
        for _, each in entries
    )
    assert (0 if has_begun else 1) == len(run.served.asked)
    return has_begun, is_answered, outcome


def test_without_idempotence_what_was_sent_is_not_sent_again() -> None:
    """
    An exchange without an answer in the log fails its invocation for good; of one that was
    answered and not read, the rest is lost; one that was read to its end is as it was.
    """
    with undisturbed("without idempotence", flushing=True) as run:
        outcomes = set()
        for moment in reversed(run.moments):
            outcomes.add(outcome_of(run, moment))
            if (False, False, "same") in outcomes:
                # Before that, nothing has to do with HTTP.
                break

    assert {
        (False, False, "same"),
        (True, False, "failed"),
        (True, True, "lost"),
        (True, True, "same"),
    } == outcomes


def test_a_program_that_uses_sockets_asks_again_only_for_what_it_had_not_read() -> None:
    """
    ``urllib`` in a guest: a connection that a kill has cut is reset, and the program tries again.

    What it had read to the end is in the log, and no server hears of it again.
    """
    with undisturbed(BY_SOCKETS, flushing=True) as run:
        assert ["/a", "/chunked", "/b"] == [each.target for each in run.served.asked]
        draw = Random(f"{SEED} sockets")
        targets: list[str] = []
        for moment in (*draw.sample(run.moments, DRAWN * 2), run.moments[-1]):
            with reopened(run.begun, moment.files) as state_dir:
                run.served.asked.clear()
                with open_host(state_dir, config()) as host:
                    assert run.output == play(host)
                targets = [each.target for each in run.served.asked]
            # What was being read, if anything, and what comes after it; each once.
            assert ["/a", "/chunked", "/b"][3 - len(targets) :] == targets
        assert [] == targets


@pytest.mark.parametrize("number", [1, 2])
def test_a_killed_process_changes_nothing(number: int, tmp_path: Path) -> None:
    """It dies by SIGKILL when some entry is about to be appended; nothing is sent a third time."""
    with undisturbed("one after the other", flushing=True) as run:
        appended = sum(moment.label.startswith("before") for moment in run.moments)
        at = Random(f"{SEED} process {number}").randint(2, appended)
        state_dir = tmp_path / "state"
        shutil.copytree(run.begun, state_dir)
        (state_dir / "control.sock").unlink(missing_ok=True)
        run.served.asked.clear()
        command = [sys.executable, "-m", "tests.support.http_kills", str(state_dir), str(at)]
        with subprocess.Popen(command, cwd=ROOT) as process:
            process.wait(PATIENCE_S)
        assert -signal.SIGKILL == process.returncode
        with open_host(state_dir, config()) as host:
            assert run.output == play(host)
        keys = run.served.keys()

    assert len(run.keys) == len(keys)
    assert sum(keys.values()) <= len(keys) + 1
