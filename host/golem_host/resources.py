"""
The handles a guest holds to things of the host.

Reps are handed out lowest first, so that a replayed guest gets the same ones.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Final, TypeAlias

from golem_host.failures import GuestLimitError
from golem_oplog.types import (
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
from golem_oplog.values import Err, Ok, Some, Variant, from_wire, is_identity, to_wire
from golem_oplog.wire_records import field_finder

RESOURCES_MAX: Final = 10_000
"""Open handles per worker: well below the engine's own limit, which would abort the process."""

# Both forms are the same, and the engine refuses what does not fit.
_UNCONVERTED: Final = frozenset(Prim) - {Prim.F32, Prim.F64} | {ListType(Prim.U8)}

Convert: TypeAlias = Callable[["ResourceTable", Any], Any]


class ResourceTable:
    """Rep to object.  One per worker; lives exactly as long as its instance."""

    __slots__ = ("_free", "_objects")

    def __init__(self) -> None:
        self._objects: list[Any] = [None]
        # Rep 0 is never used: a zeroed handle is always a mistake.
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._objects) - 1 - len(self._free)

    def add(self, resource: object) -> int:
        if self._free:
            rep = heapq.heappop(self._free)
            self._objects[rep] = resource
            return rep
        if len(self._objects) > RESOURCES_MAX:
            raise GuestLimitError(f"more than {RESOURCES_MAX} open resources")
        self._objects.append(resource)
        return len(self._objects) - 1

    def get(self, rep: int) -> Any:
        return self._objects[rep]

    def take(self, rep: int) -> Any:
        """Remove and return: the guest gave the handle up."""
        resource = self._objects[rep]
        if resource is not None:
            self._objects[rep] = None
            heapq.heappush(self._free, rep)
        return resource


def lifter(ty: WitType) -> Convert | None:
    """Wire form to what an action receives; None where both are the same."""
    if not any(handles(ty)):
        if is_identity(ty):
            return None
        convert = from_wire(ty)
        return lambda _table, wire: convert(wire)
    return _Lift.of(ty)


def lowerer(ty: WitType) -> Convert | None:
    """What an action returns to wire form; None where the engine's own check is enough."""
    if ty in _UNCONVERTED:
        return None
    if not any(handles(ty)):
        convert = to_wire(ty)
        return lambda _table, value: convert(value)
    return _Lower.of(ty)


def handles(ty: WitType | None) -> Iterator[HandleType]:
    """Every handle type that a value of this type may hold."""
    match ty:
        case HandleType():
            yield ty
        case ListType(inner) | OptionType(inner):
            yield from handles(inner)
        case TupleType(elements):
            yield from _all_handles(elements)
        case RecordType(fields):
            yield from _all_handles(t for _, t in fields)
        case VariantType(cases):
            yield from _all_handles(t for _, t in cases)
        case ResultType(ok, err):
            yield from _all_handles((ok, err))


def _all_handles(types: Iterable[WitType | None]) -> Iterator[HandleType]:
    return chain.from_iterable(map(handles, types))


def _each(maker: Callable[[WitType], Convert | None], types: list[WitType | None]) -> list[Convert]:
    def one(ty: WitType | None) -> Convert:
        convert = None if ty is None else maker(ty)
        return convert if convert is not None else lambda _table, value: value

    return [one(ty) for ty in types]


class _Lift:
    """Arguments whose type holds a handle: ``own`` takes the object out, ``borrow`` looks it up."""

    @staticmethod
    def of(ty: WitType) -> Convert:
        match ty:
            case HandleType(owned=True):
                return ResourceTable.take
            case HandleType():
                return ResourceTable.get
            case ListType(inner):
                (convert,) = _each(lifter, [inner])
                return lambda table, wire: [convert(table, w) for w in wire]
            case OptionType(inner):
                (convert,) = _each(lifter, [inner])
                nested = isinstance(inner, OptionType)
                return lambda table, wire: _lift_option(table, wire, convert, nested)
            case TupleType(elements):
                parts = _each(lifter, list(elements))
                return lambda table, wire: tuple(
                    c(table, w) for c, w in zip(parts, wire, strict=True)
                )
            case RecordType(fields):
                names = [n for n, _ in fields]
                parts = _each(lifter, [t for _, t in fields])
                return lambda table, wire: {
                    n: c(table, w) for n, c, w in zip(names, parts, wire, strict=True)
                }
            case VariantType(cases):
                case_names = [n for n, _ in cases]
                payloads = _each(lifter, [t for _, t in cases])
                return lambda table, wire: Variant(
                    case_names[wire[0]], payloads[wire[0]](table, wire[1])
                )
            case ResultType(ok, err):
                good, bad = _each(lifter, [ok, err])
                return lambda table, wire: (
                    Err(bad(table, wire[1])) if wire[0] else Ok(good(table, wire[1]))
                )
            case _:
                raise AssertionError(f"{ty} holds no handle")


def _lift_option(table: ResourceTable, wire: Any, convert: Convert, nested: bool) -> Any:
    if wire is None:
        return None
    value = convert(table, wire[0])
    return Some(value) if nested else value


def _lower_option(table: ResourceTable, value: Any, convert: Convert) -> Any:
    if value is None:
        return None
    return (convert(table, value.value if isinstance(value, Some) else value),)


class _Lower:
    """Results whose type holds a handle: the object goes into the table, its rep to the guest."""

    @staticmethod
    def of(ty: WitType) -> Convert:
        match ty:
            case HandleType():
                return ResourceTable.add
            case ListType(inner):
                (convert,) = _each(lowerer, [inner])
                return lambda table, value: [convert(table, v) for v in value]
            case OptionType(inner):
                (convert,) = _each(lowerer, [inner])
                return lambda table, value: _lower_option(table, value, convert)
            case TupleType(elements):
                parts = _each(lowerer, list(elements))
                return lambda table, value: tuple(
                    c(table, v) for c, v in zip(parts, value, strict=True)
                )
            case RecordType(fields):
                find = field_finder(ty)
                parts = _each(lowerer, [t for _, t in fields])
                return lambda table, value: tuple(
                    c(table, v) for c, v in zip(parts, find(value), strict=True)
                )
            case VariantType(cases):
                numbers = {n: i for i, (n, _) in enumerate(cases)}
                payloads = _each(lowerer, [t for _, t in cases])
                return lambda table, value: (
                    numbers[value.case],
                    payloads[numbers[value.case]](table, value.value),
                )
            case ResultType(ok, err):
                good, bad = _each(lowerer, [ok, err])
                return lambda table, value: (
                    (1, bad(table, value.value))
                    if isinstance(value, Err)
                    else (0, good(table, value.value))
                )
            case _:
                raise AssertionError(f"{ty} holds no handle")
