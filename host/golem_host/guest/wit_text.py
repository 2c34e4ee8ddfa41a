"""
Interfaces of WIT text with their types, for who has no component yet.

Unlike `wit_files` this reads all of an interface.  Of a world only its imports are read.  What the
component model has and this host cannot carry, streams and futures, is refused; everything else that
is wrong with a text is told with its line, though less well than a toolchain does.

Source: ``WIT.md`` of the component model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from golem_host.guest.wit_cursor import Cursor
from golem_host.guest.wit_scopes import DEPTH_MAX, Body, Interface, Scopes
from golem_oplog.lazy_dataclass import dataclass
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

_PRIMS: Final = {prim.value: prim for prim in Prim}
_NAMED: Final = ("record", "variant", "enum", "flags", "type", "resource")
_REFUSED: Final = ("stream", "future", "error-context", "async")

_Make: TypeAlias = Callable[[Scopes, int], WitType]
"""A type once names mean something; how deep it lies in others."""


@dataclass(frozen=True, slots=True)
class WitText:
    """What several files say together."""

    interfaces: Mapping[str, Interface]
    imported: tuple[str, ...]
    """By the worlds of the first package, in their order."""
    own: tuple[str, ...]
    """Interfaces of the first package."""
    has_world: bool
    """Whether that has a world."""


def read_wit(files: Iterable[tuple[str, str]], deps: Iterable[tuple[str, str]] = ()) -> WitText:
    """
    Read a package and those that it depends on: pairs of a file's name and its text.

    Raises:
        InvalidRequestError: Something is no WIT, or refers to what is not there; with file and line.
    """
    bodies: dict[str, Body] = {}
    imported: list[str] = []
    own: list[str] = []
    has_world = False
    for is_own, (file, text) in [*((True, f) for f in files), *((False, f) for f in deps)]:
        reader = _Reader(file, text)
        for body in reader.bodies():
            bodies[body.name] = body
            if is_own:
                own.append(body.name)
        if is_own:
            imported += reader.imported
            has_world |= reader.has_world
    _complete_versions(bodies)
    scopes = Scopes(bodies)
    return WitText(
        {name: scopes.interface(name) for name in bodies},
        tuple(scopes.full_name(name, "a world") for name in dict.fromkeys(imported)),
        tuple(own),
        has_world,
    )


def _complete_versions(bodies: dict[str, Body]) -> None:
    """Files of one package need not all say its version; nothing is looked up by the short name."""
    for name in [each for each in bodies if "@" not in each]:
        package, _, interface = name.rpartition("/")
        for other in bodies:
            path, at, version = other.partition("@")
            if at and path.rpartition("/")[0] == package:
                body = bodies.pop(name)
                full = f"{package}/{interface}@{version}"
                bodies[full] = Body(
                    full, body.uses, body.types, body.resources, body.functions, body.docs
                )
                break


class _Reader(Cursor):
    """One file."""

    def __init__(self, file: str, text: str) -> None:
        super().__init__(file, text)
        self.imported: list[str] = []
        self.has_world = False

    def bodies(self) -> Iterator[Body]:
        package = ""
        while self.peek():
            doc = self.doc()
            match self.take():
                case "package":
                    package = self._package()
                    if self.skip("{"):
                        yield from self._nested(package)
                    else:
                        self.expect(";")
                case "interface":
                    yield self._interface(_full(package, self.name()), package, doc)
                case "world":
                    self._world(package)
                case "use":
                    self.until(";")
                case "":
                    return
                case other:
                    raise self.wrong(f"an interface or a world, found {other!r}")

    def _nested(self, package: str) -> Iterator[Body]:
        while not self.skip("}"):
            doc = self.doc()
            if self.take() != "interface":
                # A world of another package.
                self.until("{")
                self._block()
                continue
            yield self._interface(_full(package, self.name()), package, doc)

    def _package(self) -> str:
        text = self.name()
        self.expect(":")
        text = f"{text}:{self.name()}"
        return f"{text}@{self.take()}" if self.skip("@") else text

    def _world(self, package: str) -> None:
        self.has_world = True
        self.name()
        self.expect("{")
        while not self.skip("}"):
            self.doc()
            verb = self.take()
            if verb != "import":
                self._statement()
                continue
            first = self.name()
            if self.peek() == ":" and self.peek(2) in {"func", "interface", "async"}:
                self._statement()
                continue
            self.imported.append(self._path(first, package))
            self.expect(";")

    def _statement(self) -> None:
        """Pass over one, with whatever it has in braces."""
        while True:
            match self.take():
                case ";":
                    return
                case "{":
                    self._block()
                    self.skip(";")
                    return
                case "":
                    raise self.wrong("the end of a statement")

    def _block(self) -> None:
        depth = 1
        while depth:
            word = self.take()
            depth += (word == "{") - (word == "}")
            if not word:
                raise self.wrong("}")

    def _path(self, first: str, package: str) -> str:
        """``api`` of this package, or ``ns:pkg/api@1.0.0``."""
        if not self.skip(":"):
            return _full(package, first)
        path = f"{first}:{self.name()}"
        self.expect("/")
        path = f"{path}/{self.name()}"
        return f"{path}@{self.version()}" if self.skip("@") else path

    def _interface(self, name: str, package: str, doc: str) -> Body:
        body = Body(name, {}, {}, [], {}, {"": doc} if doc else {})
        self.expect("{")
        while not self.skip("}"):
            doc = self.doc()
            word = self.take()
            if word == "use":
                self._use(body, package)
                continue
            if word in _NAMED and self.peek() not in {":", ""}:
                item = self.name()
                self._type(word, item, body)
            else:
                item = word.removeprefix("%")
                self.expect(":")
                body.functions[item] = self._function(body, item, ())
            if doc:
                body.docs[item] = doc
        return body

    def _use(self, body: Body, package: str) -> None:
        path = self._path(self.name(), package)
        self.expect(".")
        self.expect("{")
        while not self.skip("}"):
            name = self.name()
            body.uses[self.name() if self.skip("as") else name] = (path, name)
            self.skip(",")
        self.expect(";")

    def _type(self, word: str, name: str, body: Body) -> None:
        match word:
            case "resource":
                body.resources.append(name)
                self._resource(name, body)
            case "type":
                self.expect("=")
                body.types[name] = self._of(body)
                self.expect(";")
            case "record":
                fields = self.listed(lambda: self._field(body))
                body.types[name] = lambda scopes, depth: RecordType(
                    tuple((n, make(scopes, depth)) for n, make in fields)
                )
            case "variant":
                cases = self.listed(lambda: self._case(body))
                body.types[name] = lambda scopes, depth: VariantType(
                    tuple((n, None if make is None else make(scopes, depth)) for n, make in cases)
                )
            case _:
                names = tuple(self.listed(self.name))
                made: WitType = EnumType(names) if word == "enum" else FlagsType(names)
                body.types[name] = lambda _scopes, _depth: made

    def _resource(self, resource: str, body: Body) -> None:
        if self.skip(";"):
            return
        own = HandleType(f"{body.name.partition('@')[0]}.{resource}", owned=False)
        self.expect("{")
        while not self.skip("}"):
            doc = self.doc()
            word = self.take()
            name = word.removeprefix("%")
            if word == "constructor":
                item = f"[constructor]{resource}"
                body.functions[item] = self._function(body, item, (), constructs=resource)
            else:
                self.expect(":")
                is_static = self.skip("static")
                item = f"[{'static' if is_static else 'method'}]{resource}.{name}"
                first = () if is_static else (("self", own),)
                body.functions[item] = self._function(body, item, first)
            if doc:
                body.docs[item] = doc

    def _function(
        self,
        body: Body,
        name: str,
        first: tuple[tuple[str, WitType], ...],
        *,
        constructs: str = "",
    ) -> Callable[[Scopes, int], FunctionType]:
        if not constructs:
            self.expect("func")
        self.expect("(")
        params = self.listed(lambda: self._field(body), end=")", is_open=True)
        result = self._of(body) if self.skip("->") else None
        self.expect(";")

        def make(scopes: Scopes, depth: int) -> FunctionType:
            given = result(scopes, depth) if result is not None else None
            if constructs and given is None:
                given = scopes.named(body.name, constructs, depth)
            found = tuple((n, ty(scopes, depth)) for n, ty in params)
            return FunctionType(name, (*first, *found), given)

        return make

    def _field(self, body: Body) -> tuple[str, _Make]:
        name = self.name()
        self.expect(":")
        return name, self._of(body)

    def _case(self, body: Body) -> tuple[str, _Make | None]:
        name = self.name()
        if not self.skip("("):
            return name, None
        made = self._of(body)
        self.expect(")")
        return name, made

    def _of(self, body: Body, depth: int = 0) -> _Make:
        """A type where it is used; its names are looked up later, whatever their order."""
        word = self.take()
        if depth > DEPTH_MAX:
            raise self.wrong(f"types nested at most {DEPTH_MAX} deep")
        if word in _REFUSED:
            raise self.wrong(f"a type of WASI 0.2: this host carries no {word}")
        args: list[_Make | None] = []
        if self.skip("<"):
            while not self.skip(">"):
                args.append(None if self.skip("_") else self._of(body, depth + 1))
                self.skip(",")
        return self._made(word, args, body)

    def _made(self, word: str, args: list[_Make | None], body: Body) -> _Make:
        def of(scopes: Scopes, depth: int) -> list[WitType | None]:
            return [None if make is None else make(scopes, depth + 1) for make in args]

        def inner(scopes: Scopes, depth: int) -> tuple[WitType, ...]:
            return tuple(ty for ty in of(scopes, depth) if ty is not None)

        match word, len(args):
            case ("list", 1):
                return lambda s, d: ListType(*inner(s, d))
            case ("option", 1):
                return lambda s, d: OptionType(*inner(s, d))
            case ("tuple", count) if count:
                return lambda s, d: TupleType(inner(s, d))
            case ("result", count) if count <= 2:
                return lambda s, d: ResultType(*[*of(s, d), None, None][:2])
            case ("own" | "borrow", 1):
                name = self.last_name
                owned = word == "own"
                return lambda s, d: s.named(body.name, name, d, owned=owned)
            case (_, 0) if word in _PRIMS:
                return lambda _s, _d: _PRIMS[word]
            case (_, 0) if re.fullmatch(r"%?[A-Za-z][\w-]*", word):
                bare = word.removeprefix("%")
                return lambda s, d: s.named(body.name, bare, d)
        raise self.wrong(f"a type, found {word!r}")


def _full(package: str, interface: str) -> str:
    path, at, version = package.partition("@")
    return f"{path}/{interface}{at}{version}" if package else interface
