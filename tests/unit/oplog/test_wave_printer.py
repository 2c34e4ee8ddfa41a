"""WAVE as it is printed: one line, nothing unprintable, the shortest numbers."""

from __future__ import annotations

import math

import pytest

from golem_oplog.errors import ValueTypeError
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
from golem_oplog.values import Err, Ok, ResourceRef, Some, Variant
from golem_oplog.wave import render_call, render_value, render_wire

ITEM = RecordType((("item-id", Prim.STRING), ("note", OptionType(Prim.STRING))))
SHAPE = VariantType((("dot", None), ("circle", Prim.F64), ("ok", ITEM)))


@pytest.mark.parametrize(
    ("ty", "value", "text"),
    [
        (Prim.BOOL, True, "true"),
        (Prim.BOOL, False, "false"),
        (Prim.S64, -(2**63), "-9223372036854775808"),
        (Prim.F64, 1, "1.0"),
        (Prim.F64, 1e-7, "1e-7"),
        (Prim.F64, 1e22, "1e+22"),
        (Prim.F64, 1e-100, "1e-100"),
        (Prim.F64, -0.0, "-0.0"),
        (Prim.F64, math.nan, "nan"),
        (Prim.F64, -math.inf, "-inf"),
        (Prim.F32, 0.1, "0.1"),
        (Prim.F32, 16777216, "16777216.0"),
        (Prim.F32, 3.4028235e38, "3.4028235e+38"),
        (Prim.F32, 1e-45, "1e-45"),
        (Prim.F32, math.inf, "inf"),
        (Prim.F32, math.nan, "nan"),
        (Prim.CHAR, "a", "'a'"),
        (Prim.CHAR, "'", r"'\''"),
        (Prim.CHAR, '"', "'\"'"),
        (Prim.CHAR, "\\", r"'\\'"),
        (Prim.STRING, "☃ it's", '"☃ it\'s"'),
        (Prim.STRING, 'a"b\\', r'"a\"b\\"'),
        (Prim.STRING, "\t\n\r\0\x1b\u202e", r'"\t\n\r\u{0}\u{1b}\u{202e}"'),
        (ListType(Prim.U8), b"\x00\xff", "[0, 255]"),
        (ListType(Prim.STRING), [], "[]"),
        (ListType(Prim.STRING), ["a", "b"], '["a", "b"]'),
        (TupleType((Prim.U8, Prim.BOOL)), (1, True), "(1, true)"),
        (TupleType(()), (), "()"),
        (ITEM, {"item-id": "a"}, '{item-id: "a"}'),
        (ITEM, {"item-id": "a", "note": "b"}, '{item-id: "a", note: some("b")}'),
        (RecordType((("a", OptionType(Prim.U8)),)), {"a": None}, "{:}"),
        (SHAPE, "dot", "dot"),
        (SHAPE, Variant("circle", 1.5), "circle(1.5)"),
        (SHAPE, Variant("ok", {"item-id": ""}), '%ok({item-id: ""})'),
        (EnumType(("left", "none")), "left", "left"),
        (EnumType(("left", "none")), "none", "%none"),
        (OptionType(Prim.U8), None, "none"),
        (OptionType(Prim.U8), 1, "some(1)"),
        (OptionType(OptionType(Prim.U8)), Some(None), "some(none)"),
        (ResultType(Prim.U8, None), Ok(1), "ok(1)"),
        (ResultType(Prim.U8, None), Err(), "err"),
        (FlagsType(("a", "ok", "c")), {"c", "ok"}, "{ok, c}"),
        (FlagsType(("a",)), (), "{}"),
        (HandleType("a:b/c.counter", owned=True), ResourceRef("a:b/c.counter", 7), "counter(7)"),
        (HandleType("a:b/c.counter'", owned=True), ResourceRef("a:b/c.counter'", 7), "counter(7)"),
    ],
)
def test_prints(ty: WitType, value: object, text: str) -> None:
    """Each type has one printed form, which can be typed in again."""
    assert text == render_value(value, ty)


def test_prints_calls() -> None:
    """A call is printed under the function's full name."""
    function = FunctionType("a:b/c.{add}", (("n", Prim.U8), ("s", Prim.STRING)), None)

    assert 'a:b/c.{add}(1, "x")' == render_call(function, [1, "x"])


def test_refuses_what_does_not_fit() -> None:
    """A public value is checked before it is printed."""
    with pytest.raises(ValueTypeError, match="expected u8"):
        render_value(256, Prim.U8)


@pytest.mark.parametrize(
    ("ty", "wire", "text"),
    [
        (ListType(Prim.U8), bytes(10**7), "[0, 0, 0, ..."),
        (Prim.STRING, "x" * 10**7, '"xxxxxxxxx...'),
        (Prim.STRING, "xxxxxxxx", '"xxxxxxxx"'),
        (ListType(Prim.STRING), ["a", "b", "c"], '["a", "b",...'),
    ],
)
def test_long_values_are_cut(ty: WitType, wire: object, text: str) -> None:
    """With a bound, the text stops there, and so does the work."""
    assert text == render_wire(wire, ty, chars_max=10)
