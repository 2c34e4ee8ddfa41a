"""Which interfaces a skeleton is wanted for: of a component, or of WIT that nobody has built yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from golem_host.declare import without_version
from golem_host.errors import InvalidRequestError
from golem_host.guest.shipped import wit_packages
from golem_host.guest.wit_text import read_wit
from golem_host.interfaces.offered import HOMES
from golem_host.lending.skeleton import skeleton
from golem_host.lending.skeleton_types import Lendable
from golem_oplog.types import FunctionType

if TYPE_CHECKING:
    from golem_host.engine.describe import Description, InterfaceItems


def of_component(name: str, described: Description, asked: Sequence[str] = ()) -> str:
    """
    The skeleton of what a component imports and its host does not offer.

    Args:
        name: The component's.
        described: What is known of it.
        asked: Only these interfaces, with or without their version.

    Raises:
        InvalidRequestError: There is nothing of that.
    """
    known = [_lendable(items) for items in described.imports if items.interface]
    imported = [each.name for each in known]
    return skeleton(f"the component {name}", _wanted(name, known, imported, asked), known)


def of_wit(path: Path, asked: Sequence[str] = ()) -> str:
    """
    The skeleton of what the worlds of a WIT file or folder import, else of its own interfaces.

    A folder is one of WIT, or that of a guest project; packages that it depends on lie below
    ``deps/``, those that this host ships need not.

    Raises:
        InvalidRequestError: It is no WIT, or there is nothing to lend.
        OSError: It cannot be read.
    """
    folder = path / "wit" if (path / "wit").is_dir() else path
    own = sorted(folder.glob("*.wit")) if folder.is_dir() else [path]
    deps = sorted(folder.glob("deps/**/*.wit")) if folder.is_dir() else []
    if not own:
        raise InvalidRequestError(reason=f"{path}: there is no WIT, neither here nor in wit/")
    brought = {_text(file) for file in deps}
    found = read_wit(map(_text, own), [*_shipped(), *sorted(brought)])
    known = [
        Lendable(each.name, each.functions, each.resources, each.types, each.docs)
        for each in found.interfaces.values()
    ]
    chosen = found.imported if found.has_world else found.own
    return skeleton(path.resolve().stem, _wanted(str(path), known, chosen, asked), known)


def _text(path: Path) -> tuple[str, str]:
    try:
        return str(path), path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequestError(reason=f"{path} is no text in UTF-8") from error


def _shipped() -> Iterator[tuple[str, str]]:
    for package, files in wit_packages().items():
        yield from ((f"{package}/{name}", text) for name, text in files.items())


def _lendable(items: InterfaceItems) -> Lendable:
    home = without_version(items.interface)
    return Lendable(
        items.interface,
        tuple(FunctionType(name, ty.params, ty.result) for name, ty in items.functions),
        tuple(name for name, full in items.resources if full == f"{home}.{name}"),
        items.types,
        {},
    )


def _wanted(
    what: str, known: Iterable[Lendable], imported: Sequence[str], asked: Sequence[str]
) -> list[Lendable]:
    by_name = {each.name: each for each in known}
    for name in by_name.copy():
        by_name.setdefault(without_version(name), by_name[name])
        by_name.setdefault(without_version(name).rpartition("/")[2], by_name[name])
    for name in asked:
        if name not in by_name:
            raise InvalidRequestError(
                reason=f"{what} has no interface {name}; it has {', '.join(imported) or 'none'}"
            )
    found = [by_name[name] for name in asked or imported]
    wanted = [
        each
        for each in found
        if (each.functions or each.resources)
        and without_version(each.name).partition("/")[0] not in HOMES
    ]
    if not wanted:
        raise InvalidRequestError(
            reason=f"{what} imports nothing but what this host offers: there is nothing to lend; "
            "name one of its own interfaces, if that is meant"
        )
    return wanted
