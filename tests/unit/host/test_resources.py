"""Handles of a guest to things of the host, and values that hold them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_host.failures import GuestLimitError
from golem_host.resources import RESOURCES_MAX, ResourceTable, lifter, lowerer
from golem_oplog.errors import ValueTypeError
from golem_oplog.types import (
    EnumType,
    FlagsType,
    HandleType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
    WitType,
)
from golem_oplog.values import Err, Ok, Some, Variant, from_wire, to_wire
from tests.support.wit_strategies import public_values, wire_values, wit_types

OWN = HandleType("test:it/api.thing", owned=True)
BORROW = HandleType("test:it/api.thing", owned=False)
COLOUR = EnumType(("red", "green"))


def table_of(*objects: object) -> ResourceTable:
    """The first object gets rep 1."""
    table = ResourceTable()
    for each in objects:
        table.add(each)
    return table


def lift(ty: WitType, table: ResourceTable, wire: object) -> Any:
    convert = lifter(ty)
    assert convert is not None
    return convert(table, wire)


def lower(ty: WitType, table: ResourceTable, value: object) -> Any:
    convert = lowerer(ty)
    assert convert is not None
    return convert(table, value)


# -- the table ------------------------------------------------------------------------------------


def test_reps_begin_at_one() -> None:
    """A zeroed handle is always a mistake."""
    table = ResourceTable()

    assert [1, 2, 3] == [table.add(each) for each in "abc"]
    assert ["a", "b", "c"] == [table.get(rep) for rep in (1, 2, 3)]


def test_the_lowest_free_rep_is_given_first() -> None:
    """Whatever the order in which others were given up: a replayed guest must get the same."""
    table = table_of(*"abcd")
    for rep in (3, 1, 2):
        table.take(rep)

    assert [1, 2, 3, 5] == [table.add(each) for each in "efgh"]


@given(st.lists(st.integers(0, 5), max_size=60))
def test_a_rep_is_always_the_lowest_that_is_free(script: list[int]) -> None:
    """For arbitrary sequences: 0 adds, another number takes the rep at that place."""
    table, held = ResourceTable(), dict[int, object]()
    for at, each in enumerate(script):
        if each == 0 or not held:
            rep = table.add(at)

            assert min(set(range(1, len(held) + 2)) - set(held)) == rep
            held[rep] = at
        else:
            rep = sorted(held)[each % len(held)]

            assert held.pop(rep) == table.take(rep)
        assert len(held) == len(table)


def test_a_rep_is_given_up_once() -> None:
    """Dropping it again frees nothing that somebody else may have by then."""
    table = table_of("a")

    assert ["a", None] == [table.take(1), table.take(1)]
    assert [1, 2] == [table.add("b"), table.add("c")]


def test_open_resources_are_bounded() -> None:
    """The guest that opens too many traps; after closing one it may open one."""
    table = table_of(*range(RESOURCES_MAX))
    with pytest.raises(GuestLimitError, match="more than 10000 open resources"):
        table.add("one too many")
    table.take(7)

    assert (7, RESOURCES_MAX) == (table.add("fits"), len(table))


# -- values ---------------------------------------------------------------------------------------

SHAPES: tuple[tuple[WitType, Any, Any], ...] = (
    (OWN, 1, "a"),
    (BORROW, 1, "a"),
    (ListType(OWN), [1, 2], ["a", "b"]),
    (OptionType(OWN), None, None),
    (OptionType(OWN), (1,), "a"),
    (OptionType(OptionType(OWN)), None, None),
    (OptionType(OptionType(OWN)), (None,), Some(None)),
    (OptionType(OptionType(OWN)), ((1,),), Some("a")),
    (TupleType((Prim.U8, OWN, Prim.F64)), (7, 1, 0x3FF0 << 48), (7, "a", 1.0)),
    (RecordType((("id", Prim.U8), ("of", OWN))), (7, 1), {"id": 7, "of": "a"}),
    (VariantType((("none", None), ("one", OWN))), (0, None), Variant("none")),
    (VariantType((("none", None), ("one", OWN))), (1, 1), Variant("one", "a")),
    (ResultType(OWN, COLOUR), (0, 1), Ok("a")),
    (ResultType(OWN, COLOUR), (1, 1), Err("green")),
    (ResultType(None, OWN), (0, None), Ok()),
    (ResultType(None, OWN), (1, 1), Err("a")),
    (ListType(TupleType((COLOUR, BORROW))), [(1, 1), (0, 2)], [("green", "a"), ("red", "b")]),
)


@pytest.mark.parametrize(("ty", "wire", "value"), SHAPES)
def test_handles_are_lifted_to_what_they_stand_for(
    ty: WitType, wire: object, value: object
) -> None:
    """Wherever in an argument they are; everything else takes its public form."""
    assert value == lift(ty, table_of("a", "b"), wire)


@pytest.mark.parametrize(("ty", "wire", "value"), SHAPES)
def test_what_an_action_returns_is_lowered_to_handles(
    ty: WitType, wire: object, value: object
) -> None:
    """Each object gets a rep in the order of the value; the rest takes its wire form."""
    table = ResourceTable()

    assert wire == lower(ty, table, value)
    assert ["a", "b"][: len(table)] == [table.get(1 + n) for n in range(len(table))]


def test_an_owned_handle_is_the_hosts_again() -> None:
    """It is taken out of the table; a borrowed one stays."""
    table = table_of("a", "b")
    lifted = [lift(OWN, table, 1), lift(BORROW, table, 2)]

    assert (["a", "b"], 1, "b") == (lifted, len(table), table.get(2))


@given(st.data())
def test_values_without_handles_are_converted_as_everywhere(data: st.DataObject) -> None:
    """For arbitrary types: as `from_wire` and `to_wire` do, or not at all where that is the same."""
    ty = data.draw(wit_types(handles=False))
    wire = data.draw(wire_values(ty))
    value = data.draw(public_values(ty))
    table = ResourceTable()
    lifted, lowered = lifter(ty), lowerer(ty)

    # In wire form, where a NaN equals itself.
    back = to_wire(ty)
    assert back(from_wire(ty)(wire)) == back(wire if lifted is None else lifted(table, wire))
    assert to_wire(ty)(value) == (value if lowered is None else lowered(table, value))


UNCONVERTED = [*(ty for ty in Prim if ty not in {Prim.F32, Prim.F64}), ListType(Prim.U8)]


@pytest.mark.parametrize("ty", UNCONVERTED, ids=str)
def test_scalars_cost_nothing(ty: WitType) -> None:
    """They are handed on as they are, both ways; the engine refuses what does not fit."""
    assert (None, None) == (lifter(ty), lowerer(ty))


@pytest.mark.parametrize("ty", [COLOUR, FlagsType(("a", "b")), Prim.F64], ids=str)
def test_an_answer_that_does_not_fit_its_type_is_refused(ty: WitType) -> None:
    """Before it is recorded, and not only when the engine lowers it."""
    with pytest.raises(ValueTypeError):
        lower(ty, ResourceTable(), object())
