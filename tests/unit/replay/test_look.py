"""A replay that ends where the log does, and what every replay says of updates and times."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from golem_host.replay import LookReplay, Mode
from golem_host.signals import EndOfLogSignal
from golem_oplog.entries import (
    BeginAtomicRegion,
    BeginRemoteWrite,
    ChangeRetryPolicy,
    EndAtomicRegion,
    EndRemoteWrite,
    Entry,
    FinishSpan,
    NoOp,
    PersistenceLevel,
    SetSpanAttribute,
    StartSpan,
    SuccessfulUpdate,
)
from golem_oplog.regions import Region, RegionSet
from tests.unit.replay.logs import (
    COMPLETED,
    INVOKED,
    NOTHING,
    SMART,
    T,
    call,
    imported,
    never_same,
    replay_of,
    running,
)

REQUESTS: dict[str, tuple[Entry, Callable[[LookReplay], object]]] = {
    "call": (call(7), imported),
    "outcome": (call(7), lambda r: r.persisted("read")),
    "completion": (COMPLETED, lambda r: r.completion(b"result")),
    "begin write": (BeginRemoteWrite(T), lambda r: r.begin_remote_write(idempotent=True)),
    "end write": (EndRemoteWrite(T, 9), lambda r: r.end_remote_write(9)),
    "begin region": (BeginAtomicRegion(T), lambda r: r.begin_atomic_region()),
    "end region": (EndAtomicRegion(T, 9), lambda r: r.end_atomic_region(9)),
    "marker": (NoOp(T), lambda r: r.no_op()),
    "policy": (ChangeRetryPolicy(T, 1, 2, 3, 4.0, None), lambda r: r.change_retry_policy()),
    "span": (StartSpan(T, "s", None, None, ()), lambda r: r.start_span()),
    "end of a span": (FinishSpan(T, "s"), lambda r: r.finish_span("s")),
    "attribute": (
        SetSpanAttribute(T, "s", "k", "v"),
        lambda r: r.set_span_attribute(SetSpanAttribute(T, "s", "k", "v")),
    ),
    "level": (SMART, lambda r: r.change_persistence_level(PersistenceLevel.SMART)),
}


SPANS = ("span", "end of a span", "attribute")


def look(*entries: Entry, open_begins: tuple[int, ...] = ()) -> LookReplay:
    """Inside of the invocation at index 2."""
    replay = LookReplay(
        enumerate((INVOKED, *entries), start=2),
        regions=RegionSet(),
        target=2 + len(entries),
        open_begins=frozenset(open_begins),
        same_function=never_same,
    )
    assert replay.invocation() is not None
    return replay


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_look_answers_what_is_there_and_then_ends(request_: str) -> None:
    """Nothing is performed: the same request once more ends it."""
    entry, ask = REQUESTS[request_]
    replay = look(entry)
    ask(replay)

    assert replay.is_over
    assert not replay.live
    with pytest.raises(EndOfLogSignal):
        ask(replay)


@pytest.mark.parametrize("begin", [BeginAtomicRegion(T), BeginRemoteWrite(T)])
def test_a_look_ends_at_what_would_be_done_anew(begin: Entry) -> None:
    """An open region or write: the next attempt begins there."""
    replay = look(begin, call(7), open_begins=(3,))

    with pytest.raises(EndOfLogSignal):
        if isinstance(begin, BeginAtomicRegion):
            replay.begin_atomic_region()
        else:
            replay.begin_remote_write(idempotent=True)


@pytest.mark.parametrize("request_", [each for each in REQUESTS if each not in SPANS])
def test_a_look_ends_where_only_spans_are_left(request_: str) -> None:
    """Those of another version, which this one does not ask for: nothing is performed."""
    _, ask = REQUESTS[request_]
    replay = look(StartSpan(T, "s", None, None, ()), FinishSpan(T, "s"))
    replay.compare_from = 4
    with pytest.raises(EndOfLogSignal):
        ask(replay)


def test_a_look_ends_behind_the_spans_between_two_invocations() -> None:
    """Of another version."""
    replay = look(COMPLETED, FinishSpan(T, "s"))
    replay.compare_from = 4
    replay.completion(b"result")

    assert replay.invocation() is None


def test_a_look_ends_between_two_invocations() -> None:
    """There is no next one."""
    replay = look(COMPLETED)
    replay.completion(b"result")

    assert (None, Mode.LIVE_IDLE) == (replay.invocation(), replay.mode)


def test_updates_are_told_where_they_lie() -> None:
    """Also inside of what is not kept; not those of a dead region."""
    told: list[int] = []
    replay = running(
        call(7),
        SuccessfulUpdate(T, 1, 0),
        call(7),
        NOTHING,
        SuccessfulUpdate(T, 2, 0),
        SMART,
        call(7),
        SuccessfulUpdate(T, 3, 0),
        call(7),
        dead=(Region(10, 10),),
    )
    replay.on_updated = told.append
    seen = [(imported(replay), list(told))[1] for _ in range(4)]

    assert [[1], [1, 2], [1, 2], [1, 2]] == seen
    assert 2 == replay.updated_to


def test_an_update_before_the_first_request_is_known() -> None:
    """Nobody could be told of it yet."""
    assert 5 == replay_of(SuccessfulUpdate(T, 5, 0), call(7)).updated_to


def test_a_replay_knows_about_when_it_is() -> None:
    """The time of what was answered last, or of what comes first."""
    replay = replay_of(INVOKED._replace(timestamp=5), call(7)._replace(timestamp=6))
    first = replay.time_ns
    replay.invocation()
    second = replay.time_ns
    imported(replay)

    assert (5, 5, 6, 0) == (first, second, replay.time_ns, replay_of().time_ns)
