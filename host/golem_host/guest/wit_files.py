"""
What a folder of WIT names: packages, worlds, references.

Read just far enough to tell which of the packages shipped with this host a guest needs.  Whether
the text is right is for the toolchain to say, with its own line and column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from golem_oplog.lazy_dataclass import dataclass

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)

_VERSION = r"@(?P<version>\d+\.\d+\.\d+(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+)?)"
_PACKAGE_ID = r"(?P<id>%?[a-zA-Z][\w-]*:%?[a-zA-Z][\w-]*)"

_DECLARATION = re.compile(
    rf"(?P<brace>[{{}}])|\bpackage\s+{_PACKAGE_ID}(?:{_VERSION})?|\bworld\s+%?(?P<world>[\w-]+)"
)
_REFERENCE = re.compile(rf"{_PACKAGE_ID}/%?[a-zA-Z][\w-]*(?:{_VERSION})?")


@dataclass(frozen=True, slots=True)
class WitNames:
    """What one WIT file declares and refers to; packages are spelled ``ns:name@version``."""

    packages: frozenset[str]
    worlds: tuple[str, ...]
    """Worlds of the file's own package, in order; those of packages nested in it are left out."""
    references: frozenset[str]


def scan(text: str) -> WitNames:
    """Find the names; never fails, whatever the text."""
    code = _COMMENT.sub(" ", text)
    packages, worlds = set(), []
    depth = 0
    for found in _DECLARATION.finditer(code):
        if brace := found["brace"]:
            depth += 1 if brace == "{" else -1
        elif found["id"]:
            packages.add(_spell(found))
        elif depth == 0:
            worlds.append(found["world"])
    references = frozenset(_spell(found) for found in _REFERENCE.finditer(code))
    return WitNames(frozenset(packages), tuple(worlds), references)


def needed(guest: Iterable[str], shipped: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """
    The shipped packages that a guest's WIT reaches but does not bring.

    Args:
        guest: The texts of all the guest's WIT files.
        shipped: For each shipped package, its files by name.
    """
    names = [scan(text) for text in guest]
    brought = frozenset().union(*(name.packages for name in names))
    waiting = set().union(*(name.references for name in names)) - brought
    reached: set[str] = set()
    while waiting:
        package = waiting.pop()
        reached.add(package)
        if package in shipped:
            yield package
        for text in shipped.get(package, {}).values():
            waiting |= scan(text).references - brought - reached


def missing(guest: Iterable[str], shipped: Iterable[str]) -> list[str]:
    """The packages that a guest's WIT refers to and that are neither brought nor shipped."""
    names = [scan(text) for text in guest]
    known = frozenset(shipped).union(*(name.packages for name in names))
    return sorted(frozenset().union(*(name.references for name in names)) - known)


def _spell(found: re.Match[str]) -> str:
    name = found["id"].replace("%", "")
    return f"{name}@{found['version']}" if found["version"] else name
