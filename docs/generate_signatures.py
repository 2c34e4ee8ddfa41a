"""
Write the types of all functions that components may import, from ``wit/`` and ``wit_dialects/``.

Run ``python -m docs.generate_signatures``; a test fails when the table is stale.  Its form is
described where it is read, in `golem_host.interfaces.signatures`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias, Union

from golem_host.declare import without_version
from golem_host.interfaces.described import EXPORTED_BY_GUESTS
from golem_host.interfaces.signatures import TABLE
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
from tests.support.wit_reader import read_folder

ROOT: Final = Path(__file__).parent.parent
DIALECTS: Final = ROOT / "wit_dialects"

_PRIMS: Final = {prim.value: prim for prim in Prim}
_HEAD: Final = re.compile(r"(?:(record|variant|enum|flags|type|resource|use) )?(\[?[^:= ]+)(.*)")
_TOKEN: Final = re.compile(r"[<>(),:]|->|[^\s<>(),:]+")

Source: TypeAlias = dict[str, dict[str, str]]
"""Interface without version -> what is declared, by name -> the line that declares it."""
Form: TypeAlias = Union[str, int, Sequence["Form"], None]


def source(folder: Path) -> Source:
    """The declarations of all interfaces below a folder."""
    return {
        without_version(name): {_declared(line): line for line in interface.lines}
        for name, interface in read_folder(folder)[0].items()
    }


def _declared(line: str) -> str:
    """What a line declares; a ``use`` line is told from types by being the whole line."""
    if line.startswith("use "):
        return line
    match = _HEAD.match(line)
    assert match, line
    return match[2]


def sources() -> Iterator[tuple[str, Source]]:
    """``wit/`` under the empty name, then each dialect in full, sorted by name."""
    base = source(ROOT / "wit")
    found = {"": base}
    for folder in sorted(path for path in DIALECTS.iterdir() if path.is_dir()):
        below = found[folder.name.rpartition("+")[0]]
        changes = source(folder)
        found[folder.name] = {n: {**lines, **changes.get(n, {})} for n, lines in below.items()}
    yield from found.items()


class _Tokens:
    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._next = 0

    def peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def take(self, *expected: str) -> str:
        token = self.peek()
        assert token, "the declaration ends early"
        assert not expected or token in expected, token
        self._next += 1
        return token

    def skip(self, token: str) -> bool:
        found = self.peek() == token
        self._next += found
        return found


class Resolver:
    """The types of one source."""

    def __init__(self, interfaces: Source) -> None:
        self._interfaces = interfaces
        self._used = {name: dict(_used(name, lines)) for name, lines in interfaces.items()}

    def functions(self, interface: str) -> Iterator[FunctionType]:
        """What a component imports of an interface; named as there, such as ``[method]a.b``."""
        for name, line in self._interfaces[interface].items():
            text = line.removeprefix(name)
            if text.startswith(": func("):
                yield self._function(interface, name, _Tokens(text))

    def _function(self, interface: str, name: str, tokens: _Tokens) -> FunctionType:
        kind, _, member = name.rpartition("]")
        owner = f"{interface}.{member.partition('.')[0]}"
        params: list[tuple[str, WitType]] = []
        if kind == "[method":
            params.append(("self", HandleType(owner, owned=False)))
        for token in (":", "func", "("):
            tokens.take(token)
        while not tokens.skip(")"):
            param = tokens.take()
            tokens.take(":")
            params.append((param, self._type(interface, tokens)))
            tokens.skip(",")
        result = self._type(interface, tokens) if tokens.skip("->") else None
        assert not tokens.peek(), name
        if kind == "[constructor":
            result = HandleType(owner, owned=True)
        return FunctionType(name, tuple(params), result)

    def _type(self, interface: str, tokens: _Tokens) -> WitType:
        name = tokens.take()
        if name in _PRIMS:
            return _PRIMS[name]
        if name not in {"list", "option", "tuple", "result", "borrow", "own"}:
            return self._named(interface, name)
        parts: list[WitType | None] = []
        if tokens.skip("<"):
            while not tokens.skip(">"):
                parts.append(None if tokens.skip("_") else self._type(interface, tokens))
                tokens.skip(",")
        return _generic(name, parts)

    def _named(self, interface: str, name: str) -> WitType:
        """A type by the name that it has in an interface; a resource by itself is ``own``."""
        if name in self._used[interface]:
            return self._named(*self._used[interface][name])
        line = self._interfaces[interface][name]
        keyword, _, rest = line.partition(" ")
        if keyword == "resource":
            return HandleType(f"{interface}.{name}", owned=True)
        if keyword == "type":
            return self._type(interface, _Tokens(rest.partition(" = ")[2]))
        members = list(self._members(interface, _Tokens(rest.removeprefix(f"{name}:"))))
        names = tuple(member for member, _ in members)
        match keyword:
            case "record":
                return RecordType(tuple((n, ty) for n, ty in members if ty is not None))
            case "variant":
                return VariantType(tuple(members))
            case "enum":
                return EnumType(names)
            case "flags":
                return FlagsType(names)
        raise AssertionError(line)

    def _members(self, interface: str, tokens: _Tokens) -> Iterator[tuple[str, WitType | None]]:
        """Fields, cases or names."""
        while tokens.peek():
            name = tokens.take()
            if tokens.skip(":"):
                yield name, self._type(interface, tokens)
            elif tokens.skip("("):
                yield name, self._type(interface, tokens)
                tokens.take(")")
            else:
                yield name, None
            tokens.skip(",")


def _generic(name: str, parts: list[WitType | None]) -> WitType:
    if name == "result":
        ok, err = [*parts, None, None][:2]
        return ResultType(ok, err)
    inner = [part for part in parts if part is not None]
    match name, inner:
        case "list", [element]:
            return ListType(element)
        case "option", [payload]:
            return OptionType(payload)
        case "tuple", [*elements]:
            return TupleType(tuple(elements))
        case "borrow" | "own", [HandleType(resource)]:
            return HandleType(resource, owned=name == "own")
    raise AssertionError(name)


def _used(interface: str, lines: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Name -> the interface it is taken from, and its name there."""
    package = interface.partition("/")[0]
    for line in lines:
        if line.startswith("use "):
            home, names = line.removeprefix("use ").split(": ")
            home = home if "/" in home else f"{package}/{home}"
            for name in names.split(", "):
                original, _, alias = name.partition(" as ")
                yield alias or original, (home, original)


class _Rows:
    """Types as rows that refer to each other by number."""

    def __init__(self) -> None:
        self.rows: list[Form] = []
        self._numbers: dict[WitType, int] = {}

    def form(self, ty: WitType | None) -> str | int | None:
        if ty is None or isinstance(ty, Prim):
            return ty and ty.value
        if ty not in self._numbers:
            row = self._row(ty)
            self._numbers[ty] = len(self.rows)
            self.rows.append(row)
        return self._numbers[ty]

    def _row(self, ty: WitType) -> Form:
        match ty:
            case ListType(inner):
                return ["list", self.form(inner)]
            case OptionType(inner):
                return ["option", self.form(inner)]
            case TupleType(elements):
                return ["tuple", *[self.form(element) for element in elements]]
            case ResultType(ok, err):
                return ["result", self.form(ok), self.form(err)]
            case RecordType(fields):
                return ["record", *[[name, self.form(field)] for name, field in fields]]
            case VariantType(cases):
                return ["variant", *[[name, self.form(case)] for name, case in cases]]
            case EnumType(names):
                return ["enum", *names]
            case FlagsType(names):
                return ["flags", *names]
            case HandleType(resource, owned):
                return ["own" if owned else "borrow", resource]
        raise AssertionError(ty)


def signatures() -> dict[str, dict[str, list[tuple[str, FunctionType]]]]:
    """Interface -> function -> the types it has, each with the first dialect that has it."""
    found: dict[str, dict[str, list[tuple[str, FunctionType]]]] = {}
    for dialect, interfaces in sources():
        resolver = Resolver(interfaces)
        for interface in sorted(interfaces.keys() - EXPORTED_BY_GUESTS):
            functions = found.setdefault(interface, {})
            for function in resolver.functions(interface):
                known = functions.setdefault(function.name, [])
                if function not in [ty for _, ty in known]:
                    known.append((dialect, function))
    return {interface: functions for interface, functions in found.items() if functions}


def table() -> str:
    """The table, one line for each type and for each function."""
    rows = _Rows()
    interfaces = [
        f"{json.dumps(interface)}: {{\n{_functions(rows, functions)}\n}}"
        for interface, functions in signatures().items()
    ]
    functions = ",\n".join(interfaces)
    types = ",\n".join(_line(row) for row in rows.rows)
    return f'{{"functions": {{\n{functions}\n}}, "types": [\n{types}\n]}}\n'


def _functions(rows: _Rows, functions: Mapping[str, list[tuple[str, FunctionType]]]) -> str:
    return ",\n".join(
        f"{json.dumps(name)}: {_line([_signature(rows, *each) for each in functions[name]])}"
        for name in sorted(functions)
    )


def _signature(rows: _Rows, dialect: str, function: FunctionType) -> Form:
    params: list[Form] = [[name, rows.form(ty)] for name, ty in function.params]
    return [dialect, params, rows.form(function.result)]


def _line(form: Form) -> str:
    return json.dumps(form, separators=(",", ":"))


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
