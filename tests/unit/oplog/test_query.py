"""Entries in their public shape, and the ones that somebody looks for."""

from __future__ import annotations

from collections.abc import Iterable

import msgpack
import pytest

from golem_oplog.cbor import encode_args, encode_value
from golem_oplog.entries import (
    KINDS,
    BlobRef,
    ChangePersistenceLevel,
    ChangeRetryPolicy,
    CreateResource,
    DescribeResource,
    EndAtomicRegion,
    Entry,
    Error,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    GrowMemory,
    ImportedFunctionInvoked,
    Jump,
    Log,
    NoOp,
    PendingUpdate,
    PendingWorkerInvocation,
    Revert,
    SetSpanAttribute,
    StartSpan,
    SuccessfulUpdate,
    Suspend,
)
from golem_oplog.errors import QueryError
from golem_oplog.log_pages import GET_NEXT, LOG_PAGE, SEARCH_NEXT, SHOWN_PAGE
from golem_oplog.memory import MemoryOplog
from golem_oplog.public import Variant
from golem_oplog.query import (
    EntryFilter,
    EntryView,
    TypedValue,
    Undecodable,
    public_fields,
    select_entries,
    texts,
    view_entries,
)
from golem_oplog.regions import Mark, Region, Regions, RegionSet
from golem_oplog.types import FunctionType, ListType, OptionType, Prim
from tests.support.oplogs import LOOKUP, NOTIFY, create_entry

CHECK_OUT = FunctionType(
    "test:shop/cart.{check-out}",
    (("items", ListType(Prim.STRING)), ("note", OptionType(Prim.STRING))),
    Prim.U64,
)


@pytest.fixture
def log() -> MemoryOplog:
    return MemoryOplog(create_entry())


def fields_of(log: MemoryOplog, entry: Entry) -> dict[str, object]:
    return public_fields(entry, log)


def test_a_host_call_shows_its_values_with_their_types(log: MemoryOplog) -> None:
    """Arguments carry the parameters' names and types, the response the result's type."""
    request, response = msgpack.packb(["tea"]), msgpack.packb(7)
    index = log.append(ImportedFunctionInvoked(5, log.define(LOOKUP), request, response, 2))
    (view,) = view_entries(log, index)

    assert (2, "imported-function-invoked", 5) == (view.index, view.kind, view.timestamp)
    assert not view.is_hint
    assert {
        "function-name": "test:shop/stock.{look-up}",
        "request": (TypedValue(Prim.STRING, "tea", "item"),),
        "response": TypedValue(Prim.U32, 7),
        "wrapped-function-type": Variant("read-remote"),
    } == view.fields
    assert "ImportedFunctionInvoked" in repr(view)


def test_a_function_without_a_result_shows_none(log: MemoryOplog) -> None:
    """Neither a failure nor a function without a result has a response; a failure has its text."""
    notify = log.define(NOTIFY)
    request = msgpack.packb(["bob"])
    done = ImportedFunctionInvoked(5, notify, request, b"\xc0", 3)
    failed = ImportedFunctionInvoked(5, notify, request, None, 3, None, "no route")

    assert None is fields_of(log, done)["response"]
    assert "error" not in fields_of(log, done)
    assert (None, "no route") == (
        fields_of(log, failed)["response"],
        fields_of(log, failed)["error"],
    )


def test_a_batched_write_shows_where_it_began(log: MemoryOplog) -> None:
    """Only the batched kind of function has a begin index."""
    batched = ImportedFunctionInvoked(5, log.define(NOTIFY), b"\x90", None, 4, 7)
    fields = fields_of(log, batched)

    assert Variant("write-remote-batched", 7) == fields["wrapped-function-type"]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (msgpack.packb(["tea", "milk"]), "no list of 1 arguments"),
        (msgpack.packb("tea"), "no list of 1 arguments"),
        (msgpack.packb([5]), "expected string"),
        (b"\xc1", "no msgpack"),
        (BlobRef(bytes(32), 5), "not in the blob store"),
    ],
)
def test_a_payload_that_cannot_be_read_does_not_hide_the_rest(
    log: MemoryOplog, request_: bytes, reason: str
) -> None:
    """What is wrong with a payload stands in its place, the other fields are there."""
    fields = fields_of(
        log, ImportedFunctionInvoked(5, log.define(LOOKUP), request_, msgpack.packb(7), 2)
    )

    assert isinstance(fields["request"], Undecodable)
    assert reason in fields["request"].reason
    assert TypedValue(Prim.U32, 7) == fields["response"]


def test_a_page_of_a_log_is_left_out_of_what_is_shown(log: MemoryOplog) -> None:
    """A page may hold records of pages: shown whole, a log that is read would double each time."""
    response = msgpack.packb((((1, 2), 3, 5, b"page" * 1000),))
    end = msgpack.packb(None)
    function = FunctionType(GET_NEXT, (), LOG_PAGE)
    for payload in (response, end):
        log.append(ImportedFunctionInvoked(5, log.define(function), b"\x90", payload, 2))
    page, none = view_entries(log, 2, payload_bytes_max=100)

    assert TypedValue(SHOWN_PAGE, (((1, 2), 3, 5),)) == page.fields["response"]
    assert TypedValue(SHOWN_PAGE, None) == none.fields["response"]


def test_only_pages_of_logs_are_left_out(log: MemoryOplog) -> None:
    """Of another name, or of another type, a result is shown whole; a damaged one as that."""
    wire = (((1,), 2, 2, b"page"),)
    other = FunctionType("test:shop/stock.{pages}", (), LOG_PAGE)
    typed = FunctionType(SEARCH_NEXT, (), Prim.U32)
    damaged = FunctionType(SEARCH_NEXT, (), LOG_PAGE)
    found = [
        public_fields(
            ImportedFunctionInvoked(5, log.define(function), b"\x90", msgpack.packb(each), 2), log
        )["response"]
        for function, each in ((other, wire), (typed, 7), (damaged, (((1,), 2, 2, "page"),)))
    ]

    assert [TypedValue(LOG_PAGE, wire), TypedValue(Prim.U32, 7)] == found[:2]
    assert isinstance(found[2], Undecodable)


def test_an_unknown_function_shows_its_number(log: MemoryOplog) -> None:
    """A definition that is lost makes the values unreadable, and the name a number."""
    fields = fields_of(log, ImportedFunctionInvoked(5, 7, b"\x90", b"\xc0", 2))

    assert "function 7" == fields["function-name"]
    assert isinstance(fields["request"], Undecodable)
    assert isinstance(fields["response"], Undecodable)


def append_invocation(log: MemoryOplog, items: Iterable[str] = ("tea",), answer: int = 9) -> None:
    request = encode_args([list(items), None])
    log.append(ExportedFunctionInvoked(1, log.define(CHECK_OUT), request, "key", "trace", ("s",)))
    log.append(ExportedFunctionCompleted(2, encode_value(answer), 5))


def test_an_invocation_shows_its_values(log: MemoryOplog) -> None:
    """An exported function's arguments and result are typed by the export that was invoked."""
    append_invocation(log)
    _, invoked, completed = view_entries(log)

    assert {
        "function-name": "test:shop/cart.{check-out}",
        "request": (
            TypedValue(ListType(Prim.STRING), ["tea"], "items"),
            TypedValue(OptionType(Prim.STRING), None, "note"),
        ),
        "idempotency-key": "key",
        "trace-id": "trace",
        "trace-states": ("s",),
        "invocation-context": [],
    } == invoked.fields
    assert {"response": TypedValue(Prim.U64, 9), "consumed-fuel": 5} == completed.fields


def test_the_public_form_is_made_on_demand() -> None:
    """A typed value keeps the wire form, and gives the public one when asked."""
    value = TypedValue(OptionType(Prim.STRING), ("tea",))

    assert "tea" == value.value


def test_a_completion_is_understood_wherever_the_view_begins(log: MemoryOplog) -> None:
    """If the invocation lies before the first entry shown, it is looked for further back."""
    append_invocation(log)
    request = encode_args([[], None])
    log.append(ExportedFunctionInvoked(1, log.define(CHECK_OUT), request, "key 2"))
    for number in range(3000):
        log.append(NoOp(number))
    last = log.append(ExportedFunctionCompleted(2, encode_value(8)))

    (view,) = view_entries(log, last)
    (first,) = view_entries(log, 3, 3)

    assert TypedValue(Prim.U64, 8) == view.fields["response"]
    assert TypedValue(Prim.U64, 9) == first.fields["response"]


def test_a_completion_without_an_invocation_is_undecodable(log: MemoryOplog) -> None:
    """A damaged beginning leaves results without a type; those without a result need none."""
    log.append(ExportedFunctionCompleted(2, encode_value(8)))
    log.append(ExportedFunctionCompleted(2, None))
    with_value, without = view_entries(log, 2)

    assert isinstance(with_value.fields["response"], Undecodable)
    assert None is without.fields["response"]


def test_an_invocation_of_an_unknown_function_is_undecodable(log: MemoryOplog) -> None:
    """Names and results of a definition that is lost cannot be shown, the entries can."""
    append_invocation(log)
    log._definitions._forms.clear()
    log._definitions._types.clear()
    _, invoked, completed = view_entries(log)

    assert "function 0" == invoked.fields["function-name"]
    assert isinstance(completed.fields["response"], Undecodable)


def test_the_first_entry_shows_the_worker(log: MemoryOplog) -> None:
    """Identities are records of component and name, the parent of a fork too."""
    parent = ("00000000-0000-0000-0000-000000000001", "alice")
    own = {"component-id": parent[0], "worker-name": "alice"}
    fields = fields_of(log, create_entry())

    assert own == fields["worker-id"]
    assert (("--fast",), (("LANG", "C"),), None) == (
        fields["args"],
        fields["env"],
        fields["parent"],
    )
    assert own == fields_of(log, create_entry("bob")._replace(parent=parent))["parent"]


def test_pending_work_shows_what_will_be_done(log: MemoryOplog) -> None:
    """Invocations and updates to come are variants of their kinds."""
    request = encode_args([["tea"], ["quick"]])
    call = fields_of(log, PendingWorkerInvocation(1, "key", log.define(CHECK_OUT), request))
    update = fields_of(log, PendingWorkerInvocation(1, "", None, b"", 3, 77))

    parameters = {
        "idempotency-key": "key",
        "function-name": CHECK_OUT.name,
        "input": (
            TypedValue(ListType(Prim.STRING), ["tea"], "items"),
            TypedValue(OptionType(Prim.STRING), ["quick"], "note"),
        ),
    }
    expected = {"invocation": Variant("exported-function", parameters), "not-before": None}
    assert expected == call
    assert {"invocation": Variant("manual-update", 3), "not-before": 77} == update


def test_an_update_shows_its_snapshot(log: MemoryOplog) -> None:
    """An automatic update has none; a missing one does not hide the entry."""
    automatic = fields_of(log, PendingUpdate(1, 2, None))
    manual = fields_of(log, PendingUpdate(1, 2, b"state"))
    missing = fields_of(log, PendingUpdate(1, 2, BlobRef(bytes(32), 5)))

    assert {"target-version": 2, "update-description": Variant("auto-update")} == automatic
    assert Variant("snapshot-based", b"state") == manual["update-description"]
    assert isinstance(missing["update-description"], Variant)
    assert isinstance(missing["update-description"].value, Undecodable)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (NoOp(1), {}),
        (Suspend(1, "sleeping", 5), {"reason": "sleeping", "wake-at": 5, "promise": ""}),
        (Jump(1, 4, 6), {"start": 4, "end": 6}),
        (EndAtomicRegion(1, 4), {"begin-index": 4}),
        (GrowMemory(1, 65536), {"delta": 65536}),
        (CreateResource(1, 4, "o", "n"), {"resource-id": 4, "owner": "o", "name": "n"}),
        (
            DescribeResource(1, 4, "o", "n", ("1",)),
            {"resource-id": 4, "owner": "o", "resource-name": "n", "resource-params": ("1",)},
        ),
        (
            SuccessfulUpdate(1, 2, 3, ("p",)),
            {"target-version": 2, "new-component-size": 3, "new-active-plugins": ("p",)},
        ),
        (
            Error(1, 2, "overflow", 5, 9, "traceback"),
            {
                "error": "overflow",
                "kind": "stack-overflow",
                "origin": 5,
                "retry-at": 9,
                "detail": "traceback",
            },
        ),
        (
            Log(1, 1, "c", b"na\xc3\xafve \xff"),
            {"level": "stderr", "context": "c", "message": "naïve \ufffd"},
        ),
        (Log(1, 99, "", b""), {"level": "99", "context": "", "message": ""}),
        (ChangePersistenceLevel(1, 1), {"persistence-level": "persist-remote-side-effects"}),
        (
            ChangeRetryPolicy(1, 3, 10, 20, 1.5, None),
            {
                "retry-policy": {
                    "max-attempts": 3,
                    "min-delay": 10,
                    "max-delay": 20,
                    "multiplier": 1.5,
                    "max-jitter-factor": None,
                }
            },
        ),
        (
            StartSpan(1, "s", None, "l", (("k", "v"),)),
            {"span-id": "s", "parent": None, "linked-context": "l", "attributes": (("k", "v"),)},
        ),
        (SetSpanAttribute(1, "s", "k", "v"), {"span-id": "s", "key": "k", "value": "v"}),
    ],
)
def test_fields_have_their_public_names(
    log: MemoryOplog, entry: Entry, expected: dict[str, object]
) -> None:
    """Each kind shows its fields under the names of the WIT record, codes by their case names."""
    assert expected == fields_of(log, entry)


def test_every_kind_says_whether_it_is_a_hint(log: MemoryOplog) -> None:
    """A view's kind and nature are those of the table of kinds."""
    views = [EntryView(1, log_entry, log, None) for log_entry in (NoOp(1), Suspend(1))]
    by_name = {kind.name: kind.is_hint for kind in KINDS}

    assert [by_name[view.kind] for view in views] == [view.is_hint for view in views]


def kinds(log: MemoryOplog, wanted: EntryFilter) -> list[str]:
    return [view.kind for view in select_entries(log, wanted)]


@pytest.fixture
def shop(log: MemoryOplog) -> MemoryOplog:
    append_invocation(log, ["Green tea"])
    log.append(Log(3, 0, "", b"two lines\n"))
    log.append(PendingUpdate(4, 1, b"snapshot with tea"))
    log.append(Suspend(5, "waiting"))
    return log


def test_a_filter_selects_by_index_and_kind(shop: MemoryOplog) -> None:
    """All conditions must hold; without any, every entry is selected."""
    assert 6 == len(kinds(shop, EntryFilter()))
    assert ["log", "pending-update"] == kinds(shop, EntryFilter(first=4, last=5))
    assert ["log", "suspend"] == kinds(shop, EntryFilter(kinds=frozenset({"suspend", "log"})))


@pytest.mark.parametrize(
    ("grep", "expected"),
    [
        ("green TEA", ["exported-function-invoked"]),
        ("tea", ["exported-function-invoked", "pending-update"]),
        ("^suspend$", ["suspend"]),
        ("l[io]nes", ["log"]),
        ("check-out", ["exported-function-invoked"]),
        ("^9$", ["exported-function-completed"]),
        ("nothing like it", []),
    ],
)
def test_a_filter_looks_into_every_text(shop: MemoryOplog, grep: str, expected: list[str]) -> None:
    """Kinds, names, keys, log lines and the values of payloads are searched, in any case."""
    assert expected == kinds(shop, EntryFilter(grep=grep))


def test_a_filter_that_makes_no_sense_is_refused() -> None:
    """An unknown kind and a broken expression are told to whoever typed them."""
    with pytest.raises(QueryError, match="the kinds are activate-plugin"):
        EntryFilter(kinds=frozenset({"logs"}))
    with pytest.raises(QueryError) as raised:
        EntryFilter(grep="(")

    assert "(" == raised.value.query


def test_all_leaves_of_an_entry_are_texts(log: MemoryOplog) -> None:
    """Nested values are gone through to the end; what is absent has no text."""
    shown = EntryView(1, create_entry(), log, None)
    broken = EntryView(1, ImportedFunctionInvoked(1, 7, b"", None, 4, 6), log, None)

    assert {"create", "alice", "--fast", "LANG", "C", "0", "4096", "65536"} <= set(texts(shown))
    assert {"function 7", "write-remote-batched", "6"} <= set(texts(broken))
    assert "the log defines no function 7" in set(texts(broken))
    policy = EntryView(1, ChangeRetryPolicy(1, 3, 10, 20, 1.5, None), log, None)
    assert ["change-retry-policy", "3", "10", "20", "1.5"] == list(texts(policy))


def marks(entries: Iterable[tuple[int, Entry]], last: int) -> str:
    regions = Regions(entries)
    letters = {Mark.LIVE: ".", Mark.JUMPED: "j", Mark.REVERTED: "r"}
    return "".join(letters[regions.mark(index)] for index in range(1, last + 1))


def test_entries_in_regions_are_marked() -> None:
    """Regions include both ends; a revert takes back everything in it, jumps included."""
    assert "......" == marks([], 6)
    assert "...jjj." == marks([(6, Jump(1, 4, 6))], 7)
    assert "..rrr." == marks([(2, NoOp(1)), (6, Revert(1, 3, 5))], 6)
    # The jump from 6 to 2 is taken back: 2 and 3 are alive again.
    assert "...rrr." == marks([(6, Jump(1, 2, 6)), (7, Revert(1, 4, 6))], 7)
    assert ".jjrrjj." == marks([(7, Jump(1, 2, 7)), (8, Revert(1, 4, 5))], 8)


def test_spans_that_overlap_or_touch_are_one() -> None:
    """Merged spans are in order, apart, and none is empty."""
    spans = [Region(8, 9), Region(1, 3), Region(4, 5), Region(2, 2), Region(12, 11)]

    assert (Region(1, 5), Region(8, 9)) == tuple(RegionSet.of(spans))
    inside = [index for index in range(12) if index in RegionSet.of(spans)]
    assert [1, 2, 3, 4, 5, 8, 9] == inside
