"""What a component imports and exports, read once when it is loaded."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from ctypes import c_bool, c_size_t
from typing import Final

from golem_host.engine.abi import MEMORY, address_of
from golem_host.engine.library import brief
from golem_host.engine.raw import Owned, RawComponent, RawEngine
from golem_host.engine.refusals import refuse_interface
from golem_host.engine.typedesc import (
    NameSlot,
    ResourceNames,
    TypeReader,
    UnsupportedTypeError,
    function_name,
)
from golem_host.errors import ComponentError
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import FunctionType, HandleType, WitType

_type_of: Final = brief("wasmtime_component_type", c_size_t, c_size_t)
_type_delete: Final = brief("wasmtime_component_type_delete", None, c_size_t)
_import_count: Final = brief("wasmtime_component_type_import_count", c_size_t, *[c_size_t] * 2)
_import_nth: Final = brief("wasmtime_component_type_import_nth", c_bool, *[c_size_t] * 6)
_export_count: Final = brief("wasmtime_component_type_export_count", c_size_t, *[c_size_t] * 2)
_export_nth: Final = brief("wasmtime_component_type_export_nth", c_bool, *[c_size_t] * 6)
_member_count: Final = brief(
    "wasmtime_component_instance_type_export_count", c_size_t, *[c_size_t] * 2
)
_member_nth: Final = brief("wasmtime_component_instance_type_export_nth", c_bool, *[c_size_t] * 6)
_extern_type: Final = brief("wasmtime_component_extern_type", None, c_size_t, c_size_t)
_extern_delete: Final = brief("wasmtime_component_extern_delete", None, c_size_t)
_item_delete: Final = brief("wasmtime_component_item_delete", None, c_size_t)

# An item: one kind byte, seven of padding, then an address, or for a type its own 16-byte cell.
_ITEM_BYTES: Final = 24
_TYPE_OFFSET: Final = 8
_INSTANCE: Final = 1
_FUNCTION: Final = 3
_RESOURCE: Final = 4
_TYPE: Final = 6
_UNPACK_ADDRESS: Final = struct.Struct("<Q").unpack_from


@dataclass(frozen=True, slots=True)
class ImportedFunction:
    """A function that the component asks of its host."""

    interface: str
    """As the component spells it, ``wasi:clocks/wall-clock@0.2.9``; empty for the world itself."""
    name: str
    """``now``, ``[method]pollable.ready``."""
    type: FunctionType
    """Its name is ``interface.{name}``, or the bare name for the world itself."""


DROP: Final = "[drop]"
"""Begins the name of what drops a handle to a resource that the component exports."""


@dataclass(frozen=True, slots=True)
class ExportedFunction:
    """
    A function that the component offers; fields as in `ImportedFunction`.

    Each resource of the component's own has one more than the WIT says, ``[drop]counter``: it gives
    up a handle, and the guest's destructor runs.
    """

    interface: str
    name: str
    type: FunctionType

    @property
    def is_drop(self) -> bool:
        return self.name.startswith(DROP)


@dataclass(frozen=True, slots=True)
class InterfaceItems:
    """One imported or exported interface; the empty name stands for the world itself."""

    interface: str
    functions: tuple[tuple[str, FunctionType], ...]
    resources: tuple[tuple[str, str], ...]
    """Name in this interface, and full name of the resource that it stands for."""
    types: tuple[tuple[str, WitType], ...]
    """Named types that are not resources."""


@dataclass(frozen=True, slots=True)
class Description:
    """Both sides of a component."""

    imports: tuple[InterfaceItems, ...]
    exports: tuple[InterfaceItems, ...]
    host_resources: tuple[str, ...]
    """Full names of the resources that the host must define, in the order of first mention."""


def describe(component: RawComponent, engine: RawEngine, name: str) -> Description:
    """
    Read the component's types, and refuse what cannot be hosted.

    Raises:
        ComponentError: An import or export that this engine cannot carry, or does not offer.
    """
    resources = ResourceNames()
    with Owned(_type_of(component.pointer), _type_delete) as ty:
        imports = _Items(ty.pointer, engine.pointer, _import_count, _import_nth)
        exports = _Items(ty.pointer, engine.pointer, _export_count, _export_nth)
        try:
            described_imports = _side(imports, resources, name, exported=False)
            host = resources.end_imports()
            described_exports = _side(exports, resources, name, exported=True)
        except UnsupportedTypeError as error:
            raise ComponentError(component=name, reason=f"cannot be hosted: {error}") from error
    return Description(described_imports, described_exports, host)


def drops(description: Description) -> Iterator[ExportedFunction]:
    """What drops the handles of each resource of the component's own, where it is defined."""
    known = set(description.host_resources)
    for items in description.exports:
        for name, full in items.resources:
            if full in known:
                # Another interface's, mentioned here too.
                continue
            known.add(full)
            drop = f"{DROP}{name}"
            ty = FunctionType(
                function_name(items.interface, drop),
                (("self", HandleType(full, owned=True)),),
                None,
            )
            yield ExportedFunction(items.interface, drop, ty)


@dataclass(frozen=True, slots=True)
class _Items:
    """What a component or an interface consists of, as the C interface offers it."""

    owner: int
    engine: int
    count: Callable[[int, int], int]
    nth: Callable[..., bool]

    def __iter__(self) -> Iterator[tuple[str, int, int]]:
        """Name, kind and address of each; the address is that of the item's payload."""
        slot = NameSlot()
        extern = bytearray(8)
        for number in range(self.count(self.owner, self.engine)):
            self.nth(self.owner, self.engine, number, *slot.addresses, address_of(extern))
            name = slot.name()
            item = bytearray(_ITEM_BYTES)
            with Owned(_UNPACK_ADDRESS(extern)[0], _extern_delete) as found:
                _extern_type(found.pointer, address_of(item))
            try:
                yield name, item[0], address_of(item) + _TYPE_OFFSET
            finally:
                _item_delete(address_of(item))


def _side(
    items: _Items, resources: ResourceNames, component: str, *, exported: bool
) -> tuple[InterfaceItems, ...]:
    world = _Collector("", resources, exported=exported)
    interfaces: list[InterfaceItems] = []
    for name, kind, payload in items:
        refuse_interface(component, name, exported=exported)
        if kind == _INSTANCE:
            inner = _Collector(name, resources, exported=exported)
            owner = _UNPACK_ADDRESS(MEMORY, payload)[0]
            for member in _Items(owner, items.engine, _member_count, _member_nth):
                inner.add(*member)
            interfaces.append(inner.items())
        else:
            world.add(name, kind, payload)
    own = world.items()
    return (own, *interfaces) if own.functions or own.resources or own.types else (*interfaces,)


class _Collector:
    """Gathers the items of one interface."""

    def __init__(self, interface: str, resources: ResourceNames, *, exported: bool) -> None:
        self._interface = interface
        self._exported = exported
        self._names = resources
        self._reader = TypeReader(resources)
        self._functions: list[tuple[str, FunctionType]] = []
        self._resources: list[tuple[str, str]] = []
        self._types: list[tuple[str, WitType]] = []

    def add(self, name: str, kind: int, payload: int) -> None:
        if kind == _TYPE:
            self._types.append((name, self._reader.value(payload)))
            return
        pointer = _UNPACK_ADDRESS(MEMORY, payload)[0]
        if kind == _FUNCTION:
            ty = self._reader.function(pointer, self._interface, name)
            self._functions.append((name, ty))
        elif kind == _RESOURCE:
            self._resources.append((name, self._names.add(pointer, self._interface, name)))
        elif not self._exported:
            # Among the exports a module or an inner instance may stand, which nobody can call.
            what = f"{self._interface}/{name}" if self._interface else name
            message = f"{what} is neither a function nor a type"
            raise UnsupportedTypeError(message)

    def items(self) -> InterfaceItems:
        return InterfaceItems(
            self._interface, tuple(self._functions), tuple(self._resources), tuple(self._types)
        )
