"""What a guest reads of logs, page by page."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest

from golem_host.errors import InvalidRequestError, WorkerNotFoundError
from golem_host.failures import RecordedFailureError, WorldError
from golem_host.interfaces.golem.api import log_reading
from golem_host.interfaces.golem.api.log_reading import PAGE_ENTRIES, SCAN_ENTRIES_MAX
from golem_host.interfaces.golem.api.oplog import NAME_CHARS_MAX, TEXT_CHARS_MAX
from golem_host.services.peers import WorkerRef
from golem_host.signals import InterruptSignal
from golem_oplog.entries import Entry, FunctionKind, ImportedFunctionInvoked, Log, PendingUpdate
from golem_oplog.errors import CorruptOplogError
from golem_oplog.memory import MemoryOplog
from golem_oplog.search_syntax import QUERY_CHARS_MAX
from golem_oplog.types import FunctionType, ListType, Prim
from tests.support.contexts import CREATE, crashed, entries_of, new_log
from tests.support.host_api import U64_MAX, Guest, Neighbours, begun_log, worker_value
from tests.support.oplogs import log_entry

BOB = WorkerRef(CREATE.component_id, "bob")
NOWHERE = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def around() -> Neighbours:
    return Neighbours()


@pytest.fixture
def host(around: Neighbours) -> Guest:
    return Guest(begun_log(), around)


def lines(count: int) -> list[Entry]:
    return [log_entry(number) for number in range(count)]


class Reading:
    """One handle."""

    def __init__(self, host: Guest, name: str = "alice", start: int = 1) -> None:
        self._host = host
        self._handle = host("[constructor]get-oplog", worker_value(name), start)

    def next(self) -> list[Any] | None:
        found: list[Any] | None = self._host("[method]get-oplog.get-next", self._handle)
        return found

    def cases(self) -> list[str] | None:
        page = self.next()
        return None if page is None else [entry.case for entry in page]


class Searching(Reading):
    """The same for a search; a page is a list of indexes and entries."""

    def __init__(self, host: Guest, text: str, name: str = "bob") -> None:
        self._host = host
        self._handle = host("[constructor]search-oplog", worker_value(name), text)

    def next(self) -> list[Any] | None:
        found: list[Any] | None = self._host("[method]search-oplog.get-next", self._handle)
        return found

    def indexes(self) -> list[int] | None:
        page = self.next()
        return None if page is None else [index for index, _ in page]


def calls(host: Guest) -> list[tuple[str, int]]:
    return [
        (host.oplog.function(entry.function).name, entry.function_type)
        for entry in entries_of(host.oplog)
        if isinstance(entry, ImportedFunctionInvoked)
    ]


# -- one log ----------------------------------------------------------------------------------------


def test_the_own_log_is_there_to_its_last_entry(host: Guest) -> None:
    """Also what is not committed; each reading has an end, although it makes entries itself."""
    host("get-oplog-index")
    reading = Reading(host)

    assert host.oplog.committed_index < host.oplog.last_index
    assert ["create", "exported-function-invoked", "no-op"] == reading.cases()
    assert reading.cases() is None
    # Two pages were asked for meanwhile.
    assert ["imported-function-invoked"] * 2 == reading.cases()
    assert reading.cases() is None


def test_a_page_has_a_hundred_entries(host: Guest, around: Neighbours) -> None:
    """From the start that was asked for, which is included, to the last entry."""
    around.logs[BOB] = new_log(*lines(2 * PAGE_ENTRIES + 1))
    reading = Reading(host, "bob", 3)
    pages = [reading.next() for _ in range(4)]
    messages = [
        [entry.value["message"].strip() for entry in page] for page in pages if page is not None
    ]

    assert [PAGE_ENTRIES, PAGE_ENTRIES] == [len(page) for page in messages]
    assert [f"line {n}" for n in range(1, 2 * PAGE_ENTRIES + 1)] == [
        text for page in messages for text in page
    ]
    assert [None, None] == pages[2:]


@pytest.mark.parametrize(
    ("start", "first"), [(0, "create"), (1, "create"), (2, "log"), (4, None), (U64_MAX, None)]
)
def test_a_reading_begins_anywhere(
    host: Guest, around: Neighbours, start: int, first: str | None
) -> None:
    """There is no entry 0, and nothing behind the last one."""
    around.logs[BOB] = new_log(*lines(2))
    page = Reading(host, "bob", start).cases()

    assert first == (page and page[0])


def test_of_another_worker_there_is_what_no_crash_takes_away(
    host: Guest, around: Neighbours
) -> None:
    """The rest comes with the next reading, once it is committed."""
    around.logs[BOB] = log = new_log(*lines(1))
    log.append(log_entry(7))
    reading = Reading(host, "bob")

    assert ["create", "log"] == reading.cases()
    log.commit()
    assert reading.cases() is None
    assert ["log"] == reading.cases()


def test_a_worker_that_was_made_anew_has_another_log(host: Guest, around: Neighbours) -> None:
    """Of the same name, and with less of a past: the reading is at its end."""
    around.logs[BOB] = new_log(*lines(PAGE_ENTRIES + 50))
    reading = Reading(host, "bob")
    reading.next()
    around.logs[BOB] = new_log()

    assert reading.next() is None


@pytest.mark.parametrize("component", [CREATE.component_id, NOWHERE])
def test_a_worker_that_there_is_none_of_is_an_error(host: Guest, component: str) -> None:
    """With the first page, not before; nothing is recorded."""
    for kind, argument in (("get-oplog", 1), ("search-oplog", "x")):
        handle = host(f"[constructor]{kind}", worker_value("nobody", component), argument)
        with pytest.raises(WorkerNotFoundError, match="nobody"):
            host(f"[method]{kind}.get-next", handle)
    assert [] == calls(host)


def test_a_damaged_log_is_not_the_failure_of_the_readers(host: Guest, around: Neighbours) -> None:
    """It may try again, and says what is wrong with whom; the last attempt remembers it."""
    damaged = CorruptOplogError(path="workers/cart/bob", offset_bytes=9, reason="checksum")
    around.failures += [damaged, damaged]
    with pytest.raises(WorldError, match=r"worker .*/bob cannot be used: .*checksum"):
        Reading(host, "bob").next()
    host.context.is_last_attempt = lambda: True
    with pytest.raises(RecordedFailureError):
        Searching(host, "x").next()


# -- searching --------------------------------------------------------------------------------------


def test_a_search_gives_indexes_with_entries(host: Guest, around: Neighbours) -> None:
    """A hundred to a page, then the rest, then none; later what has come since."""
    around.logs[BOB] = log = new_log(*lines(250))
    found = Searching(host, "level:stdout line NOT /line [0-4] /")
    # Entry 2 holds line 0; not wanted are "line 0" to "line 4", padded with blanks.
    expected = list(range(7, 252))

    assert expected[:PAGE_ENTRIES] == found.indexes()
    assert expected[PAGE_ENTRIES : 2 * PAGE_ENTRIES] == found.indexes()
    assert expected[2 * PAGE_ENTRIES :] == found.indexes()
    assert found.indexes() is None
    log.append(log_entry(999))
    log.commit()
    page = found.next()
    assert page is not None
    assert [(252, "line 999")] == [(n, entry.value["message"].strip()) for n, entry in page]


def test_a_search_that_finds_nothing_has_an_empty_page(host: Guest, around: Neighbours) -> None:
    """There was something to look at, so it is no end yet."""
    around.logs[BOB] = new_log(*lines(3))
    found = Searching(host, "no such line")

    assert [] == found.indexes()
    assert found.indexes() is None


def test_a_search_looks_at_a_bounded_stretch(
    host: Guest, around: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By entries, and by what is in them: the page may be empty, the next one goes on behind."""
    around.logs[BOB] = new_log(*lines(SCAN_ENTRIES_MAX))
    found = Searching(host, '"line 9999"')

    assert [] == found.indexes()
    assert [SCAN_ENTRIES_MAX + 1] == found.indexes()

    monkeypatch.setattr(log_reading, "SCAN_COST_MAX", 300)
    around.logs[BOB] = new_log(*[Log(1, 0, "", b"x" * 200) for _ in range(4)])
    found = Searching(host, "x")
    pages = [found.indexes() for _ in range(4)]
    assert [[2, 3], [4, 5], None] == [page for page in pages if page != []][:3]


def test_what_is_no_query_is_the_guests_mistake(host: Guest, around: Neighbours) -> None:
    """With its place, with the first page; it is not tried again, and nothing is recorded."""
    around.logs[BOB] = new_log()
    found = Searching(host, "line OR (")

    for _ in range(2):
        with pytest.raises(InvalidRequestError, match=r"search-oplog: .*at position 9: expected"):
            found.next()
    assert [] == calls(host)


def test_what_a_handle_keeps_is_bounded(host: Guest) -> None:
    """A guest may hold thousands of handles, made with texts of any length."""
    assert QUERY_CHARS_MAX < TEXT_CHARS_MAX
    long = "x" * (1 << 20)
    for kind, argument in (("get-oplog", 1), ("search-oplog", long)):
        handle = host(f"[constructor]{kind}", worker_value(long), argument)
        kept = host.context.resources.get(handle)
        text = getattr(kept, "text", "")
        reading = getattr(kept, "reading", kept)
        assert len(text) <= TEXT_CHARS_MAX
        assert len(reading.worker.worker_name) <= NAME_CHARS_MAX
    with pytest.raises(InvalidRequestError, match="at most 4096 characters"):
        Searching(host, long).next()


# -- replay and records -----------------------------------------------------------------------------


def test_pages_are_read_remote_and_replayed(host: Guest, around: Neighbours) -> None:
    """R16: a replay sees what was seen then, without anybody else."""
    around.logs[BOB] = new_log(*lines(3))

    def script(host: Guest) -> list[Any]:
        own, bobs, found = Reading(host), Reading(host, "bob"), Searching(host, "line")
        return [each.next() for _ in range(2) for each in (own, bobs, found)]

    seen = script(host)
    again = Guest(crashed(host.oplog, host.oplog.last_index), Neighbours(components={}))

    assert seen == script(again)
    get = ("golem::api::oplog::get_next", FunctionKind.READ_REMOTE)
    search = ("golem::api::oplog::search_next", FunctionKind.READ_REMOTE)
    assert [get, get, search] * 2 == calls(host) == calls(again)


def test_a_log_that_is_read_again_and_again_does_not_double(host: Guest) -> None:
    """A page holds no pages: reading the whole log adds at most its other entries each time."""
    for number in range(20):
        host.context.append(Log(number, 0, "", b"x" * 1000))
    sizes = []
    for _ in range(8):
        before = host.oplog.size_bytes
        reading = Reading(host)
        while reading.next() is not None:
            pass
        sizes.append(host.oplog.size_bytes - before)

    assert sizes[0] > 20_000
    assert max(sizes) < 2 * sizes[0]


def test_a_record_of_a_page_names_its_entries(host: Guest) -> None:
    """What the page held is left out where the record is shown."""
    Reading(host).next()
    reading = Reading(host, start=3)
    page = reading.next()
    assert page is not None
    (entry,) = page

    assert "golem::api::oplog::get_next" == entry.value["function-name"]
    # some(record(list(1, 2), next 3, end 2)).
    assert [
        "option-value",
        "record-value",
        "list-value",
        "prim-u64",
        "prim-u64",
        "prim-u64",
        "prim-u64",
    ] == [node.case for node in entry.value["response"]["nodes"]]
    assert [1, 2, 3, 2] == [node.value for node in entry.value["response"]["nodes"][3:]]


# -- bounds -----------------------------------------------------------------------------------------

BYTES = FunctionType("test:it/api.{bytes}", (("content", ListType(Prim.U8)),), None)


def call_with(log: MemoryOplog, size_bytes: int) -> Entry:
    request = msgpack.packb((bytes(size_bytes),))
    return ImportedFunctionInvoked(1, log.define(BYTES), request, b"\xc0", 0)


def test_a_page_of_large_entries_is_short(
    host: Guest, around: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte is a node, of about six bytes: three such entries fit, and one always does."""
    around.logs[BOB] = log = new_log()
    for _ in range(4):
        log.append(call_with(log, 4_000))
    log.append(PendingUpdate(1, 2, bytes(8_000)))
    log.commit()

    def pages() -> tuple[list[int], list[list[int]]]:
        read, found = Reading(host, "bob"), Searching(host, "kind:imported OR kind:pending")
        return [len(page) for page in iter(read.next, None)], list(iter(found.indexes, None))

    monkeypatch.setattr(log_reading, "PAGE_BYTES_MAX", 80_000)
    assert ([4, 2], [[2, 3, 4], [5, 6]]) == pages()
    monkeypatch.setattr(log_reading, "PAGE_BYTES_MAX", 1_000)
    assert ([1] * 6, [[2], [3], [4], [5], [6]]) == pages()


def test_what_ends_the_instance_ends_the_reading(host: Guest, around: Neighbours) -> None:
    """However long the log: it is looked at between two entries."""
    around.logs[BOB] = new_log(*lines(3))
    for found in (Reading(host, "bob"), Searching(host, "nothing")):
        host.context.kill = InterruptSignal()
        with pytest.raises(InterruptSignal):
            found.next()
        host.context.kill = None
    assert [] == calls(host)
