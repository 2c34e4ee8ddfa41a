"""A deployed component version, as embedders see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from golem_host.engine import Component as Compiled
from golem_host.engine import ExportedFunction
from golem_host.files.initial import DeployedFile
from golem_oplog.entries import Pairs
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import FunctionType

LoadCompiled: TypeAlias = Callable[["Component"], Compiled]


def callable_exports(compiled: Compiled) -> list[ExportedFunction]:
    """
    What people may call, in the shape in which they call it.

    componentize-py leaves the hook of its own build among the exports, under an interface name
    that no WIT can have.
    """
    from golem_host.interfaces.adapted import adapted  # noqa: PLC0415 - start-up

    return adapted(e for e in compiled.exports if e.interface != "exports")


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """One version of one component."""

    id: str
    """UUID, the same for all versions."""
    name: str
    """What it was deployed as."""
    version: int
    """From 0."""
    sha256: str
    """Of the component, in hexadecimal digits."""
    size_bytes: int
    """Of the component."""
    initial_memory_bytes: int
    """What each instance begins with."""
    source: str | None
    """Absolute path it was deployed from, where it came from a file."""
    env: Pairs
    """What each worker finds in its environment."""
    config_vars: Pairs
    """What each worker finds in ``wasi:config``."""
    ephemeral: bool
    """Whether each invocation has a fresh instance."""
    load: LoadCompiled
    files: tuple[DeployedFile, ...] = ()
    """What every worker finds in its private root, sorted by path."""

    @property
    def exports(self) -> Mapping[str, FunctionType]:
        """Every exported function by its full name, such as ``ns:pkg/api.{add}``."""
        return {e.type.name: e.type for e in callable_exports(self.load(self))}

    @property
    def imports(self) -> Mapping[str, FunctionType]:
        """Every function that it imports, by its full name."""
        return {i.type.name: i.type for i in self.load(self).imports}

    def wit(self) -> str:
        """The component's world as WIT text."""
        return self.load(self).wit()
