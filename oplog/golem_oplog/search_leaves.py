"""The texts of an entry's fields, each with the path on which it lies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias, cast

from golem_oplog.public import Variant
from golem_oplog.shape import is_bytes
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
from golem_oplog.views import TypedValue, Undecodable
from golem_oplog.wave_printer import render_wire
from golem_oplog.wire_in import Wire

Path: TypeAlias = tuple[str, ...]

_RESULT: Final = ("ok", "err")


class Leaf(NamedTuple):
    """One text."""

    path: Path
    """Names of fields and cases, by `step`, and numbers of items."""
    text: str


def step(name: str) -> str:
    """A name as it stands in a path: WIT's spelling and Python's are one, whatever the case."""
    return name.lower().replace("_", "-")


def leaves(value: object, path: Path) -> Iterator[Leaf]:
    """Of a field, or of a part of one."""
    match value:
        case str():
            yield Leaf(path, value)
        case TypedValue(ty, wire):
            yield from _leaves(ty, wire, path)
        case Undecodable(reason):
            yield Leaf(path, reason)
        case Variant(case, payload):
            yield Leaf(path, case)
            yield from leaves(payload, (*path, step(case)))
        case bytes():
            yield Leaf(path, _text(value))
        case Mapping():
            for name, item in value.items():
                yield from leaves(item, (*path, step(cast("str", name))))
        case tuple() | list():
            for at, item in enumerate(value):
                is_named = isinstance(item, TypedValue) and item.name
                yield from leaves(item, (*path, step(item.name) if is_named else str(at)))
        case None:
            pass
        case _:
            yield Leaf(path, str(value))


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _leaves(ty: WitType, wire: Wire, path: Path) -> Iterator[Leaf]:
    """Of a wire value that fits its type."""
    for text in _own_texts(ty, wire):
        yield Leaf(path, text)
    for name, part, item in _parts(ty, wire):
        yield from _leaves(part, item, path if name is None else (*path, name))


def _own_texts(ty: WitType, wire: Wire) -> Iterable[str]:
    """What a value says beside its parts."""
    match ty:
        case Prim.STRING | Prim.CHAR:
            return (wire,)
        case Prim() | HandleType():
            return (render_wire(wire, ty),)
        case ListType() if is_bytes(ty):
            return (_text(wire),)
        case VariantType(cases):
            return (cases[wire[0]][0],)
        case ResultType():
            return (_RESULT[wire[0]],)
        case EnumType(names):
            return (names[wire],)
        case FlagsType(names):
            return [name for bit, name in enumerate(names) if wire >> bit & 1]
    return ()


def _parts(ty: WitType, wire: Wire) -> Iterator[tuple[str | None, WitType, Wire]]:
    """The values within a value, each under its name or number."""
    match ty:
        case ListType(element) if not is_bytes(ty):
            yield from ((str(at), element, item) for at, item in enumerate(wire))
        case RecordType(fields):
            for (name, field), item in zip(fields, wire, strict=True):
                yield step(name), field, item
        case TupleType(elements):
            for at, (element, item) in enumerate(zip(elements, wire, strict=True)):
                yield str(at), element, item
        case OptionType(payload) if wire is not None:
            yield None, payload, wire[0]
        case VariantType(cases) if (part := cases[wire[0]][1]) is not None:
            yield step(cases[wire[0]][0]), part, wire[1]
        case ResultType(ok, err) if (part := err if wire[0] else ok) is not None:
            yield _RESULT[wire[0]], part, wire[1]
