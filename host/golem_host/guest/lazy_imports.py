"""
What a guest will import while it runs.

A component has what was imported while it was built, and no files to import from later.  So imports
inside of functions are looked for in the sources, from ``app`` along everything that it imports, and
carried out at the end of ``app.py``, in its place: a module that does not exist is told with the
line that asks for it.

=============================  ====================================================================
taken                          ``import`` and ``from`` in functions of the project and of vendor/;
                               ``importlib.import_module("name")``; what Python itself imports for
                               ``strptime``, a named codec, or the name of a host
may be missing                 what stands in ``vendor/``, or under an ``if`` or a ``try`` that
                               catches it
not seen                       a name that is made while the guest runs
=============================  ====================================================================
"""

from __future__ import annotations

import ast
import codecs
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import Final

from golem_host.guest.project import LAZY_MODULE, LEFT_OPEN
from golem_oplog.lazy_dataclass import dataclass

MODULES_MAX: Final = 5_000
"""Of a project that are looked at; what lies beyond is as if it had no such imports."""

_OWN: Final = "app"
_CATCHES: Final = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_NETWORK: Final = frozenset({"socket", "http.client", "urllib.request", "asyncio", "ftplib"})
"""Modules that look hosts up by name, for which Python imports a codec."""
_ALWAYS_THERE: Final = frozenset({"utf_8", "ascii", "latin_1", "iso8859_1", "utf_16", "utf_32"})

_CODE: Final = '''\
"""Made by the build: what the guest imports while it runs."""

for _path, _line, _package, _statement, _must in {imports!r}:
    _code = compile("\\n" * (_line - 1) + _statement, _path, "exec")
    try:
        exec(_code, {{"__name__": __name__, "__package__": _package}})
    except Exception:
        if _must:
            raise

# What is open now would be part of every worker, and lead nowhere.
import gc, sys

_socket = sys.modules.get("socket")
if _socket is not None:
    for _each in gc.get_objects():
        if isinstance(_each, _socket.socket) and _each.fileno() >= 0:
            raise RuntimeError("{left_open}")
'''
_CALL: Final = f'\n\n__import__("{LAZY_MODULE}")\n'.encode()


@dataclass(frozen=True, slots=True)
class LazyImport:
    """One statement."""

    path: str
    """As the guest sees its file."""
    line: int
    package: str
    """Of the module, for relative imports; empty at the top."""
    statement: str
    is_needed: bool
    """Whether the build fails where it does."""


def with_lazy_imports(
    files: Sequence[tuple[str, bytes]], roots: Sequence[str]
) -> tuple[tuple[str, bytes], ...]:
    """The files of a project, and where it has such imports what carries them out."""
    found = list(find(dict(files), roots))
    if not found:
        return tuple(files)
    imports = [
        (each.path, each.line, each.package, each.statement, each.is_needed) for each in found
    ]
    made = dict(files)
    made[f"{_OWN}/{LAZY_MODULE}.py"] = _CODE.format(imports=imports, left_open=LEFT_OPEN).encode()
    made[f"{_OWN}/app.py"] += _CALL
    return tuple(sorted(made.items()))


def find(files: Mapping[str, bytes], roots: Sequence[str]) -> Iterator[LazyImport]:
    """Those of every module that ``app`` comes to import, in a fixed order."""
    looked_at = [root for root in roots if root in (_OWN, "vendor")]
    todo, seen = deque(["app"]), {"app"}
    said: set[tuple[str, str]] = set()
    while todo and len(seen) <= MODULES_MAX:
        name = todo.popleft()
        for root in looked_at:
            module = _read(files, roots, root, name)
            if module is None:
                continue
            for each in module.lazy:
                # Once each, by the first line that asks for it.
                if (each.package, each.statement) not in said:
                    said.add((each.package, each.statement))
                    yield each
            fresh = [each for each in module.imported if each not in seen]
            todo.extend(dict.fromkeys(fresh))
            seen.update(fresh)
            break


def _read(files: Mapping[str, bytes], roots: Sequence[str], root: str, name: str) -> _Module | None:
    place = f"{root}/{name.replace('.', '/')}"
    for path, package in ((f"{place}/__init__.py", name), (f"{place}.py", name.rpartition(".")[0])):
        source = files.get(path)
        if source is None:
            continue
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError):
            # The guest's Python is newer and may take it; if not, it says so.
            return None
        seen_as = f"/{list(roots).index(root)}/{path.partition('/')[2]}"
        module = _Module(seen_as, package, is_own=root == _OWN)
        module.visit(tree)
        return module
    return None


@dataclass(slots=True)
class _Module(ast.NodeVisitor):
    path: str
    package: str
    is_own: bool
    lazy: list[LazyImport] = field(default_factory=list)
    imported: list[str] = field(default_factory=list)
    """Full names of what it imports, at whatever time; perhaps not modules."""
    _functions: int = 0
    _conditions: int = 0

    # -- where it stands ----------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._functions += 1
        outside, self._conditions = self._conditions, 0
        self.generic_visit(node)
        self._functions -= 1
        self._conditions = outside

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the names are those of the nodes

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._functions += 1
        self.generic_visit(node)
        self._functions -= 1

    def visit_If(self, node: ast.If) -> None:
        # It may be for another platform, or for type checkers.
        self._conditions += 1
        self.generic_visit(node)
        self._conditions -= 1

    def visit_Try(self, node: ast.Try) -> None:
        is_guarded = any(_catches(handler.type) for handler in node.handlers)
        self._conditions += is_guarded
        for each in node.body:
            self.visit(each)
        self._conditions -= is_guarded
        # What stands in for it may be missing just as well.
        self._conditions += 1
        rest: list[ast.AST] = [*node.handlers, *node.orelse, *node.finalbody]
        for each_of_rest in rest:
            self.visit(each_of_rest)
        self._conditions -= 1

    def visit_With(self, node: ast.With) -> None:
        is_guarded = any("suppress" in ast.unparse(item.context_expr) for item in node.items)
        self._conditions += is_guarded
        self.generic_visit(node)
        self._conditions -= is_guarded

    # -- what it imports ----------------------------------------------------------------------

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._note(alias.name)
        self._take(node, ast.unparse(node))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = self._absolute(node)
        if base:
            self._note(base)
            self.imported += [f"{base}.{alias.name}" for alias in node.names if alias.name != "*"]
        if base != "__future__":
            self._take(node, ast.unparse(node))

    def visit_Call(self, node: ast.Call) -> None:
        name = ast.unparse(node.func).rpartition(".")[2]
        first = _text(node.args[0]) if node.args else None
        if name in {"import_module", "__import__"} and first and not first.startswith("."):
            self._note(first)
            self._take(node, f"import {first}")
        elif name == "strptime":
            self._take(node, "import _strptime", is_needed=False)
        elif name in {"encode", "decode"} and first:
            self._codec(node, first)
        for keyword in node.keywords:
            text = _text(keyword.value)
            if keyword.arg == "encoding" and text:
                self._codec(node, text)
        self.generic_visit(node)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.package.split(".")
        above = parts[: len(parts) - node.level + 1]
        return ".".join([*above, *([node.module] if node.module else [])])

    def _note(self, name: str) -> None:
        parts = name.split(".")
        self.imported += [".".join(parts[: n + 1]) for n in range(len(parts))]
        if name in _NETWORK:
            self._add(1, "import encodings.idna", is_needed=False)

    def _codec(self, node: ast.Call, name: str) -> None:
        try:
            codecs.lookup(name)
        except (LookupError, ValueError):
            return
        plain = normalize_encoding(name).lower()
        module = aliases.get(plain, plain)
        if module not in _ALWAYS_THERE and module.isidentifier():
            self._take(node, f"import encodings.{module}", is_needed=False)

    def _take(self, node: ast.expr | ast.stmt, statement: str, *, is_needed: bool = True) -> None:
        """An import, if nothing carries it out while the guest is built."""
        if self._functions:
            is_needed = is_needed and self.is_own and not self._conditions
            self._add(node.lineno, statement, is_needed=is_needed)

    def _add(self, line: int, statement: str, *, is_needed: bool) -> None:
        self.lazy.append(LazyImport(self.path, line, self.package, statement, is_needed))


def _catches(caught: ast.expr | None) -> bool:
    """Whether an ``except`` clause takes a failed import."""
    if caught is None:
        return True
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(ast.unparse(name).rpartition(".")[2] in _CATCHES for name in names)


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
