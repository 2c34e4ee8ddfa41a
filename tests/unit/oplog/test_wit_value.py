"""Values and types as flat trees of nodes."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_oplog.cbor import encode_type
from golem_oplog.errors import ValueTypeError
from golem_oplog.shape import CACHED_TYPE_SIZE_MAX, TYPE_DEPTH_MAX, is_small
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
from golem_oplog.values import check_wire, from_wire
from golem_oplog.wit_value import (
    VALUE_AND_TYPE,
    WIT_TYPE,
    WIT_VALUE,
    from_value_and_type,
    from_wit_type,
    from_wit_value,
    to_value_and_type,
    to_wit_type,
    to_wit_value,
)
from tests.support.wit_strategies import as_lists, wire_values, wit_types

POINT = RecordType((("x", Prim.U8), ("tags", ListType(Prim.STRING))))
COLOUR = EnumType(("red", "green"))
BITS = FlagsType(("a", "b", "c"))
SHAPE = VariantType((("dot", None), ("at", POINT)))
THING = HandleType("test:it/api.thing", owned=True)
LENT = HandleType("test:it/api.other", owned=False)
U8 = 8
STRING = 20
LIST = 5


def own_handle(ty: HandleType, uri: str, number: int) -> int:
    """What `to_wit_value` names without being told how."""
    assert uri == ty.resource
    return number


@given(st.data())
def test_any_value_comes_back(data: st.DataObject) -> None:
    """With its type, handles included; what is made fits the types of the interface."""
    ty = data.draw(wit_types())
    wire = data.draw(wire_values(ty, any_nan=True))
    pair = to_value_and_type(ty, wire)
    back_ty, back = from_value_and_type(pair, own_handle)

    assert (ty, as_lists(wire)) == (back_ty, as_lists(back))
    check_wire(VALUE_AND_TYPE, pair)
    check_wire(ty, back)


@given(st.data())
def test_arbitrary_nodes_are_a_value_or_refused(data: st.DataObject) -> None:
    """Whatever a guest puts together: never another error, never a value of another type."""
    ty = data.draw(wit_types())
    value = data.draw(wire_values(WIT_VALUE))
    try:
        wire = from_wit_value(ty, value, lambda _ty, _uri, _number: 1)
    except ValueTypeError:
        return
    check_wire(ty, wire)


@given(wire_values(WIT_TYPE))
def test_arbitrary_nodes_are_a_type_or_refused(value: Any) -> None:
    """And a type that was accepted is written so that it comes back."""
    try:
        ty = from_wit_type(value)
    except ValueTypeError:
        return
    assert ty == from_wit_type(to_wit_type(ty))


@pytest.mark.parametrize(
    ("ty", "wire", "nodes"),
    [
        (Prim.U8, 7, [(8, 7)]),
        (Prim.F32, 0, [(16, 0)]),
        (POINT, [1, ["a", "b"]], [(0, [1, 2]), (8, 1), (5, [3, 4]), (20, "a"), (20, "b")]),
        (SHAPE, (0, None), [(1, (0, None))]),
        (SHAPE, (1, [2, []]), [(1, (1, (1,))), (0, [2, 3]), (8, 2), (5, [])]),
        (COLOUR, 1, [(2, 1)]),
        (BITS, 0b101, [(3, [True, False, True])]),
        (TupleType((Prim.CHAR, Prim.BOOL)), ["x", True], [(4, [1, 2]), (18, "x"), (19, True)]),
        (ListType(Prim.U8), b"\x01\x02", [(5, [1, 2]), (8, 1), (8, 2)]),
        (OptionType(Prim.S8), None, [(6, None)]),
        (OptionType(Prim.S8), (-1,), [(6, (1,)), (12, -1)]),
        (ResultType(None, Prim.U64), (0, None), [(7, (0, None))]),
        (ResultType(None, Prim.U64), (1, 5), [(7, (1, (1,))), (11, 5)]),
        (THING, 3, [(21, (("test:it/api.thing",), 3))]),
    ],
)
def test_nodes_stand_in_pre_order(ty: WitType, wire: Any, nodes: list[Any]) -> None:
    """As the table of the interface numbers the cases."""
    assert (nodes,) == to_wit_value(ty, wire)


def test_a_handle_is_named_and_found_by_whoever_knows_it() -> None:
    """And refused where nobody does."""
    value = to_wit_value(
        ListType(THING), [4, 5], lambda ty, handle: (f"urn:worker:c/{ty.resource}", handle * 10)
    )
    found: list[tuple[str, int]] = []

    def find(_ty: HandleType, uri: str, number: int) -> int:
        found.append((uri, number))
        return number // 10

    assert [4, 5] == from_wit_value(ListType(THING), value, find)
    assert [("urn:worker:c/test:it/api.thing", each) for each in (40, 50)] == found
    with pytest.raises(ValueTypeError) as refused:
        from_wit_value(ListType(THING), value)
    assert "[0]" == refused.value.path


@pytest.mark.parametrize(
    ("ty", "nodes", "path", "found"),
    [
        (Prim.U8, [], "", "node 0"),
        (Prim.U8, [(STRING, "a")], "", "prim-string"),
        (POINT, [(0, [1]), (U8, 1)], "", "record-value of 1"),
        (POINT, [(0, [1, 2]), (U8, 1), (U8, 1)], "tags", "prim-u8"),
        (POINT, [(0, [1, 2]), (U8, 1), (LIST, [3]), (U8, 1)], "tags[0]", "prim-u8"),
        (TupleType((Prim.U8,)), [(4, [1]), (STRING, "a")], "[0]", "prim-string"),
        (SHAPE, [(1, (2, None))], "", "case 2"),
        (SHAPE, [(1, (0, (1,))), (U8, 1)], "", "dot with a payload"),
        (SHAPE, [(1, (1, None))], "", "at without a payload"),
        (SHAPE, [(1, (1, (1,))), (U8, 1)], "at", "prim-u8"),
        (COLOUR, [(2, 2)], "", "case 2"),
        (BITS, [(3, [True])], "", "flags-value of 1"),
        (OptionType(Prim.U8), [(6, (1,)), (STRING, "a")], "some", "prim-string"),
        (ResultType(None, Prim.U8), [(7, (1, None))], "", "err without a payload"),
        (ListType(Prim.U8), [(LIST, [-1])], "[0]", "node -1"),
        (ListType(Prim.U8), [(LIST, [2]), (U8, 1)], "[0]", "node 2"),
    ],
)
def test_what_does_not_fit_is_refused(ty: WitType, nodes: Any, path: str, found: str) -> None:
    """With the place in the value."""
    with pytest.raises(ValueTypeError) as refused:
        from_wit_value(ty, (nodes,))

    assert (path, found) == (refused.value.path, refused.value.found)


def test_a_few_nodes_are_no_large_value() -> None:
    """Lists that name the same parts over and over would stand for a billion strings."""
    ty: WitType = Prim.STRING
    for _ in range(9):
        ty = ListType(ty)
    nodes: list[Any] = [(LIST, [at + 1] * 10) for at in range(9)]
    nodes.append((STRING, "lol"))
    with pytest.raises(ValueTypeError, match="part of several others"):
        from_wit_value(ty, (nodes,))


def test_a_cycle_is_no_value() -> None:
    """It would have no end."""
    with pytest.raises(ValueTypeError, match="part of several others"):
        from_wit_type(([(None, None, (5, 0))],))


def named(case: int, payload: Any) -> Any:
    return (None, None, (case, payload))


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([], "a node of 0"),
        ([named(2, ["a", "a"])], "twice"),
        ([named(3, [""])], "an empty one"),
        ([named(0, [("a", 1), ("a", 2)]), named(8, None), named(8, None)], "twice"),
        ([(("",), None, (21, (7, 0)))], "a dot, found ''"),
        ([(("a.b",), None, (21, (7, 0)))], "a dot, found 'a.b'"),
        ([named(5, at + 1) for at in range(TYPE_DEPTH_MAX)] + [named(8, None)], "deeper"),
    ],
)
def test_no_type_is_refused(nodes: Any, message: str) -> None:
    """What no type can be made of, or none that its readers could walk."""
    with pytest.raises(ValueTypeError, match=message):
        from_wit_type((nodes,))


def test_resources_keep_their_names() -> None:
    """Beside the node; a foreign one that has none is called by its number."""
    ty = TupleType((THING, LENT, HandleType("test:it/api.thing", owned=False)))
    nodes = to_wit_type(ty)[0]

    assert [
        (("thing",), ("test:it/api",), (21, (0, 0))),
        (("other",), ("test:it/api",), (21, (1, 1))),
        (("thing",), ("test:it/api",), (21, (0, 1))),
    ] == nodes[1:]
    assert ty == from_wit_type((nodes,))
    assert HandleType("resource-7", owned=True) == from_wit_type(([named(21, (7, 0))],))
    for nowhere in (None, ("",)):
        plain = [(("own",), nowhere, (21, (7, 0)))]
        assert HandleType("own", owned=True) == from_wit_type((plain,))


def test_a_type_that_nests_too_deep_is_refused() -> None:
    """Also when it is written: whoever reads it would have to refuse it."""
    ty: WitType = Prim.U8
    for _ in range(TYPE_DEPTH_MAX):
        ty = ListType(ty)
    for write in (to_wit_type, lambda ty: to_wit_value(ty, [])):
        with pytest.raises(ValueTypeError, match="deeper"):
            write(ty)


def test_bytes_are_bytes_again() -> None:
    """Though they travel as a node each."""
    ty = OptionType(ListType(Prim.U8))

    assert b"\x00\xff" == from_wire(ty)(from_wit_value(ty, to_wit_value(ty, (b"\x00\xff",))))


def test_of_a_large_type_nothing_is_kept() -> None:
    """A guest can name as many of them as it likes, and caches outlive it."""

    def use(prefix: str) -> None:
        ty = VariantType(tuple((f"{prefix}{case}", Prim.U8) for case in range(5_000)))
        pair = to_value_and_type(ty, (0, 1))
        assert from_value_and_type(pair) == (ty, (0, 1))
        assert encode_type(ty)

    use("first")
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(3):
        use(f"other{number}-")
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert after - before < 50_000


@pytest.mark.parametrize(
    "ty",
    [
        TupleType((Prim.U8,) * CACHED_TYPE_SIZE_MAX),
        EnumType(("n" * CACHED_TYPE_SIZE_MAX,)),
        RecordType((("n" * CACHED_TYPE_SIZE_MAX, Prim.U8),)),
        OptionType(HandleType("n" * CACHED_TYPE_SIZE_MAX, owned=True)),
    ],
)
def test_parts_and_names_make_a_type_large(ty: WitType) -> None:
    """Either is kept with what was made for the type."""
    assert (False, True) == (is_small(ty), is_small(VALUE_AND_TYPE))
