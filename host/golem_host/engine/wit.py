"""
Printing a component's world as WIT text.

A compiled component has lost its documentation, the names of record types inside functions and who
used a type from where.  Names are put back where an interface exports a type of the same structure;
what another interface named first, or alone, is shown as ``use``.
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

_RESERVED: Final = frozenset(
    """as async bool borrow char constructor enum error-context export f32 f64 flags from func future
    import include interface list map option own package record resource result s16 s32 s64 s8 static
    stream string tuple type u16 u32 u64 u8 use variant with world""".split()  # noqa: SIM905 # one a line would fill the screen
)

_Named = RecordType | VariantType | EnumType | FlagsType

_KEYWORDS: Final = {
    RecordType: "record",
    VariantType: "variant",
    EnumType: "enum",
    FlagsType: "flags",
}


def print_world(description: Description) -> str:
    """The world, then every package that it refers to, as nested ``package`` blocks."""
    world = _indented(_world(description))
    lines = ["package root:component;", "", "world root {", *world, "}"]
    packages: dict[str, dict[str, InterfaceItems]] = {}
    for items in (*description.imports, *description.exports):
        if ":" in items.interface:
            package, interface = _split(items.interface)
            packages.setdefault(package, {}).setdefault(interface, items)
    for package, interfaces in packages.items():
        lines += ["", f"package {package} {{"]
        for interface, items in interfaces.items():
            lines.append(f"{INDENT}interface {_id(interface)} {{")
            lines += _indented(_indented(_Printer(items, description).body()))
            lines.append(f"{INDENT}}}")
        lines.append("}")
    return "\n".join(lines) + "\n"


def _id(name: str) -> str:
    """The name, escaped where it is a word of the language."""
    return f"%{name}" if name in _RESERVED else name


def _split(interface: str) -> tuple[str, str]:
    """``wasi:io/poll@0.2.9`` -> ``wasi:io@0.2.9``, ``poll``."""
    path, at, version = interface.partition("@")
    package, _, name = path.rpartition("/")
    return f"{package}{at}{version}", name


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (INDENT + line for line in lines)


def _world(description: Description) -> list[str]:
    # Both sides of a world share one name space.
    sides = (*description.imports, *description.exports)
    own = [items for items in sides if not items.interface]
    printer = _Printer(
        InterfaceItems(
            "",
            tuple(function for items in own for function in items.functions),
            tuple(resource for items in own for resource in items.resources),
            tuple(named for items in own for named in items.types),
        ),
        description,
    )
    body = []
    for verb, side in (("import", description.imports), ("export", description.exports)):
        for items in side:
            if ":" in items.interface:
                body.append(f"{verb} {items.interface};")
            elif items.interface:
                inner = _indented(_Printer(items, description).body())
                body += [f"{verb} {_id(items.interface)}: interface {{", *inner, "}"]
            else:
                body += [f"{verb} {line}" for line in printer.functions(items.functions)]
    return [*printer.definitions(), *body]


class _Printer:
    """The text of one interface."""

    def __init__(self, items: InterfaceItems, description: Description) -> None:
        self._items = items
        self._description = description
        self._resources = {full: name for name, full in items.resources}
        self._names: dict[WitType, str] = {}
        self._taken = {name for name, _ in (*items.types, *items.resources, *items.functions)}
        self._foreign: list[tuple[str, str]] = []
        for name, ty in items.types:
            if isinstance(ty, _Named):
                self._names.setdefault(ty, _id(name))

    def body(self) -> list[str]:
        functions = list(self.functions(self._items.functions))
        return [*self.definitions(), *functions]

    def definitions(self) -> list[str]:
        """Everything but free functions, which must have been printed before."""
        types = [line for name, ty in self._items.types for line in self._definition(name, ty)]
        resources = list(self._own_resources())
        # Only now it is known which types of other interfaces were mentioned.
        return [*self._uses(), *types, *resources]

    def function(self, ty: FunctionType, *, skip: int = 0, keyword: str = "func") -> str:
        params = ", ".join(f"{_id(name)}: {self.type(t)}" for name, t in ty.params[skip:])
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
                return _id(name) if owned else f"borrow<{_id(name)}>"
            case _:
                named = self._names.get(ty) or self._borrowed(ty)
                return named or " ".join(part.strip() for part in self._structure(ty, ""))

    def _borrowed(self, ty: _Named) -> str | None:
        """The name that another interface has for a type that this one does not name."""
        for items in (*self._description.imports, *self._description.exports):
            for name, other in items.types:
                if other == ty and ":" in items.interface and name not in self._taken:
                    self._taken.add(name)
                    self._names[ty] = _id(name)
                    self._foreign.append((items.interface, name))
                    return _id(name)
        return None

    def _definition(self, name: str, ty: WitType) -> list[str]:
        if isinstance(ty, _Named) and self._names[ty] == _id(name):
            return self._structure(ty, _id(name))
        return [f"type {_id(name)} = {self.type(ty)};"]

    def _structure(self, ty: _Named, name: str) -> list[str]:
        """A definition; with an empty name, what stands for an anonymous type."""
        keyword = _KEYWORDS[type(ty)]
        match ty:
            case RecordType(fields):
                rows = [f"{_id(n)}: {self.type(t)}," for n, t in fields]
            case VariantType(cases):
                rows = [f"{_id(n)}({self.type(t)})," if t else f"{_id(n)}," for n, t in cases]
            case EnumType(names) | FlagsType(names):
                rows = [f"{_id(n)}," for n in names]
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
            spelled = _id(original) if original == name else f"{_id(original)} as {_id(name)}"
            yield f"use {self._path(self._versioned(home))}.{{{spelled}}};"
        for interface, name in self._foreign:
            yield f"use {self._path(interface)}.{{{_id(name)}}};"

    def _path(self, interface: str) -> str:
        """How this interface refers to another one: by its bare name within a package."""
        package, name = _split(interface)
        return _id(name) if package == _split(self._items.interface)[0] else interface

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
                yield from (f"resource {_id(name)} {{", *_indented(members), "}")
            else:
                yield f"resource {_id(name)};"

    def _members(self, resource: str) -> Iterator[str]:
        for name, ty in self._items.functions:
            tag, _, rest = name.partition("]")
            owner, _, member = rest.partition(".")
            if not name.startswith("[") or owner != resource:
                continue
            if tag == "[constructor":
                yield self.function(ty, keyword="constructor").partition(" -> ")[0] + ";"
            elif tag == "[static":
                yield f"{_id(member)}: static {self.function(ty)};"
            else:
                yield f"{_id(member)}: {self.function(ty, skip=1)};"

    def functions(self, functions: Iterable[tuple[str, FunctionType]]) -> Iterator[str]:
        """Those that belong to no resource."""
        for name, ty in functions:
            if not name.startswith("["):
                yield f"{_id(name)}: {self.function(ty)};"
