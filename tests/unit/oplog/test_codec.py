"""Entries and definitions as msgpack."""

from __future__ import annotations

import math

import msgpack
import pytest

from golem_oplog.cbor import encode_type
from golem_oplog.codec import (
    decode_definition,
    decode_entries,
    decode_entry,
    decode_function,
    decode_wire,
    encode_call,
    encode_definition,
    encode_entry,
    function_of,
    skim_entries,
    split_rows,
    unpack_row,
    unpack_rows,
)
from golem_oplog.entries import (
    KIND_BY_CLASS,
    KINDS,
    BlobRef,
    ChangeRetryPolicy,
    Create,
    Entry,
    Exited,
    ExportedFunctionCompleted,
    FunctionKind,
    ImportedFunctionInvoked,
    NoOp,
    PendingUpdate,
    PendingWorkerInvocation,
    StartSpan,
    Suspend,
)
from golem_oplog.errors import (
    MalformedEntryError,
    MalformedPayloadError,
    OplogError,
    UnsupportedFormatError,
)
from golem_oplog.types import Prim
from tests.support.oplogs import LOOKUP, create_entry

CALL = ImportedFunctionInvoked(1, 2, b"request", b"response", 3)
CALL_ROW = (21, *CALL)
BLOB = BlobRef(bytes(range(32)), 70_000)


def decoded(entry: Entry) -> Entry:
    return decode_entry(unpack_row(encode_entry(entry)))


@pytest.mark.parametrize(
    "entry",
    [
        create_entry(),
        create_entry()._replace(parent=("id", "alice"), plugins=("a", "b")),
        CALL,
        CALL._replace(begin_index=7, error="gone", response=None),
        CALL._replace(request=BLOB),
        ExportedFunctionCompleted(-1, None, -5),
        ChangeRetryPolicy(1, 3, 10, 20, 1.5, None),
        ChangeRetryPolicy(1, 3, 10, 20, math.inf, 0.25),
        PendingUpdate(1, 2, BLOB),
        PendingWorkerInvocation(1, "", None, b"", target_version=2, trace_states=("a=b",)),
        StartSpan(1, "span", None, None, (("key", "value"), ("", ""))),
    ],
)
def test_an_entry_comes_back_as_it_was(entry: Entry) -> None:
    """What is encoded decodes to an equal entry of the same class, the second time as the first."""
    for _ in range(2):
        back = decoded(entry)

        assert entry == back
        assert type(entry) is type(back)


def test_a_blob_reference_comes_back_as_one() -> None:
    """A reference in a payload is a `BlobRef`, not a bare tuple."""
    back = decoded(PendingUpdate(1, 2, BLOB))

    assert isinstance(back, PendingUpdate)
    assert isinstance(back.snapshot, BlobRef)


def test_the_tag_stands_first() -> None:
    """The stored row is the tag of the kind and then its fields, in order."""
    assert CALL_ROW == unpack_row(encode_entry(CALL))


def test_an_enumeration_is_stored_as_its_number() -> None:
    """Members of `FunctionKind` and its like may stand in integer fields."""
    entry = CALL._replace(function_type=FunctionKind.WRITE_REMOTE)

    for _ in range(2):
        assert CALL._replace(function_type=3) == decoded(entry)


def test_a_call_is_encoded_field_by_field_to_the_same_bytes() -> None:
    """`encode_call` is `encode_entry` of a host call."""
    assert encode_entry(CALL) == encode_call(1, 2, b"request", b"response", 3)


def test_fields_that_a_newer_version_added_are_dropped() -> None:
    """A row may be longer than its kind is known to be."""
    assert NoOp(5) == decode_entry((3, 5, "new", [1, 2]))
    assert [CALL] == decode_entries([(*CALL_ROW, "new")])


def test_fields_that_an_older_version_did_not_have_take_their_defaults() -> None:
    """A row may be shorter where the missing fields have defaults."""
    assert Suspend(5) == decode_entry((1, 5))
    assert Exited(5) == decode_entry((6, 5))
    assert [CALL] == decode_entries([CALL_ROW[:-2]])


def test_arrays_may_be_lists() -> None:
    """An unpacker that makes lists of arrays is as good as one that makes tuples."""
    row = msgpack.unpackb(encode_entry(create_entry()), use_list=True)

    assert create_entry() == decode_entry(row)


@pytest.mark.parametrize(
    "row",
    [
        None,
        5,
        "text",
        (),
        [],
        {},
        ({},),
        (21.0, *CALL),
        ("21", 1),
        (True, 1),
        (3,),
        (3, "5"),
        (3, True),
        (3, None),
        (21, 1, 2, b"", b""),
        (*CALL_ROW[:3], "text", *CALL_ROW[4:]),
        (*CALL_ROW[:5], "text", *CALL_ROW[6:]),
        (*CALL_ROW[:6], "text", None),
        (*CALL_ROW[:7], 5),
        (13, 1, 2, (b"short", 5)),
        (13, 1, 2, (bytes(32), "5")),
        (13, 1, 2, (bytes(32), 5, 6)),
        (13, 1, 2, ("text", 5)),
        (7, 1, 3, 10, 20, 1, None),
        (7, 1, 3, 10, 20, 1.5, "text"),
        (29, 1, "span", 5, None, ()),
        (29, 1, "span", None, None, (("key",),)),
        (29, 1, "span", None, None, (("key", 5),)),
        (29, 1, "span", None, None, "text"),
        (18, 1, 2, "o", "n", ("a", 5)),
        (18, 1, 2, "o", "n", ("a",) * 65_537),
        (19, 1, 2, "context", "text"),
        (0, 1, "text"),
        (1, 1, "reason", "text"),
        (22, *create_entry()[:-2], ("id", 5), ()),
        (22, *create_entry()[:-2], 5, ()),
    ],
)
def test_a_malformed_row_is_refused(row: object) -> None:
    """Whatever is no entry raises, by either way of decoding."""
    with pytest.raises(MalformedEntryError):
        decode_entry(row)
    with pytest.raises(MalformedEntryError):
        decode_entries([row])


def test_a_malformed_row_says_what_is_wrong() -> None:
    """The error names the kind, the field and the type that was found there."""
    with pytest.raises(MalformedEntryError) as raised:
        decode_entry((3, "5"))

    assert ("no-op", "timestamp cannot be this str") == (raised.value.kind, raised.value.reason)


@pytest.mark.parametrize("tag", [33, 1000, -1])
def test_an_unknown_tag_is_a_newer_format(tag: int) -> None:
    """A kind that is not known is no damage: the error says what is supported."""
    with pytest.raises(UnsupportedFormatError) as raised:
        decode_entry((tag, 1))

    assert f"kind {tag}" == raised.value.found
    assert "kinds 0 to 32" == raised.value.supported


def test_what_is_no_entry_is_refused() -> None:
    """Only entries are encoded, not tuples that look like one."""
    with pytest.raises(MalformedEntryError) as raised:
        encode_entry((1, 2))  # type: ignore[arg-type]

    assert "tuple" == raised.value.kind


@pytest.mark.parametrize(
    "entry",
    [
        NoOp("5"),  # type: ignore[arg-type]
        NoOp(2**64),
        NoOp(-(2**63) - 1),
        Suspend(1, "\ud800"),
        CALL._replace(error="\ud800"),
        CALL._replace(request=bytearray(b"mutable")),  # type: ignore[arg-type]
        CALL._replace(function=True, request=5),  # type: ignore[arg-type]
    ],
)
def test_what_could_not_be_read_back_is_not_written(entry: Entry) -> None:
    """A wrong type, an integer of more than 64 bits and a lone surrogate are refused."""
    with pytest.raises(MalformedEntryError) as raised:
        encode_entry(entry)

    assert KIND_BY_CLASS[type(entry)].name == raised.value.kind


def test_rows_of_many_kinds_decode_in_order() -> None:
    """Host calls and other entries may be mixed in a chunk, references to blobs included."""
    entries: list[Entry] = [CALL, NoOp(1), CALL._replace(request=BLOB), Suspend(2), CALL]
    rows = [unpack_row(encode_entry(entry)) for entry in entries]

    assert entries == decode_entries(rows)
    assert [1, NoOp(1), 1, Suspend(2), 1] == skim_entries(rows)


def test_skimming_does_not_hide_what_is_no_entry() -> None:
    """A row that is no entry raises when it is skimmed as well."""
    for row in ((), (21,), (21, "time"), 5):
        with pytest.raises(MalformedEntryError):
            skim_entries([row])


def test_each_kind_says_to_which_function_it_refers() -> None:
    """`function_of` is the definition that an entry needs, None for those that need none."""
    assert 2 == function_of(CALL)
    assert 4 == function_of(PendingWorkerInvocation(1, "key", 4, b""))
    assert None is function_of(PendingWorkerInvocation(1, "key", None, b""))
    assert None is function_of(NoOp(1))


def test_a_definition_comes_back() -> None:
    """A definition carries an id and a function's name and types."""
    number, form = decode_definition(unpack_row(encode_definition(7, LOOKUP)))

    assert (7, LOOKUP) == (number, decode_function(form))


@pytest.mark.parametrize(
    "row", [None, (1,), ("1", b""), (True, b""), (-1, b""), (1, "text"), {1: b""}]
)
def test_a_malformed_definition_is_refused(row: object) -> None:
    """A definition is an id and bytes; more may follow, less may not."""
    assert (1, b"x") == decode_definition((1, b"x", "new"))

    with pytest.raises(MalformedEntryError):
        decode_definition(row)


def test_a_definition_of_something_else_is_refused() -> None:
    """The type in a definition must be that of a function."""
    with pytest.raises(MalformedEntryError):
        decode_function(encode_type(Prim.U32))
    with pytest.raises(OplogError):
        decode_function(b"\xff")


def test_rows_are_one_array_of_the_length_that_is_said() -> None:
    """A chunk's body is an array of so many values, and nothing else."""
    body = msgpack.packb([1, "two", [3]])

    assert (1, "two", (3,)) == unpack_rows(body, 3)
    for wrong, count in ((body, 2), (body[:-1], 3), (body + b"\x00", 3), (b"\x05", 1), (b"", 0)):
        with pytest.raises(MalformedEntryError):
            unpack_rows(wrong, count)


@pytest.mark.parametrize("packed", [b"\xc1", b"\xa1\xff", b"\xdd\xff\xff\xff\xff", b"\x91" * 2000])
def test_bytes_that_are_no_msgpack_are_refused(packed: bytes) -> None:
    """Unused bytes, text that is no UTF-8, lengths beyond the end and endless nesting raise."""
    with pytest.raises(MalformedEntryError):
        unpack_row(packed)
    with pytest.raises(MalformedPayloadError):
        decode_wire(packed)


def test_a_wire_value_comes_with_tuples_for_arrays() -> None:
    """A host call's payload is msgpack of its wire values."""
    assert (1, (b"two", None)) == decode_wire(msgpack.packb([1, [b"two", None]]))


def test_rows_can_be_split_without_decoding_them() -> None:
    """The packed form of each of the first values of a body."""
    values = [[1, 2], "three", {"four": 5}]
    body = msgpack.packb(values)

    assert [msgpack.packb(value) for value in values[:2]] == split_rows(body, 2)
    assert [] == split_rows(body, 0)
    for wrong, count in ((body, 4), (body[:-1], 3), (b"\x05", 1)):
        with pytest.raises(MalformedEntryError):
            split_rows(wrong, count)


def test_every_kind_has_a_time_first() -> None:
    """Whatever the kind, its first field is the time: `skim` and the views rely on it."""
    assert {"timestamp"} == {kind.cls._fields[0] for kind in KINDS}
    assert "timestamp" == Create._fields[0]
