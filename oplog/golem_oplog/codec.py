"""
Oplog entries and definitions as msgpack.

An entry is the array ``[tag, *fields]`` in the order of `golem_oplog.entries`, a definition the
array ``[id, CBOR of its function type]``.  A field is an integer, a string, bytes, a float64, nil
or an array of such; a payload that lies outside of the log is ``[sha256, size]``.

Entries are checked for their types, here and on the way back: what could not be read again is
never written.  That numbers make sense together is for whoever reads them to say.

A newer writer may have added fields at the end: they are dropped.  An older one may have written
fewer: those with a default take it.  A tag without a kind is a newer format, not damage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final, TypeGuard

import msgpack

from golem_oplog.cbor import decode_type, encode_type
from golem_oplog.entries import (
    KIND_BY_CLASS,
    KIND_BY_TAG,
    KINDS,
    BlobRef,
    Entry,
    ImportedFunctionInvoked,
)
from golem_oplog.errors import MalformedEntryError, MalformedPayloadError, UnsupportedFormatError
from golem_oplog.types import FunctionType

SHA256_BYTES: Final = 32

# Arguments, environment variables and span attributes are the longest arrays; none comes near.
ARRAY_LENGTH_MAX: Final = 65_536

# A shared packer is safe: one call packs one entry and runs no Python code in between.
_pack: Final[Callable[[object], bytes]] = msgpack.Packer().pack


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_str(value: object) -> bool:
    return isinstance(value, str)


def _is_array(value: object, item_fits: Callable[[object], bool]) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) <= ARRAY_LENGTH_MAX
        and all(item_fits(item) for item in value)
    )


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(map(_is_str, value))


def _is_blob_ref(value: object) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) == len(BlobRef._fields)
        and isinstance(value[0], bytes)
        and len(value[0]) == SHA256_BYTES
        and _is_int(value[1])
    )


# Whether a value may stand in a field, by the spelling of the field's annotation.
_FITS: Final[dict[str, Callable[[object], bool]]] = {
    "int": _is_int,
    "int | None": lambda value: value is None or _is_int(value),
    "float": lambda value: isinstance(value, float),
    "float | None": lambda value: value is None or isinstance(value, float),
    "str": _is_str,
    "str | None": lambda value: value is None or _is_str(value),
    "bytes": lambda value: isinstance(value, bytes),
    "Payload": lambda value: isinstance(value, bytes) or _is_blob_ref(value),
    "Payload | None": lambda value: (
        value is None or isinstance(value, bytes) or _is_blob_ref(value)
    ),
    "tuple[str, ...]": lambda value: _is_array(value, _is_str),
    "tuple[str, str] | None": lambda value: value is None or _is_pair(value),
    "Pairs": lambda value: _is_array(value, _is_pair),
}


class _Layout:
    """How one kind of entry is stored, worked out from its class."""

    __slots__ = ("cls", "fits", "name", "payloads", "required", "tag")

    def __init__(self, tag: int, name: str, cls: type[Entry]) -> None:
        self.tag = tag
        self.name = name
        self.cls: type[Any] = cls
        spellings = [hint.__forward_arg__ for hint in cls.__annotations__.values()]
        self.fits = tuple(_FITS[spelling] for spelling in spellings)
        self.payloads = tuple(i for i, text in enumerate(spellings) if text.startswith("Payload"))
        self.required = len(self.fits) - len(cls._field_defaults)

    def check(self, fields: tuple[object, ...]) -> None:
        for name, fits, value in zip(self.cls._fields, self.fits, fields, strict=False):
            if not fits(value):
                found = type(value).__name__
                raise MalformedEntryError(kind=self.name, reason=f"{name} cannot be this {found}")


_LAYOUTS: Final = {kind.tag: _Layout(kind.tag, kind.name, kind.cls) for kind in KINDS}

_CALL_TAG: Final = KIND_BY_CLASS[ImportedFunctionInvoked].tag

_CALL_ROW_LENGTH: Final = 1 + len(ImportedFunctionInvoked._fields)

# `encode_call` and `decode_entries` know the fields.
assert ImportedFunctionInvoked._fields == (
    "timestamp",
    "function",
    "request",
    "response",
    "function_type",
    "begin_index",
    "error",
)

# Shapes already checked: the types of a whole row, then its tag.  A row without arrays is good or
# bad by these alone, so that the second row of a shape costs two look-ups.  The optional fields
# bound their number.
_known_shapes: Final[dict[tuple[type, ...], dict[int, type[Any]]]] = {}

PAYLOAD_FIELDS: Final[dict[type[Entry], tuple[int, ...]]] = {
    kind.cls: _LAYOUTS[kind.tag].payloads for kind in KINDS if _LAYOUTS[kind.tag].payloads
}
"""Which fields of a kind of entry are payloads."""


def encode_entry(entry: Entry) -> bytes:
    """
    Pack one entry.

    Raises:
        MalformedEntryError: A field does not have the type its kind declares.
    """
    if type(entry) is ImportedFunctionInvoked:
        packed = _encode_plain_call(entry)
        if packed is not None:
            return packed
    kind = KIND_BY_CLASS.get(type(entry))
    if kind is None:
        raise MalformedEntryError(kind=type(entry).__name__, reason="no kind of oplog entry")
    row: tuple[object, ...] = (kind.tag, *entry)
    types = tuple(map(type, row))
    if kind.tag not in _known_shapes.get(types, ()):
        _LAYOUTS[kind.tag].check(row[1:])
        _remember(types, kind.tag)
    try:
        return _pack(row)
    except (ValueError, OverflowError) as error:
        # A lone surrogate, or an integer that needs more than 64 bits.
        raise MalformedEntryError(kind=kind.name, reason=str(error)) from error


def _encode_plain_call(entry: ImportedFunctionInvoked) -> bytes | None:
    """
    Pack a host call, by the rule of `_is_plain_call`; None where the general way has to look.

    The rule is written out once more: to call it takes as long as to apply it.
    """
    time, function, request, response, kind, begin, error = entry
    if (
        time.__class__ is int
        and function.__class__ is int
        and request.__class__ is bytes
        and (response.__class__ is bytes or response is None)
        and kind.__class__ is int
        and (begin is None or begin.__class__ is int)
        and (error is None or error.__class__ is str)
    ):
        try:
            return _pack((_CALL_TAG, time, function, request, response, kind, begin, error))
        except (ValueError, OverflowError):
            pass  # The general way says why.
    return None


def _is_plain_call(
    time: object,
    function: object,
    request: object,
    response: object,
    kind: object,
    begin: object,
    error: object,
) -> bool:
    """
    Whether these may be the fields of a host call, without large payloads.

    Logs are full of these; to ask for one field after the other is three times as quick as the
    general way, which takes whatever fails here.
    """
    return (
        type(time) is type(function) is type(kind) is int
        and type(request) is bytes
        and (type(response) is bytes or response is None)
        and (begin is None or type(begin) is int)
        and (error is None or type(error) is str)
    )


def encode_call(
    timestamp: int, function: int, request: bytes, response: bytes, function_type: int
) -> bytes:
    """
    Pack an `ImportedFunctionInvoked` of five fields whose types are known to be right.

    Three times as quick as `encode_entry`: host calls are nearly all of a log.
    """
    return _pack((_CALL_TAG, timestamp, function, request, response, function_type, None, None))


def decode_entry(row: object) -> Entry:
    """
    Turn an unpacked array back into an entry.

    Raises:
        MalformedEntryError: The row fits no kind of entry.
        UnsupportedFormatError: The tag is none of ours.
    """
    if type(row) is tuple and row:
        known = _known_shapes.get(tuple(map(type, row)))
        # Only now it is certain that what stands first can be looked up.
        cls = None if known is None else known.get(row[0])
        if cls is not None:
            return tuple.__new__(cls, row[1:])  # type: ignore[no-any-return]
    return _decode_checked(row)


def decode_entries(rows: Sequence[object]) -> list[Entry]:
    """`decode_entry` of each row of a chunk."""
    calls = _plain_calls(rows)
    if len(calls) == len(rows):
        # As in most chunks.
        return calls
    return [_decode_call(row) or decode_entry(row) for row in rows]


def _plain_calls(rows: Any) -> list[Entry]:
    """
    The rows that are plain host calls, by `_is_plain_call`; to call that would take as long again.

    None of them where a row has another length.
    """
    new, cls = tuple.__new__, ImportedFunctionInvoked
    try:
        return [
            new(cls, (time, function, request, response, kind, begin, error))
            for tag, time, function, request, response, kind, begin, error in rows
            # Small integers are one object each, and no float that equals one is; where they
            # were not, the general way would be taken.
            if tag is _CALL_TAG
            and time.__class__ is int
            and function.__class__ is int
            and request.__class__ is bytes
            and (response.__class__ is bytes or response is None)
            and kind.__class__ is int
            and (begin is None or begin.__class__ is int)
            and (error is None or error.__class__ is str)
        ]
    except (TypeError, ValueError):
        return []


def _decode_call(row: object) -> ImportedFunctionInvoked | None:
    """A plain host call; None for any other row."""
    if type(row) is tuple and len(row) == _CALL_ROW_LENGTH and type(row[0]) is int:
        tag, *fields = row
        if tag == _CALL_TAG and _is_plain_call(*fields):
            return tuple.__new__(ImportedFunctionInvoked, fields)
    return None


def skim_entries(rows: Sequence[object]) -> list[Entry | int]:
    """As `decode_entries`, but of a host call only its time, in a third of the time."""
    return [
        row[1]
        if type(row) is tuple
        and len(row) > 1
        # One object, as above; where it were not, the row would only be decoded in full.
        and row[0] is _CALL_TAG
        and type(row[1]) is int
        else decode_entry(row)
        for row in rows
    ]


def _decode_checked(row: object) -> Entry:
    if not isinstance(row, (tuple, list)) or not row or not _is_int(row[0]):
        raise MalformedEntryError(kind="entry", reason="not an array that begins with a tag")
    tag: int = row[0]
    layout = _LAYOUTS.get(tag)
    if layout is None:
        raise UnsupportedFormatError(
            path="oplog entry", found=f"kind {tag}", supported=f"kinds 0 to {max(KIND_BY_TAG)}"
        )
    fields = tuple(map(_as_tuple, row[1 : len(layout.fits) + 1]))
    if len(fields) < layout.required:
        raise MalformedEntryError(
            kind=layout.name, reason=f"{len(fields)} fields, at least {layout.required} needed"
        )
    layout.check(fields)
    if len(fields) == len(layout.fits) == len(row) - 1:
        _remember(tuple(map(type, row)), tag)
    values = [
        BlobRef(*value) if position in layout.payloads and isinstance(value, tuple) else value
        for position, value in enumerate(fields)
    ]
    entry: Entry = layout.cls(*values)
    return entry


def _as_tuple(value: object) -> object:
    """Arrays as tuples, whichever the caller's unpacker made of them."""
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value


def function_of(entry: Entry) -> int | None:
    """The id of the definition that an entry refers to."""
    number: int | None = getattr(entry, "function", None)
    return number


def _remember(types: tuple[type, ...], tag: int) -> None:
    if not any(issubclass(cls, (tuple, list)) for cls in types):
        _known_shapes.setdefault(types, {})[tag] = _LAYOUTS[tag].cls


def encode_definition(number: int, function: FunctionType) -> bytes:
    return _pack((number, encode_type(function)))


def decode_definition(row: object) -> tuple[int, bytes]:
    """
    Split a definition into its id and the CBOR of its type, which few readers need at once.

    Raises:
        MalformedEntryError: The row is no definition.
    """
    match row:
        case (int(number), bytes(form), *_) if _is_int(number) and number >= 0:
            return number, form
    raise MalformedEntryError(kind="definition", reason="not an array of id and type")


def decode_function(form: bytes) -> FunctionType:
    """
    The function type that a definition carries.

    Raises:
        OplogError: The bytes are not the CBOR of a function type.
    """
    function = decode_type(form)
    if not isinstance(function, FunctionType):
        raise MalformedEntryError(kind="definition", reason="its type is not that of a function")
    return function


def unpack_row(packed: bytes) -> object:
    """
    Unpack one value; arrays come as tuples.

    Raises:
        MalformedEntryError: The bytes are not those of one value.
    """
    try:
        return msgpack.unpackb(packed, use_list=False, max_array_len=ARRAY_LENGTH_MAX)
    except (ValueError, msgpack.UnpackException) as error:
        raise MalformedEntryError(kind="entry", reason=f"no msgpack: {error}") from error


def unpack_rows(body: bytes, count: int) -> tuple[object, ...]:
    """
    Unpack an array of ``count`` values, in one pass.

    Raises:
        MalformedEntryError: The bytes are something else.
    """
    rows = unpack_row(body)
    if not isinstance(rows, tuple) or len(rows) != count:
        raise MalformedEntryError(kind="entry", reason=f"no array of {count} values")
    return rows


def decode_wire(data: bytes) -> Any:
    """
    The wire value, or list of them, that a host call's payload holds; arrays come back as tuples.

    Raises:
        MalformedPayloadError: The bytes are no msgpack.
    """
    try:
        return msgpack.unpackb(data, use_list=False)
    except (ValueError, msgpack.UnpackException) as error:
        raise MalformedPayloadError(reason=f"no msgpack: {error}") from error


def split_rows(body: bytes, count: int) -> list[bytes]:
    """
    The packed form of the first ``count`` values of an array.

    Raises:
        MalformedEntryError: There are not so many.
    """
    unpacker = msgpack.Unpacker(max_buffer_size=len(body), max_array_len=ARRAY_LENGTH_MAX)
    unpacker.feed(body)
    try:
        unpacker.read_array_header()
        ends = [unpacker.tell()]
        for _ in range(count):
            unpacker.skip()
            ends.append(unpacker.tell())
    except (ValueError, msgpack.UnpackException) as error:
        raise MalformedEntryError(kind="entry", reason=f"no msgpack: {error}") from error
    return [body[start:end] for start, end in pairwise(ends)]
