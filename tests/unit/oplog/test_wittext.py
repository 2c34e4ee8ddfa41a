"""WIT types as text."""

from __future__ import annotations

import pytest

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
from golem_oplog.wittext import format_function, format_type


@pytest.mark.parametrize(
    ("ty", "text"),
    [
        (Prim.U32, "u32"),
        (ListType(TupleType((Prim.STRING, Prim.U32))), "list<tuple<string, u32>>"),
        (OptionType(Prim.CHAR), "option<char>"),
        (ResultType(None, None), "result"),
        (ResultType(Prim.U8, None), "result<u8>"),
        (ResultType(None, Prim.STRING), "result<_, string>"),
        (ResultType(Prim.U8, Prim.STRING), "result<u8, string>"),
        (RecordType((("a", Prim.U8), ("b", Prim.F64))), "record { a: u8, b: f64 }"),
        (RecordType(()), "record {}"),
        (VariantType((("a", None), ("b", Prim.U8))), "variant { a, b(u8) }"),
        (EnumType(("a", "b")), "enum { a, b }"),
        (FlagsType(("a", "b")), "flags { a, b }"),
        (HandleType("a:b/c.d", owned=True), "own<a:b/c.d>"),
        (HandleType("a:b/c.d", owned=False), "borrow<a:b/c.d>"),
    ],
)
def test_types(ty: WitType, text: str) -> None:
    """Named kinds of types, which have no name here, are written out in place."""
    assert text == format_type(ty)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (FunctionType("f", (), None), "f: func()"),
        (
            FunctionType("a:b/c.{f}", (("x", Prim.U8), ("y", Prim.BOOL)), ResultType(None, None)),
            "a:b/c.{f}: func(x: u8, y: bool) -> result",
        ),
    ],
)
def test_functions(function: FunctionType, text: str) -> None:
    """A signature shows what to pass, and what comes back."""
    assert text == format_function(function)
