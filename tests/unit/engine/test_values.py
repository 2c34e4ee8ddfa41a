"""Each type once, with the values at its edges: plain, in a list, and inside of other types."""

from __future__ import annotations

from typing import Any

import pytest

from golem_host.engine import Engine
from golem_oplog.types import (
    EnumType,
    FlagsType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
    WitType,
)
from tests.support.components import echo_component
from tests.support.engines import Guest

NAN_F32 = 0x7F80_0001  # signalling, with a payload
NAN_F64 = 0xFFF0_0000_0000_0001

EDGES: dict[WitType, list[Any]] = {
    Prim.BOOL: [True, False],
    Prim.S8: [-128, 0, 127],
    Prim.U8: [0, 255],
    Prim.S16: [-32_768, 32_767],
    Prim.U16: [0, 65_535],
    Prim.S32: [-(2**31), 2**31 - 1],
    Prim.U32: [0, 2**32 - 1],
    Prim.S64: [-(2**63), 2**63 - 1],
    Prim.U64: [0, 2**64 - 1],
    Prim.F32: [0, 0x8000_0000, 0x3F80_0000, NAN_F32],
    Prim.F64: [0, 1 << 63, 0x3FF0_0000_0000_0000, NAN_F64],
    Prim.CHAR: ["\0", "a", "\ud7ff", "\ue000", "\U0010ffff"],
    Prim.STRING: ["", "plain", "\0 \u20ac \U0001f600", "long " * 500],
    ListType(Prim.STRING): [[], ["", "b"]],
    EnumType(("first", "second")): [0, 1],
    FlagsType(tuple(f"f{n}" for n in range(32))): [0, 1, 1 << 31, 2**32 - 1],
    OptionType(OptionType(Prim.U8)): [None, (None,), ((7,),)],
    ResultType(None, None): [(0, None), (1, None)],
    ResultType(Prim.F64, Prim.F32): [(0, NAN_F64), (1, NAN_F32)],
    VariantType((("none", None), ("text", Prim.STRING), ("number", Prim.U64))): [
        (0, None),
        (1, "text"),
        (2, 2**64 - 1),
    ],
    RecordType((("a", Prim.U8), ("b", Prim.STRING))): [(1, "x")],
    TupleType((Prim.U64, Prim.BOOL)): [(2**64 - 1, True)],
}


def _in_lists(value: Any) -> Any:
    return [_in_lists(item) for item in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("ty", EDGES, ids=str)
def test_edges_of_each_type(engine: Engine, ty: WitType) -> None:
    """They arrive as they left, alone and in the company of others."""
    values = EDGES[ty]
    whole = TupleType((ListType(ty), OptionType(ty), ResultType(ty, ty), Prim.U8))
    guest = Guest(engine, echo_component((ty, ListType(ty), whole)))
    alone = [guest.call("echo-0", value) for value in values]
    in_list = guest.call("echo-1", bytes(values) if ty is Prim.U8 else values)
    inside = (bytes(values) if ty is Prim.U8 else values, (values[0],), (1, values[-1]), 9)
    deep = guest.call("echo-2", inside)
    guest.close()

    assert values == alone
    assert (bytes(values) if ty is Prim.U8 else values) == in_list
    assert _in_lists(inside) == _in_lists(deep)


def test_more_parameters_than_registers(engine: Engine) -> None:
    """Above sixteen core values everything goes through memory; the limit itself does not."""
    guest = Guest(
        engine, echo_component((TupleType((Prim.U64,) * 16), TupleType((Prim.U64,) * 17)))
    )
    returned = [guest.call(f"echo-{n}", list(range(size))) for n, size in enumerate((16, 17))]
    guest.close()

    assert [tuple(range(16)), tuple(range(17))] == returned
