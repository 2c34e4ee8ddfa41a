"""
wasmtime's type objects to the types of `golem_oplog.types`, once per component.

Type objects are read through pairs of functions, a count and an n-th, which return names as
addresses and types as 16-byte cells: one kind byte, seven of padding, the address of a type object.
What is returned is ours to delete.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from ctypes import c_bool, c_size_t
from typing import Any, Final

from golem_host.engine.abi import MEMORY, address_of, bytes_at
from golem_host.engine.library import brief
from golem_host.engine.raw import ResourceType
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

_PRIMS: Final = (
    *(Prim.BOOL, Prim.S8, Prim.S16, Prim.S32, Prim.S64, Prim.U8, Prim.U16, Prim.U32, Prim.U64),
    *(Prim.F32, Prim.F64, Prim.CHAR, Prim.STRING),
)
"""By kind of type, which is not the kind of a value."""
_UNSUPPORTED: Final = {23: "future", 24: "stream", 25: "error-context", 26: "map"}

TYPE_CELL_BYTES: Final = 16
_UNPACK_TYPE: Final = struct.Struct("<B7xQ").unpack_from
_UNPACK_NAME: Final = struct.Struct("<QQ").unpack_from

Count = Callable[[int], int]
Nth = Callable[..., bool]


def _function(name: str, result: Any, parameters: int) -> Callable[..., Any]:
    return brief(f"wasmtime_component_{name}", result, *[c_size_t] * parameters)


_valtype_delete: Final = _function("valtype_delete", None, 1)
_param_count: Final = _function("func_type_param_count", c_size_t, 1)
_param_nth: Final = _function("func_type_param_nth", c_bool, 5)
_func_result: Final = _function("func_type_result", c_bool, 2)
_list_element: Final = _function("list_type_element", None, 2)
_field_count: Final = _function("record_type_field_count", c_size_t, 1)
_field_nth: Final = _function("record_type_field_nth", c_bool, 5)
_element_count: Final = _function("tuple_type_types_count", c_size_t, 1)
_element_nth: Final = _function("tuple_type_types_nth", c_bool, 3)
_case_count: Final = _function("variant_type_case_count", c_size_t, 1)
_case_nth: Final = _function("variant_type_case_nth", c_bool, 6)
_enum_count: Final = _function("enum_type_names_count", c_size_t, 1)
_enum_nth: Final = _function("enum_type_names_nth", c_bool, 4)
_flags_count: Final = _function("flags_type_names_count", c_size_t, 1)
_flags_nth: Final = _function("flags_type_names_nth", c_bool, 4)
_option_payload: Final = _function("option_type_ty", None, 2)
_result_ok: Final = _function("result_type_ok", c_bool, 2)
_result_err: Final = _function("result_type_err", c_bool, 2)


class UnsupportedTypeError(Exception):
    """A type that the C interface cannot carry: calling such a function aborts the process."""


def unversioned(interface: str) -> str:
    """``wasi:io/poll@0.2.9`` -> ``wasi:io/poll``."""
    return interface.partition("@")[0]


def function_name(interface: str, name: str) -> str:
    """The full name of a function, by which logs and callers know it."""
    return f"{interface}.{{{name}}}" if interface else name


class NameSlot:
    """Where a C function puts the address and the size of a name."""

    def __init__(self) -> None:
        self._content = bytearray(16)
        address = address_of(self._content)
        self.addresses = (address, address + 8)

    def name(self) -> str:
        address, size = _UNPACK_NAME(self._content)
        return bytes_at(address, size).decode()


class ResourceNames:
    """
    Names of the resource types that a component mentions.

    A type goes by the interface that mentions it first; later ones are aliases (``use``).  wasmtime
    offers equality of types and no identity, so this is a search; components have few resources.

    A component may import an interface and export it, too, or export two versions of it.  What it
    exports then is another type under the same name, and gets a prime: ``my:pkg/api.counter'``.
    """

    def __init__(self) -> None:
        self._known: list[tuple[ResourceType, str]] = []
        self._are_imports_read = False

    def add(self, pointer: int, interface: str, name: str) -> str:
        """Name a type that an import or export mentions; return the name it already had, if any."""
        known = self.find(pointer)
        if known is not None:
            return known
        full = f"{unversioned(interface)}.{name}" if interface else name
        while self._are_imports_read and any(full == each for _, each in self._known):
            full += "'"
        self._known.append((ResourceType.copy_of(pointer), full))
        return full

    def end_imports(self) -> tuple[str, ...]:
        """The names of all imported types; two versions of a type share theirs."""
        self._are_imports_read = True
        return tuple(dict.fromkeys(name for _, name in self._known))

    def find(self, pointer: int) -> str | None:
        return next((name for known, name in self._known if known.is_type(pointer)), None)


class TypeReader:
    """Reads types of one component."""

    def __init__(self, resources: ResourceNames) -> None:
        self._resources = resources
        self._slot = NameSlot()

    def function(self, pointer: int, interface: str, name: str) -> FunctionType:
        full = function_name(interface, name)
        params = tuple(self._named(pointer, _param_count, _param_nth))
        return FunctionType(full, params, self._optional(_func_result, pointer))

    def value(self, cell: int) -> WitType:
        """The type whose 16-byte cell lies at an address; the cell stays the caller's."""
        kind, pointer = _UNPACK_TYPE(MEMORY, cell)
        if kind < len(_PRIMS):
            return _PRIMS[kind]
        read = _READERS.get(kind)
        if read is None:
            raise UnsupportedTypeError(_UNSUPPORTED.get(kind, f"a type of kind {kind}"))
        return read(self, pointer)

    def read_list(self, pointer: int) -> WitType:
        return ListType(self._required(_list_element, pointer))

    def read_record(self, pointer: int) -> WitType:
        return RecordType(tuple(self._named(pointer, _field_count, _field_nth)))

    def read_tuple(self, pointer: int) -> WitType:
        count = _element_count(pointer)
        return TupleType(tuple(self._required(_element_nth, pointer, n) for n in range(count)))

    def read_variant(self, pointer: int) -> WitType:
        return VariantType(tuple(self._case(pointer, n) for n in range(_case_count(pointer))))

    def read_enum(self, pointer: int) -> WitType:
        return EnumType(self._names(pointer, _enum_count, _enum_nth))

    def read_option(self, pointer: int) -> WitType:
        return OptionType(self._required(_option_payload, pointer))

    def read_result(self, pointer: int) -> WitType:
        ok = self._optional(_result_ok, pointer)
        return ResultType(ok, self._optional(_result_err, pointer))

    def read_flags(self, pointer: int) -> WitType:
        return FlagsType(self._names(pointer, _flags_count, _flags_nth))

    def read_own(self, pointer: int) -> WitType:
        return HandleType(self._resource(pointer), owned=True)

    def read_borrow(self, pointer: int) -> WitType:
        return HandleType(self._resource(pointer), owned=False)

    def _resource(self, pointer: int) -> str:
        name = self._resources.find(pointer)
        if name is None:
            message = "a resource type without a name"
            raise UnsupportedTypeError(message)
        return name

    def _named(self, pointer: int, count: Count, nth: Nth) -> Iterator[tuple[str, WitType]]:
        """Fields or parameters."""
        for number in range(count(pointer)):
            cell = bytearray(TYPE_CELL_BYTES)
            nth(pointer, number, *self._slot.addresses, address_of(cell))
            # The name first: reading the type uses the slot again.
            name = self._slot.name()
            yield name, self._taken(address_of(cell))

    def _names(self, pointer: int, count: Count, nth: Nth) -> tuple[str, ...]:
        return tuple(
            self._slot.name()
            for number in range(count(pointer))
            if nth(pointer, number, *self._slot.addresses)
        )

    def _case(self, pointer: int, number: int) -> tuple[str, WitType | None]:
        has_payload = bytearray(1)
        cell = bytearray(TYPE_CELL_BYTES)
        addresses = (*self._slot.addresses, address_of(has_payload), address_of(cell))
        _case_nth(pointer, number, *addresses)
        name = self._slot.name()
        return name, self._taken(address_of(cell)) if has_payload[0] else None

    def _optional(self, get: Callable[..., Any], *arguments: int) -> WitType | None:
        """The type that a function returns through its last parameter, unless it returns False."""
        cell = bytearray(TYPE_CELL_BYTES)
        address = address_of(cell)
        return None if get(*arguments, address) is False else self._taken(address)

    def _required(self, get: Callable[..., Any], *arguments: int) -> WitType:
        ty = self._optional(get, *arguments)
        assert ty is not None
        return ty

    def _taken(self, cell: int) -> WitType:
        """Read a cell that is ours, and delete it."""
        try:
            return self.value(cell)
        finally:
            _valtype_delete(cell)


_READERS: Final[dict[int, Callable[[TypeReader, int], WitType]]] = {
    13: TypeReader.read_list,
    14: TypeReader.read_record,
    15: TypeReader.read_tuple,
    16: TypeReader.read_variant,
    17: TypeReader.read_enum,
    18: TypeReader.read_option,
    19: TypeReader.read_result,
    20: TypeReader.read_flags,
    21: TypeReader.read_own,
    22: TypeReader.read_borrow,
}
"""By kind of type."""
