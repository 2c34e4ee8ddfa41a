"""
``golem:api/oplog``: reading the log of a worker, the own one included, page by page.

A reading ends where the log ended when its first page was asked for.  So it has an end, although
each page of the own log is an entry of it, and what the guest prints of it are some more.  Once the
end was told, the next page begins a new reading of what has come since.

A page is recorded with the entries in it, so that it is the same on replay whatever has become of
the other worker, of this one's past, or of the way in which entries are shown.  Where the record is
shown they are left out (`golem_oplog.log_pages`).

Of the own log everything is there, committed or not; of another's what no crash takes away.

Source: spec 1.6 and 2.15, with the project's remarks R16 and R33.
"""

from __future__ import annotations

from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import READ_REMOTE, UNRECORDED, Recorded, constructor, function, resource
from golem_host.interfaces.golem.api.own import recorded_value
from golem_host.interfaces.golem.api.values import WORKER_ID, WorkerId, worker_ref
from golem_host.services.peers import WorkerRef
from golem_host.wire import Public, Wire
from golem_oplog.codec import decode_wire
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.log_pages import GET_NEXT, LOG_PAGE, SEARCH_NEXT
from golem_oplog.types import FunctionType, OptionType, Prim

INTERFACE: Final = "golem:api/oplog"

NAME_CHARS_MAX: Final = 1_000
TEXT_CHARS_MAX: Final = 10_000
"""More of a worker's name and of a query are not kept: neither can be so long."""

_PLACE: Final = (
    ("worker-id", WORKER_ID),
    ("next", Prim.U64),
    ("end", OptionType(Prim.U64)),
)
_GET: Final = Recorded(READ_REMOTE, FunctionType(GET_NEXT, _PLACE, LOG_PAGE))
_SEARCH: Final = Recorded(
    READ_REMOTE, FunctionType(SEARCH_NEXT, (*_PLACE, ("text", Prim.STRING)), LOG_PAGE)
)


@dataclass(slots=True)
class Reading:
    """Behind a handle ``get-oplog``."""

    worker: WorkerRef
    next: int
    """Index at which the next page begins."""
    end: int | None = None
    """Last index of this reading; None before its first page."""


@dataclass(slots=True)
class Searching:
    """Behind a handle ``search-oplog``."""

    reading: Reading
    text: str


def _worker(worker_id: Public) -> WorkerRef:
    """A guest may pass any text as a name, and hold many handles."""
    worker = worker_ref(worker_id)
    return worker._replace(worker_name=worker.worker_name[:NAME_CHARS_MAX])


def _go_on(reading: Reading, page: Public) -> Wire:
    """Behind a page: what the guest is given of it, an option of a list in wire form."""
    if page is None:
        reading.end = None
        return None
    reading.next, reading.end = page["next"], page["end"]
    return (decode_wire(page["page"]),)


def _place(reading: Reading) -> tuple[Public, ...]:
    return (WorkerId.of(reading.worker), reading.next, reading.end)


@resource(INTERFACE, "get-oplog")
class GetOplogResource:
    @constructor(UNRECORDED)
    def new(self, context: InstanceContext, worker_id: Public, start: int) -> Reading:
        return Reading(_worker(worker_id), start)

    @function(UNRECORDED, gives_wire=True)
    def get_next(self, context: InstanceContext, reading: Reading) -> Wire:
        """Recorded inside."""

        def perform() -> Public:
            # Of those who import golem:api few read logs.
            from golem_host.interfaces.golem.api.log_reading import read_page  # noqa: PLC0415

            return read_page(context, reading.worker, reading.next, reading.end)

        return _go_on(reading, recorded_value(context, _GET, _place(reading), perform))


@resource(INTERFACE, "search-oplog")
class SearchOplogResource:
    @constructor(UNRECORDED)
    def new(self, context: InstanceContext, worker_id: Public, text: str) -> Searching:
        return Searching(Reading(_worker(worker_id), 1), text[:TEXT_CHARS_MAX])

    @function(UNRECORDED, gives_wire=True)
    def get_next(self, context: InstanceContext, searching: Searching) -> Wire:
        """Recorded inside."""
        reading, text = searching.reading, searching.text

        def perform() -> Public:
            from golem_host.interfaces.golem.api.log_reading import search_page  # noqa: PLC0415

            return search_page(context, reading.worker, text, reading.next, reading.end)

        place = (*_place(reading), text)
        return _go_on(reading, recorded_value(context, _SEARCH, place, perform))
