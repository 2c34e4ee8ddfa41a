"""Waiting for an event and for descriptors at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from golem_host.wake import READABLE, Wake, is_ready

LONG_S = 60.0


@pytest.fixture
def wake() -> Iterator[Wake]:
    wake = Wake()
    yield wake
    wake.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def test_a_descriptor_ends_the_wait(wake: Wake, pipe: tuple[int, int]) -> None:
    """And the event stays as it was."""
    reader, writer = pipe
    threading.Timer(0.01, os.write, (writer, b"x")).start()

    wake.wait_with([(reader, READABLE)], LONG_S)

    assert is_ready((reader, READABLE))
    assert not wake.is_set()


def test_the_event_ends_a_wait_for_descriptors(wake: Wake, pipe: tuple[int, int]) -> None:
    """Whoever sets it reaches a thread that waits in the system."""
    reader, _ = pipe
    threading.Timer(0.01, wake.set).start()

    wake.wait_with([(reader, READABLE)], LONG_S)

    assert wake.is_set()


def test_an_event_that_is_set_waits_for_nothing(wake: Wake, pipe: tuple[int, int]) -> None:
    """Also where nothing was written for it, because the pipe came later."""
    wake.set()

    wake.wait_with([(pipe[0], READABLE)], LONG_S)

    assert wake.is_set()


def test_old_wake_ups_do_not_end_a_later_wait(wake: Wake, pipe: tuple[int, int]) -> None:
    """What was written for them is gone with the wait that they ended."""
    watched = [(pipe[0], READABLE)]
    wake.wait_with(watched, 0.0)
    for _ in range(3):
        wake.set()
    wake.wait_with(watched, LONG_S)
    wake.clear()
    assert wake._pipe is not None

    assert not is_ready((wake._pipe[0], READABLE))


def test_more_wake_ups_than_a_pipe_holds_block_nobody(wake: Wake, pipe: tuple[int, int]) -> None:
    """They are dropped: one is as good as many."""
    watched = [(pipe[0], READABLE)]
    wake.wait_with(watched, 0.0)

    for _ in range(100_000):
        wake.set()

    wake.wait_with(watched, LONG_S)
    wake.clear()
    assert wake._pipe is not None
    assert not is_ready((wake._pipe[0], READABLE))


def test_one_descriptor_may_be_watched_twice(wake: Wake, pipe: tuple[int, int]) -> None:
    """As a guest does that polls a socket and its stream."""
    reader, writer = pipe
    os.write(writer, b"x")

    wake.wait_with([(reader, READABLE), (reader, READABLE)], LONG_S)

    assert is_ready((reader, READABLE))


def test_closing_gives_the_pipe_back(pipe: tuple[int, int]) -> None:
    """The event still works afterwards."""
    wake = Wake()
    wake.wait_with([(pipe[0], READABLE)], 0.0)
    made = wake._pipe
    assert made is not None

    wake.close()
    wake.set()

    assert wake.is_set()
    for end in made:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(end)
