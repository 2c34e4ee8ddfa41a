"""Stored spans: there and back, their public shape, and bytes that are none."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_oplog.errors import MalformedPayloadError, OplogError
from golem_oplog.spans import (
    SPAN_STACKS,
    ExternalSpan,
    Invoked,
    LocalSpan,
    OwnSpan,
    decode_stacks,
    encode_stacks,
    public_stacks,
    with_own,
)
from golem_oplog.values import Variant, from_wire, to_wire

A, B, C = ("aa" * 8, "bb" * 8, "cc" * 8)
LOCAL = LocalSpan(A, 1_000_000_002, B, 1, (("key", "value"), ("empty", "")), inherited=True)
INVOKED = Invoked(5, "k1", "a:b/c.{d}")

ids = st.binary(min_size=8, max_size=8).map(bytes.hex)
texts = st.text(max_size=4)
spans = st.one_of(
    ids.map(ExternalSpan),
    ids.map(OwnSpan),
    st.builds(
        LocalSpan,
        ids,
        st.integers(0, 2**63),
        st.none() | ids,
        st.none() | st.integers(0, 9),
        st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
        st.booleans(),
    ),
)
stacks = st.lists(st.lists(spans, max_size=3).map(tuple), min_size=1, max_size=3).map(tuple)


@given(stacks)
def test_stacks_are_read_as_they_were_written(given_: tuple[tuple[object, ...], ...]) -> None:
    """Every kind of span, in any order; and their public shape is of the WIT type."""
    found = decode_stacks(encode_stacks(given_))  # type: ignore[arg-type]
    public = public_stacks(found, INVOKED)

    assert given_ == found
    assert public == from_wire(SPAN_STACKS)(to_wire(SPAN_STACKS)(public))


def test_nothing_is_no_stack() -> None:
    """As in logs from before there were spans."""
    assert () == decode_stacks(b"")


def test_an_invocation_without_a_caller_takes_twenty_bytes_at_most() -> None:
    """It is written with every invocation: what follows from its entry is not said again."""
    stored = with_own(bytes.fromhex(A), b"")

    assert ((OwnSpan(A),),) == decode_stacks(stored)
    assert len(stored) <= 20


def test_an_invocation_comes_first_in_what_its_caller_gave() -> None:
    """Stacks that are only linked to stay behind."""
    callers = encode_stacks([[LOCAL, ExternalSpan(B)], [ExternalSpan(C)]])

    assert ((OwnSpan(C), LOCAL, ExternalSpan(B)), (ExternalSpan(C),)) == decode_stacks(
        with_own(bytes.fromhex(C), callers)
    )


def test_the_public_shape() -> None:
    """What the invocation's own span says follows from its entry, and its parent from its place."""
    shown = public_stacks(((OwnSpan(C), LOCAL), (ExternalSpan(B), OwnSpan(A))), INVOKED)

    def text(value: str) -> Variant:
        return Variant("string", value)

    said = [
        {"key": "name", "value": text("invoke-exported-function")},
        {"key": "idempotency_key", "value": text("k1")},
        {"key": "function_name", "value": text("a:b/c.{d}")},
    ]
    own = {
        "span-id": C,
        "start": {"seconds": 0, "nanoseconds": 5},
        "parent": A,
        "linked-context": None,
        "attributes": said,
        "inherited": False,
    }
    local = {
        "span-id": A,
        "start": {"seconds": 1, "nanoseconds": 2},
        "parent": B,
        "linked-context": 1,
        "attributes": [
            {"key": "key", "value": text("value")},
            {"key": "empty", "value": text("")},
        ],
        "inherited": True,
    }
    assert [
        [Variant("local-span", own), Variant("local-span", local)],
        [
            Variant("external-span", {"span-id": B}),
            Variant("local-span", {**own, "span-id": A, "parent": None}),
        ],
    ] == shown


@pytest.mark.parametrize(
    "rows",
    [
        5,
        [5],
        [[5]],
        [[b"short"]],
        [[[]]],
        [[["text"]]],
        [[[b"12345678", 1, None, None, []]]],
        [[[b"12345678", "now", None, None, [], False]]],
        [[[b"12345678", 1, b"short", None, [], False]]],
        [[[b"12345678", 1, None, "one", [], False]]],
        [[[b"12345678", 1, None, None, [["key"]], False]]],
        [[[b"12345678", 1, None, None, [["key", 5]], False]]],
        [[[b"12345678", 1, None, None, [[5, "value"]], False]]],
        [[[b"12345678", 1, None, None, 5, False]]],
        [[[b"12345678", 1, None, None, [], 1]]],
    ],
)
def test_what_holds_no_spans_is_one_error(rows: object) -> None:
    """Whatever is wrong with it."""
    with pytest.raises(MalformedPayloadError, match="no spans"):
        decode_stacks(msgpack.packb(rows))


@given(st.binary(max_size=40))
def test_any_bytes_are_spans_or_an_error(stored: bytes) -> None:
    """A log may come from anywhere."""
    try:
        decode_stacks(stored)
    except OplogError:
        return
