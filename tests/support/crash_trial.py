"""
A state directory and the processes that are killed over it, for `tests/crash/test_processes.py`.

A `Trial` starts `tests.support.crash_child`, kills it, and checks after each process what must hold
whatever happened; that test's header lists it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from golem_oplog.blobs import BlobStore
from golem_oplog.codec import encode_entry
from golem_oplog.entries import (
    KIND_BY_CLASS,
    Entry,
    Error,
    Exited,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    ImportedFunctionInvoked,
    Log,
    LogLevel,
    PendingWorkerInvocation,
)
from golem_oplog.files import OsFiles
from golem_oplog.protocol import SyncLevel
from golem_oplog.reader import OplogReader
from golem_oplog.store import OplogStore
from tests.support.killing_files import Point
from tests.support.repository import ROOT

STARTS_MAX: Final = 10
"""A process that is not killed finishes; so many starts are only needed where nothing moves on."""


class Moment(NamedTuple):
    """Kill so long after the process has written so many lines."""

    lines: int
    delay_ns: int


Kill: TypeAlias = Point | Moment


@dataclass
class Trial:
    """One state directory, and the processes that own it one after another."""

    root: Path
    ending: str
    """What the plan ends with: an export of the guest."""
    seed: int = 0
    history: list[str] = field(default_factory=list)
    """What was done to each process: the kill, or nothing."""
    accepted: set[str] = field(default_factory=set)
    outcomes: dict[str, object] = field(default_factory=dict)
    shown: list[tuple[str, str]] = field(default_factory=list)
    log: list[bytes] = field(default_factory=list)
    output: list[tuple[str, str]] = field(default_factory=list)
    """Everything the guest has written, according to the log."""
    lines: int = 0
    """How many the last process wrote."""
    counts: dict[str, int] | None = None
    """From the process that finished."""

    @property
    def state_dir(self) -> Path:
        return self.root / "state"

    def run(self, kill: Kill | None = None) -> None:
        """One process from its start to its end, and a look at what it leaves."""
        self.history.append(str(kill))
        with self.explained():
            self._run(kill)
            self._look()

    @contextmanager
    def explained(self) -> Iterator[None]:
        """A failure says how to see it again."""
        try:
            yield
        except BaseException as error:
            error.add_note(f"seed {self.seed}, ending {self.ending}, kills: {self.history}")
            raise

    def finish(self) -> None:
        while self.counts is None:
            assert len(self.history) < STARTS_MAX
            self.run()

    def _run(self, kill: Kill | None) -> None:
        with (
            (self.root / "stderr").open("w+", encoding="utf-8") as stderr,
            self._started(kill, stderr.fileno()) as process,
        ):
            assert process.stdout is not None
            self.lines = 0
            for line in process.stdout:
                self._take(json.loads(line))
                self.lines += 1
                if isinstance(kill, Moment) and self.lines == kill.lines:
                    _pass_ns(kill.delay_ns)
                    process.kill()
            process.wait()
            stderr.seek(0)
            assert "" == stderr.read()
        if self.counts is None:
            assert -signal.SIGKILL == process.returncode
        else:
            # The kill may come when all is done and the process about to end.
            assert process.returncode in {0, -signal.SIGKILL}

    def _started(self, kill: Kill | None, stderr: int) -> subprocess.Popen[bytes]:
        environment = dict(os.environ, CRASH_AT=str(kill) if isinstance(kill, Point) else "")
        return subprocess.Popen(
            [sys.executable, "-m", "tests.support.crash_child", self.state_dir, self.ending],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )

    def _take(self, report: dict[str, Any]) -> None:
        match report:
            case {"accepted": key}:
                self.accepted.add(key)
            case {"ack": key, "outcome": outcome}:
                assert self.outcomes.setdefault(key, outcome) == outcome
            case {"shown": [stream, text]}:
                self.shown.append((stream, text))
            case {"done": counts}:
                self.counts = counts
            case _:
                raise AssertionError(report)

    def _look(self) -> None:
        with _opened(self.state_dir) as reader:
            entries = [] if reader is None else list(reader.read())
        assert list(range(1, len(entries) + 1)) == [index for index, _ in entries]
        log = [encode_entry(entry) for _, entry in entries]
        assert self.log == log[: len(self.log)]
        self.log = log
        written = [entry for _, entry in entries]
        self.output = _output(written)
        assert _is_part_of(self.shown, self.output)
        assert len(self.shown) == len(set(self.shown))
        kept = {e.idempotency_key for e in written if isinstance(e, PendingWorkerInvocation)}
        assert set() == self.accepted - kept
        assert set() == set(self.outcomes) - _ended(written)


@contextmanager
def _opened(state_dir: Path) -> Iterator[OplogReader | None]:
    """The log of a state directory, beside its owner; None where none was made yet."""
    files = OsFiles()
    blobs = BlobStore(state_dir / "blobs", files, SyncLevel.PROCESS)
    store = OplogStore(state_dir / "workers", files, SyncLevel.PROCESS, blobs)
    names = list(store.list())
    if not names:
        yield None
        return
    (name,) = names
    with store.reader(name) as reader:
        yield reader


def _pass_ns(delay_ns: int) -> None:
    end = time.monotonic_ns() + delay_ns
    while time.monotonic_ns() < end:
        pass


def _output(entries: list[Entry]) -> list[tuple[str, str]]:
    """Everything the guest wrote, as a watcher is told."""
    return [
        (LogLevel(entry.level).label, entry.message.decode())
        for entry in entries
        if isinstance(entry, Log)
    ]


def _is_part_of(shown: list[tuple[str, str]], output: list[tuple[str, str]]) -> bool:
    """Whether the one comes out of the other by leaving some out."""
    rest = iter(output)
    return all(piece in rest for piece in shown)


def _ended(entries: list[Entry]) -> set[str]:
    """Keys of invocations whose end is in the log."""
    ended: set[str] = set()
    running = ""
    for entry in entries:
        match entry:
            case ExportedFunctionInvoked(idempotency_key=key):
                running = key
            case ExportedFunctionCompleted() | Error(retry_at=None) | Exited():
                ended.add(running)
            case _:
                pass
    return ended


def skeleton(state_dir: Path) -> tuple[list[object], list[str]]:
    """
    What a log says but for times, random numbers and when calls were accepted: entries, and the
    keys of accepted calls in their order.
    """
    said: list[object] = []
    accepted: list[str] = []
    with _opened(state_dir) as reader:
        assert reader is not None
        for _, entry in reader.read():
            if isinstance(entry, PendingWorkerInvocation):
                accepted.append(entry.idempotency_key)
            else:
                said.append((KIND_BY_CLASS[type(entry)].name, *_content(reader, entry)))
    return said, accepted


def _content(reader: OplogReader, entry: Entry) -> tuple[object, ...]:
    match entry:
        case ImportedFunctionInvoked(function=function, request=request):
            return reader.function(function), request
        case ExportedFunctionInvoked(function=function, request=request, idempotency_key=key):
            return reader.function(function), request, key
        case Log(level=level, message=message):
            return level, message
        case Error(kind=kind, message=message):
            return kind, message, entry.retry_at is None
        case Exited(exit_code=code):
            return (code,)
        case _:
            return ()


def sums(outcomes: dict[str, object]) -> dict[str, object]:
    """Of each result only what the clock and the random numbers do not decide."""
    return {key: o[0] if isinstance(o, list) else o for key, o in outcomes.items()}
