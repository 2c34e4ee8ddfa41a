"""
Pages of logs: what ``golem:api/oplog`` gives to guests.

Apart from the interface, so that whoever imports a neighbour of it need not load this.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from golem_host.context import InstanceContext
from golem_host.errors import InvalidRequestError
from golem_host.interfaces.golem.api.oplog_entry import PAYLOAD_BYTES_MAX, EntryShape
from golem_host.interfaces.golem.api.own import caller, of_another_worker
from golem_host.services.peers import WorkerRef
from golem_host.wire import Public
from golem_oplog.errors import QueryError
from golem_oplog.protocol import ReadableOplog
from golem_oplog.query import view_entries
from golem_oplog.search import Search
from golem_oplog.views import EntryView

PAGE_ENTRIES: Final = 100
"""A page has so many, unless the reading ends or one of the bounds below comes first."""
PAGE_BYTES_MAX: Final = 4 << 20
"""A page ends before the entry with which it would be larger as msgpack, but has at least one."""
SCAN_ENTRIES_MAX: Final = 10_000
"""A search looks at so many entries for one page, which may be empty then."""
SCAN_COST_MAX: Final = 16 << 20
"""A search ends a page once it has looked at so many characters, by `Search.cost`."""


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


def read_page(
    context: InstanceContext, worker: WorkerRef, following: int, end: int | None
) -> Public:
    """
    The entries from an index on, in the public form of `golem_oplog.log_pages.LOG_PAGE`.

    Args:
        context: Who reads.
        worker: Whose log.
        following: First index.
        end: Last index of this reading; None for its first page.

    Raises:
        WorkerNotFoundError: There is no such worker.
        WorldError: Its log cannot be read.
    """
    with of_another_worker(worker), _log(context, worker) as (log, last):
        first, end = _range(following, end, last)
        if first > end:
            return None
        shape, page = EntryShape(worker), _Page()
        for view in _views(context, log, first, end):
            if page.is_full() or not page.takes(view.index, context.pack(shape.wire(view))):
                break
        following = page.indexes[-1] + 1
        return {"entries": page.indexes, "next": following, "end": end, "page": page.content()}


def search_page(
    context: InstanceContext, worker: WorkerRef, text: str, following: int, end: int | None
) -> Public:
    """
    As `read_page`, of the entries that a query holds for, each with its index.

    Raises:
        InvalidRequestError: The text is no query.
    """
    try:
        search = Search(text, context.check_kill)
    except QueryError as error:
        raise InvalidRequestError(reason=f"search-oplog: {error}") from error
    with of_another_worker(worker), _log(context, worker) as (log, last):
        first, end = _range(following, end, last)
        if first > end:
            return None
        shape, page = EntryShape(worker), _Page()
        # The guest is to have its turn, and a kill its effect, however little is found.
        following, last_seen = first, min(end, first + SCAN_ENTRIES_MAX - 1)
        for view in _views(context, log, first, last_seen):
            if page.is_full() or search.cost >= SCAN_COST_MAX:
                break
            if search.matches(view):
                packed = context.pack((view.index, shape.wire(view)))
                if not page.takes(view.index, packed):
                    break
            following = view.index + 1
        return {"entries": page.indexes, "next": following, "end": end, "page": page.content()}


def _range(following: int, end: int | None, last: int) -> tuple[int, int]:
    """Where a page begins, and where the reading ends."""
    # A worker of this name that was made anew may have less of a past than the one before.
    return max(following, 1), last if end is None else min(end, last)
