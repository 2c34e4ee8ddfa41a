"""Entries of a log in the shape that guests are given."""

from __future__ import annotations

import msgpack
import pytest

from golem_host.interfaces.golem.api.oplog_entry import PAYLOAD_BYTES_MAX, EntryShape
from golem_oplog.entries import (
    KINDS,
    Create,
    Entry,
    ExportedFunctionInvoked,
    ImportedFunctionInvoked,
    Log,
    PendingUpdate,
)
from golem_oplog.memory import MemoryOplog
from golem_oplog.public import Variant
from golem_oplog.query import view_entries
from golem_oplog.types import FunctionType, Prim
from golem_oplog.values import check_wire, from_wire
from golem_oplog.views import EntryView
from tests.support.oplog_samples import ALICE, CREATED, OPLOG_ENTRY, samples, text
from tests.support.oplogs import LOOKUP, create_entry

SHAPE = EntryShape(ALICE)


@pytest.fixture
def log() -> MemoryOplog:
    return MemoryOplog(create_entry())


def given(log: MemoryOplog, first: int = 1) -> list[object]:
    """The entries as a guest is given them."""
    return [shape(view) for view in view_entries(log, first, payload_bytes_max=PAYLOAD_BYTES_MAX)]


def shape(view: EntryView) -> object:
    wire = SHAPE.wire(view)
    check_wire(OPLOG_ENTRY, wire)
    return from_wire(OPLOG_ENTRY)(wire)


def test_an_entry_of_every_kind_has_its_wit_shape(log: MemoryOplog) -> None:
    """Each field stands where the WIT record has it, payloads as trees of nodes."""
    expected = []
    for entry, shown in samples(log):
        log.append(entry)
        expected.append(shown)

    assert [CREATED, *expected] == given(log)


def test_there_is_a_sample_of_every_kind(log: MemoryOplog) -> None:
    """What is not among the samples would be tested nowhere."""
    found = {type(entry) for entry, _ in samples(log)} | {Create}

    assert {kind.cls for kind in KINDS} == found


def test_a_large_payload_is_named_and_not_shown(log: MemoryOplog) -> None:
    """A value of a million elements would be as many nodes in the guest's memory."""
    fits, exceeds = bytes(PAYLOAD_BYTES_MAX), bytes(PAYLOAD_BYTES_MAX + 1)
    log.append(PendingUpdate(1, 2, fits))
    log.append(PendingUpdate(1, 2, exceeds))
    log.append(ImportedFunctionInvoked(1, log.define(LOOKUP), exceeds, b"\x07", 2))
    reason = f"not shown: {PAYLOAD_BYTES_MAX + 1} bytes, and at most {PAYLOAD_BYTES_MAX} are shown"
    whole, named, called = given(log, 2)

    assert Variant("snapshot-based", fits) == field(whole, "update-description")
    assert Variant("snapshot-based", reason.encode()) == field(named, "update-description")
    assert text(reason) == field(called, "request")
    assert {"nodes": [Variant("prim-u32", 7)]} == field(called, "response")


def field(entry: object, name: str) -> object:
    assert isinstance(entry, Variant)
    assert isinstance(entry.value, dict)
    return entry.value[name]


@pytest.mark.parametrize(
    ("entry", "name", "shown"),
    [
        (Log(1, 99, "", b""), "level", "info"),
        (
            ImportedFunctionInvoked(1, 7, b"\x90", b"\xc0", 99),
            "wrapped-function-type",
            Variant("write-remote"),
        ),
        (
            create_entry()._replace(component_id="shop", component_version=-1),
            "component-version",
            0,
        ),
        (
            create_entry()._replace(project_id="no uuid"),
            "project-id",
            {"uuid": {"high-bits": 0, "low-bits": 0}},
        ),
    ],
)
def test_what_the_wit_has_no_room_for_becomes_the_nearest_thing(
    log: MemoryOplog, entry: Entry, name: str, shown: object
) -> None:
    """Codes of a later version, ids of another form and numbers out of range make nothing fail."""
    assert shown == field(shape(EntryView(2, entry, log, None)), name)


@pytest.mark.parametrize(
    "spans", [msgpack.packb([[[b"12345678", 5, None, -1, [], False]]]), msgpack.packb(7), b"\xc1"]
)
def test_spans_that_make_no_sense_are_left_out(log: MemoryOplog, spans: bytes) -> None:
    """They are not from this host; the rest of the entry is shown."""
    entry = ExportedFunctionInvoked(1, log.define(LOOKUP), b"\x80", "key", "", (), spans)
    shown = shape(EntryView(2, entry, log, None))

    assert ([], "key") == (field(shown, "invocation-context"), field(shown, "idempotency-key"))


def test_a_fork_names_its_parent(log: MemoryOplog) -> None:
    """The parent is a worker-id like any other."""
    parent = ("01234567-89ab-cdef-0123-456789abcdef", "bob")
    log.append(create_entry()._replace(parent=parent))

    assert {
        "component-id": {"uuid": {"high-bits": 0x0123456789ABCDEF, "low-bits": 0x0123456789ABCDEF}},
        "worker-name": "bob",
    } == field(given(log, 2)[0], "parent")


def test_a_call_without_arguments_has_the_empty_tuple(log: MemoryOplog) -> None:
    """So that the members of the request are the arguments, however many there are."""
    now = log.define(FunctionType("wall_clock::now", (), Prim.U64))
    log.append(ImportedFunctionInvoked(1, now, b"\x90", b"\x07", 0))

    assert {"nodes": [Variant("tuple-value", [])]} == field(given(log, 2)[0], "request")
