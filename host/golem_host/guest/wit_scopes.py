"""
What names in WIT stand for, across interfaces and packages.

Types are made only once everything is read: a name may be used before it is said what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from golem_host.errors import InvalidRequestError
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import FunctionType, HandleType, WitType

DEPTH_MAX: Final = 100
"""Of types within types, and of names that stand for names."""


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface, as a component that imports it would have it."""

    name: str
    """``ns:pkg/api@1.0.0``."""
    functions: tuple[FunctionType, ...]
    """By import name, such as ``[method]till.ring``."""
    resources: tuple[str, ...]
    types: tuple[tuple[str, WitType], ...]
    """Names of types that are no resources."""
    docs: Mapping[str, str]
    """What ``///`` says, by the name of a type, a resource or a function."""


@dataclass(frozen=True, slots=True)
class Body:
    """An interface before its names are known to mean anything."""

    name: str
    uses: dict[str, tuple[str, str]]
    """Name here -> interface and name there."""
    types: dict[str, Callable[[Scopes, int], WitType]]
    resources: list[str]
    functions: dict[str, Callable[[Scopes, int], FunctionType]]
    docs: dict[str, str]


class Scopes:
    """Resolves names across interfaces."""

    def __init__(self, bodies: Mapping[str, Body]) -> None:
        self._bodies = bodies
        self._by_path = {name.partition("@")[0]: name for name in bodies}

    def full_name(self, name: str, where: str) -> str:
        """With or without the version."""
        found = name if name in self._bodies else self._by_path.get(name.partition("@")[0])
        if found is None:
            raise InvalidRequestError(
                reason=f"{where} refers to {name}, which is not among these files; "
                "copy its WIT to a folder below wit/deps/"
            )
        return found

    def interface(self, name: str) -> Interface:
        body = self._bodies[name]
        return Interface(
            name,
            tuple(make(self, 0) for make in body.functions.values()),
            tuple(body.resources),
            tuple((each, make(self, 0)) for each, make in body.types.items()),
            body.docs,
        )

    def named(self, interface: str, name: str, depth: int, *, owned: bool = True) -> WitType:
        """What a name means in an interface; the name of a resource alone owns it."""
        body = self._bodies[interface]
        if depth > DEPTH_MAX:
            raise InvalidRequestError(
                reason=f"{interface}: {name} is nested too deep, or in itself"
            )
        if name in body.resources:
            return HandleType(f"{body.name.partition('@')[0]}.{name}", owned)
        if name in body.uses:
            home, original = body.uses[name]
            return self.named(self.full_name(home, interface), original, depth + 1, owned=owned)
        if name not in body.types:
            raise InvalidRequestError(reason=f"{interface}: there is no type {name}")
        return body.types[name](self, depth + 1)
