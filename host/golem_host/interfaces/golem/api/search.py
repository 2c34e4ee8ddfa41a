"""
``get-workers``: a search through the workers of one component, page by page.

A page is recorded together with the place where the next one begins, so a search that was begun
before a crash goes on behind the pages that the guest has seen (R16).

Source: spec 2.10.
"""

from __future__ import annotations

from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import (
    READ_REMOTE,
    UNRECORDED,
    Recorded,
    constructor,
    function,
    resource,
)
from golem_host.failures import WorldError
from golem_host.interfaces.golem.api.own import INTERFACE, recorded_value
from golem_host.interfaces.golem.api.values import COMPONENT_ID, METADATA, ComponentId, Metadata
from golem_host.interfaces.golem.api.values import component_id as component_id_of
from golem_host.wire import Public
from golem_host.worker.filters import WorkerFilter
from golem_oplog.errors import OplogError
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import FunctionType, ListType, OptionType, Prim, TupleType

PAGE_WORKERS: Final = 50
"""A page has at least so many, unless there are no more, and less than twice as many."""

RECORD: Final = "golem::api::get_workers"
_PAGE: Final = Recorded(
    READ_REMOTE,
    FunctionType(
        RECORD,
        (("component-id", COMPONENT_ID), ("cursor", Prim.STRING)),
        TupleType((ListType(METADATA), OptionType(Prim.STRING))),
    ),
)


@dataclass(slots=True)
class WorkerSearch:
    """Behind a handle ``get-workers`` or ``get-agents``."""

    component_id: str
    filter: WorkerFilter
    cursor: str | None = ""
    """Where the next page begins; None after the last one."""


def _search(
    context: InstanceContext, search: WorkerSearch, cursor: str
) -> tuple[list[Metadata], str | None]:
    accepts = search.filter.checked()
    found: list[Metadata] = []
    while True:
        context.check_kill()
        try:
            workers, cursor = context.services.peers.page(search.component_id, cursor, PAGE_WORKERS)
        except OplogError as error:
            raise WorldError(f"the search met a damaged worker: {error}") from error
        found += [Metadata.of(search.component_id, each) for each in workers if accepts(each)]
        if not cursor:
            return found, None
        if len(found) >= PAGE_WORKERS:
            return found, cursor


class _Search:
    """What both resources do; every status is computed from its log, so always precise."""

    @constructor(UNRECORDED)
    def new(
        self, context: InstanceContext, component_id: Public, worker_filter: Public, precise: bool
    ) -> WorkerSearch:
        return WorkerSearch(component_id_of(component_id), WorkerFilter.of_guest(worker_filter))

    @function(UNRECORDED)
    def get_next(self, context: InstanceContext, search: WorkerSearch) -> list[Metadata] | None:
        """Recorded inside."""
        cursor = search.cursor
        if cursor is None:
            return None
        home = ComponentId.parse(search.component_id)
        found, search.cursor = recorded_value(
            context, _PAGE, (home, cursor), lambda: _search(context, search, cursor)
        )
        return [Metadata.recorded(each) for each in found]


@resource(INTERFACE, "get-workers")
class GetWorkersResource(_Search):
    pass


@resource(INTERFACE, "get-agents")
class GetAgentsResource(_Search):
    """The same by its later name."""
