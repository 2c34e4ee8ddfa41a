"""
Reads WIT as far as calls need it: packages, interfaces, worlds, functions and their types.

Whether the text is right the toolchain has said before; what it takes and this reader does not is
refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

PRIMITIVES = frozenset(
    [
        "bool",
        "char",
        "string",
        "f32",
        "f64",
        *(f"{sign}{bits}" for sign in "su" for bits in (8, 16, 32, 64)),
    ]
)

_IDENT = r"%?[A-Za-z][\w-]*"
_VERSION = r"@\d+\.\d+\.\d+(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+)?"
_SKIPPED = re.compile(r"//[^\n]*|/\*.*?\*/|@[a-z]+\([^)]*\)", re.DOTALL)
_TOKEN = re.compile(rf"(?:{_IDENT}:)+{_IDENT}/{_IDENT}(?:{_VERSION})?|{_VERSION}|{_IDENT}|->|\S")
T = TypeVar("T")


class WitError(Exception):
    """``wit/`` does not say what a call needs to know."""


@dataclass(frozen=True)
class Type:
    """
    A WIT type.

    ========================  ==========================================
    a primitive               by its own name
    ``list``, ``option``      one part
    ``tuple``, ``result``     several; those of a result may be None
    ``record``, ``variant``   a part for each name
    ``enum``, ``flags``       names alone
    ``handle``                the resource is its name
    ``name``                  not resolved yet
    ========================  ==========================================
    """

    kind: str
    parts: tuple[Type | None, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Function:
    """What is called."""

    name: str
    """As the host spells it, ``ns:package/interface@version.{function}``."""
    params: tuple[tuple[str, Type], ...]
    result: Type | None


@dataclass
class Interface:
    """What a pair of braces declares; types in it are resolved when they are asked for."""

    package: str
    name: str
    """``ns:package/interface@version``; empty for what a world exports without an interface."""
    functions: dict[str, Function] = field(default_factory=dict)
    types: dict[str, Type] = field(default_factory=dict)
    used: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Local name -> where it is from, and its name there."""

    def is_called(self, wanted: str) -> bool:
        """By its whole name, without the version, or by the last part alone."""
        plain = self.name.partition("@")[0]
        return wanted in {self.name, plain, plain.rpartition("/")[2]}


class WitFile:
    """The text of one file, from front to end."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = _TOKEN.findall(_SKIPPED.sub(" ", text))
        self._next = 0
        self._package = ""
        self._version = ""

    def read(self) -> Iterator[Interface]:
        while self._next < len(self._tokens):
            match self._take():
                case "package":
                    self._package = f"{self._name()}{self._take()}{self._name()}"
                    self._version = self._take() if self._peek().startswith("@") else ""
                    if self._take() == "{":
                        continue
                case "interface":
                    found = Interface(self._package, self._full(self._name()))
                    self._body(found)
                    yield found
                case "world":
                    self._take()
                    found = Interface(self._package, "")
                    yield found
                    yield from self._world(found)
                case "use":
                    self._skip()
                # The end of a nested package is all that is left.
                case _:
                    continue

    def _world(self, world: Interface) -> Iterator[Interface]:
        self._expect("{")
        while self._peek() != "}":
            word = self._peek()
            if word not in {"export", "import", "include"}:
                self._declaration(world)
                continue
            self._take()
            name = self._name()
            if word == "include" or self._peek() != ":":
                self._skip()
                continue
            self._expect(":")
            # What it imports it does not have for others.
            into = world if word == "export" else Interface("", "")
            if self._peek() == "interface":
                self._take()
                inner = Interface(self._package, name)
                self._body(inner)
                if word == "export":
                    yield inner
            else:
                self._function(into, name)
        self._take()

    def _body(self, interface: Interface) -> None:
        self._expect("{")
        while self._peek() != "}":
            self._declaration(interface)
        self._take()

    def _declaration(self, into: Interface) -> None:
        word = self._take()
        if word == "use":
            self._use(into)
        elif word == "type":
            name = self._name()
            self._expect("=")
            into.types[name] = self._type()
            self._expect(";")
        elif word in {"record", "variant", "enum", "flags"}:
            name = self._name()
            self._expect("{")
            items = self._until("}", self._field if word == "record" else self._case)
            parts = tuple(part for _, part in items) if word in {"record", "variant"} else ()
            into.types[name] = Type(word, parts, tuple(each for each, _ in items))
        elif word == "resource":
            self._resource(into, self._name())
        else:
            self._expect(":")
            self._function(into, word.removeprefix("%"))

    def _use(self, into: Interface) -> None:
        source = self._take()
        path = source if "/" in source else self._full(source)
        self._expect(".")
        self._expect("{")
        for there, here in self._until("}", self._used):
            into.used[here] = (path.replace("%", ""), there)
        self._expect(";")

    def _used(self) -> tuple[str, str]:
        there = self._name()
        if self._peek() != "as":
            return there, there
        self._take()
        return there, self._name()

    def _resource(self, into: Interface, name: str) -> None:
        handle = into.types[name] = Type("handle", names=(name,))
        if self._take() == ";":
            return
        while self._peek() != "}":
            member = self._take()
            if member == "constructor":
                self._function(into, f"{name}.new", made=handle)
                continue
            self._expect(":")
            given: tuple[tuple[str, Type], ...] = (("self", handle),)
            if self._peek() == "static":
                self._take()
                given = ()
            self._function(into, f"{name}.{member.removeprefix('%')}", given=given)
        self._take()

    def _function(
        self,
        into: Interface,
        name: str,
        *,
        given: tuple[tuple[str, Type], ...] = (),
        made: Type | None = None,
    ) -> None:
        if self._peek() == "async":
            self._take()
        if made is None:
            self._expect("func")
        self._expect("(")
        params = (*given, *self._until(")", self._field))
        result = made
        if self._peek() == "->":
            self._take()
            result = self._type()
        self._expect(";")
        full = f"{into.name}.{{{name}}}" if into.name else name
        into.functions[name] = Function(full, params, result)

    def _field(self) -> tuple[str, Type]:
        name = self._name()
        self._expect(":")
        return name, self._type()

    def _case(self) -> tuple[str, Type | None]:
        name = self._name()
        if self._peek() != "(":
            return name, None
        self._take()
        payload = self._type()
        self._expect(")")
        return name, payload

    def _type(self) -> Type:
        word = self._take()
        if word in PRIMITIVES:
            return Type(word)
        if word == "result" and self._peek() != "<":
            return Type("result", (None, None))
        if word in {"list", "option", "tuple", "result"}:
            self._expect("<")
            parts = self._until(">", self._part)
            return Type(word, (*parts, None)[:2] if word == "result" else parts)
        if word in {"own", "borrow"}:
            self._expect("<")
            (owned,) = self._until(">", self._type)
            return owned
        if word in {"future", "stream", "map", "error-context"}:
            message = f"a {word} cannot be passed to another worker"
            raise WitError(message)
        return Type("name", names=(word.removeprefix("%"),))

    def _part(self) -> Type | None:
        if self._peek() == "_":
            self._take()
            return None
        return self._type()

    def _until(self, end: str, item: Callable[[], T]) -> tuple[T, ...]:
        items = []
        while self._peek() != end:
            items.append(item())
            if self._peek() == ",":
                self._take()
        self._take()
        return tuple(items)

    def _skip(self) -> None:
        """To the end of a statement, what it has in braces included."""
        while self._take() != ";":
            if self._peek() == "{":
                self._until("}", self._take)
                if self._peek() == ";":
                    self._take()
                return

    def _full(self, name: str) -> str:
        return f"{self._package}/{name.removeprefix('%')}{self._version}"

    def _name(self) -> str:
        return self._take().removeprefix("%")

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _take(self) -> str:
        found = self._peek()
        if not found:
            raise WitError("a file in wit/ ends too soon")
        self._next += 1
        return found

    def _expect(self, token: str) -> None:
        found = self._take()
        if found != token:
            message = f"wit/ has {found!r} in place of {token!r}, in package {self._package}"
            raise WitError(message)
