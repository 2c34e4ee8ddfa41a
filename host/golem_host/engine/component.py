"""
A loaded component: what it imports, what it exports, and the way to instances of it.

A component and what hangs on it (its linker, its generated code) may be used by any number of
threads; an `Instance` by one at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from golem_host.engine.describe import (
    Description,
    ExportedFunction,
    ImportedFunction,
    drops,
)
from golem_host.engine.exports import ExportCaller, export_caller
from golem_host.engine.linker import LinkedComponent, Misfit, Resolve, ResolveDrop, any_type, link
from golem_host.engine.memories import Extents
from golem_host.engine.raw import Owned, RawComponent
from golem_host.engine.resources import HandlePlan
from golem_host.engine.trampoline import Boundary
from golem_host.engine.wit import print_world
from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_host.engine.engine import Engine


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What is known about the bytes that a component was loaded from."""

    name: str
    """File or component name, as the caller of `Engine.load` gave it."""
    sha256: str
    """In hex."""
    size_bytes: int
    memories: Extents
    """What an instance has before anything runs."""
    tables: Extents


class Component:
    """Made by `Engine.load`."""

    def __init__(
        self, engine: Engine, raw: RawComponent, description: Description, source: SourceFacts
    ) -> None:
        self.engine = engine
        self.description = description
        self.name = source.name
        self.sha256 = source.sha256
        self.size_bytes = source.size_bytes
        self.initial_memory_bytes = source.memories.initial
        self.memories_max = source.memories.count
        self.memory_bytes_max = source.memories.share(engine.config.memory_bytes_max)
        """Of each of them."""
        self.tables_max = source.tables.count
        self.table_elements_max = source.tables.share(engine.config.table_elements_max)
        """Of each of them."""
        self.imports = tuple(
            ImportedFunction(items.interface, function, ty)
            for items in description.imports
            for function, ty in items.functions
        )
        self.exports = (
            *(
                ExportedFunction(items.interface, function, ty)
                for items in description.exports
                for function, ty in items.functions
            ),
            *drops(description),
        )
        self._raw = raw
        self._callers: dict[str, ExportCaller] = {}
        ids = {resource: number for number, resource in enumerate(description.host_resources)}
        self.boundary = Boundary(HandlePlan(ids))

    @property
    def pointer(self) -> int:
        """The engine's own component, for as long as this object lives."""
        return self._raw.pointer

    def wit(self) -> str:
        """The component's world as WIT text: what `component wit` shows."""
        return print_world(self.description)

    def link(
        self, resolve: Resolve, drop: ResolveDrop, misfit: Misfit = any_type
    ) -> LinkedComponent:
        """
        Answer the imports: ``resolve`` gives the handler of a function, ``drop`` that of a resource.

        ``misfit`` gives the types that a function can be imported with where the import has none of
        them, and nothing where it is as it should be.

        Resources are named as in `HandleType`, ``wasi:io/poll.pollable``.

        Raises:
            UnlinkableComponentError: Some got None or are misfits; the error names all of them.
        """
        return link(self, resolve, drop, misfit)

    def export_caller(self, export: ExportedFunction) -> ExportCaller:
        """The code that calls one of `exports`; generated when first asked for."""
        caller = self._callers.get(export.type.name)
        if caller is None:
            index = self._export_index(export)
            caller = self._callers[export.type.name] = export_caller(
                self.boundary, export.type, index
            )
        return caller

    def _export_index(self, export: ExportedFunction) -> Owned:
        parent = self._raw.export_index(export.interface) if export.interface else None
        index = self._raw.export_index(export.name, parent)
        if index is None:
            message = f"{self.name} does not export {export.type.name}"
            raise ValueError(message)
        return index
