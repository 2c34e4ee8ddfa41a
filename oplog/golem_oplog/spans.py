"""
The spans that an invocation came with, and its own: the field ``spans`` of the entries that have one.

Nothing, or the msgpack array of the stacks.  A stack is the array of its spans, the innermost first;
the first stack is the invocation's own, the others are there to be linked to.

===============================================  ==================================================
a span                                           is
===============================================  ==================================================
an id of 8 bytes                                 one that another program opened
``[id]``                                         that of the invocation itself: it began with the
                                                 entry, and what it says follows from it
``[id, start, parent, linked, said, inherited]`` any other: its start in Unix nanoseconds, the id of
                                                 its parent or nil, the number of the stack that it
                                                 is linked to or nil, pairs of key and value, and
                                                 whether a caller opened it
===============================================  ==================================================

Source: spec 1.6, ``span-data``, and 5.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias, cast

import msgpack

from golem_oplog.entries import Pairs
from golem_oplog.errors import MalformedPayloadError
from golem_oplog.public import Variant
from golem_oplog.types import ListType, OptionType, Prim, RecordType, VariantType, WitType

INVOCATION_SPAN: Final = "invoke-exported-function"
"""The name of the span of an invocation itself."""

ATTRIBUTE_VALUE: Final = VariantType((("string", Prim.STRING),))
ATTRIBUTE: Final = RecordType((("key", Prim.STRING), ("value", ATTRIBUTE_VALUE)))
_TIME: Final = RecordType((("seconds", Prim.U64), ("nanoseconds", Prim.U32)))
_LOCAL: Final = RecordType(
    (
        ("span-id", Prim.STRING),
        ("start", _TIME),
        ("parent", OptionType(Prim.STRING)),
        ("linked-context", OptionType(Prim.U64)),
        ("attributes", ListType(ATTRIBUTE)),
        ("inherited", Prim.BOOL),
    )
)
_EXTERNAL: Final = RecordType((("span-id", Prim.STRING),))
SPAN_STACKS: Final[WitType] = ListType(
    ListType(VariantType((("local-span", _LOCAL), ("external-span", _EXTERNAL))))
)
"""``list<list<span-data>>``: what `public_stacks` gives."""

ID_BYTES: Final = 8
_NS_PER_S: Final = 1_000_000_000
_OWN_ALONE: Final = b"\x91\x91\x91\xc4\x08"
"""One stack of one span, which is the invocation's own: its id follows."""


class LocalSpan(NamedTuple):
    """One that a worker opened."""

    span_id: str
    """16 hexadecimal digits in lower case, as all ids here."""
    start_ns: int
    parent: str | None
    linked: int | None
    attributes: Pairs
    inherited: bool


class ExternalSpan(NamedTuple):
    """One of another program."""

    span_id: str


class OwnSpan(NamedTuple):
    """That of the invocation itself."""

    span_id: str


Span: TypeAlias = LocalSpan | ExternalSpan | OwnSpan
Stacks: TypeAlias = tuple[tuple[Span, ...], ...]


class Invoked(NamedTuple):
    """What the span of an invocation says."""

    timestamp: int
    idempotency_key: str
    function_name: str

    @property
    def attributes(self) -> Pairs:
        return (
            ("name", INVOCATION_SPAN),
            ("idempotency_key", self.idempotency_key),
            ("function_name", self.function_name),
        )


def encode_stacks(stacks: Sequence[Sequence[Span]]) -> bytes:
    rows = [[_row(span) for span in stack] for stack in stacks]
    return cast("bytes", msgpack.packb(rows))


def _row(span: Span) -> object:
    span_id = bytes.fromhex(span.span_id)
    if isinstance(span, ExternalSpan):
        return span_id
    if isinstance(span, OwnSpan):
        return [span_id]
    _, start_ns, parent, linked, attributes, inherited = span
    above = None if parent is None else bytes.fromhex(parent)
    return [span_id, start_ns, above, linked, attributes, inherited]


def with_own(own: bytes, callers: bytes) -> bytes:
    """The span of an invocation, of this id, within the stacks that its caller gave, in stored form."""
    if not callers:
        return _OWN_ALONE + own
    first, *others = decode_stacks(callers) or ((),)
    return encode_stacks([(OwnSpan(own.hex()), *first), *others])


def decode_stacks(stored: bytes) -> Stacks:
    """
    The stacks of the stored form; of nothing, none.

    Raises:
        MalformedPayloadError: It is none.
    """
    if not stored:
        return ()
    try:
        rows = msgpack.unpackb(stored, use_list=False)
        stacks = tuple([tuple([_span(row) for row in stack]) for stack in rows])
    except (TypeError, ValueError, msgpack.UnpackException) as error:
        raise MalformedPayloadError(reason=f"no spans: {error}") from error
    return stacks


def _span(row: object) -> Span:
    if isinstance(row, bytes):
        return ExternalSpan(_id(row))
    match row:
        case (span_id,):
            return OwnSpan(_id(span_id))
        case (span_id, int(start_ns), parent, int() | None as linked, attributes, bool(inherited)):
            above = None if parent is None else _id(parent)
            return LocalSpan(_id(span_id), start_ns, above, linked, _pairs(attributes), inherited)
    raise ValueError(f"{row!r} is no span")


def _id(value: object) -> str:
    if not isinstance(value, bytes) or len(value) != ID_BYTES:
        raise ValueError(f"{value!r} is no id of a span")
    return value.hex()


def _pairs(rows: object) -> Pairs:
    pairs = []
    for key, value in cast("Sequence[tuple[object, object]]", rows):
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError("an attribute is no text")
        pairs.append((key, value))
    return tuple(pairs)


def public_stacks(stacks: Stacks, invoked: Invoked) -> list[list[Variant]]:
    """In the shape of `SPAN_STACKS`."""
    return [list(_public(stack, invoked)) for stack in stacks]


def _public(stack: Sequence[Span], invoked: Invoked) -> Iterator[Variant]:
    for at, span in enumerate(stack):
        if isinstance(span, ExternalSpan):
            yield Variant("external-span", {"span-id": span.span_id})
        elif isinstance(span, OwnSpan):
            parent = stack[at + 1].span_id if at + 1 < len(stack) else None
            time, said = invoked.timestamp, invoked.attributes
            yield _public_local(LocalSpan(span.span_id, time, parent, None, said, inherited=False))
        else:
            yield _public_local(span)


def _public_local(span: LocalSpan) -> Variant:
    seconds, nanoseconds = divmod(max(span.start_ns, 0), _NS_PER_S)
    attributes = [{"key": key, "value": Variant("string", value)} for key, value in span.attributes]
    return Variant(
        "local-span",
        {
            "span-id": span.span_id,
            "start": {"seconds": seconds, "nanoseconds": nanoseconds},
            "parent": span.parent,
            "linked-context": span.linked,
            "attributes": attributes,
            "inherited": span.inherited,
        },
    )
