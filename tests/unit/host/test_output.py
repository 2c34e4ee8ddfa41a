"""Guest output on its way to whoever watches."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from types import TracebackType

import pytest

from golem_host.services import output as module
from golem_host.services.output import WAITING_BYTES_MAX, OutputFlusher, Watcher, WorkerOutput
from golem_oplog.entries import Log, LogLevel
from golem_oplog.errors import OplogPoisonedError
from golem_oplog.memory import MemoryOplog
from tests.support.contexts import new_log
from tests.support.world import EPOCH_NS

PATIENCE_S = 10.0
STDOUT, STDERR = LogLevel.STDOUT, LogLevel.STDERR


class HeldFlusher(OutputFlusher):
    """Is told whose output is due, and does nothing about it."""

    def __init__(self) -> None:
        super().__init__()
        self.due: list[WorkerOutput] = []

    def wake(self, output: WorkerOutput) -> None:
        self.due.append(output)


class PoisonedOplog(MemoryOplog):
    """A log whose disk has failed."""

    def commit(self) -> None:
        raise OplogPoisonedError(path="<memory>", cause="a failed sync")


class Screen:
    """A watcher that remembers what it was shown, and how much of the log was durable then."""

    def __init__(self, oplog: MemoryOplog) -> None:
        self._oplog = oplog
        self.shown: list[tuple[str, bytes]] = []
        self.committed: list[int] = []
        self.notices: list[str] = []
        self.is_shown = threading.Event()
        self.watcher = Watcher(self._show, self.notices.append)

    def _show(self, stream: str, data: bytes) -> None:
        self.shown.append((stream, data))
        self.committed.append(self._oplog.committed_index)
        self.is_shown.set()


class Bench:
    """A worker that writes output, and a screen that may watch it."""

    def __init__(self, flusher: OutputFlusher | None = None) -> None:
        self.oplog = new_log()
        self.flusher = flusher or HeldFlusher()
        self.output = WorkerOutput(self.oplog, self.flusher)
        self.screen = Screen(self.oplog)

    def write(self, data: bytes, level: LogLevel = STDOUT) -> None:
        index = self.oplog.append(Log(EPOCH_NS, level, "", data))
        self.output.push(index, level, data)


def test_output_is_shown_once_it_is_durable() -> None:
    """In order, each piece once, with its stream."""
    b = Bench()
    with b.output.watched_by(b.screen.watcher):
        b.write(b"a")
        b.write(b"b", STDERR)
        waiting = list(b.screen.shown)
        b.output.flush()
        b.output.flush()

    assert [] == waiting
    assert [("stdout", b"a"), ("stderr", b"b")] == b.screen.shown
    assert [3, 3] == b.screen.committed


def test_every_piece_asks_for_a_flush() -> None:
    """Nothing waits for the guest to write more."""
    b = Bench()
    with b.output.watched_by(b.screen.watcher):
        b.write(b"a")

    assert isinstance(b.flusher, HeldFlusher)
    assert [b.output] == b.flusher.due


def test_what_nobody_watches_is_only_recorded() -> None:
    """It costs no commit, and is not shown to whoever comes later, who finds it in the log."""
    b = Bench()
    b.write(b"a")
    b.output.flush()
    unwatched = b.oplog.committed_index
    with b.output.watched_by(b.screen.watcher):
        b.output.flush()

    assert 1 == unwatched
    assert ([], 2) == (b.screen.shown, b.oplog.committed_index)


def test_a_flush_with_nothing_to_show_commits_nothing() -> None:
    """Ends of invocations have commits of their own."""
    b = Bench()
    with b.output.watched_by(b.screen.watcher):
        b.oplog.append(Log(EPOCH_NS, STDOUT, "", b"by another way"))
        b.output.flush()

    assert 1 == b.oplog.committed_index


def test_what_is_not_yet_durable_waits() -> None:
    """A piece that was written while the commit ran is shown by the next flush."""
    b = Bench()
    with b.output.watched_by(b.screen.watcher):
        b.write(b"a")
        b.output.push(3, STDOUT, b"b")
        b.output.flush()
        first = list(b.screen.shown)
        b.oplog.append(Log(EPOCH_NS, STDOUT, "", b"b"))
        b.output.flush()

    assert ([("stdout", b"a")], [("stdout", b"a"), ("stdout", b"b")]) == (first, b.screen.shown)


def test_a_guest_that_writes_faster_than_the_disk_waits_for_it() -> None:
    """Beyond the bound it flushes by itself, so that no more than that is ever held."""
    b = Bench()
    half = bytes(WAITING_BYTES_MAX // 2)
    with b.output.watched_by(b.screen.watcher):
        b.write(half)
        b.write(half)
        held = len(b.screen.shown)
        b.write(b"!")
        full = len(b.screen.shown)
        b.write(b"!")

    assert (0, 3, 3) == (held, full, len(b.screen.shown))


def test_every_watcher_is_shown_everything() -> None:
    """From when it came until it went."""
    b = Bench()
    other = Screen(b.oplog)
    with b.output.watched_by(b.screen.watcher):
        with b.output.watched_by(other.watcher):
            b.write(b"a")
            b.output.flush()
            b.output.notify("resumed")
        b.write(b"b")
        b.output.flush()
    b.write(b"c")
    b.output.flush()
    b.output.notify("gone")

    assert ([("stdout", b"a")], ["resumed"]) == (other.shown, other.notices)
    assert ([("stdout", b"a"), ("stdout", b"b")], ["resumed"]) == (
        b.screen.shown,
        b.screen.notices,
    )


@pytest.mark.parametrize("notice", [True, False])
def test_a_watcher_that_fails_is_told_nothing_more(
    notice: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The guest and other watchers do not notice; it is reported once."""
    told: list[object] = []

    def fail(*what: object) -> None:
        told.append(what)
        raise BrokenPipeError

    b = Bench()
    with (
        b.output.watched_by(Watcher(fail, fail)),
        b.output.watched_by(b.screen.watcher),
        caplog.at_level(logging.ERROR),
    ):
        if notice:
            b.output.notify("first")
        for data in (b"a", b"b"):
            b.write(data)
            b.output.flush()

    assert 1 == len(told)
    assert [("stdout", b"a"), ("stdout", b"b")] == b.screen.shown
    assert ["a watcher failed and is told nothing more"] == [r.message for r in caplog.records]


class WatchedLock:
    """A lock that says when somebody wants it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.wanted = threading.Semaphore(0)

    def __enter__(self) -> None:
        self.wanted.release()
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()


def test_a_flush_waits_for_what_another_thread_shows() -> None:
    """Or a result could be seen before the output that led to it."""
    b = Bench()
    lock = WatchedLock()
    b.output._showing = lock  # type: ignore[assignment]
    may_show = threading.Event()
    order: list[str] = []

    def show(stream: str, data: bytes) -> None:
        assert may_show.wait(PATIENCE_S)
        order.append("shown")

    def finish() -> None:
        b.output.flush()
        order.append("result")

    with b.output.watched_by(Watcher(show, order.append)):
        b.write(b"a")
        threads = [threading.Thread(target=each) for each in (b.output.flush, finish)]
        for thread in threads:
            thread.start()
            # The first one is in the middle of showing before the second one begins.
            assert lock.wanted.acquire(timeout=PATIENCE_S)
        may_show.set()
        for thread in threads:
            thread.join(PATIENCE_S)

    assert ["shown", "result"] == order


# -- the flusher -----------------------------------------------------------------------------------


def threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "golem-output"]


def rests(flusher: OutputFlusher) -> bool:
    """Whether the flusher's thread ends by itself."""
    for thread in threads():
        thread.join(PATIENCE_S)
    return not flusher._running


def test_the_flusher_shows_within_moments() -> None:
    """Without anybody calling `flush`; its thread is there only while there is something to do."""
    flusher = OutputFlusher()
    b = Bench(flusher)
    with b.output.watched_by(b.screen.watcher):
        for _ in range(2):
            b.screen.is_shown.clear()
            b.write(b"a")

            assert b.screen.is_shown.wait(PATIENCE_S)
            assert rests(flusher)

    assert [("stdout", b"a")] * 2 == b.screen.shown


def test_a_worker_whose_log_failed_keeps_no_other_waiting() -> None:
    """Its own thread meets the same failure and reports it."""
    flusher = OutputFlusher()
    broken = WorkerOutput(PoisonedOplog(), flusher)
    screen = Screen(MemoryOplog())
    benches = [Bench(flusher) for _ in range(2)]
    with broken.watched_by(screen.watcher):
        broken.push(1, STDOUT, b"lost")
        for b in benches:
            with b.output.watched_by(b.screen.watcher):
                b.write(b"a")

                assert b.screen.is_shown.wait(PATIENCE_S)
        assert rests(flusher)

    assert [] == screen.shown


def test_one_flush_is_shared_by_all_that_is_written_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One thread waits, whoever writes how often; closing ends its wait and shows what is left."""
    monkeypatch.setattr(module, "SHARE_S", 3600.0)
    flusher = OutputFlusher()
    benches = [Bench(flusher) for _ in range(2)]
    with ExitStack() as watching:
        for b in benches:
            watching.enter_context(b.output.watched_by(b.screen.watcher))
            for _ in range(2):
                b.write(b"a")
        waiting = ([list(b.screen.shown) for b in benches], len(threads()))
        flusher.close()

        assert ([[], []], 1) == waiting
        assert rests(flusher)
    assert [[("stdout", b"a")] * 2] * 2 == [b.screen.shown for b in benches]
