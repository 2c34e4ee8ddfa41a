"""
WIT types as JSON, in the form that Golem's REST API gives them: ``{"type": "List", "inner": ...}``.

A value travels with its type, ``{"typ": ..., "value": ...}``; the value is as in
`golem_oplog.jsonform`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

from golem_host.errors import InvalidRequestError, ParamTypeMismatchError
from golem_host.rest.bounds import TYPE_DEPTH_MAX
from golem_oplog.errors import ValueTypeError
from golem_oplog.jsonform import from_json, to_json
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
from golem_oplog.wittext import format_type

_PRIMS: Final = {
    Prim.BOOL: "Bool",
    Prim.S8: "S8",
    Prim.U8: "U8",
    Prim.S16: "S16",
    Prim.U16: "U16",
    Prim.S32: "S32",
    Prim.U32: "U32",
    Prim.S64: "S64",
    Prim.U64: "U64",
    Prim.F32: "F32",
    Prim.F64: "F64",
    Prim.CHAR: "Chr",
    Prim.STRING: "Str",
}
_PRIM_BY_NAME: Final = {name: prim for prim, name in _PRIMS.items()}
_MODES: Final = {True: "Owned", False: "Borrowed"}


def type_document(ty: WitType | None) -> dict[str, object] | None:
    match ty:
        case None:
            return None
        case Prim():
            return {"type": _PRIMS[ty]}
        case ListType(element):
            return {"type": "List", "inner": type_document(element)}
        case OptionType(payload):
            return {"type": "Option", "inner": type_document(payload)}
        case TupleType(elements):
            return {"type": "Tuple", "items": [type_document(each) for each in elements]}
        case RecordType(fields):
            return {"type": "Record", "fields": _named(fields)}
        case VariantType(cases):
            return {"type": "Variant", "cases": _named(cases)}
        case EnumType(names):
            return {"type": "Enum", "cases": list(names)}
        case FlagsType(names):
            return {"type": "Flags", "names": list(names)}
        case ResultType(ok, err):
            return {"type": "Result", "ok": type_document(ok), "err": type_document(err)}
        case HandleType(resource, owned):
            return {"type": "Handle", "resource": resource, "mode": _MODES[owned]}
    assert_never(ty)


def _named(pairs: Sequence[tuple[str, WitType | None]]) -> list[dict[str, object]]:
    return [{"name": name, "typ": type_document(ty)} for name, ty in pairs]


def type_of(document: object, depth: int = 0) -> WitType:
    """
    The type that a document describes.

    Raises:
        InvalidRequestError: It describes none.
    """
    if depth > TYPE_DEPTH_MAX:
        raise InvalidRequestError(reason="a type is nested too deep")
    inner = depth + 1
    match document:
        case {"type": str(name)} if name in _PRIM_BY_NAME:
            return _PRIM_BY_NAME[name]
        case {"type": "List", "inner": element}:
            return ListType(type_of(element, inner))
        case {"type": "Option", "inner": payload}:
            return OptionType(type_of(payload, inner))
        case {"type": "Tuple", "items": [*items]}:
            return TupleType(tuple([type_of(item, inner) for item in items]))
        case {"type": "Record", "fields": [*pairs]}:
            return RecordType(tuple([(_name(p), type_of(_typ(p), inner)) for p in pairs]))
        case {"type": "Variant", "cases": [*pairs]}:
            return VariantType(tuple([(_name(p), _maybe(_typ(p), inner)) for p in pairs]))
        case {"type": "Enum", "cases": [*names]}:
            return EnumType(tuple(map(_text, names)))
        case {"type": "Flags", "names": [*names]}:
            return FlagsType(tuple(map(_text, names)))
        case {"type": "Result", **sides}:
            return ResultType(_maybe(sides.get("ok"), inner), _maybe(sides.get("err"), inner))
        case {"type": "Handle", "resource": str(resource), "mode": "Owned" | "Borrowed" as mode}:
            return HandleType(resource, mode == "Owned")
        case _:
            raise InvalidRequestError(reason=f"not a type: {str(document)[:100]}")


def _maybe(document: object, depth: int) -> WitType | None:
    return None if document is None else type_of(document, depth)


def _name(pair: object) -> str:
    return _text(pair.get("name") if isinstance(pair, dict) else None)


def _typ(pair: object) -> object:
    return pair.get("typ") if isinstance(pair, dict) else None


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise InvalidRequestError(reason="not a type: a name is missing")


# -- values -------------------------------------------------------------------------------------


def value_document(ty: WitType | None, value: object) -> dict[str, object] | None:
    """A public value with its type; None for the result of a function that has none."""
    if ty is None:
        return None
    return {"typ": type_document(ty), "value": to_json(ty, value)}


def value_of(document: object) -> object:
    """The public value of a document with its type; None for null."""
    match document:
        case None:
            return None
        case {"typ": typ, "value": value}:
            return from_json(type_of(typ), value)
        case _:
            raise InvalidRequestError(reason="a value is an object with typ and value")


def arguments(function: FunctionType, documents: Sequence[object]) -> list[object]:
    """
    Public arguments for a function, from one ``{"value": ...}`` each, with or without ``typ``.

    Raises:
        ParamTypeMismatchError: One does not fit, or there are too few or too many.
    """
    if len(documents) != len(function.params):
        raise ParamTypeMismatchError(
            function=function.name,
            parameter="",
            reason=f"takes {len(function.params)} arguments, got {len(documents)}",
        )
    pairs = zip(function.params, documents, strict=True)
    return [_argument(function.name, name, ty, document) for (name, ty), document in pairs]


def _argument(function: str, name: str, ty: WitType, document: object) -> object:
    if not isinstance(document, dict) or "value" not in document or document.keys() - _KEYS:
        reason = 'a parameter is an object {"value": ...}, with or without "typ"'
        raise ParamTypeMismatchError(function=function, parameter=name, reason=reason)
    if document.get("typ") is not None and (given := type_of(document["typ"])) != ty:
        reason = f"expected {format_type(ty)}, given as {format_type(given)}"
        raise ParamTypeMismatchError(function=function, parameter=name, reason=reason)
    try:
        return from_json(ty, document["value"])
    except ValueTypeError as error:
        raise ParamTypeMismatchError(
            function=function, parameter=name, reason=str(error)
        ) from error


_KEYS: Final = {"typ", "value", "name"}


def function_document(interface: str, name: str, function: FunctionType) -> dict[str, object]:
    return {
        "name": function.name,
        "interface": interface,
        "function": name,
        "params": [{"name": n, "typ": type_document(ty)} for n, ty in function.params],
        "result": type_document(function.result),
    }


def function_of(document: object) -> FunctionType:
    """The function that `function_document` describes."""
    match document:
        case {"name": str(name), "params": [*params], "result": result}:
            pairs = tuple((_name(p), type_of(_typ(p))) for p in params)
            return FunctionType(name, pairs, _maybe(result, 0))
        case _:
            raise InvalidRequestError(reason="not a function")
