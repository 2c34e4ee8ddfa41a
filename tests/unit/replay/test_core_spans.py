"""The replay core, request by request: spans."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from golem_host.replay import PERFORM, Divergence, Mode, Replay
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
)
from tests.unit.replay.logs import (
    COMPLETED,
    INVOKED,
    SMART,
    T,
    call,
    imported,
    replay_of,
    running,
)

SPAN = StartSpan(T, "s", "above", None, (("name", "n"),))
ATTRIBUTE = SetSpanAttribute(T, "s", "key", "value")


def test_a_span_is_answered() -> None:
    """Its start, what is said of it and its end, one after the other; then everything is live."""
    replay = running(SPAN, ATTRIBUTE, FinishSpan(T, "s"))
    outcomes = [
        replay.start_span(),
        replay.set_span_attribute(ATTRIBUTE._replace(timestamp=9)),
        replay.finish_span("s"),
    ]

    assert [SPAN, 4, 5] == outcomes
    assert [PERFORM, PERFORM, PERFORM] == [
        replay.start_span(),
        replay.set_span_attribute(ATTRIBUTE),
        replay.finish_span("s"),
    ]


@pytest.mark.parametrize("entry", [NoOp(T), FinishSpan(T, "other")])
def test_what_is_not_there_of_a_span_is_passed_over(entry: Entry) -> None:
    """A start and an end that the log does not have use nothing up."""
    replay = running(entry, NoOp(T))

    assert (None, None) == (replay.start_span(), replay.finish_span("s"))
    assert not replay.live
    assert isinstance(replay.finish_span("other"), int | None)


def test_an_attribute_that_is_not_there_is_a_divergence() -> None:
    """Unlike a start and an end it is asked for strictly; nothing is used up."""
    replay = running(NoOp(T))
    with pytest.raises(Divergence) as caught:
        replay.set_span_attribute(ATTRIBUTE)

    assert (3, "set-span-attribute key") == (caught.value.index, caught.value.attempted)
    assert 3 == replay.no_op()


@pytest.mark.parametrize(
    "other",
    [
        SetSpanAttribute(T, "other", "key", "value"),
        SetSpanAttribute(T, "s", "other", "value"),
        SetSpanAttribute(T, "s", "key", "other"),
    ],
)
def test_another_attribute_is_a_divergence_for_its_own_version(other: SetSpanAttribute) -> None:
    """Across versions differing ones are counted, as arguments are."""
    with pytest.raises(Divergence):
        running(ATTRIBUTE).set_span_attribute(other)
    replay = replay_of(INVOKED, ATTRIBUTE, compare_from=3)
    replay.invocation()

    assert 3 == replay.set_span_attribute(other)
    assert 1 == replay.requests_differing


# -- another version -------------------------------------------------------------------------------

REMOVED = (SPAN, ATTRIBUTE, FinishSpan(T, "s"))
"""All of a span that the version which replays does not open."""
OTHER_REQUESTS: dict[str, tuple[Entry, Callable[[Replay], object]]] = {
    "call": (call(7), imported),
    "completion": (COMPLETED, lambda r: r.completion(b"result")),
    "begin write": (BeginRemoteWrite(T), lambda r: r.begin_remote_write(idempotent=True)),
    "end write": (EndRemoteWrite(T, 9), lambda r: r.end_remote_write(9)),
    "begin region": (BeginAtomicRegion(T), lambda r: r.begin_atomic_region()),
    "end region": (EndAtomicRegion(T, 9), lambda r: r.end_atomic_region(9)),
    "marker": (NoOp(T), lambda r: r.no_op()),
    "policy": (ChangeRetryPolicy(T, 1, 2, 3, 4.0, None), lambda r: r.change_retry_policy()),
    "level": (SMART, lambda r: r.change_persistence_level(PersistenceLevel.SMART)),
}


def other_version(*entries: Entry, compare_from: int | None = None) -> Replay:
    """Inside of the invocation at index 2; another version wrote the log, up to an index."""
    last = 2 + len(entries) if compare_from is None else compare_from
    replay = replay_of(INVOKED, *entries, compare_from=last)
    replay.invocation()
    return replay


@pytest.mark.parametrize("request_", OTHER_REQUESTS)
def test_a_span_that_is_gone_is_stepped_over(request_: str) -> None:
    """By whatever the guest asks for instead; where nothing follows, that is live."""
    entry, ask = OTHER_REQUESTS[request_]
    answered = other_version(*REMOVED, entry)
    ask(answered)
    live = other_version(*REMOVED)

    assert (answered.live, answered.last_index) == (True, 6)
    assert PERFORM == ask(live)
    assert live.live


def test_a_span_that_is_gone_is_no_invocation_nor_call() -> None:
    """Between two invocations, and where somebody looks at what comes next."""
    between = other_version(COMPLETED, *REMOVED, INVOKED, call(7))
    between.completion(b"result")
    found = between.invocation()
    assert found is not None
    assert 7 == found.oplog_index

    over = other_version(COMPLETED, *REMOVED)
    over.completion(b"result")
    assert (None, Mode.LIVE_IDLE) == (over.invocation(), over.mode)
    assert other_version(*REMOVED, call(7)).next_is(7)
    assert not other_version(*REMOVED).next_is(7)


def test_the_guests_own_spans_are_never_stepped_over() -> None:
    """What its own version wrote is asked for, also behind what another one wrote."""
    with pytest.raises(Divergence) as caught:
        imported(other_version(*REMOVED[:2], *REMOVED, call(7), compare_from=4))

    assert 5 == caught.value.index


def test_an_attribute_that_another_version_does_not_say_is_passed_over() -> None:
    """It uses nothing up, and is asked for strictly behind what that version wrote."""
    replay = other_version(SPAN, NoOp(T), NoOp(T), compare_from=4)

    assert SPAN == replay.start_span()
    assert replay.set_span_attribute(ATTRIBUTE) is None
    assert 4 == replay.no_op()
    with pytest.raises(Divergence):
        replay.set_span_attribute(ATTRIBUTE)


@pytest.mark.parametrize("entry", [ATTRIBUTE, FinishSpan(T, "s")])
def test_what_is_made_up_uses_up_its_own_entry_alone(
    entry: SetSpanAttribute | FinishSpan,
) -> None:
    """One that an earlier host appended; live there is nothing to do."""
    replay = running(entry, NoOp(T))
    replay.made_up(FinishSpan(9, "other"))
    assert 2 == replay.last_index
    replay.made_up(entry._replace(timestamp=9))
    assert 3 == replay.last_index
    replay.made_up(entry)
    replay.no_op()
    replay.made_up(entry)

    assert replay.live
