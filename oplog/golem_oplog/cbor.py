"""
Wire values and WIT types as CBOR: what leaves the process, and what is hashed.

Values use nulls, booleans, integers, text, byte strings and arrays, nothing else; every encoding is
the canonical one (definite lengths, shortest heads), and no other is accepted.

==============================  ====================================================================
type                            its form
==============================  ====================================================================
a primitive                     its WIT spelling as text, such as ``"u32"``
``list<t>``, ``option<t>``      ``["list", t]``, ``["option", t]``
``tuple<t, ...>``               ``["tuple", [t, ...]]``
``result<t, e>``                ``["result", t or null, e or null]``
record                          ``["record", [[name, t], ...]]``
variant                         ``["variant", [[name, t or null], ...]]``
enum, flags                     ``["enum", [name, ...]]``, ``["flags", [name, ...]]``
``own<r>``, ``borrow<r>``       ``["own", r]``, ``["borrow", r]``
a function                      ``["func", name, [[parameter, t], ...], t or null]``
no type                         ``null``
==============================  ====================================================================

Source: RFC 8949, section 4.2.1 for the canonical form.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Final, NoReturn, TypeAlias, assert_never

import cbor2

from golem_oplog.errors import MalformedPayloadError
from golem_oplog.shape import CACHE_TYPES_MAX, TYPE_DEPTH_MAX, is_small, mismatch
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
from golem_oplog.wire_check import check_wire
from golem_oplog.wire_in import Wire

AnyType: TypeAlias = WitType | FunctionType | None

# One level of a variant type takes three arrays, and a few more surround the whole.
_CBOR_DEPTH_MAX: Final = 3 * TYPE_DEPTH_MAX + 10
_WIRE_CLASSES: Final = frozenset({type(None), bool, int, str, bytes, list})
_PRIMS: Final = {prim.value: prim for prim in Prim}


def encode_value(wire: Wire) -> bytes:
    """
    One wire value as canonical CBOR.

    Raises:
        ValueTypeError: It is made of what no wire value is made of.
    """
    try:
        return cbor2.dumps(wire)
    except (cbor2.CBOREncodeError, ValueError) as error:
        raise mismatch("a wire value", wire) from error


def decode_value(data: bytes) -> Wire:
    """
    The wire value that `encode_value` wrote; arrays come back as lists.

    Raises:
        MalformedPayloadError: The bytes are no canonical CBOR, or hold what is no wire value. That
            the value fits a type is for `check_wire` to say.
    """
    value = _decode(data)
    _check_classes(value)
    if cbor2.dumps(value) != data:
        raise MalformedPayloadError(reason="the CBOR is not in canonical form")
    return value


def encode_args(wires: Sequence[Wire]) -> bytes:
    """The arguments of one call, in order."""
    return encode_value(wires)


def decode_args(data: bytes) -> list[Wire]:
    """The arguments that `encode_args` wrote; raises as `decode_value` does."""
    value = decode_value(data)
    if type(value) is not list:
        raise MalformedPayloadError(reason="the arguments of a call are not a CBOR array")
    return value


def encode_typed(ty: WitType, wire: Wire) -> bytes:
    """A value that carries its type, for readers that know neither."""
    return encode_value([_type_form(ty), wire])


def decode_typed(data: bytes) -> tuple[WitType, Wire]:
    """
    The type and value that `encode_typed` wrote.

    Raises:
        MalformedPayloadError: As `decode_value`, or there is no type.
        ValueTypeError: The value does not fit the type that it came with.
    """
    pair = decode_value(data)
    if type(pair) is not list or len(pair) != 2:
        raise MalformedPayloadError(reason="not a pair of type and value")
    ty = _type(pair[0], 0)
    check_wire(ty, pair[1])
    return ty, pair[1]


def encode_type(ty: AnyType) -> bytes:
    """A type as canonical CBOR: equal types give equal bytes."""
    return _encode_small(ty) if _is_small(ty) else encode_value(_type_form(ty))


@lru_cache(maxsize=CACHE_TYPES_MAX)
def _encode_small(ty: AnyType) -> bytes:
    return encode_value(_type_form(ty))


def _is_small(ty: AnyType) -> bool:
    match ty:
        case None:
            return True
        case FunctionType(_, params, result):
            return is_small(TupleType(tuple([each for _, each in params]))) and (
                result is None or is_small(result)
            )
        case _:
            return is_small(ty)


def decode_type(data: bytes) -> AnyType:
    """
    The type that `encode_type` wrote.

    Raises:
        MalformedPayloadError: The bytes hold no type, or one nested deeper than `TYPE_DEPTH_MAX`.
    """
    form = decode_value(data)
    match form:
        case None:
            return None
        case ["func", str(name), [*params], result]:
            return FunctionType(
                name,
                tuple((param, _type(ty, 0)) for param, ty in _pairs(params)),
                _optional(result, 0),
            )
        case _:
            return _type(form, 0)


def fingerprint(function: FunctionType, wires: Sequence[Wire]) -> str:
    """What identifies a call's input: SHA-256 over its function type and its arguments, in hex."""
    return sha256(encode_type(function) + encode_args(wires)).hexdigest()


def _refuse_tag(_value: object, _immutable: bool) -> NoReturn:
    raise ValueError("tagged items are no wire values")


# Nothing of ours is tagged. Refused here, so that bytes from outside start no decoder of dates,
# patterns, big numbers or references; a tag that cbor2 does not know decodes to its own class.
# References matter most: a value that contains itself would keep `_check_classes` walking for ever.
_NO_TAGS: Final = dict.fromkeys(
    (*range(6), 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799),
    _refuse_tag,
)


def _decode(data: bytes) -> Wire:
    try:
        return cbor2.loads(
            data, semantic_decoders=_NO_TAGS, max_depth=_CBOR_DEPTH_MAX, allow_indefinite=False
        )
    except (cbor2.CBORDecodeError, ValueError, TypeError) as error:
        raise MalformedPayloadError(reason=f"not CBOR: {error}") from error


def _check_classes(value: object) -> None:
    # By sets of classes, one array at a time: a walk over the single items would cost more than
    # the decoding did.
    if type(value) not in _WIRE_CLASSES:
        raise MalformedPayloadError(reason=f"{type(value).__name__} is not part of a wire value")
    arrays = [value] if type(value) is list else []
    while arrays:
        array = arrays.pop()
        classes = set(map(type, array))
        if not classes <= _WIRE_CLASSES:
            odd = min(cls.__name__ for cls in classes - _WIRE_CLASSES)
            raise MalformedPayloadError(reason=f"{odd} is not part of a wire value")
        if list in classes:
            arrays.extend([item for item in array if type(item) is list])


def _type_form(ty: AnyType) -> Wire:
    match ty:
        case None:
            return None
        case Prim():
            return ty.value
        case ListType(inner):
            return ["list", _type_form(inner)]
        case OptionType(inner):
            return ["option", _type_form(inner)]
        case TupleType(elements):
            return ["tuple", [_type_form(element) for element in elements]]
        case ResultType(ok, err):
            return ["result", _type_form(ok), _type_form(err)]
        case RecordType(fields):
            return ["record", [[name, _type_form(field)] for name, field in fields]]
        case VariantType(cases):
            return ["variant", [[name, _type_form(case)] for name, case in cases]]
        case EnumType(names):
            return ["enum", names]
        case FlagsType(names):
            return ["flags", names]
        case HandleType(resource, owned):
            return ["own" if owned else "borrow", resource]
        case FunctionType(name, params, result):
            return [
                "func",
                name,
                [[param, _type_form(param_type)] for param, param_type in params],
                _type_form(result),
            ]
    assert_never(ty)


def _optional(form: object, depth: int) -> WitType | None:
    return None if form is None else _type(form, depth)


def _type(form: object, depth: int) -> WitType:
    if depth == TYPE_DEPTH_MAX:
        raise MalformedPayloadError(reason=f"a type nested deeper than {TYPE_DEPTH_MAX}")
    depth += 1
    match form:
        case str() if form in _PRIMS:
            return _PRIMS[form]
        case ["list", inner]:
            return ListType(_type(inner, depth))
        case ["option", inner]:
            return OptionType(_type(inner, depth))
        case ["tuple", [*elements]]:
            return TupleType(tuple([_type(element, depth) for element in elements]))
        case ["result", ok, err]:
            return ResultType(_optional(ok, depth), _optional(err, depth))
        case ["record", [*fields]]:
            return RecordType(tuple([(name, _type(ty, depth)) for name, ty in _pairs(fields)]))
        case ["variant", [*cases]]:
            return VariantType(tuple([(name, _optional(ty, depth)) for name, ty in _pairs(cases)]))
        case ["enum", [*names]]:
            return EnumType(_names(names))
        case ["flags", [*names]]:
            return FlagsType(_names(names))
        case ["own" | "borrow" as how, str(resource)]:
            return HandleType(resource, owned=how == "own")
        case _:
            raise MalformedPayloadError(reason="an unknown type")


def _pairs(forms: list[object]) -> list[tuple[str, object]]:
    pairs = [(form[0], form[1]) for form in forms if isinstance(form, list) and len(form) == 2]
    if len(pairs) != len(forms):
        raise MalformedPayloadError(reason="a type's member is not a pair of name and type")
    _names([name for name, _ in pairs])
    return pairs


def _names(forms: list[object]) -> tuple[str, ...]:
    names = tuple([form for form in forms if isinstance(form, str) and form])
    if len(set(names)) != len(forms):
        raise MalformedPayloadError(reason="a type's names are not distinct texts")
    return names
