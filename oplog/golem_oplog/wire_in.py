"""
From the public form of values to the wire form: where everything a person hands in is checked.

A converter is compiled once per type out of closures. Each one either returns an exact wire value
or raises `ValueTypeError`; a container that meets one on its way out adds its step to the path.

There is one NaN here: every NaN becomes the canonical one, because what Python keeps of a NaN's
payload differs between platforms, and a log must not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import index, itemgetter
from struct import Struct
from typing import Any, Final, SupportsIndex, TypeAlias, assert_never

from golem_oplog.errors import ValueTypeError
from golem_oplog.public import Err, Ok, ResourceRef, Some, Variant
from golem_oplog.shape import (
    INT_RANGES,
    check_depth,
    choices,
    describe,
    is_bytes,
    mismatch,
    python_name,
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

ToWire: TypeAlias = Callable[[object], Any]

NAN_BITS: Final = {Prim.F32: 0x7FC0_0000, Prim.F64: 0x7FF8_0000_0000_0000}
HANDLE_MAX: Final = 2**32 - 1

_F32 = Struct("<f")
_U32 = Struct("<I")
_F64 = Struct("<d")
_U64 = Struct("<Q")

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
def _compile(ty: WitType) -> ToWire:  # noqa: C901, PLR0911 - a line per WIT type
    match ty:
        case Prim():
            return _PRIMITIVES[ty]
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


def _bool(value: object) -> bool:
    if value is True or value is False:
        return value
    raise mismatch(Prim.BOOL, value)


def _int(prim: Prim) -> ToWire:
    low, high = INT_RANGES[prim]

    def convert(value: object) -> int:
        if type(value) is int and low <= value <= high:
            return value
        # A subclass such as an IntEnum must not reach an encoder that knows exact types only.
        if isinstance(value, SupportsIndex) and not isinstance(value, bool):
            plain = index(value)
            if low <= plain <= high:
                return plain
        raise mismatch(prim, value)

    return convert


def _number(prim: Prim, value: object) -> float:
    if isinstance(value, float | int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            pass
    raise mismatch(prim, value)


def _f64(value: object) -> int:
    number = value if type(value) is float else _number(Prim.F64, value)
    if number != number:  # noqa: PLR0124 - the one cheap test for NaN
        return NAN_BITS[Prim.F64]
    bits: int = _U64.unpack(_F64.pack(number))[0]
    return bits


def _f32(value: object) -> int:
    number = value if type(value) is float else _number(Prim.F32, value)
    if number != number:  # noqa: PLR0124 - as above
        return NAN_BITS[Prim.F32]
    try:
        bits: int = _U32.unpack(_F32.pack(number))[0]
    except OverflowError:
        raise mismatch("f32 (within ±3.4028235e38)", value) from None
    return bits


def _char(value: object) -> str:
    if isinstance(value, str) and len(value) == 1 and not "\ud800" <= value <= "\udfff":
        return str.__str__(value)
    raise mismatch("char (one Unicode scalar value)", value)


def _string(value: object) -> str:
    if type(value) is str and value.isascii():
        return value
    if isinstance(value, str):
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise mismatch("string without lone surrogates", value) from None
        return str.__str__(value)
    raise mismatch(Prim.STRING, value)


_PRIMITIVES: Final[dict[Prim, ToWire]] = {
    Prim.BOOL: _bool,
    Prim.F32: _f32,
    Prim.F64: _f64,
    Prim.CHAR: _char,
    Prim.STRING: _string,
    **{prim: _int(prim) for prim in INT_RANGES},
}


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


_each_byte = _list(ListType(Prim.U8), _PRIMITIVES[Prim.U8])


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
    lenient = _field_finder(ty)

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


_ABSENT: Final = object()


def _field_finder(ty: RecordType) -> Callable[[object], tuple[object, ...]]:
    """Finds the fields of anything that may stand for a record, in the record's order."""
    positions = spellings(name for name, _ in ty.fields)
    attributes = tuple(python_name(name) for name, _ in ty.fields)

    def find(value: object) -> tuple[object, ...]:
        if isinstance(value, Mapping):
            return _from_mapping(ty, positions, value)
        found = tuple([getattr(value, attribute, _ABSENT) for attribute in attributes])
        absent = [at for at, item in enumerate(found) if item is _ABSENT]
        if absent:
            # An object that has none of the attributes was never meant as this record.
            raise mismatch(ty, value) if len(absent) == len(found) else _no_field(ty, absent[0])
        return found

    return find


def _from_mapping(
    ty: RecordType, positions: dict[str, int], value: Mapping[object, object]
) -> tuple[object, ...]:
    found = [_ABSENT] * len(ty.fields)
    for key, item in value.items():
        position = positions.get(key) if isinstance(key, str) else None
        if position is None:
            raise unfit(ty, f"unknown field {describe(key)}")
        if found[position] is not _ABSENT:
            raise unfit(ty, f"field {describe(key)} a second time")
        found[position] = item
    for at, (_, field) in enumerate(ty.fields):
        if found[at] is _ABSENT:
            if not isinstance(field, OptionType):
                raise _no_field(ty, at)
            found[at] = None
    return tuple(found)


def _no_field(ty: RecordType, at: int) -> ValueTypeError:
    name, field = ty.fields[at]
    error = unfit(field, "no such field")
    within(error, name)
    return error


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
