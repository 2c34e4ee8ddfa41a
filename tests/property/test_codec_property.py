"""Whatever the entry, and whatever the bytes."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from golem_oplog.codec import (
    decode_definition,
    decode_entries,
    decode_entry,
    decode_function,
    decode_wire,
    encode_definition,
    encode_entry,
    skim_entries,
    split_rows,
    unpack_row,
    unpack_rows,
)
from golem_oplog.entries import Entry, ImportedFunctionInvoked
from golem_oplog.errors import OplogError
from golem_oplog.frame import HEADER_SIZE_BYTES, build_chunk, parse_header
from golem_oplog.manifest import decode_manifest
from tests.support.entry_strategies import entries
from tests.support.faulty_files import ROOT
from tests.support.oplogs import LOOKUP

# What msgpack can say, entries or not.
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    | st.binary(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=9) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
    ),
    max_leaves=20,
)


@given(entries)
def test_an_entry_comes_back_as_it_was(entry: Entry) -> None:
    """Encoding and decoding give an equal entry of the same class, by either way of decoding."""
    row = unpack_row(encode_entry(entry))

    assert entry == decode_entry(row)
    assert type(entry) is type(decode_entry(row))
    assert [entry, entry] == decode_entries([row, row])


@given(entries)
def test_encoding_is_a_function_of_the_entry(entry: Entry) -> None:
    """What was read back is encoded to the same bytes: copying a log changes nothing in it."""
    packed = encode_entry(entry)

    assert packed == encode_entry(decode_entry(unpack_row(packed)))


@given(st.lists(entries, max_size=10))
def test_many_entries_are_split_and_skimmed_like_they_are_decoded(some: list[Entry]) -> None:
    """Three ways of looking at the same body agree."""
    packed = [encode_entry(entry) for entry in some]
    body = build_chunk(0, 1, 0, packed)[HEADER_SIZE_BYTES:]
    rows = unpack_rows(body, len(some))

    assert some == decode_entries(rows)
    assert packed == split_rows(body, len(some))
    expected = [e.timestamp if isinstance(e, ImportedFunctionInvoked) else e for e in some]
    assert expected == skim_entries(rows)


@given(st.lists(_values, max_size=10) | st.tuples(st.integers(0, 40), _values, _values).map(list))
@example([21, 1, 2, b"", b"", 3, None, None, "new"])
@example([21.0, 1, 2, b"", b"", 3, None, None])
@example([{}])
def test_any_row_decodes_or_raises_a_named_error(values: list[object]) -> None:
    """Whatever msgpack holds, it is an entry or an `OplogError`, never another exception."""
    row = unpack_row(msgpack.packb(values))
    try:
        entry = decode_entry(row)
    except OplogError as error:
        with pytest.raises(type(error)):
            decode_entries([row])
        return

    assert [entry] == decode_entries([row])
    assert entry == decode_entry(unpack_row(encode_entry(entry)))


@given(st.binary(max_size=200), st.integers(0, 5))
@example(b"\xc1", 1)
@example(b"\xdd\xff\xff\xff\xff", 1)
@example(b"\xd4\x00\x00", 1)
@example(b"\xd6\xff\xff\xff\xff\xff", 1)
@example(b"\x91" * 600, 1)
def test_any_bytes_decode_or_raise_a_named_error(raw: bytes, count: int) -> None:
    """Bytes from a damaged disk are values or an `OplogError`, never another exception."""
    for decode in (
        lambda: decode_entries(unpack_rows(raw, count)),
        lambda: skim_entries(unpack_rows(raw, count)),
        lambda: decode_definition(unpack_row(raw)),
        lambda: decode_function(raw),
        lambda: decode_wire(raw),
        lambda: split_rows(raw, count),
        lambda: decode_manifest(raw, ROOT),
    ):
        try:
            decode()
        except OplogError:
            continue


@given(st.binary(min_size=HEADER_SIZE_BYTES, max_size=HEADER_SIZE_BYTES), st.integers(0, 2**32 - 1))
def test_any_bytes_are_hardly_ever_a_header(raw: bytes, seed: int) -> None:
    """Arbitrary bytes are no chunk header."""
    assert None is parse_header(raw, seed)


@given(st.integers(0, 2**32))
def test_a_definition_comes_back(number: int) -> None:
    """Id and type of a definition survive."""
    found, form = decode_definition(unpack_row(encode_definition(number, LOOKUP)))

    assert (number, LOOKUP) == (found, decode_function(form))
