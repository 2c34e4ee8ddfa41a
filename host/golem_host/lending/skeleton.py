"""
Classes in Python for interfaces that a component imports, to be filled in and lent.

What is printed imports cleanly, is typed (``mypy --strict`` has nothing to say) and fits the very
component.  Of each function the durable function type is the careful one, for its author to relax.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from golem_host.lending.skeleton_types import INDENT, Lendable, Types, camel, doc
from golem_host.resources import handles
from golem_oplog.shape import python_name
from golem_oplog.types import EnumType, FlagsType, FunctionType, RecordType, VariantType

LINE_CHARS_MAX: Final = 100

_IMPORTED: Final = (
    *("dataclass", "StrEnum", "TypeAlias", "lent", "UNRECORDED", "WRITE_REMOTE", "Result", "Some"),
    *("Variant", "constructor", "function", "interface", "on_drop", "resource", "static"),
)

_HEAD: Final = '''"""
What {what} imports and its host does not offer: fill it in, and lend it.

Lend it with `--interface MODULE:lent`, or with HostConfig(interfaces=lent()).

WRITE_REMOTE is the careful choice.  READ_REMOTE is for what only looks, READ_LOCAL and WRITE_LOCAL
for what stays on this machine, UNRECORDED for what gives the same every time.  What makes, gives or
takes a handle has to be UNRECORDED.
"""'''


def skeleton(what: str, wanted: Iterable[Lendable], named: Iterable[Lendable] = ()) -> str:
    """
    The text of a module.

    Args:
        what: Who imports them, for its first lines.
        wanted: The interfaces.
        named: Others whose names of types may be used.
    """
    return _Skeleton([*wanted], [*named]).text(what)


class _Skeleton:
    def __init__(self, wanted: list[Lendable], named: list[Lendable]) -> None:
        self._wanted = wanted
        self._types = Types([*wanted, *named], _IMPORTED)
        self._lent: list[str] = []

    def text(self, what: str) -> str:
        classes = [block for each in self._wanted for block in self._interface(each)]
        # Only now it is known what they mention.
        definitions = self._types.definitions()
        lent = [
            "def lent() -> tuple[object, ...]:",
            f'{INDENT}"""What is lent."""',
            f"{INDENT}return ({', '.join(self._lent)}{',' if len(self._lent) == 1 else ''})",
        ]
        if len(lent[-1]) > LINE_CHARS_MAX:
            lent[-1:] = [
                f"{INDENT}return (",
                *(f"{INDENT * 2}{each}," for each in self._lent),
                f"{INDENT})",
            ]
        blocks = [*definitions, *classes, lent]
        head = "\n\n".join([_HEAD.format(what=what), *self._imports()])
        return f"{head}\n\n\n" + "\n\n\n".join("\n".join(block) for block in blocks) + "\n"

    def _imports(self) -> Iterator[str]:
        yield "from __future__ import annotations"
        standard = []
        if self._types.uses(RecordType):
            standard.append("from dataclasses import dataclass")
        if self._types.uses(EnumType):
            standard.append("from enum import StrEnum")
        if self._types.uses(VariantType, FlagsType):
            standard.append("from typing import TypeAlias")
        if standard:
            yield "\n".join(standard)
        names = sorted(
            self._types.imports, key=lambda name: (not name.isupper(), name.islower(), name)
        )
        line = f"from golem_host import {', '.join(names)}"
        if len(line) > LINE_CHARS_MAX:
            listed = "\n".join(f"{INDENT}{name}," for name in names)
            line = f"from golem_host import (\n{listed}\n)"
        yield line

    def _interface(self, interface: Lendable) -> Iterator[list[str]]:
        home = interface.name.partition("@")[0]
        name = camel(home.partition(":")[2] or home)
        free = [each for each in interface.functions if not each.name.startswith("[")]
        if free:
            self._types.imports.add("interface")
            cls = self._types.free(name)
            self._lent.append(f"{cls}()")
            lines = [f'@interface("{home}")', f"class {cls}:"]
            lines += doc(interface.docs.get("", ""), INDENT)
            yield self._with_methods(lines, free, interface)
        for resource in interface.resources:
            self._types.imports |= {"resource", "on_drop"}
            behind = self._types.object_of(f"{home}.{resource}")
            cls = self._types.free(f"{name}{camel(resource)}")
            self._lent.append(f"{cls}()")
            lines = [f'@resource("{home}", "{resource}")', f"class {cls}:"]
            lines += doc(interface.docs.get(resource, ""), INDENT)
            members = [each for each in interface.functions if _resource_of(each) == resource]
            lines = self._with_methods(lines, members, interface, behind)
            yield [
                *lines,
                *([""] if members else []),
                f"{INDENT}@on_drop",
                f"{INDENT}def on_drop_(self, it: {behind}) -> None:",
                f'{INDENT * 2}"""The guest has given the handle up; called on replay, too."""',
            ]

    def _with_methods(
        self,
        lines: list[str],
        functions: Iterable[FunctionType],
        interface: Lendable,
        behind: str = "",
    ) -> list[str]:
        for number, function in enumerate(functions):
            if number or lines[-1].endswith('"""'):
                lines.append("")
            lines += self._method(function, interface.docs.get(function.name, ""), behind)
        return lines

    def _method(self, function: FunctionType, said: str, behind: str) -> Iterator[str]:
        tag, _, rest = function.name.rpartition("]")
        wit_name = rest.rpartition(".")[2]
        params = list(function.params)
        given = ["self"]
        if tag == "[method":
            names = {python_name(name) for name, _ in params[1:]}
            given.append(f"{'it' if 'it' not in names else 'it_'}: {behind}")
            params = params[1:]
        for name, ty in params:
            python = python_name(name)
            given.append(f"{'self_' if python == 'self' else python}: {self._types.annotation(ty)}")
        python = "new" if tag == "[constructor" else python_name(wit_name)
        renamed = self._types.is_taken(python)
        yield f"{INDENT}@{self._decorator(function, tag, wit_name if renamed else '')}"
        head = f"def {python}{'_' if renamed else ''}"
        result = self._types.annotation(function.result)
        line = f"{INDENT}{head}({', '.join(given)}) -> {result}:"
        if len(line) > LINE_CHARS_MAX:
            yield f"{INDENT}{head}("
            yield from (f"{INDENT * 2}{each}," for each in given)
            line = f"{INDENT}) -> {result}:"
        yield line
        yield from doc(said, INDENT * 2)
        yield f"{INDENT * 2}raise NotImplementedError"

    def _decorator(self, function: FunctionType, tag: str, name: str) -> str:
        owned = any(each.owned for _, ty in function.params for each in handles(ty))
        moves = owned or any(True for _ in handles(function.result))
        kind = "UNRECORDED" if moves else "WRITE_REMOTE"
        if tag == "[constructor":
            self._types.imports.add("constructor")
            return "constructor()"
        decorator = "static" if tag == "[static" else "function"
        self._types.imports |= {decorator, kind}
        return f'{decorator}({kind}, name="{name}")' if name else f"{decorator}({kind})"


def _resource_of(function: FunctionType) -> str:
    return function.name.partition("]")[2].partition(".")[0]
