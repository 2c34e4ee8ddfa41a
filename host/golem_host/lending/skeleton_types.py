"""The types of a skeleton: a class or an alias for each that has a name in WIT and is mentioned."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping
from keyword import iskeyword
from typing import Final

from golem_host.lending.annotations import fitting
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.shape import python_name, resource_label
from golem_oplog.types import (
    EnumType,
    FlagsType,
    FunctionType,
    HandleType,
    ListType,
    OptionType,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
    WitType,
)

INDENT: Final = "    "

BUILTINS: Final = frozenset(dir(builtins))
"""Names that annotations use: nothing else may be called so where one stands."""


@dataclass(frozen=True, slots=True)
class Lendable:
    """An interface that a class is wanted for."""

    name: str
    """``ns:pkg/api``, with a version where the component says one."""
    functions: tuple[FunctionType, ...]
    """By import name."""
    resources: tuple[str, ...]
    """Those that are its own."""
    types: tuple[tuple[str, WitType], ...]
    docs: Mapping[str, str]
    """By the name of a type, a resource or a function; that of the interface by the empty one."""


class Types:
    """
    Args:
        interfaces: Whose names are used, first come first served.
        taken: Names that are something else.
    """

    def __init__(self, interfaces: Iterable[Lendable], taken: Iterable[str]) -> None:
        self._taken = {*taken}
        self._names: dict[WitType, str] = {}
        self._docs: dict[str, str] = {}
        self._objects: dict[str, str] = {}
        self._used: set[WitType] = set()
        self.imports: set[str] = set()
        """What is needed of this library."""
        for interface in interfaces:
            for name, ty in interface.types:
                if ty not in self._names and _has_class(ty):
                    self._names[ty] = self.free(camel(name))
                    self._docs[self._names[ty]] = interface.docs.get(name, "")

    def free(self, name: str) -> str:
        """The name, or one like it that is not taken; it is taken now."""
        while name in self._taken or name in BUILTINS or iskeyword(name):
            name += "_"
        self._taken.add(name)
        return name

    def is_taken(self, name: str) -> bool:
        """Whether a method of this name would hide what an annotation or a decorator means."""
        return name in self._taken or name in BUILTINS

    def annotation(self, ty: WitType | None) -> str:
        if ty is None:
            return "None"
        self._use(ty)
        return fitting(ty, self._name_of)

    def object_of(self, resource: str) -> str:
        """The class of the objects behind a resource, by its full name."""
        found = self._objects.get(resource)
        if found is None:
            label = resource_label(HandleType(resource, owned=True))
            found = self._objects[resource] = self.free(camel(label))
        return found

    def uses(self, *kinds: type) -> bool:
        return any(isinstance(ty, kinds) for ty in self._used)

    def definitions(self) -> list[list[str]]:
        """Of all that was mentioned."""
        blocks = [
            list(self._definition(ty, name)) for ty, name in self._names.items() if ty in self._used
        ]
        for resource, name in self._objects.items():
            what = resource_label(HandleType(resource, owned=True))
            blocks.append([f"class {name}:", f'{INDENT}"""What stands behind a handle: {what}."""'])
        return blocks

    def _name_of(self, ty: WitType) -> str | None:
        return self.object_of(ty.resource) if isinstance(ty, HandleType) else self._names.get(ty)

    def _use(self, ty: WitType) -> None:
        if ty in self._used:
            return
        if ty in self._names:
            self._used.add(ty)
        inner: Iterable[WitType | None] = ()
        match ty:
            case RecordType(members):
                # One without a name is a dict, whatever is in it.
                inner = [part for _, part in members] if ty in self._names else ()
            case VariantType(members):
                self.imports.add("Variant")
                inner = [part for _, part in members] if ty in self._names else ()
            case OptionType(OptionType()):
                self.imports.add("Some")
            case ListType(part) | OptionType(part):
                inner = [part]
            case TupleType(parts):
                inner = parts
            case ResultType(ok, err):
                self.imports.add("Result")
                inner = [ok, err]
            case _:
                pass
        for each in inner:
            if each is not None:
                self._use(each)

    def _definition(self, ty: WitType, name: str) -> Iterator[str]:
        said = self._docs[name]
        match ty:
            case RecordType(fields):
                yield "@dataclass(frozen=True)"
                yield f"class {name}:"
                yield from doc(said, INDENT)
                for field, part in fields:
                    yield f"{INDENT}{python_name(field)}: {self.annotation(part)}"
            case EnumType(names):
                yield f"class {name}(StrEnum):"
                yield from doc(said, INDENT)
                for each in names:
                    yield f'{INDENT}{each.replace("-", "_").upper()} = "{each}"'
            case VariantType(cases):
                yield f"{name}: TypeAlias = Variant"
                # As they are made: with the type of what they hold.
                listed = [
                    f"Variant('{case}')"
                    if part is None
                    else f"Variant('{case}', {self.annotation(part)})"
                    for case, part in cases
                ]
                yield from doc(f"{said}\n\n{', '.join(listed)}".strip(), "")
            case FlagsType(names):
                yield f"{name}: TypeAlias = frozenset[str]"
                yield from doc(f"{said}\n\nSome of: {', '.join(names)}.".strip(), "")


def _has_class(ty: WitType) -> bool:
    if isinstance(ty, RecordType):
        # A field may hide a type that the annotation of the next one needs.
        return not any(python_name(name) in BUILTINS - {"id", "type"} for name, _ in ty.fields)
    return isinstance(ty, VariantType | EnumType | FlagsType)


def camel(name: str) -> str:
    """``payment-error`` is ``PaymentError``."""
    parts = name.replace("/", "-").split("-")
    return "".join(part[:1].upper() + part[1:] for part in parts)


def doc(text: str, indent: str) -> list[str]:
    """A docstring, or nothing."""
    if not text:
        return []
    safe = text.replace("\\", "\\\\").replace('"', "'").splitlines()
    if len(safe) == 1:
        return [f'{indent}"""{safe[0]}"""']
    return [f'{indent}"""', *(f"{indent}{line}".rstrip() for line in safe), f'{indent}"""']
