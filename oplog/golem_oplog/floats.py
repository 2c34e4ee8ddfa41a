"""
Floating point numbers and their bits.

There is one NaN in the public form of values: every NaN that comes in becomes the canonical one,
because what Python keeps of a NaN's payload differs between platforms, and a log must not.
"""

from __future__ import annotations

from math import isfinite
from struct import Struct
from typing import Final

F32_NAN_BITS: Final = 0x7FC0_0000
F64_NAN_BITS: Final = 0x7FF8_0000_0000_0000

_F32_LIMIT: Final = float.fromhex("0x1.ffffffp127")
"""Half a step above the largest f32: from here on, rounding gives infinity."""

_F32 = Struct("<f")
_U32 = Struct("<I")
_F64 = Struct("<d")
_U64 = Struct("<Q")


def fits_f32(number: float) -> bool:
    """Whether a number is in the range of f32; infinities and NaN are."""
    return not isfinite(number) or abs(number) < _F32_LIMIT


def f32_bits(number: float) -> int:
    """The nearest f32. Call it for what `fits_f32` only."""
    if number != number:  # noqa: PLR0124 - the cheapest test for NaN
        return F32_NAN_BITS
    bits: int = _U32.unpack(_F32.pack(number))[0]
    return bits


def f64_bits(number: float) -> int:
    if number != number:  # noqa: PLR0124 - as above
        return F64_NAN_BITS
    bits: int = _U64.unpack(_F64.pack(number))[0]
    return bits


def f32_from_bits(bits: int) -> float:
    number: float = _F32.unpack(_U32.pack(bits))[0]
    return number


def f64_from_bits(bits: int) -> float:
    number: float = _F64.unpack(_U64.pack(bits))[0]
    return number


def round_f32(number: float) -> float:
    """The double that is the nearest f32. Call it for what `fits_f32` only."""
    return f32_from_bits(f32_bits(number))


def shortest_f32(number: float) -> float:
    """The double with the fewest digits that is the same f32: 0.1 for 0.10000000149011612."""
    if not isfinite(number):
        return number
    # Nine digits tell any two f32 apart, so the last candidate always fits.
    shorter = (float(f"{number:.{digits}g}") for digits in range(1, 10))
    return next(short for short in shorter if fits_f32(short) and round_f32(short) == number)
