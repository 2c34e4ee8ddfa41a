"""The epoch moves while, and only while, a killed instance is running."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from golem_host.engine import StoreContext
from golem_host.engine.ticker import Ticker


class Ticks:
    """Counts ticks, and says when there have been three."""

    def __init__(self) -> None:
        self.count = 0
        self.third = threading.Event()

    def __call__(self) -> None:
        self.count += 1
        if self.count == 3:
            self.third.set()


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def ticker(ticks: Ticks) -> Iterator[Ticker]:
    made = Ticker(ticks, 1)
    yield made
    made.close()


def _running() -> StoreContext:
    context = StoreContext()
    context.running = True
    return context


def test_it_ticks_until_the_instance_has_stopped(ticker: Ticker, ticks: Ticks) -> None:
    """Once is not enough: the guest may be between its look and its next deadline."""
    context = _running()
    ticker.press(context)
    ticked = ticks.third.wait(30)
    context.running = False
    ticker.close()
    after = ticks.count
    ticker.press(context)

    assert ticked
    assert after == ticks.count


def test_nobody_to_kill_means_no_ticks(ticker: Ticker, ticks: Ticks) -> None:
    """An instance that is not running sees its kill when it is entered."""
    ticker.press(StoreContext())
    ticker.close()

    assert 0 == ticks.count


def test_contexts_count_by_identity(ticker: Ticker, ticks: Ticks) -> None:
    """A host's subclass may compare as it likes, and need not be hashable."""

    class Equal(StoreContext):
        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, _: object) -> bool:
            return True

    context = Equal()
    context.running = True
    ticker.press(context)
    ticked = ticks.third.wait(30)
    context.running = False

    assert ticked
