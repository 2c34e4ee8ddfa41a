"""
WIT values as JSON: the mapping of Golem's tools.

=================  ===============================================================================
WIT type           JSON
=================  ===============================================================================
bool, ints         ``true``, ``12``
f32, f64           a number, or ``"nan"``, ``"inf"``, ``"-inf"``
char, string       a string
list<t>, tuple     an array; ``list<u8>`` too, one number per byte
record             an object by WIT field name; a field that is null may be left out when read
variant            ``{"case": payload}``, or ``"case"`` without payload
enum               a string
option<t>          ``null`` or the payload; where the payload is an option itself, ``null`` or
                   ``{"some": payload}``
result             ``{"ok": payload or null}`` or ``{"err": payload or null}``
flags              an array of names
own, borrow        ``{"resource": "ns:pkg/interface.name", "handle": 1}``; ``"uri"`` may be added
=================  ===============================================================================
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Final, TypeAlias, Union, assert_never

from golem_oplog.errors import ValueTypeError
from golem_oplog.floats import f32_from_bits, f64_from_bits, shortest_f32
from golem_oplog.public import Err, Ok, ResourceRef, Some, Variant
from golem_oplog.shape import (
    HANDLE_MAX,
    check_depth,
    is_bytes,
    kind,
    mismatch,
    spellings,
    unfit,
    within,
)
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
from golem_oplog.wire_in import Wire, to_wire
from golem_oplog.wire_out import from_wire
from golem_oplog.wire_records import field_finder

Json: TypeAlias = Union[bool, int, float, str, list["Json"], dict[str, "Json"], None]

# The words that JavaScript and protobuf use are understood too.
_FLOAT_WORDS: Final = {
    word: float(word) for word in ("nan", "inf", "-inf", "NaN", "Infinity", "-Infinity")
}


def parse_json(text: str | bytes) -> Json:
    """
    A JSON document, whatever it holds.

    Raises:
        ValueTypeError: The text is no JSON, or nested too deep to be a value.
    """
    try:
        document: Json = json.loads(text)
    except (ValueError, RecursionError) as error:
        found = str(error) if isinstance(error, ValueError) else "arrays or objects nested too deep"
        raise unfit("JSON", found) from error
    return document


def to_json(ty: WitType, value: object) -> Json:
    """
    A public value as what `json.dumps` takes.

    Raises:
        ValueTypeError: The value does not fit the type.
    """
    return wire_to_json(ty, to_wire(ty)(value))


def wire_to_json(ty: WitType, wire: Wire) -> Json:
    """A wire value that fits its type as what `json.dumps` takes."""
    check_depth(ty)
    return _json(ty, wire)


def from_json(ty: WitType, document: object) -> object:
    """
    The public value of a document that `json.loads` returned.

    Raises:
        ValueTypeError: The document is no value of this type; its path says where.
    """
    check_depth(ty)
    return _public(ty, document)


def _json(ty: WitType, wire: Wire) -> Json:
    match ty:
        case Prim():
            return _primitive_json(ty, wire)
        case ListType(element):
            return [_json(element, item) for item in wire]
        case TupleType(elements):
            return [_json(element, item) for element, item in zip(elements, wire, strict=True)]
        case RecordType(fields):
            return {
                name: _json(field, item) for (name, field), item in zip(fields, wire, strict=True)
            }
        case VariantType(cases):
            name, payload = cases[wire[0]]
            return name if payload is None else {name: _json(payload, wire[1])}
        case EnumType(names):
            return names[wire]
        case OptionType(payload):
            if wire is None:
                return None
            inner = _json(payload, wire[0])
            return {"some": inner} if isinstance(payload, OptionType) else inner
        case ResultType(ok, err):
            name, payload = ("err", err) if wire[0] else ("ok", ok)
            return {name: None if payload is None else _json(payload, wire[1])}
        case FlagsType(names):
            return [name for bit, name in enumerate(names) if wire >> bit & 1]
        case HandleType(resource):
            return {"resource": resource, "handle": wire}
    assert_never(ty)


def _primitive_json(prim: Prim, wire: Wire) -> Json:
    if prim is Prim.F32:
        number = shortest_f32(f32_from_bits(wire))
    elif prim is Prim.F64:
        number = f64_from_bits(wire)
    else:
        scalar: bool | int | str = wire
        return scalar
    return number if isfinite(number) else repr(number)


def _public(ty: WitType, document: object) -> object:
    match ty:
        case Prim():
            return _primitive(ty, document)
        case ListType(element):
            items = _array(ty, document)
            if is_bytes(ty):
                return to_wire(ty)(items)
            return [_at(f"[{at}]", element, item) for at, item in enumerate(items)]
        case TupleType(elements):
            items = _array(ty, document)
            if len(items) != len(elements):
                raise mismatch(ty, document)
            pairs = enumerate(zip(elements, items, strict=True))
            return tuple([_at(f"[{at}]", element, item) for at, (element, item) in pairs])
        case RecordType(fields):
            found = field_finder(ty)(_object(ty, document))
            return {
                name: _at(name, field, item)
                for (name, field), item in zip(fields, found, strict=True)
            }
        case VariantType(cases):
            return _variant(ty, cases, document)
        case OptionType(payload):
            return _option(payload, document)
        case ResultType(ok, err):
            return _result(ok, err, document)
        case EnumType():
            return from_wire(ty)(to_wire(ty)(document))
        case FlagsType():
            return from_wire(ty)(to_wire(ty)(_array(ty, document)))
        case HandleType():
            return _handle(ty, document)
    assert_never(ty)


def _at(step: str, ty: WitType | None, document: object) -> object:
    """The value one step further in; without a type there is none."""
    try:
        if ty is not None:
            return _public(ty, document)
        if document is not None:
            raise mismatch("null: no payload", document)
    except ValueTypeError as error:
        within(error, step)
        raise
    return None


def _array(ty: WitType, document: object) -> list[object]:
    if isinstance(document, list):
        return document
    raise mismatch(f"an array: {kind(ty)}", document)


def _object(ty: WitType, document: object) -> dict[object, object]:
    if isinstance(document, dict):
        return document
    raise mismatch(f"an object: {kind(ty)}", document)


def _primitive(prim: Prim, document: object) -> object:
    if prim not in {Prim.F32, Prim.F64}:
        return to_wire(prim)(document)
    number = _FLOAT_WORDS.get(document) if isinstance(document, str) else document
    if number is None:
        raise mismatch(f'{prim.value}: a number, "nan", "inf" or "-inf"', document)
    return from_wire(prim)(to_wire(prim)(number))


def _only_member(document: object) -> tuple[object, object] | None:
    """The key and value of an object that has one member."""
    if isinstance(document, dict) and len(document) == 1:
        return next(iter(document.items()))
    return None


def _variant(
    ty: VariantType, cases: tuple[tuple[str, WitType | None], ...], document: object
) -> Variant:
    name, payload = _only_member(document) or (document, None)
    position = spellings(case for case, _ in cases).get(name) if isinstance(name, str) else None
    if position is None:
        raise mismatch(ty, name)
    case, payload_type = cases[position]
    return Variant(case, _at(case, payload_type, payload))


def _option(payload: WitType, document: object) -> object:
    if document is None:
        return None
    if not isinstance(payload, OptionType):
        return _public(payload, document)
    member = _only_member(document)
    if member is None or member[0] != "some":
        raise mismatch('null or {"some": ...} for an option of an option', document)
    return Some(_at("some", payload, member[1]))


def _result(ok: WitType | None, err: WitType | None, document: object) -> Ok[object] | Err[object]:
    match _only_member(document):
        case ("ok", payload):
            return Ok(_at("ok", ok, payload))
        case ("err", payload):
            return Err(_at("err", err, payload))
        case _:
            raise mismatch('{"ok": ...} or {"err": ...}', document)


def _handle(ty: HandleType, document: object) -> ResourceRef:
    match document:
        case {"resource": ty.resource, "handle": int(handle), **rest} if (
            not rest.keys() - {"uri"}
            and isinstance(uri := rest.get("uri"), str | None)
            and not isinstance(handle, bool)
            and 0 <= handle <= HANDLE_MAX
        ):
            return ResourceRef(ty.resource, handle, uri)
        case _:
            raise mismatch(f'{{"resource": "{ty.resource}", "handle": ...}}', document)
