"""Which wire values from outside are believed."""

from __future__ import annotations

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
from golem_oplog.values import check_wire

PAIR = RecordType((("a", Prim.U8), ("b", Prim.STRING)))
SHAPE = VariantType((("dot", None), ("pair", PAIR)))


@pytest.mark.parametrize(
    ("ty", "wire"),
    [
        (Prim.F32, 2**32 - 1),
        (Prim.F64, 2**64 - 1),
        (Prim.F32, 0),
        (Prim.F64, 0),
        (Prim.CHAR, "\ud7ff"),
        (Prim.CHAR, "\ue000"),
        (Prim.STRING, "☃"),
        (ListType(Prim.U8), b""),
        (ListType(Prim.U16), [1, 2]),
        (ListType(Prim.U16), (1, 2)),
        (PAIR, [1, "x"]),
        (TupleType((Prim.U8, Prim.BOOL)), (1, True)),
        (SHAPE, (0, None)),
        (SHAPE, [1, [1, "x"]]),
        (OptionType(Prim.U8), None),
        (OptionType(Prim.U8), [1]),
        (ResultType(None, Prim.U8), (1, 2)),
        (EnumType(("a", "b")), 1),
        (FlagsType(("a", "b")), 3),
        (HandleType("a:b/c.d", owned=True), 2**32 - 1),
    ],
)
def test_accepts(ty: WitType, wire: object) -> None:
    """A value of the type passes, with lists or tuples."""
    check_wire(ty, wire)


@pytest.mark.parametrize(
    ("ty", "wire", "path", "found"),
    [
        (Prim.BOOL, 1, "", "1"),
        (Prim.U8, True, "", "True"),
        (Prim.U8, 256, "", "256"),
        (Prim.F32, 2**32, "", "4294967296"),
        (Prim.F64, 2**64, "", str(2**64)),
        (Prim.F64, 1.0, "", "1.0"),
        (Prim.CHAR, "ab", "", "'ab'"),
        (Prim.CHAR, "\ud800", "", r"'\ud800'"),
        (Prim.CHAR, "\udfff", "", r"'\udfff'"),
        (Prim.CHAR, 1, "", "1"),
        (Prim.STRING, b"", "", "0 bytes"),
        (Prim.STRING, "\ud800", "", r"'\ud800'"),
        (ListType(Prim.U8), bytearray(b"a"), "", "1 bytes"),
        (ListType(Prim.U8), [1], "", "list of 1"),
        (ListType(Prim.U16), "ab", "", "'ab'"),
        (ListType(Prim.U16), [1, -1], "[1]", "-1"),
        (PAIR, [1], "", "list of 1"),
        (PAIR, {"a": 1}, "", "dict"),
        (PAIR, [1, 2], "b", "2"),
        (TupleType((Prim.U8, Prim.U8)), [0, "x"], "[1]", "'x'"),
        (SHAPE, 0, "", "0"),
        (SHAPE, [0], "", "list of 1"),
        (SHAPE, [True, None], "", "True"),
        (SHAPE, [2, None], "", "2"),
        (SHAPE, [0, 1], "dot", "1"),
        (SHAPE, [1, [300, "x"]], "pair.a", "300"),
        (OptionType(Prim.U8), 1, "", "1"),
        (OptionType(Prim.U8), [1, 2], "", "list of 2"),
        (OptionType(Prim.U8), [None], "", "None"),
        (ResultType(None, Prim.U8), (0, 1), "ok", "1"),
        (EnumType(("a", "b")), 2, "", "2"),
        (FlagsType(("a", "b")), 4, "", "4"),
        (HandleType("a:b/c.d", owned=True), -1, "", "-1"),
    ],
)
def test_refuses(ty: WitType, wire: object, path: str, found: str) -> None:
    """Anything else is refused, with the place inside the value."""
    with pytest.raises(ValueTypeError) as caught:
        check_wire(ty, wire)

    assert (path, found) == (caught.value.path, caught.value.found)
