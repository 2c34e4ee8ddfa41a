"""What a live action may use: the log, output, time and waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from golem_host.context import WAIT_COMMIT_NS, InstanceContext
from golem_host.errors import OplogLimitError
from golem_host.signals import InterruptSignal
from golem_host.status import fold
from golem_oplog.entries import (
    BeginAtomicRegion,
    ExportedFunctionInvoked,
    ImportedFunctionInvoked,
    Jump,
    Log,
    LogLevel,
    NoOp,
)
from golem_oplog.memory import MemoryOplog
from golem_oplog.types import FunctionType
from tests.support.contexts import FreeSlot, KeptOutput, context_on, crashed, entries_of, new_log
from tests.support.world import EPOCH_NS, FrozenClock

T = EPOCH_NS
SECOND_NS = 1_000_000_000


# -- the log ---------------------------------------------------------------------------------------


def test_an_appended_entry_is_followed_in_the_status() -> None:
    """Without waiting for a commit."""
    oplog = new_log()
    context = context_on(oplog)
    oplog.define(FunctionType("f", (), None))
    index = context.append(ExportedFunctionInvoked(T, 0, b"", "k"))

    assert (2, 1) == (index, oplog.committed_index)
    assert context.status.running is not None
    assert "k" == context.status.running.key


def test_a_recorded_call_moves_the_time_that_the_next_instance_starts_at() -> None:
    """In the same process as in a new one, also when the clock was set back since."""
    clock = FrozenClock(T + 9)
    oplog = new_log()
    context = context_on(oplog, clock)
    oplog.define(FunctionType("f", (), None))
    context.record_call(0, b"q", b"r", 1)
    clock.now_ns = T + 5
    context.record_call(0, b"q", b"r", 1)
    rebuilt = InstanceContext(
        oplog=oplog, replay=context.replay, status=context.status, services=context.services
    )

    assert fold(oplog.skim).last_timestamp == context.status.last_timestamp
    assert T + 9 == rebuilt.monotonic_ns()


def test_a_jump_changes_the_past() -> None:
    """The status is what a fresh fold says."""
    oplog = new_log(NoOp(T), NoOp(T))
    context = context_on(oplog)
    context.append(Jump(T, 3, 4))

    assert (2, [(3, 4)]) == (context.status.last_replayed_index, list(context.status.skipped))


def test_a_recorded_call_is_where_a_failure_would_start_over() -> None:
    """The quick way of appending keeps what failures are counted against."""
    oplog = new_log()
    context = context_on(oplog)
    oplog.define(FunctionType("f", (), None))
    context.record_call(0, b"q", b"r", 1)

    assert [ImportedFunctionInvoked(T, 0, b"q", b"r", 1)] == entries_of(oplog)
    assert 2 == context.status.origin


# -- names of effects ------------------------------------------------------------------------------


def test_an_effect_keeps_its_name_until_its_guest_goes_back() -> None:
    """In a region that is done over it is the same; after a jump of the guest's own another one."""
    oplog = new_log(NoOp(T), BeginAtomicRegion(T))
    first = context_on(oplog)
    tokens = [first.effect_token(), first.effect_token()]
    # What a crash in the region comes to: the marker stands, and the rest is passed over.
    first.append(NoOp(T))
    first.append(Jump(T, 4, 5))
    again = context_on(oplog)
    assert tokens == [again.effect_token(), again.effect_token()]

    oplog = new_log(NoOp(T), NoOp(T))
    before = context_on(crashed(oplog, 2)).effect_token()
    oplog.append(Jump(T, 3, 4))
    once = context_on(oplog).effect_token()
    oplog.append(NoOp(T))
    oplog.append(Jump(T, 3, 6))
    twice = context_on(oplog).effect_token()

    assert 3 == len({before, once, twice})
    assert twice == context_on(oplog).effect_token()


# -- output ----------------------------------------------------------------------------------------


def output_of(context: InstanceContext) -> list[tuple[int, LogLevel, bytes]]:
    assert isinstance(context.services.output, KeptOutput)
    return context.services.output.pieces


def test_output_is_recorded_and_handed_on() -> None:
    """One entry for each piece, as the guest wrote it."""
    oplog = new_log()
    context = context_on(oplog)
    context.emit(LogLevel.STDERR, b"\xff")

    assert [Log(T, LogLevel.STDERR, "", b"\xff")] == entries_of(oplog)
    assert [(2, LogLevel.STDERR, b"\xff")] == output_of(context)


def test_a_log_line_is_recorded_whole_and_shown_on_standard_error() -> None:
    """Also one without a context, without a text, or with its own end."""
    oplog = new_log()
    context = context_on(oplog)
    lines = (("part", b"text"), ("", b"text\n"), ("", b""))
    for speaker, text in lines:
        context.emit(LogLevel.WARN, text, speaker)

    assert [Log(EPOCH_NS, LogLevel.WARN, *line) for line in lines] == entries_of(oplog)
    assert [b"[warn] part: text\n", b"[warn] text\n", b"[warn] \n"] == [
        data for _, level, data in output_of(context) if level is LogLevel.STDERR
    ]


def test_a_log_line_at_the_end_of_a_log_is_not_recorded_again() -> None:
    """As often as it stands there, and only with the same level and context (R50)."""
    lines = [(LogLevel.WARN, "a", b"x"), (LogLevel.WARN, "a", b"x"), (LogLevel.INFO, "a", b"x")]
    oplog = new_log(*[Log(EPOCH_NS, *line) for line in lines])
    context = context_on(oplog)
    for level, speaker, text in [*lines, lines[0], (LogLevel.INFO, "b", b"x")]:
        context.emit(level, text, speaker)

    assert [LogLevel.WARN, LogLevel.INFO] == [e.level for e in entries_of(oplog, 5)]  # type: ignore[union-attr]
    assert [b"[warn] a: x\n", b"[info] b: x\n"] == [data for *_, data in output_of(context)]


def test_empty_output_is_nothing() -> None:
    """A write of no bytes leaves no entry."""
    oplog = new_log()
    context = context_on(oplog)
    context.emit(LogLevel.STDOUT, b"")

    assert ([], []) == (entries_of(oplog), output_of(context))


def test_replayed_output_is_neither_recorded_nor_shown() -> None:
    """It is in the log, and was shown when it was written."""
    oplog = new_log(NoOp(T))
    context = context_on(oplog)
    context.emit(LogLevel.STDOUT, b"x")

    assert (2, []) == (oplog.last_index, output_of(context))


# -- limits ----------------------------------------------------------------------------------------


def test_a_log_that_is_full_takes_nothing_that_begins() -> None:
    """Calls, output and markers are refused; the outcome of what has happened never is."""
    oplog = new_log()
    oplog.define(FunctionType("f", (), None))
    context = context_on(oplog, oplog_bytes_max=oplog.size_bytes)
    context.record_call(0, b"q", b"r", 1)
    refused: list[Callable[[], object]] = [
        lambda: context.record_call(0, b"q", b"r", 1),
        lambda: context.emit(LogLevel.STDOUT, b"x"),
        lambda: context.append(NoOp(T)),
    ]
    for act in refused:
        with pytest.raises(OplogLimitError) as caught:
            act()
        assert oplog.size_bytes == caught.value.size_bytes
    context.append(ImportedFunctionInvoked(T, 0, b"q", b"r", 3))

    assert 3 == oplog.last_index


class MovingSlot(FreeSlot):
    """A `RunSlot` in which time passes: as much as was waited for."""

    def __init__(self, clock: FrozenClock, context: InstanceContext) -> None:
        self._clock = clock
        self._context = context
        self.waited_ns: list[int] = []

    @contextmanager
    def released(self) -> Iterator[None]:
        self._clock.advance(SECOND_NS // 4)
        self.waited_ns.append(SECOND_NS // 4)
        self._context.wake.set()
        yield


def pacing(bytes_per_s: int) -> tuple[InstanceContext, FrozenClock, MovingSlot]:
    clock = FrozenClock(T)
    context = context_on(new_log(), clock, output_bytes_per_s=bytes_per_s)
    slot = context.services.slot = MovingSlot(clock, context)
    return context, clock, slot


def test_output_beyond_the_rate_waits() -> None:
    """A second's worth goes at once; after that what is written takes the time it should."""
    context, clock, slot = pacing(100)
    for _ in range(30):
        context.emit(LogLevel.STDOUT, bytes(10))

    assert 30 == len(output_of(context))
    assert 2 * SECOND_NS - SECOND_NS // 4 <= clock.now_ns - T <= 2 * SECOND_NS
    assert sum(slot.waited_ns) == clock.now_ns - T


def test_one_large_write_is_paid_for_by_the_next() -> None:
    """It is not held back itself, and not forgotten either."""
    context, _, slot = pacing(100)
    context.emit(LogLevel.STDOUT, bytes(1000))
    at_once = list(slot.waited_ns)
    context.emit(LogLevel.STDOUT, b"x")

    assert [] == at_once
    assert 9 * SECOND_NS == sum(slot.waited_ns)


def test_output_within_the_rate_does_not_wait() -> None:
    """However long it goes on."""
    context, clock, slot = pacing(100)
    for _ in range(100):
        context.emit(LogLevel.STDOUT, bytes(10))
        clock.advance(SECOND_NS // 10)

    assert [] == slot.waited_ns


def test_a_clock_that_is_set_back_holds_no_output_back() -> None:
    """What was written before is forgiven."""
    context, clock, slot = pacing(100)
    context.emit(LogLevel.STDOUT, bytes(100))
    clock.advance(-3600 * SECOND_NS)
    context.emit(LogLevel.STDOUT, bytes(100))

    assert [] == slot.waited_ns


# -- time ------------------------------------------------------------------------------------------


def test_instants_never_go_back() -> None:
    """Whoever sets the clock back, within an instance and over its rebuilds."""
    clock = FrozenClock(T)
    context = context_on(new_log(NoOp(T + 5)), clock)
    instants = []
    for now in (T, T + 7, T + 6, T + 8):
        clock.now_ns = now
        instants.append(context.monotonic_ns())

    assert [T + 5, T + 7, T + 7, T + 8] == instants


# -- waiting ---------------------------------------------------------------------------------------


class CountedSlot(FreeSlot):
    """A `RunSlot` that knows when it was given back."""

    def __init__(self, oplog: MemoryOplog) -> None:
        self._oplog = oplog
        self.committed: list[bool] = []

    @contextmanager
    def released(self) -> Iterator[None]:
        self.committed.append(self._oplog.committed_index == self._oplog.last_index)
        yield


@pytest.mark.parametrize(
    ("wait_ns", "commits"), [(-SECOND_NS, False), (0, False), (WAIT_COMMIT_NS, True), (None, True)]
)
def test_a_wait_that_can_be_noticed_commits_first(wait_ns: int | None, commits: bool) -> None:
    """Whoever kills the host meanwhile loses nothing; a wait that is over at once costs nothing."""
    oplog = new_log()
    context = context_on(oplog)
    slot = context.services.slot = CountedSlot(oplog)
    oplog.append(NoOp(T))
    context.wake.set()
    context.wait_until(None if wait_ns is None else T + wait_ns)

    assert [commits] == slot.committed


def test_a_wait_ends_at_its_time() -> None:
    """Nobody needs to wake it."""
    context_on(new_log()).wait_until(T + WAIT_COMMIT_NS // 10)


@pytest.mark.parametrize("deadline_ns", [T + 3600 * SECOND_NS, 2**64 - 1, None])
def test_a_wait_ends_when_it_is_woken(deadline_ns: int | None) -> None:
    """However far its deadline is, and only that wait."""
    context = context_on(new_log())
    waiting = threading.Event()

    class Slot(FreeSlot):
        @contextmanager
        def released(self) -> Iterator[None]:
            waiting.set()
            yield

    context.services.slot = Slot()
    waiter = threading.Thread(target=context.wait_until, args=(deadline_ns,))
    waiter.start()
    assert waiting.wait(10)
    context.wake.set()
    waiter.join(10)

    assert (False, False) == (waiter.is_alive(), context.wake.is_set())


def test_a_killed_instance_does_not_wait() -> None:
    """It raises what it was killed with, before it would have given its slot back."""
    oplog = new_log()
    context = context_on(oplog)
    slot = context.services.slot = CountedSlot(oplog)
    kill = context.kill = InterruptSignal()
    with pytest.raises(InterruptSignal) as caught:
        context.wait_until(None)

    assert (kill, []) == (caught.value, slot.committed)


def test_an_instance_that_is_killed_while_it_waits_raises() -> None:
    """Whoever kills it wakes it."""
    context = context_on(new_log())
    kill = InterruptSignal()

    class Slot(FreeSlot):
        @contextmanager
        def released(self) -> Iterator[None]:
            context.kill = kill
            context.wake.set()
            yield

    context.services.slot = Slot()
    with pytest.raises(InterruptSignal) as caught:
        context.wait_until(None)

    assert kill is caught.value
