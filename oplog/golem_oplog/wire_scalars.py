"""Public values of the primitive types to the wire form: part of `golem_oplog.wire_in`."""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Final

from golem_oplog.floats import f32_bits, f64_bits, fits_f32
from golem_oplog.shape import INT_RANGES, mismatch
from golem_oplog.types import Prim


def _bool(value: object) -> bool:
    if value is True or value is False:
        return value
    raise mismatch(Prim.BOOL, value)


def _int(prim: Prim) -> Callable[[object], int]:
    low, high = INT_RANGES[prim]

    def convert(value: object) -> int:
        if type(value) is int and low <= value <= high:
            return value
        # A subclass such as an IntEnum must not reach an encoder that knows exact types only.
        plain = None if isinstance(value, bool) else _as_int(value)
        if plain is not None and low <= plain <= high:
            return plain
        raise mismatch(prim, value)

    return convert


def _as_int(value: object) -> int | None:
    try:
        return index(value)  # type: ignore[arg-type] # whether it is an argument is the question
    except TypeError:
        return None


def _number(prim: Prim, value: object) -> float:
    if isinstance(value, float | int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            pass
    raise mismatch(prim, value)


def _f64(value: object) -> int:
    return f64_bits(value if type(value) is float else _number(Prim.F64, value))


def _f32(value: object) -> int:
    number = value if type(value) is float else _number(Prim.F32, value)
    if not fits_f32(number):
        raise mismatch("f32 (within ±3.4028235e38)", value)
    return f32_bits(number)


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


SCALARS: Final[dict[Prim, Callable[[object], bool | int | str]]] = {
    Prim.BOOL: _bool,
    Prim.F32: _f32,
    Prim.F64: _f64,
    Prim.CHAR: _char,
    Prim.STRING: _string,
    **{prim: _int(prim) for prim in INT_RANGES},
}
