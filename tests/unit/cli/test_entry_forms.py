"""Entries for people, for programs, and as stored."""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgpack
import pytest

from golem_cli.dump import Form
from golem_cli.entry_forms import JsonForm, RawForm
from golem_cli.entry_line import LineForm
from golem_host.services.calls import CallRef
from golem_host.services.peers import WorkerRef
from golem_oplog.cbor import encode_args, encode_value
from golem_oplog.entries import (
    KIND_BY_CLASS,
    KINDS,
    ActivatePlugin,
    BeginAtomicRegion,
    BeginRemoteWrite,
    BlobRef,
    CancelPendingInvocation,
    ChangePersistenceLevel,
    ChangeRetryPolicy,
    CreateResource,
    DeactivatePlugin,
    DescribeResource,
    DropResource,
    EndAtomicRegion,
    EndRemoteWrite,
    Entry,
    Error,
    Exited,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    FailedUpdate,
    FinishSpan,
    GrowMemory,
    ImportedFunctionInvoked,
    Interrupted,
    Jump,
    Log,
    NoOp,
    Payload,
    PendingUpdate,
    PendingWorkerInvocation,
    Restart,
    Revert,
    SetSpanAttribute,
    StartSpan,
    SuccessfulUpdate,
    Suspend,
)
from golem_oplog.memory import MemoryOplog
from golem_oplog.query import Regions, view_entries
from golem_oplog.types import FunctionType, ListType, Prim, ResultType
from tests.support.oplogs import create_entry

LOOKUP = FunctionType("test:shop/stock.{look-up}", (("item", Prim.STRING),), Prim.U32)
ORDER = FunctionType(
    "test:shop/api.{order}",
    (("items", ListType(Prim.STRING)), ("gift", Prim.BOOL)),
    ResultType(Prim.U64, Prim.STRING),
)
TIME = 1_700_000_000_123_456_789
WHEN = "2023-11-14T22:13:20.123Z"
TEA_ARGUMENT: bytes = msgpack.packb(["tea"])
SEVEN: bytes = msgpack.packb(7)


def log_of(*entries: Entry) -> MemoryOplog:
    """A log with the two functions defined as 0 and 1, and entries from index 2 on."""
    log = MemoryOplog(create_entry())
    assert (0, 1) == (log.define(LOOKUP), log.define(ORDER))
    for entry in entries:
        log.append(entry)
    return log


def lines(log: MemoryOplog, form: Form) -> list[str]:
    regions = Regions(log.read())
    return [
        line
        for view in view_entries(log)
        for line in form.lines(view, regions.mark(view.index).value)
    ]


def details(*entries: Entry, full: bool = False) -> list[str]:
    """What the lines say after index, time and kind."""
    shown = lines(log_of(*entries), LineForm(full=full, color=False))[1:]
    for line, entry, index in zip(shown, entries, range(2, 1000), strict=False):
        head = f"{index:>6}  {WHEN}  {KIND_BY_CLASS[type(entry)].name:<27}".rstrip()
        assert line.startswith(head)
    return [line[6 + 2 + len(WHEN) + 2 + 28 :] for line in shown]


def invoked(args: Sequence[object] = (["tea"], True)) -> ExportedFunctionInvoked:
    return ExportedFunctionInvoked(TIME, 1, encode_args(list(args)), "k1")


def imported(
    request: Payload = TEA_ARGUMENT,
    response: Payload | None = SEVEN,
    error: str | None = None,
) -> Entry:
    return ImportedFunctionInvoked(TIME, 0, request, response, 2, error=error)


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (invoked(), 'test:shop/api.{order}(["tea"], true) key=k1'),
        (imported(), 'test:shop/stock.{look-up}("tea") -> 7'),
        (
            imported(response=None, error="timed out\n"),
            r'test:shop/stock.{look-up}("tea") failed: "timed out\n"',
        ),
        (
            PendingWorkerInvocation(TIME, "k2", 1, encode_args([[], False]), not_before=TIME),
            f"test:shop/api.{{order}}([], false) key=k2 not before {WHEN}",
        ),
        (PendingWorkerInvocation(TIME, "k3", None, b"", 4), "manual update to version 4"),
        (PendingUpdate(TIME, 2, b"snapshot"), "to version 2, snapshot-based"),
        (Log(TIME, 1, "", b"hot\x1b[31m\xff\n"), 'stderr "hot\\u{1b}[31m\ufffd\\n"'),
        (Error(TIME, 0, "wasm trap", 1, TIME), f"wasm trap, retry at {WHEN}"),
        (Error(TIME, 0, "wasm\ntrap", 1), r"wasm\ntrap"),
        (Suspend(TIME, "waiting for a timer", TIME), f"waiting for a timer, until {WHEN}"),
        (Suspend(TIME, "waiting for promise 1"), "waiting for promise 1"),
        (Jump(TIME, 2, 1), "entries 2 to 1"),
        (EndAtomicRegion(TIME, 3), "begun at 3"),
        (Exited(TIME, 7), "code 7"),
        (CancelPendingInvocation(TIME, "k4"), "key=k4"),
        (GrowMemory(TIME, 65536), "delta=65536"),
        (ChangePersistenceLevel(TIME, 2), "persistence-level=smart"),
        (ActivatePlugin(TIME, "p"), "plugin=p"),
        (NoOp(TIME), ""),
    ],
)
def test_a_line_says_what_happened(entry: Entry, text: str) -> None:
    """Functions by name, values in WAVE, nothing that acts on a terminal."""
    assert [text] == details(entry)


def test_a_result_is_typed_by_the_call_that_it_ends() -> None:
    """The stored result alone does not say what it is."""
    ended = ExportedFunctionCompleted(TIME, encode_value((1, "sold out")))

    assert '-> err("sold out")' == details(invoked(), ended)[1]
    assert "" == details(invoked(), ended._replace(response=None))[1]


@pytest.mark.parametrize(
    ("token", "how"),
    [
        ("", "forked from bob"),
        ("7-1", "forked from bob"),
        (str(CallRef(WorkerRef("an-id", "alice"), "key")), "first called by bob"),
    ],
)
def test_the_first_line_says_who_the_worker_is(token: str, how: str) -> None:
    """Name, version, what it was made with, and of whom it comes."""
    parent = ("00000000-0000-0000-0000-000000000001", "bob")
    log = MemoryOplog(create_entry()._replace(parent=parent, token=token))

    first = lines(log, LineForm(full=False, color=False))[0]

    assert first.endswith(f'alice version 0 args "--fast" env "LANG=C" {how}')


def test_long_values_are_shortened_unless_asked_for() -> None:
    """A line stays a line; with ``full`` nothing is lost."""
    many = [["tea"] * 1000, False]

    result = ExportedFunctionCompleted(TIME, encode_value((1, "x" * 1000)))

    short, result_short = details(invoked(many), result)
    full, result_full = details(invoked(many), result, full=True)

    assert max(len(short), len(result_short)) < 200
    assert "..." in short
    assert "..." in result_short
    assert 1000 == result_full.count("x")
    assert full.count('"tea"') == 1000
    assert "..." not in full


@pytest.mark.parametrize("request_bytes", [b"\xc1", b"", msgpack.packb([1]), msgpack.packb([])])
def test_an_undecodable_payload_hides_nothing_else(request_bytes: bytes) -> None:
    """The line says what is wrong with it and goes on."""
    (text,) = details(imported(request=request_bytes))

    assert text.startswith("test:shop/stock.{look-up}(<")
    assert text.endswith(">) -> 7")


def test_a_missing_blob_hides_nothing_else() -> None:
    """As an undecodable payload."""
    (text,) = details(imported(request=BlobRef(bytes(32), 70_000)))

    assert text.startswith("test:shop/stock.{look-up}(<")


def test_dead_entries_are_marked() -> None:
    """Jumped over by replay, or taken back by a revert."""
    jumped = log_of(NoOp(TIME), Jump(TIME, 2, 3), NoOp(TIME), Revert(TIME, 4, 5))

    marks = [json.loads(line)["mark"] for line in lines(jumped, JsonForm())]
    shown = lines(jumped, LineForm(full=False, color=False))

    assert [None, "jumped", "jumped", "reverted", "reverted"] == marks
    assert "[jumped]" in shown[1]
    assert "[reverted] entries 4 to 5" in shown[4]


def test_colour_is_only_on_request() -> None:
    """Escape sequences frame the text and change nothing in it."""
    log = log_of(NoOp(TIME), Jump(TIME, 2, 3))
    plain, colored = (lines(log, LineForm(full=False, color=color)) for color in (False, True))

    assert not any("\x1b" in line for line in plain)
    assert plain == [line.replace("\x1b[2m", "").replace("\x1b[0m", "") for line in colored]


def test_json_has_typed_values() -> None:
    """Everything that a program needs to understand an entry without the component."""
    completed = ExportedFunctionCompleted(TIME, encode_value((0, 2**64 - 1)))
    documents = [json.loads(line) for line in lines(log_of(invoked(), completed), JsonForm())]

    assert {
        "index": 2,
        "timestamp": "2023-11-14T22:13:20.123456789Z",
        "kind": "exported-function-invoked",
        "mark": None,
        "fields": {
            "function-name": "test:shop/api.{order}",
            "request": [
                {"name": "items", "type": "list<string>", "value": ["tea"]},
                {"name": "gift", "type": "bool", "value": True},
            ],
            "idempotency-key": "k1",
            "trace-id": "",
            "trace-states": [],
            "invocation-context": [],
        },
    } == documents[1]
    assert {"type": "result<u64, string>", "value": {"ok": 2**64 - 1}} == (
        documents[2]["fields"]["response"]
    )


def test_json_says_what_cannot_be_decoded() -> None:
    """A document is valid whatever the log holds."""
    log = log_of(
        imported(request=b"\xc1"),
        PendingUpdate(TIME, 2, None),
        PendingUpdate(TIME, 3, b"\x01"),
    )
    documents = [json.loads(line) for line in lines(log, JsonForm())][1:]

    assert "undecodable" in documents[0]["fields"]["request"]
    assert "auto-update" == documents[1]["fields"]["update-description"]
    assert {"snapshot-based": [1]} == documents[2]["fields"]["update-description"]


def test_raw_is_what_is_stored() -> None:
    """Field names and values as in the file; each definition once, before its first use."""
    log = log_of(imported(), imported(), Log(TIME, 0, "", b"hi"))
    shown = lines(log, RawForm(log))[1:]

    assert (
        '{"definition": 0, "name": "test:shop/stock.{look-up}", '
        '"type": "func(item: string) -> u32"}'
    ) == shown[0]
    assert (
        '{"index": 2, "kind": "imported-function-invoked", "tag": 21, '
        f'"timestamp": {TIME}, "function": 0, "request": h\'91a3746561\', '
        '"response": h\'07\', "function_type": 2, "begin_index": null, "error": null}'
    ) == shown[1]
    assert [2, 3, 4] == [json.loads(line.split(",")[0] + "}")["index"] for line in shown[1:]]


def test_raw_shows_cbor_inside_of_payloads() -> None:
    """As the value that is embedded; bytes that are none stay bytes."""
    log = log_of(invoked(), invoked()._replace(request=b"\xff"), Jump(TIME, 2, 4))
    shown = lines(log, RawForm(log))[2:]

    assert '"request": <<[["tea"], true]>>' in shown[0]
    assert "\"request\": h'ff'" in shown[1]
    assert shown[0].endswith("} / jumped /")


def test_raw_shows_where_a_blob_lies() -> None:
    """The reference is what is stored."""
    log = log_of(imported(request=BlobRef(bytes(32), 70_000)))

    assert (
        f'"request": {{"blob": h\'{"00" * 32}\', "size_bytes": 70000}}'
        in (lines(log, RawForm(log))[-1])
    )


EVERY_KIND = (
    invoked(),
    imported(),
    ExportedFunctionCompleted(TIME, b"\x00"),
    Suspend(TIME, "reason", None),
    Error(TIME, 0, "message", 1),
    NoOp(TIME),
    Jump(TIME, 2, 3),
    Interrupted(TIME),
    Exited(TIME),
    ChangeRetryPolicy(TIME, 3, 1, 2, 2.0, None),
    BeginAtomicRegion(TIME),
    EndAtomicRegion(TIME, 1),
    BeginRemoteWrite(TIME),
    EndRemoteWrite(TIME, 1),
    PendingWorkerInvocation(TIME, "k", None, b"", 1),
    PendingUpdate(TIME, 1, b""),
    FailedUpdate(TIME, 1, "trap"),
    GrowMemory(TIME, 1),
    CreateResource(TIME, 1, "owner", "name"),
    DropResource(TIME, 1, "owner", "name"),
    DescribeResource(TIME, 1, "owner", "name", ("1",)),
    Log(TIME, 99, "", b""),
    Restart(TIME),
    create_entry(),
    ActivatePlugin(TIME, "p"),
    DeactivatePlugin(TIME, "p"),
    SuccessfulUpdate(TIME, 1, 1, ("p",)),
    Revert(TIME, 2, 3),
    CancelPendingInvocation(TIME, "k"),
    StartSpan(TIME, "s", None, None, (("a", "b"),)),
    FinishSpan(TIME, "s"),
    SetSpanAttribute(TIME, "s", "a", "b"),
    ChangePersistenceLevel(TIME, 99),
)


def test_every_kind_has_every_form() -> None:
    """No entry of any kind is refused, known code or not."""
    log = log_of(*EVERY_KIND)
    forms = (LineForm(full=True, color=True), LineForm(full=False, color=False), JsonForm())

    assert {kind.cls for kind in KINDS} == {type(entry) for entry in EVERY_KIND}
    assert all(len(EVERY_KIND) + 1 == len(lines(log, form)) for form in forms)
    assert len(EVERY_KIND) + 3 == len(lines(log, RawForm(log)))
