"""
Printing a component's world as WIT text.

A compiled component has lost its documentation, the names of record types inside functions and who
used a type from where.  Names are put back where an interface exports a type of the same structure;
a resource that another interface named first is shown as ``use``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, assert_never

from golem_host.engine.describe import Description, InterfaceItems
from golem_host.engine.typedesc import unversioned
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

INDENT: Final = "  "

_Named = RecordType | VariantType | EnumType | FlagsType

_KEYWORDS: Final = {
    RecordType: "record",
    VariantType: "variant",
    EnumType: "enum",
    FlagsType: "flags",
}


def print_world(description: Description) -> str:
    """The world, then every package that it refers to, as nested ``package`` blocks."""
    lines = ["package root:component;", "", "world root {"]
    packages: dict[str, dict[str, InterfaceItems]] = {}
    for verb, side in (("import", description.imports), ("export", description.exports)):
        for items in side:
            if ":" in items.interface:
                lines.append(f"{INDENT}{verb} {items.interface};")
                package, interface = _split(items.interface)
                packages.setdefault(package, {}).setdefault(interface, items)
            else:
                lines += _indented(_world_items(verb, items, description))
    lines.append("}")
    for package, interfaces in packages.items():
        lines += ["", f"package {package} {{"]
        for interface, items in interfaces.items():
            lines.append(f"{INDENT}interface {interface} {{")
            lines += _indented(_indented(_Printer(items, description).body()))
            lines.append(f"{INDENT}}}")
        lines.append("}")
    return "\n".join(lines) + "\n"


def _split(interface: str) -> tuple[str, str]:
    """``wasi:io/poll@0.2.9`` -> ``wasi:io@0.2.9``, ``poll``."""
    path, at, version = interface.partition("@")
    package, _, name = path.rpartition("/")
    return f"{package}{at}{version}", name


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (INDENT + line for line in lines)


def _world_items(verb: str, items: InterfaceItems, description: Description) -> list[str]:
    printer = _Printer(items, description)
    if items.interface:
        body = _indented(printer.body())
        return [f"{verb} {items.interface}: interface {{", *body, "}"]
    functions = [f"{verb} {name}: {printer.function(ty)};" for name, ty in items.functions]
    resources = [f"{verb} {name}: resource;" for name, _ in items.resources]
    return [*printer.types(), *resources, *functions]


class _Printer:
    """The text of one interface."""

    def __init__(self, items: InterfaceItems, description: Description) -> None:
        self._items = items
        self._description = description
        self._resources = {full: name for name, full in items.resources}
        self._names: dict[WitType, str] = {}
        for name, ty in items.types:
            if isinstance(ty, _Named):
                self._names.setdefault(ty, name)

    def body(self) -> list[str]:
        return [*self._uses(), *self.types(), *self._own_resources(), *self._free_functions()]

    def types(self) -> list[str]:
        return [line for name, ty in self._items.types for line in self._definition(name, ty)]

    def function(self, ty: FunctionType, *, skip: int = 0, keyword: str = "func") -> str:
        params = ", ".join(f"{name}: {self.type(t)}" for name, t in ty.params[skip:])
        result = "" if ty.result is None else f" -> {self.type(ty.result)}"
        return f"{keyword}({params}){result}"

    def type(self, ty: WitType | None) -> str:
        match ty:
            case None:
                return "_"
            case Prim():
                return ty.value
            case ListType(element):
                return f"list<{self.type(element)}>"
            case TupleType(elements):
                return f"tuple<{', '.join(map(self.type, elements))}>"
            case OptionType(payload):
                return f"option<{self.type(payload)}>"
            case ResultType(None, None):
                return "result"
            case ResultType(ok, None):
                return f"result<{self.type(ok)}>"
            case ResultType(ok, err):
                return f"result<{self.type(ok)}, {self.type(err)}>"
            case HandleType(resource, owned):
                name = self._resources.get(resource, resource.rpartition(".")[2])
                return name if owned else f"borrow<{name}>"
            case _:
                named = self._names.get(ty)
                return named or " ".join(part.strip() for part in self._structure(ty, ""))

    def _definition(self, name: str, ty: WitType) -> list[str]:
        if isinstance(ty, _Named) and self._names[ty] == name:
            return self._structure(ty, name)
        return [f"type {name} = {self.type(ty)};"]

    def _structure(self, ty: _Named, name: str) -> list[str]:
        """A definition; with an empty name, what stands for an anonymous type."""
        keyword = _KEYWORDS[type(ty)]
        match ty:
            case RecordType(fields):
                rows = [f"{n}: {self.type(t)}," for n, t in fields]
            case VariantType(cases):
                rows = [f"{n}({self.type(t)})," if t else f"{n}," for n, t in cases]
            case EnumType(names) | FlagsType(names):
                rows = [f"{n}," for n in names]
            case _:
                assert_never(ty)
        head = f"{keyword} {name} {{" if name else f"{keyword} {{"
        return [head, *_indented(rows), "}"]

    def _is_own(self, full: str) -> bool:
        return full.rpartition(".")[0] == unversioned(self._items.interface)

    def _uses(self) -> Iterator[str]:
        for name, full in self._items.resources:
            if self._is_own(full):
                continue
            home, _, original = full.rpartition(".")
            spelled = original if original == name else f"{original} as {name}"
            yield f"use {self._versioned(home)}.{{{spelled}}};"

    def _versioned(self, home: str) -> str:
        """The interface as the component spells it; the version before the dot that ends ``use``."""
        sides = (*self._description.imports, *self._description.exports)
        return next((i.interface for i in sides if unversioned(i.interface) == home), home)

    def _own_resources(self) -> Iterator[str]:
        for name, full in self._items.resources:
            if not self._is_own(full):
                continue
            members = list(self._members(name))
            if members:
                yield from (f"resource {name} {{", *_indented(members), "}")
            else:
                yield f"resource {name};"

    def _members(self, resource: str) -> Iterator[str]:
        for name, ty in self._items.functions:
            tag, _, rest = name.partition("]")
            owner, _, member = rest.partition(".")
            if not name.startswith("[") or owner != resource:
                continue
            if tag == "[constructor":
                yield self.function(ty, keyword="constructor").partition(" -> ")[0] + ";"
            elif tag == "[static":
                yield f"{member}: static {self.function(ty)};"
            else:
                yield f"{member}: {self.function(ty, skip=1)};"

    def _free_functions(self) -> Iterator[str]:
        for name, ty in self._items.functions:
            if not name.startswith("["):
                yield f"{name}: {self.function(ty)};"
