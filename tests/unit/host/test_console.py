"""Standard input by position: files, pipes and terminals."""

from __future__ import annotations

import os
import pty
import threading
import tty
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from golem_host.context import InstanceContext
from golem_host.interfaces.wasi.cli.stdio import Reading
from golem_host.services.console import HISTORY_BYTES, Console, InputSource


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    ends = [reader, writer]
    yield reader, writer
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "input"
    path.write_bytes(b"0123456789")
    descriptor = os.open(path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def test_a_file_is_read_at_any_position(file: int) -> None:
    """Forwards, and back after a region was rolled back."""
    source = InputSource(file)

    assert b"4567" == source.read("k", 4, 4)
    assert b"01" == source.read("k", 0, 2)
    with pytest.raises(EOFError):
        source.read("k", 10, 1)


def test_a_file_begins_where_its_owner_stood(file: int) -> None:
    """As a shell leaves it to the second command of a group."""
    os.lseek(file, 3, os.SEEK_SET)

    assert b"345" == InputSource(file).read("k", 0, 3)


def test_a_second_invocation_goes_on_in_a_file(file: int) -> None:
    """It reads what the first has left."""
    source = InputSource(file)
    source.read("a", 0, 4)

    assert b"45" == source.read("b", 0, 2)
    assert b"67" == source.read("b", 2, 2)


def test_a_pipe_has_nothing_yet(pipe: tuple[int, int]) -> None:
    """Which is not its end."""
    reader, writer = pipe
    source = InputSource(reader)

    assert (False, b"") == (source.is_ready("k", 0), source.read("k", 0, 9))
    os.write(writer, b"now")
    assert (True, b"now") == (source.is_ready("k", 0), source.read("k", 0, 9))
    os.close(writer)
    assert source.is_ready("k", 3)
    with pytest.raises(EOFError):
        source.read("k", 3, 9)


def test_a_pipe_given_again_passes_over_what_was_read(pipe: tuple[int, int]) -> None:
    """The log of an earlier process says that four bytes were."""
    reader, writer = pipe
    os.write(writer, b"01234567")

    assert b"45" == InputSource(reader).read("k", 4, 2)


def test_what_a_guest_goes_back_to_is_read_again(pipe: tuple[int, int]) -> None:
    """In one process too, where a pipe cannot be asked twice."""
    reader, writer = pipe
    os.write(writer, b"01234567")
    source = InputSource(reader)
    source.read("k", 0, 6)

    assert b"234" == source.read("k", 2, 3)


def test_what_is_kept_is_bounded(pipe: tuple[int, int]) -> None:
    """Beyond it, a guest that goes back is given the oldest that is left."""
    reader, writer = pipe
    source = InputSource(reader)
    position = 0
    while position <= HISTORY_BYTES:
        os.write(writer, bytes([position >> 16]) * 65_536)
        position += len(source.read("k", position, 65_536))

    assert len(source._history) == HISTORY_BYTES
    assert b"\x01" == source.read("k", 0, 1)


def test_a_terminal_begins_with_what_is_typed_next() -> None:
    """Nothing of what an earlier process was told is passed over."""
    master, slave = pty.openpty()
    try:
        tty.setraw(slave)
        source = InputSource(slave)
        assert source.is_terminal
        assert b"" == source.read("k", 4, 9)
        os.write(master, b"typed")

        assert b"typed" == source.read("k", 4, 9)
    finally:
        os.close(master)
        os.close(slave)


def test_the_last_source_that_is_lent_counts(file: int) -> None:
    """Until it is taken back."""
    console = Console()
    first, second = InputSource(file), InputSource(file)
    with console.lent(first):
        with console.lent(second):
            assert console.source_for("k") is second
        assert console.source_for("k") is first
    assert console.source_for("k") is None


def test_a_source_may_be_for_some_invocations(file: int) -> None:
    """Nobody's input is read by a call of somebody else."""
    console = Console()
    first, second = InputSource(file), InputSource(file)
    with console.lent(first, ["a", "b"]), console.lent(second, ["b", "c"]):
        found = [console.source_for(key) for key in "abcd"]

    assert [first, second, second, None] == found


def test_whoever_waits_hears_of_a_change(file: int) -> None:
    """Of a source that is lent or taken back while a guest waits; and not after it has waited."""
    console = Console()
    wake = threading.Event()
    heard = []
    with console.waking(wake):
        with console.lent(InputSource(file)):
            heard.append(wake.is_set())
            wake.clear()
        heard.append(wake.is_set())
        wake.clear()
    with console.lent(InputSource(file)):
        heard.append(wake.is_set())

    assert [True, True, False] == heard


def test_an_input_that_had_an_end_is_not_waited_for() -> None:
    """Half of one is, once nobody lends it; and each invocation has one of its own."""
    context = SimpleNamespace(key="a", services=SimpleNamespace(console=Console()))
    reading = Reading(cast("InstanceContext", context))
    unfinished = [reading.is_unfinished]
    reading.advance(4)
    unfinished.append(reading.is_unfinished)
    reading.end()
    unfinished.append(reading.is_unfinished)
    context.key = "b"
    unfinished.append(reading.is_unfinished)

    assert [False, True, False, False] == unfinished


def test_what_is_passed_over_is_no_news(pipe: tuple[int, int]) -> None:
    """A pipe that is given again slowly has nothing until it is behind what was read."""
    reader, writer = pipe
    source = InputSource(reader)
    os.write(writer, b"0123")
    looks = [source.is_ready("k", 8)]
    os.write(writer, b"4567")
    looks.append(source.is_ready("k", 8))
    os.write(writer, b"89")
    looks.append(source.is_ready("k", 8))

    assert [False, False, True] == looks
    assert b"89" == source.read("k", 8, 9)


def test_an_input_that_is_shorter_than_what_was_read_has_ended(pipe: tuple[int, int]) -> None:
    """It is another one than before; nobody waits for more of it."""
    reader, writer = pipe
    source = InputSource(reader)
    os.write(writer, b"0123")
    os.close(writer)

    assert source.is_ready("k", 8)
    with pytest.raises(EOFError):
        source.read("k", 8, 9)


def test_a_second_invocation_goes_on_in_a_pipe(pipe: tuple[int, int]) -> None:
    """Behind what the first has read, though more of it was taken."""
    reader, writer = pipe
    os.write(writer, b"0123456789")
    source = InputSource(reader)
    source.read("a", 0, 4)
    source.is_ready("b", 0)

    assert b"45" == source.read("c", 0, 2)
    assert b"67" == source.read("c", 2, 2)
