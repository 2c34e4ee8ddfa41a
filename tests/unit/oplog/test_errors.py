"""What can go wrong with a log, as data."""

from __future__ import annotations

import pickle
from dataclasses import fields

import pytest

import golem_oplog
from golem_oplog import errors
from golem_oplog.errors import CorruptOplogError, OplogError

CLASSES = sorted(
    (
        error
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, OplogError) and error is not OplogError
    ),
    key=lambda error: error.__name__,
)


def example(cls: type[OplogError]) -> OplogError:
    """An error whose every field has a value of its own."""
    values = {
        field.name: number if field.type == "int" else f"some {field.name}"
        for number, field in enumerate(fields(cls), 11)
    }
    return cls(**values)


@pytest.mark.parametrize("cls", CLASSES)
def test_an_error_says_all_that_it_knows(cls: type[OplogError]) -> None:
    """The message is one line, and every field that a person can use is in it."""
    error = example(cls)
    text = str(error)

    assert "\n" not in text
    shown = [field.name for field in fields(error) if str(getattr(error, field.name)) in text]
    assert len(shown) >= len(fields(error)) - 1


@pytest.mark.parametrize("cls", CLASSES)
def test_an_error_survives_pickling(cls: type[OplogError]) -> None:
    """An error comes out of another process with its class and fields."""
    error = example(cls)
    back = pickle.loads(pickle.dumps(error))

    assert type(error) is type(back)
    assert vars(error) == vars(back)


def test_damage_says_what_to_do() -> None:
    """The message for corruption names the place, what remains and the way out."""
    error = CorruptOplogError(path="a/0001.oplog", offset_bytes=40, reason="bad", readable_to=7)

    assert (
        "a/0001.oplog: damaged at byte 40: bad; entries up to 7 are readable "
        "(`golem-host oplog check --salvage` writes them to a new log)"
    ) == str(error)


def test_the_root_is_public() -> None:
    """One class catches everything that this library raises on purpose."""
    assert golem_oplog.OplogError is OplogError
