"""
What the next host does about the workers of one that was killed with SIGKILL.

`tests.support.revival_child` brings its workers to where they wait, and is killed there.  Time is
moved by the clock of the next host, so nothing waits for an hour to pass.
"""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from golem_host import Host
from golem_host import host as host_module
from golem_host.services.unfinished import WorkerKey
from golem_host.system import SystemClock
from golem_host.worker.worker import Worker
from golem_oplog.entries import (
    Entry,
    Error,
    ExportedFunctionInvoked,
    PendingWorkerInvocation,
    Suspend,
)
from tests.support.hosts import CACHE_DIR, open_host
from tests.support.repository import ROOT
from tests.support.revival_child import AFTER_NS, COMPONENT, CONFIG
from tests.support.waiting import PATIENCE_S, until

FAR: Final = ("queue", "retrying", "scheduled", "sleeping")
MARGIN_NS: Final = 300_000_000
NEXT: Final = replace(CONFIG, threads_max=2)
"""Of the host that comes after: one slot for the guest that never ends, one for the others."""


class MovedClock:
    """The time of day, so much later."""

    def __init__(self, by_ns: int) -> None:
        self.by_ns = by_ns

    def unix_ns(self) -> int:
        return SystemClock.unix_ns() + self.by_ns

    def resolution_ns(self) -> int:
        return 1


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the killed process left."""
    state_dir = tmp_path_factory.mktemp("killed") / "state"
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.revival_child", state_dir],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            assert "ready\n" == process.stdout.readline()
        finally:
            process.kill()
        assert -signal.SIGKILL == process.wait()
    return state_dir


@pytest.fixture
def state_dir(left_behind: Path, tmp_path: Path) -> Path:
    """The same, for each test."""
    copy = tmp_path / "state"
    shutil.copytree(left_behind, copy, ignore=shutil.ignore_patterns("control.sock"))
    return copy


class HeldClock(MovedClock):
    """The time of day that is given, until it may go on."""

    def __init__(self, unix_ns: int) -> None:
        super().__init__(unix_ns - SystemClock.unix_ns())
        self._held_ns: int | None = unix_ns

    def unix_ns(self) -> int:
        return super().unix_ns() if self._held_ns is None else self._held_ns

    def go_on(self) -> None:
        if self._held_ns is not None:
            self.by_ns = self._held_ns - SystemClock.unix_ns()
        self._held_ns = None


def later(by_ns: int, *, revive: bool = True) -> Callable[[Path], Host]:
    config = replace(NEXT, clock=MovedClock(by_ns))
    return lambda path: Host.open(path, replace(config, cache_dir=CACHE_DIR), revive=revive)


def worker(host: Host, name: str) -> Worker:
    return host.workers.get(COMPONENT, name)


def is_active(host: Host, name: str) -> bool:
    """Also of one that is not in memory, and is not brought there."""
    runner = host.workers.find_runner(WorkerKey(COMPONENT, name))
    return runner is not None and runner.is_active


def scheduled(host: Host) -> dict[str, int]:
    """Who is waited for, and until when."""
    due = host.workers._shared.scheduler._due
    return {key.worker: at for key, at in due.items() if isinstance(key, WorkerKey)}


def unfinished(host: Host) -> set[str]:
    return {waiting.key.worker for waiting in host.workers._shared.unfinished.all()}


def entries(found: Worker) -> list[Entry]:
    return [entry for _, entry in found._access.view().oplog.read()]


def due_times(host: Host) -> dict[str, int]:
    """What the logs say about when each goes on."""
    times = {}
    for name in FAR:
        for entry in entries(worker(host, name)):
            match entry:
                case Suspend(wake_at=int(at)) | Error(retry_at=int(at)):
                    times[name] = at
                case PendingWorkerInvocation(not_before=int(at)):
                    times[name] = at
                case _:
                    pass
    return times


def result(host: Host, name: str, key: str) -> object:
    call = worker(host, name).call(key)
    assert call is not None
    return call.result(PATIENCE_S)


def logged(host: Host, name: str, kind: type[Entry]) -> int:
    return sum(isinstance(entry, kind) for entry in entries(worker(host, name)))


def is_done(host: Host, name: str, key: str) -> bool:
    return key in worker(host, name)._access.view().status.results


def test_what_could_go_on_goes_on_at_once(state_dir: Path) -> None:
    """Running ones and those that waited for a slot; the others are waited for until their time."""
    with open_host(state_dir, NEXT) as host:
        until(lambda: is_active(host, "running"))
        until(lambda: is_done(host, "slot", "add"))
        until(lambda: not is_active(host, "slot"))

        assert set(FAR) | {"running"} == unfinished(host)
        assert due_times(host) == scheduled(host)
        assert ["suspended", "suspended", "retrying", "idle"] == [
            worker(host, name).metadata().status
            for name in ("sleeping", "queue", "retrying", "scheduled")
        ]


@pytest.mark.parametrize("name", FAR)
def test_each_goes_on_at_its_time(state_dir: Path, name: str) -> None:
    """Not before, and without anybody asking for it."""
    with Host.open(state_dir, read_only=True) as host:
        due_ns = due_times(host)[name]
    clock = HeldClock(due_ns - MARGIN_NS)
    with Host.open(state_dir, replace(NEXT, clock=clock, cache_dir=CACHE_DIR)) as host:
        assert due_ns == scheduled(host)[name]
        before = logged(host, name, Error)
        clock.go_on()
        key = {"sleeping": "nap", "queue": "add", "retrying": "fail", "scheduled": "add"}[name]
        if name == "retrying":
            until(lambda: logged(host, name, Error) > before)
        else:
            until(lambda: is_done(host, name, key))
        added = entries(worker(host, name))
        goes_on_ns = (
            next(e.timestamp for e in reversed(added) if isinstance(e, Error))
            if name == "retrying"
            else added[-1].timestamp
        )

        assert due_ns <= goes_on_ns


def test_what_has_become_due_meanwhile_goes_on_at_once(state_dir: Path) -> None:
    """Each ends as it would have, and what had failed is tried a second time."""
    with later(AFTER_NS + MARGIN_NS)(state_dir) as host:
        until(lambda: logged(host, "retrying", Error) == 2)
        ends = [("sleeping", "nap"), ("queue", "nap"), ("queue", "add"), ("scheduled", "add")]
        until(lambda: all(is_done(host, *end) for end in ends))

        nap_ms = AFTER_NS // 1_000_000
        assert [nap_ms, nap_ms, 2, 3] == [result(host, *end) for end in ends]
        assert [1, 2] == [
            logged(host, name, ExportedFunctionInvoked) for name in ("sleeping", "queue")
        ]


def test_nothing_goes_on_where_it_is_not_to(state_dir: Path) -> None:
    """Until somebody asks for it; the host after that one goes on with the others."""
    with later(2 * AFTER_NS, revive=False)(state_dir) as host:
        assert (0, {}) == (len(host.workers._loaded), scheduled(host))
        assert 3 == result(host, "scheduled", "add")
        assert not is_active(host, "sleeping")
        assert not is_active(host, "running")
    with later(2 * AFTER_NS)(state_dir) as host:
        until(lambda: is_done(host, "sleeping", "nap"))


@pytest.mark.parametrize("boot_id", ["", "another"])
def test_an_interrupted_one_stays(
    state_dir: Path, boot_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However late it is, and also where all logs are looked at; a caller wakes it."""
    if boot_id:
        monkeypatch.setattr(host_module, "boot_id", lambda: boot_id)
    with later(2 * AFTER_NS)(state_dir) as host:
        until(lambda: unfinished(host) == {"retrying", "running"})

        assert "interrupted" == worker(host, "stopped").metadata().status
        assert AFTER_NS // 1_000_000 == result(host, "stopped", "nap")


def lose_rows(state_dir: Path) -> None:
    """They are not synced: power that fails takes them along."""
    connection = sqlite3.connect(state_dir / "host.db")
    with connection:
        connection.execute("DELETE FROM unfinished")
    connection.close()


def test_after_another_start_of_the_machine_all_logs_are_looked_at(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index may have lost anything; it is whole again after that."""
    lose_rows(state_dir)
    with open_host(state_dir, NEXT) as host:
        # The same start: the index is trusted.
        assert (set(), 0) == (unfinished(host), len(host.workers._loaded))
    monkeypatch.setattr(host_module, "boot_id", lambda: "another")
    with open_host(state_dir, NEXT) as host:
        until(lambda: is_active(host, "running"))
        until(lambda: is_done(host, "slot", "add"))
        until(lambda: unfinished(host) == {*FAR, "running"})
        until(lambda: scheduled(host).keys() == {*FAR})
    with later(AFTER_NS + MARGIN_NS)(state_dir) as host:
        until(lambda: is_done(host, "sleeping", "nap"))
        until(lambda: is_done(host, "scheduled", "add"))


def test_where_starts_cannot_be_told_apart_all_logs_are_looked_at(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every time."""
    monkeypatch.setattr(host_module, "boot_id", str)
    for _ in range(2):
        lose_rows(state_dir)
        with later(2 * AFTER_NS)(state_dir) as host:
            until(lambda: is_active(host, "running"))
