"""
Whether a wire value that came from outside (a log, a bundle) fits its type.

Stricter than `to_wire`: exact Python types, so that what passes is encoded again to the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final, TypeAlias, assert_never

from golem_oplog.errors import ValueTypeError
from golem_oplog.shape import HANDLE_MAX, INT_RANGES, check_depth, is_bytes, mismatch, within
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

Check: TypeAlias = Callable[[Any], None]

_CACHE_TYPES_MAX: Final = 4096
_U32_MAX: Final = 2**32 - 1
_U64_MAX: Final = 2**64 - 1


def check_wire(ty: WitType, wire: Any) -> None:
    """
    Return if the wire value fits the type.

    Raises:
        ValueTypeError: It does not, or the type nests too deep; the path says where.
    """
    _checked(ty)(wire)


@lru_cache(maxsize=_CACHE_TYPES_MAX)
def _checked(ty: WitType) -> Check:
    check_depth(ty)
    return _compile(ty)


@lru_cache(maxsize=_CACHE_TYPES_MAX)
def _compile(ty: WitType) -> Check:
    match ty:
        case Prim():
            return _PRIMITIVES[ty]
        case ListType(element):
            return _exact(ty, bytes) if is_bytes(ty) else _list(ty, _compile(element))
        case RecordType(fields):
            return _fixed(ty, [(name, _compile(field)) for name, field in fields])
        case TupleType(elements):
            return _fixed(ty, [(f"[{at}]", _compile(part)) for at, part in enumerate(elements)])
        case VariantType(cases):
            return _cases(ty, cases)
        case EnumType(names):
            return _range(ty, 0, len(names) - 1)
        case OptionType(payload):
            return _option(ty, _compile(payload))
        case ResultType(ok, err):
            return _cases(ty, (("ok", ok), ("err", err)))
        case FlagsType(names):
            return _range(ty, 0, 2 ** len(names) - 1)
        case HandleType():
            return _range(ty, 0, HANDLE_MAX)
    assert_never(ty)


def _exact(ty: WitType, cls: type) -> Check:
    def check(wire: Any) -> None:
        if type(wire) is not cls:
            raise mismatch(ty, wire)

    return check


def _range(ty: WitType, low: int, high: int) -> Check:
    def check(wire: Any) -> None:
        if type(wire) is not int or not low <= wire <= high:
            raise mismatch(ty, wire)

    return check


def _char(wire: Any) -> None:
    if type(wire) is not str or len(wire) != 1 or "\ud800" <= wire <= "\udfff":
        raise mismatch(Prim.CHAR, wire)


def _string(wire: Any) -> None:
    if type(wire) is not str:
        raise mismatch(Prim.STRING, wire)
    if not wire.isascii():
        try:
            wire.encode()
        except UnicodeEncodeError:
            raise mismatch(Prim.STRING, wire) from None


_PRIMITIVES: Final[dict[Prim, Check]] = {
    Prim.BOOL: _exact(Prim.BOOL, bool),
    Prim.F32: _range(Prim.F32, 0, _U32_MAX),
    Prim.F64: _range(Prim.F64, 0, _U64_MAX),
    Prim.CHAR: _char,
    Prim.STRING: _string,
    **{prim: _range(prim, low, high) for prim, (low, high) in INT_RANGES.items()},
}


def _list(ty: ListType, check_element: Check) -> Check:
    def check(wire: Any) -> None:
        if not isinstance(wire, list | tuple):
            raise mismatch(ty, wire)
        at = 0
        try:
            for at, item in enumerate(wire):  # noqa: B007 - the error path reads it
                check_element(item)
        except ValueTypeError as error:
            within(error, f"[{at}]")
            raise

    return check


def _fixed(ty: WitType, steps: Iterable[tuple[str, Check]]) -> Check:
    members = tuple(steps)

    def check(wire: Any) -> None:
        if not isinstance(wire, list | tuple) or len(wire) != len(members):
            raise mismatch(ty, wire)
        for (step, check_member), item in zip(members, wire, strict=True):
            try:
                check_member(item)
            except ValueTypeError as error:
                within(error, step)
                raise

    return check


def _option(ty: OptionType, check_payload: Check) -> Check:
    def check(wire: Any) -> None:
        if wire is None:
            return
        if not isinstance(wire, list | tuple) or len(wire) != 1:
            raise mismatch(ty, wire)
        check_payload(wire[0])

    return check


def _no_payload(wire: Any) -> None:
    if wire is not None:
        raise mismatch("no payload", wire)


def _cases(ty: WitType, cases: Iterable[tuple[str, WitType | None]]) -> Check:
    known = tuple(
        (name, _no_payload if payload is None else _compile(payload)) for name, payload in cases
    )

    def check(wire: Any) -> None:
        if not isinstance(wire, list | tuple) or len(wire) != 2:
            raise mismatch(ty, wire)
        case, payload = wire
        if type(case) is not int or not 0 <= case < len(known):
            raise mismatch(ty, case)
        name, check_payload = known[case]
        try:
            check_payload(payload)
        except ValueTypeError as error:
            within(error, name)
            raise

    return check
