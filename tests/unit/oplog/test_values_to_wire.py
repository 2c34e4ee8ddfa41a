"""What a person may hand in for a WIT value, and how what does not fit is reported."""

from __future__ import annotations

import math
from array import array
from collections import OrderedDict
from dataclasses import dataclass
from enum import IntEnum, StrEnum

import pytest

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
from golem_oplog.values import Err, Ok, ResourceRef, Some, Variant, to_wire

ITEM = RecordType((("item-id", Prim.STRING), ("qty", Prim.U32), ("from", OptionType(Prim.STRING))))
SHAPE = VariantType((("dot", None), ("circle", Prim.F64), ("named-thing", OptionType(Prim.U8))))
COLOR = EnumType(("red", "dark-blue"))
MODES = FlagsType(("read", "write-all"))
COUNTER = HandleType("golem:it/api.counter", owned=True)


PARTLY = RecordType((("real", Prim.U8), ("nope", Prim.U8)))  # every int has the first one
NESTED = ListType(
    RecordType((("inner", VariantType((("x", None), ("case-a", ListType(Prim.U8))))),))
)

F32_LIMIT = float.fromhex("0x1.ffffffp127")  # the first number that rounds to infinity
BELOW_F32_LIMIT = math.nextafter(F32_LIMIT, 0)


class Level(IntEnum):
    LOWEST = 0
    HIGHEST = 255
    TOO_HIGH = 300


class Name(StrEnum):
    RED = "red"


@dataclass
class Item:
    item_id: str
    qty: int
    from_: str | None = None


@pytest.mark.parametrize(
    ("ty", "value", "wire"),
    [
        (Prim.BOOL, True, True),
        (Prim.BOOL, False, False),
        (Prim.S8, -128, -128),
        (Prim.U8, Level.LOWEST, 0),
        (Prim.U8, Level.HIGHEST, 255),
        (Prim.U64, 2**64 - 1, 2**64 - 1),
        (Prim.F64, 1.5, 0x3FF8_0000_0000_0000),
        (Prim.F64, 2, 0x4000_0000_0000_0000),
        (Prim.F64, -math.nan, 0x7FF8_0000_0000_0000),
        (Prim.F32, 0.1, 0x3DCC_CCCD),
        (Prim.F32, math.nan, 0x7FC0_0000),
        (Prim.F32, -math.nan, 0x7FC0_0000),
        (Prim.F32, BELOW_F32_LIMIT, 0x7F7F_FFFF),
        (Prim.F32, -math.inf, 0xFF80_0000),
        (Prim.F32, 3.4028235e38, 0x7F7F_FFFF),
        (Prim.CHAR, "\ud7ff", "\ud7ff"),
        (Prim.CHAR, "\ue000", "\ue000"),
        (Prim.STRING, "naïve", "naïve"),
        (Prim.STRING, Name.RED, "red"),
        (ListType(Prim.U8), b"ab", b"ab"),
        (ListType(Prim.U8), bytearray(b"ab"), b"ab"),
        (ListType(Prim.U8), memoryview(b"ab"), b"ab"),
        (ListType(Prim.U8), [97, 98], b"ab"),
        (ListType(Prim.U16), (1, 2), [1, 2]),
        (ListType(Prim.U16), range(3), [0, 1, 2]),
        (ListType(Prim.F64), array("d", [0.0]), [0]),
        (TupleType((Prim.U8, Prim.STRING)), (1, "a"), [1, "a"]),
        (TupleType((Prim.U8, Prim.STRING)), [1, "a"], [1, "a"]),
        (TupleType(()), (), []),
        (ITEM, {"item-id": "a", "qty": 1, "from": "b"}, ["a", 1, ("b",)]),
        (ITEM, {"item_id": "a", "qty": 1, "from_": "b"}, ["a", 1, ("b",)]),
        (ITEM, {"item-id": "a", "qty": 1}, ["a", 1, None]),
        (ITEM, OrderedDict({"qty": 1, "item-id": "a", "from": None}), ["a", 1, None]),
        (ITEM, Item("a", 1, "b"), ["a", 1, ("b",)]),
        (RecordType((("only", Prim.U8),)), {"only": 1}, [1]),
        (RecordType((("real", Prim.U8),)), 1, [1]),  # any object that has the attribute
        (RecordType(()), {}, []),
        (SHAPE, Variant("dot"), (0, None)),
        (SHAPE, "dot", (0, None)),
        (SHAPE, Variant("circle", 0.0), (1, 0)),
        (SHAPE, Variant("named_thing", 3), (2, (3,))),
        (COLOR, "dark-blue", 1),
        (COLOR, "dark_blue", 1),
        (COLOR, Name.RED, 0),
        (OptionType(Prim.U8), None, None),
        (OptionType(Prim.U8), 1, (1,)),
        (OptionType(Prim.U8), Some(1), (1,)),
        (OptionType(OptionType(Prim.U8)), Some(None), (None,)),
        (OptionType(OptionType(Prim.U8)), Some(1), ((1,),)),
        (ResultType(Prim.U8, None), Ok(1), (0, 1)),
        (ResultType(Prim.U8, None), Err(), (1, None)),
        (MODES, {"read", "write-all"}, 3),
        (MODES, ["write_all"], 2),
        (MODES, (), 0),
        (COUNTER, ResourceRef("golem:it/api.counter", 0), 0),
        (COUNTER, ResourceRef("golem:it/api.counter", 2**32 - 1), 2**32 - 1),
    ],
)
def test_accepts(ty: WitType, value: object, wire: object) -> None:
    """Everything that can only be meant in one way is taken, and becomes exact wire values."""
    found = to_wire(ty)(value)

    assert wire == found
    assert type(wire) is type(found)


@pytest.mark.parametrize(
    ("ty", "value", "expected", "found"),
    [
        (Prim.BOOL, 1, "bool", "1"),
        (Prim.U8, 256, "u8 (0 to 255)", "256"),
        (Prim.U8, -1, "u8 (0 to 255)", "-1"),
        (Prim.U8, Level.TOO_HIGH, "u8 (0 to 255)", "300"),
        (Prim.S16, Level, "s16 (-32768 to 32767)", "EnumType"),
        (Prim.U8, True, "u8 (0 to 255)", "True"),
        (Prim.U64, 2**500, f"u64 (0 to {2**64 - 1})", "an integer of 501 bits"),
        (Prim.U8, 1.0, "u8 (0 to 255)", "1.0"),
        (Prim.F64, "1", "f64", "'1'"),
        (Prim.F64, True, "f64", "True"),
        (Prim.F64, 10**400, "f64", "an integer of 1329 bits"),
        (Prim.F32, 1e39, "f32 (within ±3.4028235e38)", "1e+39"),
        (Prim.F32, F32_LIMIT, "f32 (within ±3.4028235e38)", repr(F32_LIMIT)),
        (Prim.CHAR, "ab", "char (one Unicode scalar value)", "'ab'"),
        (Prim.CHAR, "\ud800", "char (one Unicode scalar value)", r"'\ud800'"),
        (Prim.CHAR, "\udfff", "char (one Unicode scalar value)", r"'\udfff'"),
        (Prim.CHAR, 97, "char (one Unicode scalar value)", "97"),
        (Prim.STRING, "a\ud800", "string without lone surrogates", r"'a\ud800'"),
        (Prim.STRING, b"a", "string", "1 bytes"),
        (ListType(Prim.U8), "ab", "list<u8>", "'ab'"),
        (ListType(Prim.U16), b"ab", "list<u16>", "2 bytes"),
        (ListType(COLOR), {1}, "list", "set"),
        (TupleType((Prim.U8,)), (1, 2), "tuple of 1", "tuple of 2"),
        (ITEM, 1, "record with item-id, qty, from", "1"),
        (ITEM, {"x": 0}, "record with item-id, qty, from", "unknown field 'x'"),
        (ITEM, {5: 0}, "record with item-id, qty, from", "unknown field 5"),
        (
            ITEM,
            {"item-id": "a", "item_id": "a"},
            "record with item-id, qty, from",
            "field 'item_id' a second time",
        ),
        (SHAPE, Variant("oval"), "variant: dot, circle, named-thing", "'oval'"),
        (SHAPE, 3, "variant: dot, circle, named-thing", "3"),
        (COLOR, "green", "enum: red, dark-blue", "'green'"),
        (COLOR, [], "enum: red, dark-blue", "list of 0"),
        (
            OptionType(OptionType(Prim.U8)),
            1,
            "None or Some(...) for an option of an option",
            "1",
        ),
        (ResultType(Prim.U8, None), 1, "Ok(...) or Err(...)", "1"),
        (MODES, "read", "a set of read, write-all", "'read'"),
        (MODES, {"read": True}, "a set of read, write-all", "dict"),
        (MODES, 3, "a set of read, write-all", "3"),
        (MODES, ["exec"], "flags: read, write-all", "'exec'"),
        (COUNTER, 7, "ResourceRef('golem:it/api.counter', ...)", "7"),
        (
            COUNTER,
            ResourceRef("golem:it/api.other", 7),
            "ResourceRef('golem:it/api.counter', ...)",
            "ResourceRef",
        ),
        (
            COUNTER,
            ResourceRef("golem:it/api.counter", -1),
            "ResourceRef('golem:it/api.counter', ...)",
            "ResourceRef",
        ),
        (
            COUNTER,
            ResourceRef("golem:it/api.counter", 2**32),
            "ResourceRef('golem:it/api.counter', ...)",
            "ResourceRef",
        ),
    ],
)
def test_refuses(ty: WitType, value: object, expected: str, found: str) -> None:
    """What does not fit is refused in words: what was expected, what was found."""
    with pytest.raises(ValueTypeError) as caught:
        to_wire(ty)(value)

    assert ("", expected, found) == (caught.value.path, caught.value.expected, caught.value.found)


@pytest.mark.parametrize(
    ("ty", "value", "message"),
    [
        (ListType(Prim.U8), [1, 300], "at [1]: expected u8 (0 to 255), found 300"),
        (TupleType((Prim.U8,)), ["a"], "at [0]: expected u8 (0 to 255), found 'a'"),
        (ITEM, {"qty": 1}, "at item-id: expected string, found no such field"),
        (ITEM, Item("a", -1), "at qty: expected u32 (0 to 4294967295), found -1"),
        (PARTLY, 1, "at nope: expected u8 (0 to 255), found no such field"),
        (SHAPE, Variant("dot", 1), "at dot: expected no payload, found 1"),
        (SHAPE, "circle", "at circle: expected f64, found None"),
        (ResultType(Prim.U8, None), Ok(-1), "at ok: expected u8 (0 to 255), found -1"),
        (ResultType(Prim.U8, None), Err(1), "at err: expected no payload, found 1"),
        (
            NESTED,
            [{"inner": "x"}, {"inner": Variant("case-a", [1, 2, 300])}],
            "at [1].inner.case-a[2]: expected u8 (0 to 255), found 300",
        ),
    ],
)
def test_says_where(ty: WitType, value: object, message: str) -> None:
    """An error inside a value names the place as one would write it in Python."""
    with pytest.raises(ValueTypeError) as caught:
        to_wire(ty)(value)

    assert message == str(caught.value)


def test_converters_are_shared() -> None:
    """Equal types have one converter, so that asking for it again costs a look-up."""
    assert to_wire(ListType(Prim.F32)) is to_wire(ListType(Prim.F32))


def test_lists_are_copied() -> None:
    """A caller that changes a list afterwards changes nothing that was recorded."""
    given = ["a"]
    wire = to_wire(ListType(Prim.STRING))(given)
    given.append("b")

    assert ["a"] == wire
