"""
WIT types as WIT text.

Types carry no names of their own, so a record, variant, enum or flags type is written out where it
stands, with its keyword: ``list<record { id: u32, tags: list<string> }>``.
"""

from __future__ import annotations

from typing import assert_never

from golem_oplog.shape import check_depth
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


def format_type(ty: WitType) -> str:
    """
    One type on one line.

    Raises:
        ValueTypeError: The type nests deeper than `golem_oplog.values.TYPE_DEPTH_MAX`.
    """
    check_depth(ty)
    return _text(ty)


def format_function(function: FunctionType) -> str:
    """A signature on one line: ``ns:pkg/api.{add}: func(a: u32) -> result<_, string>``."""
    params = ", ".join(f"{name}: {format_type(ty)}" for name, ty in function.params)
    result = "" if function.result is None else f" -> {format_type(function.result)}"
    return f"{function.name}: func({params}){result}"


def _text(ty: WitType) -> str:
    match ty:
        case Prim():
            return ty.value
        case ListType(element):
            return f"list<{_text(element)}>"
        case OptionType(payload):
            return f"option<{_text(payload)}>"
        case TupleType(elements):
            return f"tuple<{', '.join([_text(element) for element in elements])}>"
        case ResultType(ok, err):
            return _result(ok, err)
        case RecordType(fields):
            return _braces("record", [f"{name}: {_text(field)}" for name, field in fields])
        case VariantType(cases):
            return _braces(
                "variant",
                [name if case is None else f"{name}({_text(case)})" for name, case in cases],
            )
        case EnumType(names):
            return _braces("enum", names)
        case FlagsType(names):
            return _braces("flags", names)
        case HandleType(resource, owned):
            return f"own<{resource}>" if owned else f"borrow<{resource}>"
    assert_never(ty)


def _result(ok: WitType | None, err: WitType | None) -> str:
    if err is None:
        return "result" if ok is None else f"result<{_text(ok)}>"
    return f"result<{'_' if ok is None else _text(ok)}, {_text(err)}>"


def _braces(keyword: str, members: list[str] | tuple[str, ...]) -> str:
    return f"{keyword} {{ {', '.join(members)} }}" if members else f"{keyword} {{}}"
