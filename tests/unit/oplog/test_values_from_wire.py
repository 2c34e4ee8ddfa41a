"""What people get for a wire value."""

from __future__ import annotations

import math
import struct

import pytest

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
from golem_oplog.values import Err, Ok, ResourceRef, Some, Variant, from_wire, is_identity

ONE = 0x3FF0_0000_0000_0000
PAIR = RecordType((("a-b", Prim.U8), ("c", Prim.F64)))


@pytest.mark.parametrize(
    ("ty", "wire", "public"),
    [
        (Prim.U64, 5, 5),
        (Prim.F32, 0x3DCC_CCCD, struct.unpack("<f", struct.pack("<f", 0.1))[0]),
        (Prim.F64, 0x3FF8_0000_0000_0000, 1.5),
        (ListType(Prim.U8), b"ab", b"ab"),
        (ListType(Prim.U16), (1, 2), [1, 2]),
        (ListType(Prim.F64), (ONE,), [1.0]),
        (TupleType((Prim.U8, Prim.STRING)), [1, "a"], (1, "a")),
        (TupleType((Prim.U8, Prim.F64)), [1, ONE], (1, 1.0)),
        (PAIR, [1, ONE], {"a-b": 1, "c": 1.0}),
        (RecordType((("x", Prim.U8),)), (1,), {"x": 1}),
        (VariantType((("a", None), ("b", PAIR))), [0, None], Variant("a")),
        (VariantType((("a", None), ("b", PAIR))), [1, [1, 0]], Variant("b", {"a-b": 1, "c": 0.0})),
        (EnumType(("red", "blue")), 1, "blue"),
        (OptionType(Prim.U8), None, None),
        (OptionType(Prim.U8), [1], 1),
        (OptionType(OptionType(Prim.U8)), None, None),
        (OptionType(OptionType(Prim.U8)), [None], Some(None)),
        (OptionType(OptionType(Prim.U8)), [[1]], Some(1)),
        (ResultType(None, Prim.STRING), (0, None), Ok()),
        (ResultType(None, Prim.STRING), (1, "no"), Err("no")),
        (FlagsType(("a", "b", "c")), 0b101, frozenset({"a", "c"})),
        (
            HandleType("golem:it/api.counter", owned=False),
            7,
            ResourceRef("golem:it/api.counter", 7),
        ),
    ],
)
def test_gives(ty: WitType, wire: object, public: object) -> None:
    """Each type has its public form, whether arrays arrive as lists or as tuples."""
    found = from_wire(ty)(wire)

    assert public == found
    assert type(public) is type(found)


def test_nan_of_any_payload_is_nan() -> None:
    """A guest's NaN is shown as NaN whatever its bits."""
    assert math.isnan(from_wire(Prim.F32)(0xFFFF_FFFF))
    assert math.isnan(from_wire(Prim.F64)(0x7FF0_0000_0000_0001))


@pytest.mark.parametrize(
    ("ty", "identity"),
    [
        (Prim.BOOL, True),
        (Prim.S64, True),
        (Prim.STRING, True),
        (Prim.CHAR, True),
        (Prim.F32, False),
        (Prim.F64, False),
        (ListType(Prim.U8), True),
        (ListType(ListType(Prim.STRING)), True),
        (ListType(Prim.F64), False),
        (TupleType((Prim.U8,)), False),
        (EnumType(("a",)), False),
        (OptionType(Prim.U8), False),
    ],
)
def test_says_where_conversion_may_be_skipped(ty: WitType, identity: bool) -> None:
    """Only types whose two forms are always equal are called identities."""
    assert identity == is_identity(ty)


def test_lists_are_copied() -> None:
    """What a person does to a list does not reach what was recorded."""
    wire = ["a"]
    from_wire(ListType(Prim.STRING))(wire).append("b")

    assert ["a"] == wire
