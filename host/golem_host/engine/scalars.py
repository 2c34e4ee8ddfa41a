"""The types whose value lies in the cell itself: kind, size and the two conversions."""

from __future__ import annotations

from typing import Final

from golem_host.engine import abi
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import Prim

BITS: Final = {False: 0, True: 1}
"""Lowers a bool, and refuses what only behaves like one."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """One row: the cell kind and how ``struct`` and ``memoryview.cast`` spell the value."""

    kind: int
    code: str
    size: int

    def lifted(self, field: str) -> str:
        """The expression that turns what ``struct`` read into a wire value."""
        return f"chr({field})" if self.kind == abi.KIND_CHAR else field

    def lifted_list(self, numbers: str) -> str:
        return f"list(map(chr,{numbers}))" if self.kind == abi.KIND_CHAR else numbers

    def lowered(self, value: str) -> str:
        """The expression that turns a wire value into what ``struct`` packs, or raises."""
        if self.kind == abi.KIND_CHAR:
            return f"scalar_value({value})"
        if self.kind == abi.KIND_BOOL:
            return f"BITS[{value}]"
        return value

    def lowered_list(self, values: str) -> str:
        if self.kind in {abi.KIND_CHAR, abi.KIND_BOOL}:
            return f"[{self.lowered('x')} for x in {values}]"
        return values

    @property
    def stored_code(self) -> str:
        """The code for writing: a bool is written as the byte 0 or 1."""
        return "B" if self.kind == abi.KIND_BOOL else self.code


SCALARS: Final = {
    Prim.BOOL: Scalar(abi.KIND_BOOL, "?", 1),
    Prim.S8: Scalar(abi.KIND_S8, "b", 1),
    Prim.U8: Scalar(abi.KIND_U8, "B", 1),
    Prim.S16: Scalar(abi.KIND_S16, "h", 2),
    Prim.U16: Scalar(abi.KIND_U16, "H", 2),
    Prim.S32: Scalar(abi.KIND_S32, "i", 4),
    Prim.U32: Scalar(abi.KIND_U32, "I", 4),
    Prim.S64: Scalar(abi.KIND_S64, "q", 8),
    Prim.U64: Scalar(abi.KIND_U64, "Q", 8),
    # Floats travel as their bits: a Python float would not keep every NaN.
    Prim.F32: Scalar(abi.KIND_F32, "I", 4),
    Prim.F64: Scalar(abi.KIND_F64, "Q", 8),
    Prim.CHAR: Scalar(abi.KIND_CHAR, "I", 4),
}


def scalar_value(char: str) -> int:
    """
    The number of a character that a ``char`` may hold.

    A surrogate would make wasmtime abort the process, and ``ord`` does not mind one.
    """
    number = ord(char)
    if 0xD800 <= number < 0xE000:
        message = f"a surrogate, U+{number:04X}, is not a char"
        raise ValueError(message)
    return number
