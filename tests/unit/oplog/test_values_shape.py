"""Words for types and values, and the bound on nesting that every walk along a type relies on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from golem_oplog.errors import ValueTypeError
from golem_oplog.jsonform import from_json, wire_to_json
from golem_oplog.shape import check_depth, choices, describe, kind
from golem_oplog.types import (
    EnumType,
    FlagsType,
    FunctionType,
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
from golem_oplog.values import TYPE_DEPTH_MAX, check_wire, from_wire, python_name, to_wire
from golem_oplog.wave import parse_args, parse_call, parse_value, render_wire
from golem_oplog.wittext import format_function, format_type

NESTERS: dict[str, Callable[[WitType], WitType]] = {
    "list": ListType,
    "option": OptionType,
    "tuple": lambda inner: TupleType((inner,)),
    "record": lambda inner: RecordType((("a", inner),)),
    "variant": lambda inner: VariantType((("a", None), ("b", inner))),
    "result": lambda inner: ResultType(None, inner),
}


def nested(nest: Callable[[WitType], WitType], depth: int) -> WitType:
    """A type of exactly this depth."""
    ty: WitType = EnumType(("a",))
    for _ in range(depth - 1):
        ty = nest(ty)
    return ty


@pytest.mark.parametrize("nest", NESTERS.values(), ids=NESTERS.keys())
def test_the_depth_of_a_type_is_bounded(nest: Callable[[WitType], WitType]) -> None:
    """The deepest type that an engine loads is taken, one level more is an error of ours."""
    check_depth(nested(nest, TYPE_DEPTH_MAX))

    with pytest.raises(ValueTypeError, match="nested at most 100 deep"):
        check_depth(nested(nest, TYPE_DEPTH_MAX + 1))


TOO_DEEP = nested(NESTERS["list"], TYPE_DEPTH_MAX + 1)
DEEP_FUNCTION = FunctionType("f", (("a", TOO_DEEP),), None)


@pytest.mark.parametrize(
    "walk",
    [
        lambda: to_wire(TOO_DEEP),
        lambda: from_wire(TOO_DEEP),
        lambda: check_wire(TOO_DEEP, []),
        lambda: parse_value("[]", TOO_DEEP),
        lambda: parse_args(parse_call("f([])"), DEEP_FUNCTION),
        lambda: render_wire([], TOO_DEEP),
        lambda: from_json(TOO_DEEP, []),
        lambda: wire_to_json(TOO_DEEP, []),
        lambda: format_type(TOO_DEEP),
        lambda: format_function(DEEP_FUNCTION),
    ],
)
def test_every_walk_checks_the_depth_first(walk: Callable[[], object]) -> None:
    """No function here can be made to exhaust the stack by a type."""
    with pytest.raises(ValueTypeError, match="nested at most 100 deep"):
        walk()


@pytest.mark.parametrize("nest", NESTERS.values(), ids=NESTERS.keys())
def test_the_deepest_value_goes_through_every_form(nest: Callable[[WitType], WitType]) -> None:
    """The bound leaves room: a value of the deepest type is converted, printed and read."""
    ty = nested(nest, TYPE_DEPTH_MAX)
    text = {"list": "[]", "option": "none", "result": "ok", "variant": "a"}.get(
        next(name for name, made in NESTERS.items() if made is nest)
    )
    if text is None:
        opening, closing = ("(", ")") if nest is NESTERS["tuple"] else ("{a: ", "}")
        text = opening * (TYPE_DEPTH_MAX - 1) + "a" + closing * (TYPE_DEPTH_MAX - 1)

    public = parse_value(text, ty)
    wire = to_wire(ty)(public)

    check_wire(ty, wire)
    assert text == render_wire(wire, ty)
    assert public == from_json(ty, wire_to_json(ty, wire))


@pytest.mark.parametrize(
    ("ty", "words"),
    [
        (Prim.BOOL, "bool"),
        (Prim.S8, "s8 (-128 to 127)"),
        (Prim.F32, "f32"),
        (ListType(Prim.U8), "list<u8>"),
        (ListType(TupleType(())), "list"),
        (TupleType((Prim.U8, Prim.U8)), "tuple of 2"),
        (RecordType((("a", Prim.U8), ("b", Prim.U8))), "record with a, b"),
        (VariantType((("a", None),)), "variant: a"),
        (EnumType(("a", "b")), "enum: a, b"),
        (OptionType(Prim.U8), "option"),
        (ResultType(None, None), "result"),
        (FlagsType(("a",)), "flags: a"),
        (HandleType("a:b/c.d", owned=True), "own<a:b/c.d>"),
        (HandleType("a:b/c.d", owned=False), "borrow<a:b/c.d>"),
    ],
)
def test_types_in_words(ty: WitType, words: str) -> None:
    """An error names a type in a few words."""
    assert words == kind(ty)


@pytest.mark.parametrize(
    ("prim", "low", "high"),
    [
        (Prim.S8, -128, 127),
        (Prim.U8, 0, 255),
        (Prim.S16, -32_768, 32_767),
        (Prim.U16, 0, 65_535),
        (Prim.S32, -2_147_483_648, 2_147_483_647),
        (Prim.U32, 0, 4_294_967_295),
        (Prim.S64, -9_223_372_036_854_775_808, 9_223_372_036_854_775_807),
        (Prim.U64, 0, 18_446_744_073_709_551_615),
    ],
)
def test_integers_end_where_their_bits_do(prim: Prim, low: int, high: int) -> None:
    """Both ends of every integer type are taken, and not one step more."""
    for number in (low, high):
        assert number == to_wire(prim)(number)
    for number in (low - 1, high + 1):
        with pytest.raises(ValueTypeError):
            to_wire(prim)(number)


def test_a_dozen_choices_are_shown_whole() -> None:
    """Nothing is left out of a list that is not too long."""
    names = [f"n{number}" for number in range(12)]

    assert ", ".join(names) == choices(names)


def test_long_choices_are_cut() -> None:
    """An enum of hundreds of names does not fill the screen."""
    names = [f"n{number}" for number in range(15)]

    assert "n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11 and 3 more" == choices(names)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "None"),
        (True, "True"),
        (1.5, "1.5"),
        (12, "12"),
        (2**128 - 1, str(2**128 - 1)),
        (2**128, "an integer of 129 bits"),
        ("a\n\x1b", r"'a\n\x1b'"),
        ("x" * 60, f"'{'x' * 60}'"),
        ("x" * 61, f"'{'x' * 60}'..."),
        (b"abc", "3 bytes"),
        ([1], "list of 1"),
        ((), "tuple of 0"),
        ({}, "dict"),
    ],
)
def test_values_in_words(value: object, words: str) -> None:
    """An error shows a value on one short line."""
    assert words == describe(value)


@pytest.mark.parametrize(
    ("name", "attribute"),
    [("qty", "qty"), ("is-on", "is_on"), ("from", "from_"), ("HTTP2-get", "HTTP2_get")],
)
def test_names_in_python(name: str, attribute: str) -> None:
    """A WIT name is an attribute that Python can spell."""
    assert attribute == python_name(name)
