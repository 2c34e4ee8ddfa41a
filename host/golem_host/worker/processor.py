"""
Calls of ``golem:api/oplog-processor``: what a processor must look like, and what it is called with.

Source: spec 1.8.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from golem_host.component import Component, callable_exports
from golem_host.declare import without_version
from golem_host.errors import InvalidRequestError
from golem_host.interfaces.golem.api.oplog_entry import EntryShape
from golem_host.interfaces.golem.api.values import COMPONENT_ID, METADATA, WORKER_ID, Metadata
from golem_host.interfaces.signatures import signatures
from golem_host.services.peers import WorkerRef
from golem_host.wire import Wire
from golem_host.worker.metadata import WorkerMetadata
from golem_oplog.entries import Pairs
from golem_oplog.types import (
    FunctionType,
    HandleType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    WitType,
)
from golem_oplog.values import to_wire
from golem_oplog.views import EntryView

INTERFACE: Final = "golem:api/oplog-processor"
RESOURCE: Final = f"{INTERFACE}.processor"
NEW: Final = "[constructor]processor"
PROCESS: Final = "[method]processor.process"

_ACCOUNT: Final = RecordType((("account-id", RecordType((("value", Prim.STRING),))),))
_CONFIG: Final = ListType(TupleType((Prim.STRING, Prim.STRING)))
_HOST_ACCOUNT: Final = (("",),)
"""There is one account, and it has no name."""


def processor_exports(component: Component) -> tuple[FunctionType, FunctionType]:
    """
    Constructor and method of a processor.

    Raises:
        InvalidRequestError: The component exports none, or one of another shape.
    """
    found = {
        export.name: export.type
        for export in callable_exports(component.load(component))
        if without_version(export.interface) == INTERFACE
    }
    if not {NEW, PROCESS} <= found.keys():
        raise InvalidRequestError(
            reason=f"{component.name} is no plugin: it does not export {INTERFACE}"
        )
    for function, params, result in (
        (found[NEW], (_ACCOUNT, COMPONENT_ID, _CONFIG), HandleType(RESOURCE, owned=True)),
        (
            found[PROCESS],
            (
                HandleType(RESOURCE, owned=False),
                *(WORKER_ID, METADATA, Prim.U64, ListType(_entry_type())),
            ),
            ResultType(None, Prim.STRING),
        ),
    ):
        if _shape(function) != (params, result):
            raise InvalidRequestError(
                reason=f"{component.name} is no plugin: {function.name} has another type than in "
                "version 1.1.7"
            )
    return found[NEW], found[PROCESS]


def _shape(function: FunctionType) -> tuple[tuple[WitType, ...], WitType | None]:
    return tuple(ty for _, ty in function.params), function.result


def _entry_type() -> WitType:
    """``oplog-entry``, as the interface that gives entries to whoever asks declares it."""
    (page, *_) = signatures().of("golem:api/oplog", "[method]get-oplog.get-next")
    assert isinstance(page.type.result, OptionType)
    assert isinstance(page.type.result.payload, ListType)
    return page.type.result.payload.element


def new_args(component_id: str, config: Pairs) -> list[Wire]:
    """For the constructor: whose entries it is going to see, and its settings."""
    return [_HOST_ACCOUNT, (_uuid(component_id),), list(config)]


def process_args(
    processor: int, worker: WorkerRef, metadata: WorkerMetadata, entries: Sequence[tuple[int, Wire]]
) -> list[Wire]:
    """For the method: a batch of entries with their indexes."""
    known = to_wire(METADATA)(Metadata.of(worker.component_id, metadata))
    wires = [wire for _, wire in entries]
    return [processor, _worker_id(worker), known, entries[0][0], wires]


def entry_wires(worker: WorkerRef, views: Iterable[EntryView]) -> Iterable[tuple[int, Wire]]:
    shape = EntryShape(worker)
    return ((view.index, shape.wire(view)) for view in views)


def _worker_id(worker: WorkerRef) -> Wire:
    return ((_uuid(worker.component_id),), worker.worker_name)


def _uuid(text: str) -> Wire:
    number = UUID(text).int
    return (number >> 64, number & (1 << 64) - 1)
