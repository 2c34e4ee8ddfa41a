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

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import READ_REMOTE, UNRECORDED, Recorded, constructor, function, resource
from golem_host.errors import InvalidRequestError
from golem_host.interfaces.golem.api.oplog_entry import PAYLOAD_BYTES_MAX, EntryShape
from golem_host.interfaces.golem.api.own import caller, of_another_worker, recorded_value
from golem_host.interfaces.golem.api.values import WORKER_ID, WorkerId, worker_ref
from golem_host.services.peers import WorkerRef
from golem_host.wire import Public, Wire
from golem_oplog.codec import decode_wire
from golem_oplog.errors import QueryError
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.log_pages import GET_NEXT, LOG_PAGE, SEARCH_NEXT
from golem_oplog.protocol import ReadableOplog
from golem_oplog.query import view_entries
from golem_oplog.search import Search
from golem_oplog.search_syntax import QUERY_CHARS_MAX
from golem_oplog.types import FunctionType, OptionType, Prim
from golem_oplog.views import EntryView

INTERFACE: Final = "golem:api/oplog"

PAGE_ENTRIES: Final = 100
"""A page has so many, unless the reading ends or one of the bounds below comes first."""
PAGE_BYTES_MAX: Final = 4 << 20
"""A page ends before the entry with which it would be larger as msgpack, but has at least one."""
SCAN_ENTRIES_MAX: Final = 10_000
"""A search looks at so many entries for one page, which may be empty then."""
SCAN_CHARS_MAX: Final = 16 << 20
"""A search ends a page once it has looked through so many characters."""
NAME_CHARS_MAX: Final = 1_000
"""More of a worker's name is not kept: no worker has one so long."""

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


class _Page:
    """Entries that are given out together."""

    def __init__(self) -> None:
        self.indexes: list[int] = []
        self._packed: list[bytes] = []
        self._size_bytes = 0

    def takes(self, index: int, packed: bytes) -> bool:
        """Put an entry in; false where it has to wait for the next page."""
        if self.indexes and self._size_bytes + len(packed) > PAGE_BYTES_MAX:
            return False
        self.indexes.append(index)
        self._packed.append(packed)
        self._size_bytes += len(packed)
        return True

    def is_full(self) -> bool:
        return len(self.indexes) == PAGE_ENTRIES

    def content(self) -> bytes:
        """All entries as one msgpack array."""
        return b"".join((b"\xdd", len(self._packed).to_bytes(4, "big"), *self._packed))


def _worker(worker_id: Public) -> WorkerRef:
    """A guest may pass any text as a name, and hold many handles."""
    worker = worker_ref(worker_id)
    return worker._replace(worker_name=worker.worker_name[:NAME_CHARS_MAX])


def _log(
    context: InstanceContext, worker: WorkerRef
) -> AbstractContextManager[tuple[ReadableOplog, int]]:
    if worker == caller(context):
        return nullcontext((context.oplog, context.oplog.last_index))
    return context.services.peers.log(worker)


def _views(
    context: InstanceContext, log: ReadableOplog, first: int, last: int
) -> Iterator[EntryView]:
    for view in view_entries(log, first, last, payload_bytes_max=PAYLOAD_BYTES_MAX):
        context.check_kill()
        yield view


def _read(context: InstanceContext, reading: Reading) -> Public:
    """A page in the public form of `LOG_PAGE`."""
    worker = reading.worker
    with of_another_worker(worker), _log(context, worker) as (log, last):
        first, end = _range(reading, last)
        if first > end:
            return None
        shape, page = EntryShape(worker), _Page()
        for view in _views(context, log, first, end):
            if page.is_full() or not page.takes(view.index, context.pack(shape.wire(view))):
                break
        following = page.indexes[-1] + 1
        return {"entries": page.indexes, "next": following, "end": end, "page": page.content()}


def _search(context: InstanceContext, reading: Reading, text: str) -> Public:
    """The same of the entries that a query holds for."""
    try:
        search = Search(text)
    except QueryError as error:
        raise InvalidRequestError(reason=f"search-oplog: {error}") from error
    worker = reading.worker
    with of_another_worker(worker), _log(context, worker) as (log, last):
        first, end = _range(reading, last)
        if first > end:
            return None
        shape, page = EntryShape(worker), _Page()
        # The guest is to have its turn, and a kill its effect, however little is found.
        following, last_seen = first, min(end, first + SCAN_ENTRIES_MAX - 1)
        for view in _views(context, log, first, last_seen):
            if page.is_full() or search.chars >= SCAN_CHARS_MAX:
                break
            if search.matches(view):
                packed = context.pack((view.index, shape.wire(view)))
                if not page.takes(view.index, packed):
                    break
            following = view.index + 1
        return {"entries": page.indexes, "next": following, "end": end, "page": page.content()}


def _range(reading: Reading, last: int) -> tuple[int, int]:
    """Where a page begins, and where the reading ends."""
    # A worker of this name that was made anew may have less of a past than the one before.
    end = last if reading.end is None else min(reading.end, last)
    return max(reading.next, 1), end


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
        page = recorded_value(context, _GET, _place(reading), lambda: _read(context, reading))
        return _go_on(reading, page)


@resource(INTERFACE, "search-oplog")
class SearchOplogResource:
    @constructor(UNRECORDED)
    def new(self, context: InstanceContext, worker_id: Public, text: str) -> Searching:
        # One character too many is enough to refuse it.
        return Searching(Reading(_worker(worker_id), 1), text[: QUERY_CHARS_MAX + 1])

    @function(UNRECORDED, gives_wire=True)
    def get_next(self, context: InstanceContext, searching: Searching) -> Wire:
        """Recorded inside."""
        reading, text = searching.reading, searching.text
        page = recorded_value(
            context,
            _SEARCH,
            (*_place(reading), text),
            lambda: _search(context, reading, text),
        )
        return _go_on(reading, page)
