"""
From the wire form of values to the public form.

The converters trust their input: it comes from the engine, or from a log through `check_wire`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, TypeAlias, assert_never

from golem_oplog.floats import f32_from_bits, f64_from_bits
from golem_oplog.public import Err, Ok, ResourceRef, Some, Variant
from golem_oplog.shape import check_depth, is_bytes
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

FromWire: TypeAlias = Callable[[Any], Any]

_CACHE_TYPES_MAX: Final = 4096


@lru_cache(maxsize=_CACHE_TYPES_MAX)
def is_identity(ty: WitType) -> bool:
    """Whether a value's two forms are equal, so that a hot path may skip the conversion."""
    if isinstance(ty, ListType):
        return is_identity(ty.element)
    return isinstance(ty, Prim) and ty not in {Prim.F32, Prim.F64}


@lru_cache(maxsize=_CACHE_TYPES_MAX)
def from_wire(ty: WitType) -> FromWire:
    """
    The converter from wire to public form for one type; the same one for equal types.

    Its result shares no list with its input.

    Raises:
        ValueTypeError: The type nests too deep.
    """
    check_depth(ty)
    return _compile(ty)


@lru_cache(maxsize=_CACHE_TYPES_MAX)
def _compile(ty: WitType) -> FromWire:
    match ty:
        case Prim():
            return _FLOATS.get(ty, _same)
        case ListType():
            return _list(ty)
        case RecordType():
            return _record(ty)
        case TupleType():
            return _tuple(ty)
        case VariantType():
            return _variant(ty)
        case EnumType(names):
            return names.__getitem__
        case OptionType():
            return _option(ty)
        case ResultType():
            return _result(ty)
        case FlagsType():
            return _flags(ty)
        case HandleType():
            return _handle(ty)
    assert_never(ty)


def _same(wire: Any) -> Any:
    return wire


_FLOATS: Final[dict[Prim, FromWire]] = {Prim.F32: f32_from_bits, Prim.F64: f64_from_bits}


def _list(ty: ListType) -> FromWire:
    if is_bytes(ty):
        return _same
    convert_element = _compile(ty.element)
    if convert_element is _same:
        return list
    return lambda wire: [convert_element(item) for item in wire]


def _tuple(ty: TupleType) -> FromWire:
    converters = tuple(_compile(element) for element in ty.elements)
    if all(convert is _same for convert in converters):
        return tuple
    return lambda wire: tuple([c(item) for c, item in zip(converters, wire, strict=True)])


def _record(ty: RecordType) -> FromWire:
    names = tuple(name for name, _ in ty.fields)
    converters = tuple(_compile(field) for _, field in ty.fields)
    if all(convert is _same for convert in converters):
        return lambda wire: dict(zip(names, wire, strict=True))
    return lambda wire: {
        name: convert(item) for name, convert, item in zip(names, converters, wire, strict=True)
    }


def _side(ty: WitType | None) -> FromWire:
    # An absent payload is None in both forms.
    return _same if ty is None else _compile(ty)


def _variant(ty: VariantType) -> FromWire:
    cases = tuple((name, _side(payload)) for name, payload in ty.cases)

    def convert(wire: Any) -> Variant:
        name, convert_payload = cases[wire[0]]
        return Variant(name, convert_payload(wire[1]))

    return convert


def _option(ty: OptionType) -> FromWire:
    convert_payload = _compile(ty.payload)
    if isinstance(ty.payload, OptionType):
        return lambda wire: None if wire is None else Some(convert_payload(wire[0]))
    return lambda wire: None if wire is None else convert_payload(wire[0])


def _result(ty: ResultType) -> FromWire:
    convert_ok, convert_err = _side(ty.ok), _side(ty.err)

    def convert(wire: Any) -> Ok[Any] | Err[Any]:
        return Err(convert_err(wire[1])) if wire[0] else Ok(convert_ok(wire[1]))

    return convert


def _flags(ty: FlagsType) -> FromWire:
    bits = tuple((1 << position, name) for position, name in enumerate(ty.names))
    return lambda wire: frozenset([name for bit, name in bits if wire & bit])


def _handle(ty: HandleType) -> FromWire:
    resource = ty.resource
    return lambda wire: ResourceRef(resource, wire)
