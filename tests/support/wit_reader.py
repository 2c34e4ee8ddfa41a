"""
Our own WIT read back into the notation of ``wit_table.txt``: one line per declaration.

Knows as much of the language as these files use.  What it does not know stops it with an error, so
that nothing is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_TOKEN = re.compile(
    r"///[^\n]*|//[^\n]*|/\*.*?\*/|->|\d+\.\d+\.\d+(?:-\w+)?|%?[A-Za-z_][\w-]*|\S", re.DOTALL
)


@dataclass(slots=True)
class Interface:
    """One interface: its declarations in order, and what is said about each."""

    name: str
    """``ns:package/interface@version``."""
    doc: str
    lines: dict[str, str] = field(default_factory=dict)
    """Declaration -> doc comment."""


@dataclass(slots=True)
class World:
    name: str
    doc: str
    lines: list[str] = field(default_factory=list)


def read_folder(folder: Path) -> tuple[dict[str, Interface], dict[str, World]]:
    """Every interface and every world below a folder, by full name."""
    interfaces: dict[str, Interface] = {}
    worlds: dict[str, World] = {}
    for path in sorted(folder.rglob("*.wit")):
        for found in _File(path.read_text(encoding="utf-8")).read():
            if isinstance(found, Interface):
                interfaces[found.name] = found
            else:
                worlds[found.name] = found
    return interfaces, worlds


class _File:
    def __init__(self, text: str) -> None:
        self._tokens: list[str] = _TOKEN.findall(text)
        self._next = 0
        self._package = ""

    def read(self) -> Iterator[Interface | World]:
        while self._next < len(self._tokens):
            doc = self._doc_and_gate()
            match self._take():
                case "package":
                    self._package = self._until(";")
                case "interface":
                    found = Interface(self._full_name(self._take()), doc)
                    self._body(found)
                    yield found
                case "world":
                    world = World(self._full_name(self._take()), doc)
                    self._expect("{")
                    while not self._skip("}"):
                        self._doc_and_gate()
                        world.lines.append(f"{self._take()} {self._until(';')}")
                    yield world
                case other:
                    raise AssertionError(other)

    def _full_name(self, name: str) -> str:
        package, at, version = self._package.partition("@")
        return f"{package}/{name}{at}{version}"

    def _body(self, interface: Interface) -> None:
        self._expect("{")
        while not self._skip("}"):
            interface.lines |= self._item(self._doc_and_gate())

    def _item(self, doc: str) -> dict[str, str]:
        match self._take():
            case "use":
                return {self._use(): doc}
            case "type":
                name = self._take()
                self._expect("=")
                return {f"type {name} = {_spaced(self._until(';'))}": doc}
            case "record" | "flags" | "enum" | "variant" as kind:
                return {f"{kind} {self._take()}: {self._fields()}": doc}
            case "resource":
                resource = self._take()
                return {f"resource {resource}": doc, **self._members(resource)}
            case name:
                self._expect(":")
                return {f"{name.removeprefix('%')}: {self._function()}": doc}

    def _use(self) -> str:
        source = self._until("{").rstrip(".").partition("@")[0]
        names = []
        while not self._skip("}"):
            name = self._take()
            names.append(f"{name} as {self._take()}" if self._skip("as") else name)
            self._skip(",")
        self._expect(";")
        return f"use {source}: {', '.join(sorted(names))}"

    def _fields(self) -> str:
        self._expect("{")
        fields = []
        while not self._skip("}"):
            self._doc_and_gate()
            fields.append(_spaced(self._until(",", "}")))
            if self._tokens[self._next - 1] == "}":
                break
        return ", ".join(field for field in fields if field)

    def _members(self, resource: str) -> dict[str, str]:
        members: dict[str, str] = {}
        if self._skip(";"):
            return members
        self._expect("{")
        while not self._skip("}"):
            doc = self._doc_and_gate()
            name = self._take().removeprefix("%")
            if name == "constructor":
                line = f"[constructor]{resource}: func{_spaced(self._until(';'))}"
            else:
                self._expect(":")
                kind = "static" if self._skip("static") else "method"
                line = f"[{kind}]{resource}.{name}: {self._function()}"
            members[line] = doc
        return members

    def _function(self) -> str:
        self._expect("func")
        return "func" + _spaced(self._until(";"))

    def _doc_and_gate(self) -> str:
        """Take comments and gates; return what the comments say."""
        doc = []
        while True:
            token = self._tokens[self._next]
            if token.startswith("///"):
                doc.append(self._take()[3:].strip())
            elif token.startswith(("//", "/*")):
                self._take()
            elif token == "@":
                while self._take() != ")":
                    pass
            else:
                return "\n".join(doc)

    def _until(self, *ends: str) -> str:
        """Take tokens to the first of these that is not in brackets; return them without blanks."""
        text = ""
        depth = 0
        while True:
            token = self._take()
            if token in ends and depth == 0:
                break
            depth += (token in "<(") - (token in ">)")
            text += token.removeprefix("%")
        return text

    def _take(self) -> str:
        self._next += 1
        return self._tokens[self._next - 1]

    def _skip(self, token: str) -> bool:
        if self._tokens[self._next] != token:
            return False
        self._next += 1
        return True

    def _expect(self, token: str) -> None:
        assert token == self._take()


def _spaced(text: str) -> str:
    return text.replace(",", ", ").replace(":", ": ").replace("->", " -> ")
