"""How the keys of `run` let the same command line go on where an earlier process of it ended."""

from __future__ import annotations

import pytest

from golem_cli.invoking import Invocation, plan_keys
from golem_oplog.types import FunctionType, Prim

ADD = FunctionType("test:shop/api.{add}", (("by", Prim.U64),), Prim.U64)
VALUE = FunctionType("test:shop/api.{value}", (), Prim.U64)

ONE, TWO, VALUE_NOW = Invocation(ADD, (1,)), Invocation(ADD, (2,)), Invocation(VALUE, ())


def test_what_is_new_has_keys_of_its_own() -> None:
    """Two runs of the same calls are two batches."""
    first = plan_keys([ONE, TWO, ONE], [])
    second = plan_keys([ONE, TWO, ONE], [])

    assert 6 == len({*first, *second})
    assert all(key.startswith("run-") for key in first)


@pytest.mark.parametrize("left", [[0], [1], [2], [1, 2]])
def test_the_same_line_goes_on_with_its_batch(left: list[int]) -> None:
    """Whichever call was cut short, all of them have the keys that they had."""
    before = plan_keys([ONE, ONE, TWO], [])

    assert before == plan_keys([ONE, ONE, TWO], [before[position] for position in left])


def test_a_longer_line_goes_on_too() -> None:
    """What comes after the old calls is new, in the same batch."""
    before = plan_keys([ONE, TWO], [])

    after = plan_keys([ONE, TWO, VALUE_NOW], before[1:])

    assert before == after[:2]
    assert after[2] not in before


def test_an_unfinished_call_is_found_at_another_position() -> None:
    """The call alone is attached to, what stood before it is not."""
    before = plan_keys([ONE, TWO], [])

    assert before[1:] == plan_keys([TWO], before[1:])


def test_two_equal_calls_never_share_a_key() -> None:
    """One unfinished call answers one of them; the other is made."""
    before = plan_keys([VALUE_NOW, ONE], [])

    after = plan_keys([ONE, VALUE_NOW, ONE], before[1:])

    assert before[1] == after[0]
    assert 3 == len(set(after))


def test_other_arguments_are_another_call() -> None:
    """A call is its function and its arguments."""
    before = plan_keys([ONE], [])

    assert before != plan_keys([TWO], before)


@pytest.mark.parametrize("key", ["", "run-", "run-x", "run-a-1", "run-a-1-b-c", "checkout-7"])
def test_keys_of_others_are_left_alone(key: str) -> None:
    """An unfinished call that `run` did not make is none of its business."""
    assert [key] != plan_keys([ONE], [key])
