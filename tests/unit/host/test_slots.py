"""The right to run guest code."""

from __future__ import annotations

import threading

import pytest

from golem_host.services.slots import RunSlots

PATIENCE_S = 10.0


def free(slots: RunSlots) -> int:
    """How many more threads could run now."""
    taken = 0
    while slots._semaphore.acquire(blocking=False):
        taken += 1
    for _ in range(taken):
        slots._semaphore.release()
    return taken


def test_no_more_than_the_bound_run_at_once() -> None:
    """Each that runs takes one place, and gives it back."""
    slots = RunSlots(2)
    with slots.held():
        one = free(slots)
        with slots.held():
            none = free(slots)

    assert (1, 0, 2) == (one, none, free(slots))


def test_a_wait_gives_its_place_to_others() -> None:
    """A worker that waits for another one never keeps it from running."""
    slots = RunSlots(1)
    ran = threading.Event()

    def run() -> None:
        with slots.held():
            ran.set()

    with slots.held(), slots.released():
        threading.Thread(target=run).start()

        assert ran.wait(PATIENCE_S)


def test_a_place_is_taken_again_after_the_wait() -> None:
    """Also when the wait ends with an exception."""
    slots = RunSlots(1)
    with slots.held():
        with pytest.raises(KeyError), slots.released():
            assert 1 == free(slots)
            raise KeyError

        assert 0 == free(slots)


def test_a_place_that_nobody_holds_cannot_be_given_back() -> None:
    """That would let one more run than the bound says."""
    with pytest.raises(ValueError, match="released too many times"), RunSlots(1).released():
        """Never reached."""
