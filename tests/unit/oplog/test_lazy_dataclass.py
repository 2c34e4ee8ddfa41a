"""The project's `dataclass` beside the standard one: the same classes, decorated by both."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import sys
from dataclasses import FrozenInstanceError, field, replace
from typing import ClassVar

import pytest

from golem_oplog.lazy_dataclass import dataclass


@pytest.fixture(params=[dataclass, dataclasses.dataclass], ids=["lazy", "standard"])
def both(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of the two this module's tests decorate their classes with."""
    monkeypatch.setattr(sys.modules[__name__], "dataclass", request.param)


@dataclass(frozen=True, slots=True)
class Point:
    """A class at the top of its module, where pickle finds it."""

    x: int
    y: int = 7
    tags: list[str] = field(default_factory=list)


@dataclass
class Undocumented:
    x: int


@pytest.mark.usefixtures("both")
def test_an_instance_has_what_was_given_and_the_defaults_of_the_rest() -> None:
    """Fields are set by position, by name, from defaults and from factories, as the class says."""

    @dataclass
    class Sample:
        a: int
        b: str = "b"
        c: list[int] = field(default_factory=list)
        d: int = field(init=False, default=4)
        e: list[int] = field(init=False, default_factory=list)
        f: int = field(kw_only=True, default=6)
        limit: ClassVar[int] = 9

    first, second = Sample(1, c=[3]), Sample(1, "x", f=8)

    assert [1, "b", [3], 4, [], 6] == [getattr(first, name) for name in "abcdef"]
    assert [1, "x", [], 4, [], 8] == [getattr(second, name) for name in "abcdef"]
    assert first.c is not second.c
    assert ("a", "b", "c") == Sample.__match_args__


@pytest.mark.usefixtures("both")
def test_wrong_arguments_are_refused_in_the_name_of_the_class() -> None:
    """A missing, a surplus and a misplaced argument are each a `TypeError` that names the class."""

    @dataclass(kw_only=True)
    class Sample:
        a: int

    given: list[tuple[list[int], dict[str, int]]] = [([], {}), ([1], {}), ([], {"a": 1, "b": 2})]
    for args, kwargs in given:
        with pytest.raises(TypeError, match=r"Sample\.__init__\(\)"):
            Sample(*args, **kwargs)


@pytest.mark.usefixtures("both")
def test_a_class_without_fields_has_instances() -> None:
    """No field is needed."""

    @dataclass(frozen=True, slots=True)
    class Nothing:
        pass

    assert Nothing() == Nothing()
    assert repr(Nothing()).endswith("Nothing()")


@pytest.mark.usefixtures("both")
def test_frozen_and_plain_classes_compare_and_hash_by_their_fields() -> None:
    """Equal fields are equal instances; only a frozen class has a hash, and it leaves out fields."""

    @dataclass(frozen=True)
    class Frozen:
        a: int
        b: int = field(default=0, compare=False)

    @dataclass
    class Plain:
        a: int

    assert Frozen(1, 2) == Frozen(1, 3)
    assert Frozen(1) != Frozen(2)
    assert Frozen(1) != object()
    assert hash(Frozen(1, 2)) == hash(Frozen(1, 3))
    assert Plain.__hash__ is None


@pytest.mark.usefixtures("both")
def test_without_eq_an_instance_equals_only_itself() -> None:
    """Identity stays what it was, and so does the hash."""

    @dataclass(eq=False)
    class Sample:
        a: int

    one = Sample(1)

    assert one == one  # noqa: PLR0124
    assert one != Sample(1)
    assert {one} == {one}


@pytest.mark.usefixtures("both")
def test_methods_of_the_class_itself_stay() -> None:
    """What the class defines is not replaced: neither constructor nor text nor comparison."""

    @dataclass
    class Own:
        a: int

        def __init__(self) -> None:
            self.a = 5

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 11

    assert (5, "own", 11) == (Own().a, repr(Own()), hash(Own()))
    assert Own() == object()


@pytest.mark.usefixtures("both")
def test_own_equality_of_a_frozen_class_keeps_the_hash_by_fields() -> None:
    """Python takes the hash away from a class that compares by itself; a frozen one gets it back."""

    @dataclass(frozen=True)
    class Sample:  # noqa: PLW1641 - this is what is asked
        a: int

        def __eq__(self, other: object) -> bool:
            return True

    assert hash(Sample(1)) == hash(Sample(1))


@pytest.mark.usefixtures("both")
def test_the_last_step_of_construction_sees_every_field() -> None:
    """``__post_init__`` runs after all fields are set."""

    @dataclass
    class Sample:
        a: int
        b: int = 2

        def __post_init__(self) -> None:
            self.total = self.a + self.b

    assert 3 == Sample(1).total


@pytest.mark.usefixtures("both")
def test_a_derived_class_has_the_fields_of_both() -> None:
    """Inherited fields come first; the text names the derived class."""

    @dataclass(frozen=True, slots=True)
    class Base:
        a: int

    @dataclass(frozen=True, slots=True)
    class Derived(Base):
        b: int

    assert (1, 2) == (Derived(1, 2).a, Derived(1, 2).b)
    assert repr(Derived(1, 2)).endswith("Derived(a=1, b=2)")
    assert Base(1) != Derived(1, 2)


def test_a_frozen_instance_can_not_be_changed() -> None:
    """Setting and deleting are refused before and after the first use, and name the field."""
    point = Point(1)

    for _ in range(2):
        with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
            point.x = 2  # type: ignore[misc]
        with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
            del point.x
        assert "Point(x=1, y=7, tags=[])" == repr(point)


def test_a_frozen_instance_can_be_copied_replaced_and_pickled() -> None:
    """A copy has the same fields, although nothing can be set from outside."""
    point = Point(1, tags=["a"])

    assert point == copy.copy(point) == copy.deepcopy(point)
    assert point == pickle.loads(pickle.dumps(point))
    assert Point(3, tags=["a"]) == replace(point, x=3)
    assert not hasattr(point, "__dict__")


def test_only_methods_that_are_used_are_compiled() -> None:
    """A stand-in is replaced at its first call, each by itself."""

    @dataclass
    class Sample:
        a: int

    before = Sample.__init__, Sample.__repr__
    Sample(1)

    assert before[0] is not Sample.__init__
    assert before[1] is Sample.__repr__
    assert ["self", "a"] == list(inspect.signature(Sample.__init__).parameters)


def test_a_class_without_a_sentence_gets_its_name() -> None:
    """The standard decorator would spend long on a signature that then shows the stand-in."""
    assert "Undocumented" == Undocumented.__doc__
