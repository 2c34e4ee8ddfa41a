"""
From the public form of values to the wire form: where everything a person hands in is checked.

A converter is compiled once per type out of closures. Each one either returns an exact wire value
or raises `ValueTypeError`; a container that meets one on its way out adds its step to the path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, TypeAlias, assert_never

from golem_oplog.errors import ValueTypeError
from golem_oplog.public import Err, Ok, ResourceRef, Some, Variant
from golem_oplog.shape import (
    HANDLE_MAX,
    check_depth,
    choices,
    is_bytes,
    mismatch,
    spellings,
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
from golem_oplog.wire_records import field_finder
from golem_oplog.wire_scalars import SCALARS

Wire: TypeAlias = Any
"""A value in wire form; its WIT type says which."""

ToWire: TypeAlias = Callable[[object], Wire]

_CACHE_TYPES_MAX: Final = 4096


@lru_cache(maxsize=_CACHE_TYPES_MAX)
def to_wire(ty: WitType) -> ToWire:
    """
    The converter from public to wire form for one type; the same one for equal types.

    Raises:
        ValueTypeError: The type nests too deep. The converter raises it for values that do not
            fit, naming the place inside the value.
    """
    check_depth(ty)
    return _compile(ty)


@lru_cache(maxsize=_CACHE_TYPES_MAX)
def _compile(ty: WitType) -> ToWire:
    match ty:
        case Prim():
            return SCALARS[ty]
        case ListType(element):
            return _bytes if is_bytes(ty) else _list(ty, _compile(element))
        case RecordType():
            return _record(ty)
        case TupleType():
            return _tuple(ty)
        case VariantType():
            return _variant(ty)
        case EnumType():
            return _enum(ty)
        case OptionType():
            return _option(ty)
        case ResultType():
            return _result(ty)
        case FlagsType():
            return _flags(ty)
        case HandleType():
            return _handle(ty)
    assert_never(ty)


def _items(ty: WitType, value: object) -> Sequence[object]:
    """The elements of a list or tuple; text and bytes are sequences too, but never meant so."""
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview):
        return value
    raise mismatch(ty, value)


def _bytes(value: object) -> bytes:
    if type(value) is bytes:
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return bytes(_each_byte(value))


def _list(ty: WitType, convert_element: ToWire) -> ToWire:
    def convert(value: object) -> list[Any]:
        found = value if type(value) is list else _items(ty, value)
        out: list[Any] = []
        try:
            out.extend(map(convert_element, found))
        except ValueTypeError as error:
            # What was converted before the failure is in `out` already.
            within(error, f"[{len(out)}]")
            raise
        return out

    return convert


_each_byte = _list(ListType(Prim.U8), SCALARS[Prim.U8])


def _tuple(ty: TupleType) -> ToWire:
    converters = tuple(_compile(element) for element in ty.elements)
    size = len(converters)

    def convert(value: object) -> list[Any]:
        found = _items(ty, value)
        if len(found) != size:
            raise mismatch(ty, value)
        out: list[Any] = []
        try:
            for convert_element, item in zip(converters, found, strict=True):
                out.append(convert_element(item))
        except ValueTypeError as error:
            within(error, f"[{len(out)}]")
            raise
        return out

    return convert


def _record(ty: RecordType) -> ToWire:
    names = tuple(name for name, _ in ty.fields)
    converters = tuple(_compile(field) for _, field in ty.fields)
    size = len(names)
    exact: Callable[[dict[object, object]], tuple[object, ...]] = (
        itemgetter(*names) if size > 1 else lambda given: tuple([given[name] for name in names])
    )
    lenient = field_finder(ty)

    def convert(value: object) -> list[Any]:
        if type(value) is dict and len(value) == size:
            try:
                found = exact(value)
            except KeyError:
                found = lenient(value)
        else:
            found = lenient(value)
        out: list[Any] = []
        try:
            for convert_field, item in zip(converters, found, strict=True):
                out.append(convert_field(item))
        except ValueTypeError as error:
            within(error, names[len(out)])
            raise
        return out

    return convert


def _payload(convert: ToWire | None, value: object) -> Any:
    if convert is not None:
        return convert(value)
    if value is None:
        return None
    raise mismatch("no payload", value)


def _position(ty: WitType, positions: dict[str, int], name: object) -> int:
    if isinstance(name, str):
        found = positions.get(name)
        if found is not None:
            return found
    raise mismatch(ty, name)


def _variant(ty: VariantType) -> ToWire:
    positions = spellings(name for name, _ in ty.cases)
    converters = tuple(None if case is None else _compile(case) for _, case in ty.cases)

    def convert(value: object) -> tuple[int, Any]:
        if isinstance(value, Variant):
            position = _position(ty, positions, value.case)
            payload = value.value
        else:
            # A case without payload may be given by its bare name.
            position = _position(ty, positions, value)
            payload = None
        try:
            return position, _payload(converters[position], payload)
        except ValueTypeError as error:
            within(error, ty.cases[position][0])
            raise

    return convert


def _enum(ty: EnumType) -> ToWire:
    positions = spellings(ty.names)

    def convert(value: object) -> int:
        return _position(ty, positions, value)

    return convert


def _option(ty: OptionType) -> ToWire:
    convert_payload = _compile(ty.payload)
    nested = isinstance(ty.payload, OptionType)

    def convert(value: object) -> tuple[Any] | None:
        if value is None:
            return None
        if isinstance(value, Some):
            return (convert_payload(value.value),)
        if nested:
            raise mismatch("None or Some(...) for an option of an option", value)
        return (convert_payload(value),)

    return convert


def _result(ty: ResultType) -> ToWire:
    convert_ok, convert_err = (None if side is None else _compile(side) for side in (ty.ok, ty.err))

    def convert(value: object) -> tuple[int, Any]:
        try:
            if isinstance(value, Ok):
                return 0, _payload(convert_ok, value.value)
            if isinstance(value, Err):
                return 1, _payload(convert_err, value.value)
        except ValueTypeError as error:
            within(error, "ok" if isinstance(value, Ok) else "err")
            raise
        raise mismatch("Ok(...) or Err(...)", value)

    return convert


def _flags(ty: FlagsType) -> ToWire:
    positions = spellings(ty.names)

    def convert(value: object) -> int:
        if not isinstance(value, Iterable) or isinstance(value, str | bytes | Mapping):
            raise mismatch(f"a set of {choices(ty.names)}", value)
        bits = 0
        for name in value:
            bits |= 1 << _position(ty, positions, name)
        return bits

    return convert


def _handle(ty: HandleType) -> ToWire:
    def convert(value: object) -> int:
        if isinstance(value, ResourceRef) and value.resource == ty.resource:
            handle = value.handle
            if type(handle) is int and 0 <= handle <= HANDLE_MAX:
                return handle
        raise mismatch(f"ResourceRef({ty.resource!r}, ...)", value)

    return convert
