"""The replay core, request by request: spans."""

from __future__ import annotations

import pytest

from golem_host.replay import PERFORM, Divergence
from golem_oplog.entries import Entry, FinishSpan, NoOp, SetSpanAttribute, StartSpan
from tests.unit.replay.logs import INVOKED, T, replay_of, running

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
