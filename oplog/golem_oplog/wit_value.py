"""
Values as ``golem:rpc/types`` carries them: flat trees of nodes, with or without their type.

Guests use them where the type is not known when they are built: calls between workers, entries of
an oplog, what a durable library of theirs records.  All functions here work on wire forms (see
`golem_oplog.types`), of the value itself and of the records ``wit-value`` and ``value-and-type``.

Nodes stand in pre-order, the root first, and a reader relies on nothing but the root's place.
A tree has no node twice: a reader refuses what visits more nodes than there are, so that a few
nodes that refer to each other cannot be a value of any size.

Source: spec 1.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias, assert_never

from golem_oplog.errors import ValueTypeError
from golem_oplog.shape import cached_if_small, check_depth, is_bytes, unfit, within
from golem_oplog.types import (
    EnumType,
    FlagsType,
    HandleType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
    WitType,
)
from golem_oplog.wit_nodes import (
    VALUE_AND_TYPE,
    WIT_NODE,
    WIT_TYPE,
    WIT_VALUE,
    NodeReader,
)
from golem_oplog.wit_type import from_wit_type, to_wit_type

__all__ = [
    "VALUE_AND_TYPE",
    "WIT_TYPE",
    "WIT_VALUE",
    "from_value_and_type",
    "from_wit_type",
    "from_wit_value",
    "to_value_and_type",
    "to_wit_type",
    "to_wit_value",
]

Wire: TypeAlias = Any
Node: TypeAlias = tuple[int, Wire]
NameHandle: TypeAlias = Callable[[HandleType, int], tuple[str, int]]
"""The URI of the worker that has a resource, and the resource's number there."""
FindHandle: TypeAlias = Callable[[HandleType, str, int], int]
"""The handle of what a URI and a number stand for; raises `ValueTypeError`."""

_Write: TypeAlias = Callable[[Wire, "_Writer"], int]
_Read: TypeAlias = Callable[[int, "_Reader"], Wire]

_CASE: Final = {name: case for case, (name, _) in enumerate(WIT_NODE.cases)}
_PRIMS: Final = {
    prim: _CASE[
        {"f32": "prim-float32", "f64": "prim-float64"}.get(prim.value, f"prim-{prim.value}")
    ]
    for prim in Prim
}
_RECORD: Final = _CASE["record-value"]
_VARIANT: Final = _CASE["variant-value"]
_ENUM: Final = _CASE["enum-value"]
_FLAGS: Final = _CASE["flags-value"]
_TUPLE: Final = _CASE["tuple-value"]
_LIST: Final = _CASE["list-value"]
_OPTION: Final = _CASE["option-value"]
_RESULT: Final = _CASE["result-value"]
_HANDLE: Final = _CASE["handle"]
_U8: Final = _PRIMS[Prim.U8]


def to_wit_value(ty: WitType, wire: Wire, name_handle: NameHandle | None = None) -> Wire:
    """
    A value as a ``wit-value``.

    Without ``name_handle`` a handle is named after its resource: enough for people to read.

    Raises:
        ValueTypeError: The type nests too deep.
    """
    writer = _Writer(name_handle or _name_resource)
    _writing(ty)(wire, writer)
    return (writer.nodes,)


def from_wit_value(ty: WitType, value: Wire, find_handle: FindHandle | None = None) -> Wire:
    """
    The value of a type that a ``wit-value`` holds.

    Without ``find_handle`` no handle is accepted.

    Raises:
        ValueTypeError: It holds another one, or is no tree.
    """
    return _reading(ty)(0, _Reader(value[0], find_handle or _refuse_handle))


def to_value_and_type(ty: WitType, wire: Wire, name_handle: NameHandle | None = None) -> Wire:
    """As `to_wit_value`, with the type."""
    return (to_wit_value(ty, wire, name_handle), to_wit_type(ty))


def from_value_and_type(pair: Wire, find_handle: FindHandle | None = None) -> tuple[WitType, Wire]:
    """
    The type and the value of a ``value-and-type``.

    Raises:
        ValueTypeError: One of the two is no tree, or they do not fit together.
    """
    value, typ = pair
    ty = from_wit_type(typ)
    return ty, from_wit_value(ty, value, find_handle)


def _name_resource(ty: HandleType, handle: int) -> tuple[str, int]:
    return ty.resource, handle


def _refuse_handle(ty: HandleType, uri: str, _number: int) -> int:
    raise unfit(ty, f"a handle of {uri}, which cannot be passed on here")


# -- writing --------------------------------------------------------------------------------------


class _Writer:
    """The nodes of one value so far."""

    __slots__ = ("name_handle", "nodes")

    def __init__(self, name_handle: NameHandle) -> None:
        self.nodes: list[Node] = []
        self.name_handle = name_handle

    def add(self, case: int, payload: Wire) -> int:
        self.nodes.append((case, payload))
        return len(self.nodes) - 1

    def begin(self) -> int:
        """Room for a node that comes before its parts and is known after them."""
        return self.add(0, None)


@cached_if_small
def _writing(ty: WitType) -> _Write:
    check_depth(ty)
    return _compile_write(ty)


def _compile_write(ty: WitType) -> _Write:
    match ty:
        case Prim():
            prim = _PRIMS[ty]
            return lambda wire, writer: writer.add(prim, wire)
        case ListType(element):
            return _write_bytes if is_bytes(ty) else _write_list(_compile_write(element))
        case RecordType(fields):
            return _write_parts(_RECORD, [_compile_write(field) for _, field in fields])
        case TupleType(elements):
            return _write_parts(_TUPLE, [_compile_write(element) for element in elements])
        case VariantType(cases):
            return _write_variant([_write_side(payload) for _, payload in cases])
        case EnumType():
            return lambda wire, writer: writer.add(_ENUM, wire)
        case OptionType(payload):
            return _write_option(_compile_write(payload))
        case ResultType(ok, err):
            return _write_result(_write_side(ok), _write_side(err))
        case FlagsType(names):
            return _write_flags(len(names))
        case HandleType():
            return _write_handle(ty)
    assert_never(ty)


def _write_side(ty: WitType | None) -> _Write | None:
    return None if ty is None else _compile_write(ty)


def _write_bytes(wire: bytes, writer: _Writer) -> int:
    at = writer.begin()
    writer.nodes.extend([(_U8, byte) for byte in wire])
    writer.nodes[at] = (_LIST, list(range(at + 1, at + 1 + len(wire))))
    return at


def _write_list(write: _Write) -> _Write:
    def write_list(wire: Wire, writer: _Writer) -> int:
        at = writer.begin()
        writer.nodes[at] = (_LIST, [write(item, writer) for item in wire])
        return at

    return write_list


def _write_parts(case: int, writes: list[_Write]) -> _Write:
    def write_parts(wire: Wire, writer: _Writer) -> int:
        at = writer.begin()
        parts = [write(item, writer) for write, item in zip(writes, wire, strict=True)]
        writer.nodes[at] = (case, parts)
        return at

    return write_parts


def _payload(write: _Write | None, wire: Wire, writer: _Writer) -> tuple[int] | None:
    return None if write is None else (write(wire, writer),)


def _write_variant(writes: list[_Write | None]) -> _Write:
    def write_variant(wire: Wire, writer: _Writer) -> int:
        at = writer.begin()
        case, payload = wire
        writer.nodes[at] = (_VARIANT, (case, _payload(writes[case], payload, writer)))
        return at

    return write_variant


def _write_option(write: _Write) -> _Write:
    def write_option(wire: Wire, writer: _Writer) -> int:
        if wire is None:
            return writer.add(_OPTION, None)
        at = writer.begin()
        writer.nodes[at] = (_OPTION, (write(wire[0], writer),))
        return at

    return write_option


def _write_result(ok: _Write | None, err: _Write | None) -> _Write:
    def write_result(wire: Wire, writer: _Writer) -> int:
        at = writer.begin()
        side, payload = wire
        writer.nodes[at] = (_RESULT, (side, _payload(err if side else ok, payload, writer)))
        return at

    return write_result


def _write_flags(count: int) -> _Write:
    return lambda wire, writer: writer.add(_FLAGS, [bool(wire >> bit & 1) for bit in range(count)])


def _write_handle(ty: HandleType) -> _Write:
    def write_handle(wire: int, writer: _Writer) -> int:
        uri, number = writer.name_handle(ty, wire)
        return writer.add(_HANDLE, ((uri,), number))

    return write_handle


# -- reading --------------------------------------------------------------------------------------


class _Reader(NodeReader[Node]):
    """The nodes of one value, and what handles in it stand for."""

    __slots__ = ("find_handle",)

    def __init__(self, nodes: list[Node], find_handle: FindHandle) -> None:
        super().__init__(nodes)
        self.find_handle = find_handle

    def payload(self, at: int, case: int, ty: WitType) -> Wire:
        """The payload of a node that must be of a case."""
        found, payload = self.visit(at)
        if found != case:
            raise unfit(ty, WIT_NODE.cases[found][0])
        return payload


@cached_if_small
def _reading(ty: WitType) -> _Read:
    check_depth(ty)
    return _compile_read(ty)


def _compile_read(ty: WitType) -> _Read:
    match ty:
        case Prim():
            prim = _PRIMS[ty]
            return lambda at, reader: reader.payload(at, prim, ty)
        case ListType(element):
            read_list = _read_list(ty, _compile_read(element))
            return (lambda at, reader: bytes(read_list(at, reader))) if is_bytes(ty) else read_list
        case RecordType(fields):
            return _read_parts(ty, _RECORD, [(name, _compile_read(part)) for name, part in fields])
        case TupleType(elements):
            parts = [(f"[{at}]", _compile_read(part)) for at, part in enumerate(elements)]
            return _read_parts(ty, _TUPLE, parts)
        case VariantType(cases):
            return _read_variant(ty, [(name, _read_side(payload)) for name, payload in cases])
        case EnumType(names):
            return _read_enum(ty, len(names))
        case OptionType(payload):
            return _read_option(ty, _compile_read(payload))
        case ResultType(ok, err):
            return _read_result(ty, (("ok", _read_side(ok)), ("err", _read_side(err))))
        case FlagsType(names):
            return _read_flags(ty, len(names))
        case HandleType():
            return _read_handle(ty)
    assert_never(ty)


def _read_side(ty: WitType | None) -> _Read | None:
    return None if ty is None else _compile_read(ty)


def _read_at(step: str, read: _Read, at: int, reader: _Reader) -> Wire:
    try:
        return read(at, reader)
    except ValueTypeError as error:
        within(error, step)
        raise


def _read_list(ty: ListType, read: _Read) -> _Read:
    def read_list(at: int, reader: _Reader) -> list[Wire]:
        items = []
        for position, part in enumerate(reader.payload(at, _LIST, ty)):
            try:
                items.append(read(part, reader))
            except ValueTypeError as error:
                within(error, f"[{position}]")
                raise
        return items

    return read_list


def _read_parts(ty: WitType, case: int, reads: list[tuple[str, _Read]]) -> _Read:
    def read_parts(at: int, reader: _Reader) -> list[Wire]:
        parts = reader.payload(at, case, ty)
        if len(parts) != len(reads):
            raise unfit(ty, f"{WIT_NODE.cases[case][0]} of {len(parts)}")
        return [
            _read_at(name, read, part, reader)
            for (name, read), part in zip(reads, parts, strict=True)
        ]

    return read_parts


def _read_payload(ty: WitType, case: tuple[str, _Read | None], part: Wire, reader: _Reader) -> Wire:
    name, read = case
    if (read is None) != (part is None):
        raise unfit(ty, f"{name} {'without' if part is None else 'with'} a payload")
    return None if read is None else _read_at(name, read, part[0], reader)


def _read_variant(ty: WitType, cases: list[tuple[str, _Read | None]]) -> _Read:
    def read_variant(at: int, reader: _Reader) -> Wire:
        case, part = reader.payload(at, _VARIANT, ty)
        if case >= len(cases):
            raise unfit(ty, f"case {case}")
        return (case, _read_payload(ty, cases[case], part, reader))

    return read_variant


def _read_enum(ty: WitType, count: int) -> _Read:
    def read_enum(at: int, reader: _Reader) -> Wire:
        case = reader.payload(at, _ENUM, ty)
        if case >= count:
            raise unfit(ty, f"case {case}")
        return case

    return read_enum


def _read_option(ty: WitType, read: _Read) -> _Read:
    def read_option(at: int, reader: _Reader) -> Wire:
        part = reader.payload(at, _OPTION, ty)
        return None if part is None else (_read_at("some", read, part[0], reader),)

    return read_option


def _read_result(ty: WitType, sides: tuple[tuple[str, _Read | None], ...]) -> _Read:
    def read_result(at: int, reader: _Reader) -> Wire:
        side, part = reader.payload(at, _RESULT, ty)
        return (side, _read_payload(ty, sides[side], part, reader))

    return read_result


def _read_flags(ty: WitType, count: int) -> _Read:
    def read_flags(at: int, reader: _Reader) -> int:
        flags = reader.payload(at, _FLAGS, ty)
        if len(flags) != count:
            raise unfit(ty, f"flags-value of {len(flags)}")
        return sum(1 << bit for bit, is_set in enumerate(flags) if is_set)

    return read_flags


def _read_handle(ty: HandleType) -> _Read:
    def read_handle(at: int, reader: _Reader) -> int:
        (uri,), number = reader.payload(at, _HANDLE, ty)
        return reader.find_handle(ty, uri, number)

    return read_handle
