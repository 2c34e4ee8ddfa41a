"""The right to run guest code."""

from __future__ import annotations

import threading

import pytest

from golem_host.services.slots import RunSlots, Slot

PATIENCE_S = 10.0


def never() -> bool:
    return False


def taken(slots: RunSlots) -> Slot:
    """A slot that this thread has got."""
    slot = slots.slot(never)
    assert slot.take()
    return slot


def waiting(slots: RunSlots) -> None:
    """Return when somebody waits for a slot."""
    while not slots._waiters:
        threading.Event().wait(0.001)


def test_no_more_than_the_bound_run_at_once() -> None:
    """Each that runs takes one place, and gives it back."""
    slots = RunSlots(2)
    first, second = taken(slots), taken(slots)
    begun: list[Slot] = []
    slots.start(begun.append)
    while_full = list(begun)
    first.give()
    second.give()

    assert ([], True) == (while_full, begun[0].held)


def test_who_waits_longest_comes_first() -> None:
    """Nobody is overtaken."""
    slots = RunSlots(1)
    slot = taken(slots)
    begun: list[str] = []

    def begin(name: str, own: Slot) -> None:
        begun.append(name)
        own.give()

    for name in ("a", "b", "c"):
        slots.start(lambda own, name=name: begin(name, own))  # type: ignore[misc]
    slot.give()

    assert ["a", "b", "c"] == begun


def test_a_wait_gives_its_place_to_others() -> None:
    """A worker that waits for another one never keeps it from running."""
    slots = RunSlots(1)
    slot = taken(slots)
    with slot.released():
        other = taken(slots)
        other.give()

    assert slot.held


def test_a_place_is_taken_again_after_the_wait() -> None:
    """Also when the wait ends with an exception."""
    slots = RunSlots(1)
    slot = taken(slots)
    with pytest.raises(KeyError), slot.released():
        raise KeyError
    begun: list[Slot] = []
    slots.start(begun.append)

    assert (True, []) == (slot.held, begun)


def test_a_thread_that_waits_for_a_place_can_be_stopped() -> None:
    """Else an interrupt would wait for guests that never end."""
    slots = RunSlots(1)
    spinning = taken(slots)
    stopped = threading.Event()
    slot = slots.slot(stopped.is_set)
    got: list[bool] = []
    thread = threading.Thread(target=lambda: got.append(slot.take()))
    thread.start()
    waiting(slots)
    stopped.set()
    slot.poke()
    thread.join(PATIENCE_S)
    spinning.give()

    assert ([False], False) == (got, slot.held)


def test_a_place_nobody_wants_any_more_goes_to_the_next() -> None:
    """Whoever was stopped while it waited is passed over."""
    slots = RunSlots(1)
    spinning = taken(slots)
    stopped = slots.slot(lambda: True)
    refused = stopped.take()
    begun: list[Slot] = []
    slots.start(begun.append)
    spinning.give()

    assert (False, True, False) == (refused, begun[0].held, stopped.held)


def test_a_place_that_is_not_held_is_not_given_back() -> None:
    """That would let one more run than the bound says."""
    slots = RunSlots(1)
    slots.slot(never).give()
    first = taken(slots)
    begun: list[Slot] = []
    slots.start(begun.append)

    assert (True, []) == (first.held, begun)


def test_waits_beyond_the_bound_are_told() -> None:
    """Then a worker gives up its instance instead of keeping a thread."""
    slots = RunSlots(2, waits_max=1)
    slot = taken(slots)
    before = slot.is_crowded()
    with slot.released():
        meanwhile = slot.is_crowded()

    assert (False, True, False) == (before, meanwhile, slot.is_crowded())
