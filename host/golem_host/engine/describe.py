"""What a component imports and exports, read once when it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import wasmtime
from wasmtime import component as wc
from wasmtime.component import _types as wt

from golem_host.engine.refusals import refuse_interface
from golem_host.engine.typedesc import ResourceNames, TypeReader, UnsupportedTypeError
from golem_host.errors import ComponentError
from golem_oplog.types import FunctionType, WitType


@dataclass(frozen=True, slots=True)
class ImportedFunction:
    """A function that the component asks of its host."""

    interface: str
    """As the component spells it, ``wasi:clocks/wall-clock@0.2.9``; empty for the world itself."""
    name: str
    """``now``, ``[method]pollable.ready``."""
    type: FunctionType
    """Its name is ``interface.{name}``, or the bare name for the world itself."""


@dataclass(frozen=True, slots=True)
class ExportedFunction:
    """A function that the component offers; fields as in `ImportedFunction`."""

    interface: str
    name: str
    type: FunctionType


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


_Items = Mapping[str, wt.ComponentExtern]


def describe(component: wc.Component, engine: wasmtime.Engine, name: str) -> Description:
    """
    Read the component's types, and refuse what cannot be hosted.

    Raises:
        ComponentError: An import or export that this engine cannot carry, or does not offer.
    """
    ty = component.type
    resources = ResourceNames()
    try:
        imports = _side(ty.imports(engine), engine, resources, name, exported=False)
        host = resources.names()
        exports = _side(ty.exports(engine), engine, resources, name, exported=True)
    except UnsupportedTypeError as error:
        raise ComponentError(component=name, reason=f"cannot be hosted: {error}") from error
    return Description(imports, exports, host)


def _side(
    items: _Items,
    engine: wasmtime.Engine,
    resources: ResourceNames,
    component: str,
    *,
    exported: bool,
) -> tuple[InterfaceItems, ...]:
    world: dict[str, wt.ComponentItem] = {}
    interfaces: list[InterfaceItems] = []
    reader = TypeReader(resources)
    for name, extern in items.items():
        ty = extern.ty
        refuse_interface(component, name, exported=exported)
        if isinstance(ty, wc.ComponentInstanceType):
            members = {member: e.ty for member, e in ty.exports(engine).items()}
            interfaces.append(_interface(name, members, reader, resources))
        else:
            world[name] = ty
    if world:
        interfaces.insert(0, _interface("", world, reader, resources))
    return tuple(interfaces)


def _interface(
    interface: str,
    members: Mapping[str, wt.ComponentItem],
    reader: TypeReader,
    resources: ResourceNames,
) -> InterfaceItems:
    functions: list[tuple[str, FunctionType]] = []
    handles: list[tuple[str, str]] = []
    types: list[tuple[str, WitType]] = []
    for name, ty in members.items():
        match ty:
            case wc.ResourceType():
                handles.append((name, resources.add(ty, interface, name)))
            case wc.FuncType():
                functions.append((name, reader.function(ty, interface, name)))
            case wt.ValType():
                types.append((name, reader.value(ty)))
            case _:
                what = f"{interface}/{name}" if interface else name
                message = f"{what} is neither a function nor a type"
                raise UnsupportedTypeError(message)
    return InterfaceItems(interface, tuple(functions), tuple(handles), tuple(types))
