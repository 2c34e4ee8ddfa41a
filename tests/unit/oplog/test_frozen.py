"""Small immutable classes: what they share with frozen, slotted dataclasses."""

from __future__ import annotations

import copy
import pickle

import pytest

from golem_oplog.frozen import frozen


@frozen
class Point:
    """Two numbers, one of them with a default."""

    x: int
    y: int = 7

    @property
    def total(self) -> int:
        return self.x + self.y


@frozen
class Other:
    """The same fields as `Point`."""

    x: int
    y: int = 7


@frozen
class Empty:
    """No field at all."""


@frozen
class Shown:
    """With a text of its own."""

    x: int

    def __repr__(self) -> str:
        return "shown"


def test_fields_come_by_position_by_name_and_by_default() -> None:
    """As in the order of their annotations."""
    made = [Point(1, 2), Point(1, y=2), Point(y=2, x=1), Point(1)]

    assert [(1, 2), (1, 2), (1, 2), (1, 7)] == [(p.x, p.y) for p in made]
    assert 8 == made[3].total


@pytest.mark.parametrize(
    ("args", "given", "message"),
    [
        ((1, 2, 3), {}, "Point takes 2 arguments, 3 were given"),
        ((), {}, "do not fit"),
        ((1,), {"x": 2}, "do not fit"),
        ((1,), {"z": 2}, "do not fit"),
        ((), {"z": 2}, "Point needs 'x'"),
    ],
)
def test_wrong_arguments_are_refused(
    args: tuple[int, ...], given: dict[str, int], message: str
) -> None:
    """With what is missing or too much."""
    with pytest.raises(TypeError, match=message):
        Point(*args, **given)


def test_equal_are_those_of_one_class_with_equal_fields() -> None:
    """Equal ones have the same hash; another class is never equal."""
    assert Point(1, 2) == Point(1, 2)
    assert Point(1, 2) != Point(2, 2)
    assert Point(1, 2) != Other(1, 2)  # type: ignore[comparison-overlap]
    assert Empty() == Empty()
    assert {Point(1, 2), Point(1, 2), Other(1, 2)} == {Other(1, 2), Point(1, 2)}
    assert 3 == len({Point(1), Other(1), Empty()})


def test_nothing_can_be_changed() -> None:
    """Neither a field nor anything else is set or deleted."""
    point = Point(1)
    with pytest.raises(AttributeError, match="Point is immutable: 'x'"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError, match="Point is immutable: 'x'"):
        del point.x
    with pytest.raises(AttributeError, match="Point is immutable: 'z'"):
        point.z = 2  # type: ignore[attr-defined]

    assert not hasattr(point, "__dict__")


def test_it_is_shown_with_its_fields_unless_it_says_otherwise() -> None:
    """As a dataclass is."""
    assert "Point(x=1, y='a')" == repr(Point(1, "a"))  # type: ignore[arg-type]
    assert "Empty()" == repr(Empty())
    assert "shown" == repr(Shown(1))


def test_it_can_be_matched_copied_and_pickled() -> None:
    """By position, as its fields are declared."""
    match Point(1, 2):
        case Point(x, y):
            assert (1, 2) == (x, y)
    assert Point(1, 2) == copy.deepcopy(Point(1, 2))
    assert Point(1, 2) == pickle.loads(pickle.dumps(Point(1, 2)))
