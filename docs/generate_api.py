"""
Write ``api.md`` and its siblings, the reference of the Python packages, from their sources.

Nothing is imported, so that `golem_guest`, which needs a guest around it, is read as the others are.
Run ``python -m docs.generate_api``; a test fails when a file is stale.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import cleandoc
from pathlib import Path
from typing import Final, TypeAlias

HERE: Final = Path(__file__).parent
ROOTS: Final = ("host", "oplog", "guest_sdk")

BASES: Final = {"Exception", "Enum", "IntEnum", "Flag", "Protocol", "NamedTuple", "MutableMapping"}
"""Bases that say something to a reader who does not know the packages from within."""

Definition: TypeAlias = ast.ClassDef | ast.FunctionDef | ast.AnnAssign | ast.Assign
SIGNATURE_CHARS_MAX: Final = 92
_SECTION: Final = re.compile(r"^(Args|Raises|Attributes|Returns|Yields):$")
_ITEM: Final = re.compile(r"^([\w., *]+): (.*)$")
_SPEC: Final = re.compile(r"\s*\(spec [^)]*\)")


@dataclass(frozen=True)
class Page:
    """One package on one page."""

    package: str
    target: Path
    head: str
    first: Sequence[tuple[str, Sequence[str]]] = ()
    """Headings, and what stands under them; what is named nowhere comes last."""
    reached: Sequence[tuple[str, str, str]] = ()
    """
    Module, class and methods of what a public name leads to, without a public name of its own.

    Other methods of these classes are for the packages themselves.
    """


PAGES: Final = (
    Page(
        "golem_host",
        HERE / "api.md",
        """# The Python API

<!-- Written by docs/generate_api.py from the sources: change it there. -->

Everything in `golem_host`; [Embedding](embedding.md) shows it at work.
Times are seconds where a name ends in `_s` or is `timeout`, nanoseconds where it ends in `_ns`; sizes are bytes.
Errors are data classes: their fields can be read, and `str(error)` says what to do next.
Submodules are not covered by semantic versioning.
[golem_oplog](api-oplog.md) has the log as a library of its own, [golem_guest](api-guest.md) what guests import.
""",
        (
            (
                "The host",
                (
                    "Host",
                    "Components",
                    "Workers",
                    "Promises",
                    "Plugins",
                    "HostConfig",
                    "SyncLevel",
                    "RetryPolicy",
                ),
            ),
            ("What is deployed", ("Component", "InitialFile", "DeployedFile")),
            (
                "Workers and calls",
                (
                    "Worker",
                    "Call",
                    "WorkerMetadata",
                    "Unfinished",
                    "Explanation",
                    "UpdateCheck",
                    "OutputLine",
                    "FileEntry",
                    "TraceContext",
                ),
            ),
            ("Names of promises", ("PromiseId", "PromiseInfo")),
            ("Values", ("Ok", "Err", "Result", "Some", "Variant", "ResourceRef")),
            (
                "Interfaces of your own",
                (
                    *("interface", "function", "resource", "constructor", "static", "on_drop"),
                    *("READ_LOCAL", "WRITE_LOCAL", "READ_REMOTE", "WRITE_REMOTE", "UNRECORDED"),
                    "CallContext",
                ),
            ),
        ),
        (
            ("golem_host.services.components", "Components", "deploy store_file get all delete"),
            (
                "golem_host.services.workers",
                "Workers",
                "create get_or_create get list take_in",
            ),
            (
                "golem_host.services.promises",
                "Promises",
                "get is_completed complete delete list",
            ),
            (
                "golem_host.services.plugins",
                "Plugins",
                "install list get uninstall activate deactivate",
            ),
        ),
    ),
    Page(
        "golem_oplog",
        HERE / "api-oplog.md",
        """# golem_oplog

<!-- Written by docs/generate_api.py from the sources: change it there. -->

The binary log of a worker, as a library of its own: it needs neither WebAssembly nor a command line.
[oplog-format.md](oplog-format.md) has the bytes, and [search.md](search.md) the query language.
""",
        (
            (
                "Logs and stores",
                ("OplogStore", "OplogReader", "Oplog", "ReadableOplog", "Store", "SyncLevel"),
            ),
            (
                "Looking",
                ("view_entries", "EntryView", "search_entries", "select_entries", "EntryFilter"),
            ),
        ),
    ),
    Page(
        "golem_guest",
        HERE / "api-guest.md",
        """# golem_guest

<!-- Written by docs/generate_api.py from the sources: change it there. -->

What a guest in Python may import; [Guests in Python](guests.md) says what each name needs of the world.
""",
    ),
)


@cache
def module(name: str) -> tuple[str, ast.Module]:
    """The source of a module, and what is in it."""
    path = name.replace(".", "/")
    for root in ROOTS:
        for file in (HERE.parent / root / f"{path}.py", HERE.parent / root / path / "__init__.py"):
            if file.exists():
                text = file.read_text(encoding="utf-8")
                return text, ast.parse(text)
    raise LookupError(name)


def find(module_name: str, name: str) -> Definition | None:
    """What a name of a module is, wherever it comes from; None for a module."""
    _, tree = module(module_name)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    is_module = _is_module(f"{node.module}.{alias.name}")
                    return None if is_module else find(node.module, alias.name)
    for node in tree.body:
        match node:
            case ast.FunctionDef(decorator_list=[ast.Name(id="overload")]):
                continue
            case ast.ClassDef(name=found) | ast.FunctionDef(name=found) if found == name:
                return node
            case ast.AnnAssign(target=ast.Name(id=found)) if found == name:
                return node
            case ast.Assign(targets=[ast.Name(id=found)]) if found == name:
                return node
    raise LookupError(f"{module_name}.{name}")


def _is_module(name: str) -> bool:
    try:
        module(name)
    except LookupError:
        return False
    return True


def public(package: str) -> list[str]:
    """``__all__``."""
    for node in module(package)[1].body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List(elts=names)):
                return [ast.literal_eval(name) for name in names]
    raise LookupError(package)


def page(of: Page) -> str:
    """The whole page."""
    definitions = {name: find(of.package, name) for name in public(of.package)}
    definitions |= {name: find(home, name) for home, name, _ in of.reached}
    methods = {name: chosen.split() for _, name, chosen in of.reached}
    named = {name for _, names in of.first for name in names}
    errors = sorted(name for name in definitions if name.endswith("Error") and name not in named)
    rest = sorted(definitions.keys() - named - set(errors), key=lambda name: (name.lower(), name))
    groups = [*of.first, ("Everything else" if of.first else "Names", rest), ("Errors", errors)]
    parts = [of.head]
    for heading, names in groups:
        if names:
            parts.append(f"## {heading}\n")
        for name in names:
            parts.append(f"### {name}\n")
            what = definitions[name]
            if isinstance(what, ast.ClassDef):
                known = BASES | definitions.keys()
                parts += _class(name, what, known, methods.get(name))
            else:
                parts += section(name, what, of.package)
    return linked("\n".join(parts), definitions.keys())


def section(name: str, what: Definition | None, package: str) -> Iterator[str]:
    """What there is to say about a public name that is no class."""
    match what:
        case None:
            yield from _module(f"{package}.{name}")
        case ast.FunctionDef():
            yield _code(_signature(what))
            yield _text(ast.get_docstring(what, clean=False))
        case ast.AnnAssign() | ast.Assign():
            value = "" if what.value is None else " ".join(ast.unparse(what.value).split())
            if value and len(value) <= SIGNATURE_CHARS_MAX:
                yield _code(f"{name} = {value}")


def _module(name: str) -> Iterator[str]:
    text, tree = module(name)
    del text
    yield _text(ast.get_docstring(tree, clean=False))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield _code(_signature(node))
            yield _text(ast.get_docstring(node, clean=False))


def _class(
    name: str, node: ast.ClassDef, known: Container[str], methods: Container[str] | None
) -> Iterator[str]:
    bases = [ast.unparse(base) for base in node.bases]
    shown = ", ".join(base for base in bases if base.partition("[")[0] in known)
    yield _code(f"class {name}({shown})" if shown else f"class {name}")
    docstring = ast.get_docstring(node, clean=False) or ""
    yield _text(docstring)
    fields = list(_fields(node))
    if fields and "Attributes:" not in docstring:
        yield "\n".join(fields) + "\n"
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and not each.name.startswith("_"):
            if methods is not None and each.name not in methods:
                continue
            marks = {ast.unparse(mark) for mark in each.decorator_list}
            if "property" in marks:
                yield _code(f"{name}.{each.name}: {_annotation(each.returns)}")
            else:
                yield _code(_signature(each, of=name, is_static="staticmethod" in marks))
            yield _text(ast.get_docstring(each, clean=False))


def _fields(node: ast.ClassDef) -> Iterator[str]:
    """Fields of a data class or cases of an enum, each with the string behind it."""
    for each, behind in zip(node.body, [*node.body[1:], None], strict=True):
        match each:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=kind):
                shown = f"{name}: {ast.unparse(kind)}{_default(each.value)}"
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                shown = f"{name} = {ast.unparse(value)}"
            case _:
                continue
        if name.startswith("_") or "ClassVar" in shown:
            continue
        match behind:
            case ast.Expr(value=ast.Constant(value=str(text))):
                said = " ".join(_prose(cleandoc(text)).split())
                yield f"- `{shown}`: {said}"
            case _:
                yield f"- `{shown}`"


def _default(value: ast.expr | None) -> str:
    match value:
        case None:
            return ""
        case ast.Call(
            func=ast.Name(id="field"), keywords=[ast.keyword(arg="default_factory", value=made)]
        ):
            made = made.body if isinstance(made, ast.Lambda) else ast.Call(made, [], [])
            return f" = {ast.unparse(made)}"
    return f" = {ast.unparse(value)}"


def _annotation(node: ast.expr | None) -> str:
    return "None" if node is None else ast.unparse(node)


def _signature(node: ast.FunctionDef, *, of: str = "", is_static: bool = False) -> str:
    given = ast.parse(f"def f({ast.unparse(node.args)}): ...").body[0]
    assert isinstance(given, ast.FunctionDef)
    if of and not is_static:
        (given.args.posonlyargs or given.args.args).pop(0)
    returned = "" if node.returns is None else f" -> {ast.unparse(node.returns)}"
    head = f"{of}.{node.name}" if of else node.name
    arguments = list(_arguments(given.args))
    line = f"{head}({', '.join(arguments)}){returned}"
    if len(line) <= SIGNATURE_CHARS_MAX:
        return line
    inner = "".join(f"    {each},\n" for each in arguments)
    return f"{head}(\n{inner}){returned}"


def _arguments(args: ast.arguments) -> Iterator[str]:
    """Each with its type and default, on its own."""
    plain = [*args.posonlyargs, *args.args]
    defaults = [*[None] * (len(plain) - len(args.defaults)), *args.defaults]
    for each, default in zip(plain, defaults, strict=True):
        yield f"{ast.unparse(each)}{_default(default)}"
    if args.vararg is not None:
        yield f"*{ast.unparse(args.vararg)}"
    elif args.kwonlyargs:
        yield "*"
    for each, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        yield f"{ast.unparse(each)}{_default(default)}"
    if args.kwarg is not None:
        yield f"**{ast.unparse(args.kwarg)}"


def _code(text: str) -> str:
    # Not as ``python``: that would be run.
    return f"```py\n{text}\n```\n"


def _text(docstring: str | None) -> str:
    """A docstring as Markdown: sections become lists, and where a rule comes from stays behind."""
    lines: list[str] = []
    in_section = False
    for line in cleandoc(docstring or "").splitlines():
        section = _SECTION.match(line)
        if section:
            in_section = True
            lines += [f"*{section[1]}:*", ""]
        elif in_section and line.startswith("    ") and not line.startswith("     "):
            item = _ITEM.match(line.strip())
            names = item[1].replace(", ", "`, `") if item else ""
            lines.append(f"- `{names}`: {item[2]}" if item else f"  {line.strip()}")
        elif in_section and line.startswith("     "):
            lines.append(f"  {line.strip()}")
        elif line.strip() != "::":
            in_section = in_section and not line
            lines.append(line)
    return _prose("\n".join(lines)).rstrip() + "\n"


def _prose(text: str) -> str:
    paragraphs = [part for part in text.split("\n\n") if not part.startswith("Source: ")]
    return _SPEC.sub("", "\n\n".join(paragraphs)).replace("``", "`")


def linked(text: str, names: Container[str]) -> str:
    """With a link where a public name of this page stands alone in backticks, outside of fences."""
    parts = re.split(r"(^```.*?^```$|^#.*$)", text, flags=re.MULTILINE | re.DOTALL)
    for at in range(0, len(parts), 2):
        parts[at] = re.sub(
            r"`(\w+)`",
            lambda found: f"[`{found[1]}`](#{found[1].lower()})" if found[1] in names else found[0],
            parts[at],
        )
    return re.sub(r"\n{3,}", "\n\n", "".join(parts)).rstrip() + "\n"


if __name__ == "__main__":
    for each in PAGES:
        each.target.write_text(page(each), encoding="utf-8")
