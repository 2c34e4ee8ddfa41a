"""
Exports that are called in another shape than they have.

What takes handles of the host cannot be called from outside: the host makes the handles from plain
values, which is what lies in the log, and makes values of what the guest has done with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Final, Protocol, cast

from golem_host.context import InstanceContext
from golem_host.declare import without_version
from golem_host.engine import ExportedFunction
from golem_host.wire import Wire
from golem_oplog.types import FunctionType

Finish = Callable[[], Wire]


class Adapter(Protocol):
    """One such export."""

    interface: str
    """Without a version, as all the names here."""
    type: FunctionType
    """As it is called from outside."""

    def enter(self, context: InstanceContext, args: list[Wire]) -> tuple[list[Wire], Finish]:
        """The arguments for the guest, and what gives the result once it has returned."""
        ...


_ADAPTERS: Final[Mapping[tuple[str, str], str]] = {
    ("wasi:http/incoming-handler", "handle"): "wasi.http.incoming_handler:HANDLE"
}
"""Interface and function -> module below this package, and the `Adapter` in it."""


def adapter_of(export: ExportedFunction) -> Adapter | None:
    """None for an export that is called as it is."""
    home = _ADAPTERS.get((without_version(export.interface), export.name))
    if home is None:
        return None
    module, _, name = home.partition(":")
    return cast("Adapter", getattr(import_module(f"golem_host.interfaces.{module}"), name))


def adapted(exports: Iterable[ExportedFunction]) -> list[ExportedFunction]:
    """The exports as they are called."""
    return [_outside(export) for export in exports]


def _outside(export: ExportedFunction) -> ExportedFunction:
    adapter = adapter_of(export)
    if adapter is None:
        return export
    return ExportedFunction(adapter.interface, export.name, adapter.type)
