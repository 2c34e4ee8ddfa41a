"""The states of a replay and the ways between them."""

from __future__ import annotations

from itertools import product

import pytest

from golem_host.replay import TRANSITIONS, Mode, transition
from golem_host.replay.transitions import Event


@pytest.mark.parametrize(("before", "event"), TRANSITIONS, ids=lambda each: each.name)
def test_every_row_of_the_table_is_followed(before: Mode, event: Event) -> None:
    """A state and an event of the table give the state that stands beside them."""
    expected = TRANSITIONS[before, event]

    assert expected is transition(before, event)


@pytest.mark.parametrize(
    ("before", "event"),
    [pair for pair in product(Mode, Event) if pair not in TRANSITIONS],
    ids=lambda each: each.name,
)
def test_what_the_table_lacks_is_a_fault_of_the_host(before: Mode, event: Event) -> None:
    """Any other pair is refused, and the message names both."""
    with pytest.raises(AssertionError) as caught:
        transition(before, event)

    assert f"{event.name} cannot happen while {before.value}" == str(caught.value)


def test_a_replay_never_comes_back_from_live() -> None:
    """Once the log is used up, no event makes it a log to be read again."""
    live = {Mode.LIVE_IDLE, Mode.LIVE_RUNNING}
    reachable = {after for (before, _), after in TRANSITIONS.items() if before in live}

    assert live == reachable


def test_every_state_can_be_reached() -> None:
    """Each state is where a replay begins or where some event leads."""
    assert set(Mode) == {Mode.STARTING, *TRANSITIONS.values()}
