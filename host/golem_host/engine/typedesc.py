"""wasmtime's type objects to the types of `golem_oplog.types`, once per component."""

from __future__ import annotations

from typing import Final

from wasmtime import component as wc
from wasmtime.component import _types as wt

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

_PRIMS: Final[dict[type, Prim]] = {
    wc.Bool: Prim.BOOL,
    wc.S8: Prim.S8,
    wc.U8: Prim.U8,
    wc.S16: Prim.S16,
    wc.U16: Prim.U16,
    wc.S32: Prim.S32,
    wc.U32: Prim.U32,
    wc.S64: Prim.S64,
    wc.U64: Prim.U64,
    wc.F32: Prim.F32,
    wc.F64: Prim.F64,
    wc.Char: Prim.CHAR,
    wc.String: Prim.STRING,
}


class UnsupportedTypeError(Exception):
    """A type that the C interface cannot carry: calling such a function aborts the process."""


def unversioned(interface: str) -> str:
    """``wasi:io/poll@0.2.9`` -> ``wasi:io/poll``."""
    return interface.partition("@")[0]


class ResourceNames:
    """
    Names of the resource types that a component mentions.

    A type goes by the interface that mentions it first; later ones are aliases (``use``).  wasmtime
    offers equality of types and no identity, so this is a search; components have few resources.
    """

    def __init__(self) -> None:
        self._known: list[tuple[wc.ResourceType, str]] = []

    def add(self, ty: wc.ResourceType, interface: str, name: str) -> str:
        """Name a type that an import or export mentions; return the name it already had, if any."""
        known = self.find(ty)
        if known is not None:
            return known
        full = f"{unversioned(interface)}.{name}" if interface else name
        self._known.append((ty, full))
        return full

    def names(self) -> tuple[str, ...]:
        """Every name so far, without repetition: two versions of a type share theirs."""
        return tuple(dict.fromkeys(name for _, name in self._known))

    def find(self, ty: wc.ResourceType) -> str | None:
        return next((name for known, name in self._known if known == ty), None)


class TypeReader:
    """Reads types of one component."""

    def __init__(self, resources: ResourceNames) -> None:
        self._resources = resources

    def function(self, ty: wc.FuncType, interface: str, name: str) -> FunctionType:
        full = f"{interface}.{{{name}}}" if interface else name
        params = tuple((param, self.value(t)) for param, t in ty.params)
        result = ty.result
        return FunctionType(full, params, None if result is None else self.value(result))

    def value(self, ty: wt.ValType) -> WitType:
        prim = _PRIMS.get(type(ty))
        if prim is not None:
            return prim
        match ty:
            case wc.ListType():
                return ListType(self.value(ty.element))
            case wc.RecordType():
                return RecordType(tuple((name, self.value(t)) for name, t in ty.fields))
            case wc.TupleType():
                return TupleType(tuple(self.value(t) for t in ty.elements))
            case wc.VariantType():
                return VariantType(tuple((name, self._optional(t)) for name, t in ty.cases))
            case wc.EnumType():
                return EnumType(tuple(ty.names))
            case wc.OptionType():
                return OptionType(self.value(ty.payload))
            case wc.ResultType():
                return ResultType(self._optional(ty.ok), self._optional(ty.err))
            case wc.FlagsType():
                return FlagsType(tuple(ty.names))
            case wc.OwnType() | wc.BorrowType():
                return self._handle(ty)
            case _:
                raise UnsupportedTypeError(type(ty).__name__)

    def _optional(self, ty: wt.ValType | None) -> WitType | None:
        return None if ty is None else self.value(ty)

    def _handle(self, ty: wc.OwnType | wc.BorrowType) -> HandleType:
        name = self._resources.find(ty.ty)
        if name is None:
            message = "a resource type without a name"
            raise UnsupportedTypeError(message)
        return HandleType(name, isinstance(ty, wc.OwnType))
