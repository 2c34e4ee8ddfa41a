"""
What can be said about a WIT type, or about a value that does not fit one, in a few words.

Shared by every module that walks types: names, bounds, and the wording of errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from keyword import iskeyword
from typing import Final, TypeVar, assert_never

from golem_oplog.errors import ValueTypeError
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

TYPE_DEPTH_MAX: Final = 100
"""Deepest nesting of a type, as in wasmtime. WIT has no recursive types, so values go no deeper."""

CACHED_TYPE_SIZE_MAX: Final = 2_000
"""
Of the parts of a type and the characters of its names: what is made for a larger one is not kept.
A guest can name any type at run time, and a cache outlives it.
"""
CACHE_TYPES_MAX: Final = 1_024

INT_RANGES: Final = {
    Prim.S8: (-(2**7), 2**7 - 1),
    Prim.U8: (0, 2**8 - 1),
    Prim.S16: (-(2**15), 2**15 - 1),
    Prim.U16: (0, 2**16 - 1),
    Prim.S32: (-(2**31), 2**31 - 1),
    Prim.U32: (0, 2**32 - 1),
    Prim.S64: (-(2**63), 2**63 - 1),
    Prim.U64: (0, 2**64 - 1),
}

HANDLE_MAX: Final = 2**32 - 1

_TEXT_CHARS_MAX: Final = 60
_CHOICES_MAX: Final = 12

T = TypeVar("T")


def python_name(name: str) -> str:
    """The attribute that a WIT name is in Python: ``is-on`` is ``is_on``, ``from`` is ``from_``."""
    snake = name.replace("-", "_")
    return f"{snake}_" if iskeyword(snake) else snake


def spellings(names: Iterable[str]) -> dict[str, int]:
    """Each name's position, under its WIT spelling and its Python one."""
    table: dict[str, int] = {}
    for position, name in enumerate(names):
        for spelling in (name.replace("-", "_"), python_name(name), name):
            table[spelling] = position
    return table


def resource_label(ty: HandleType) -> str:
    """The name of a resource within its interface."""
    return ty.resource.rpartition(".")[2].rstrip("'")


def is_bytes(ty: WitType) -> bool:
    """Whether a type is ``list<u8>``, whose values are `bytes`."""
    return isinstance(ty, ListType) and ty.element is Prim.U8


def parts(ty: WitType) -> tuple[WitType, ...]:
    """The types that a type is directly made of."""
    match ty:
        case Prim() | EnumType() | FlagsType() | HandleType():
            return ()
        case ListType(inner) | OptionType(inner):
            return (inner,)
        case TupleType(elements):
            return elements
        case RecordType(fields):
            return tuple(field for _, field in fields)
        case VariantType(cases):
            return tuple(payload for _, payload in cases if payload is not None)
        case ResultType(ok, err):
            return tuple(side for side in (ok, err) if side is not None)
    assert_never(ty)


def check_depth(ty: WitType) -> None:
    """
    Refuse a type that nests deeper than `TYPE_DEPTH_MAX`.

    Whoever recurses along a type does this first, and so never exhausts Python's stack.
    """
    level = [ty]
    for _ in range(TYPE_DEPTH_MAX):
        level = [part for parent in level for part in parts(parent)]
        if not level:
            return
    raise ValueTypeError(
        path="", expected=f"a type nested at most {TYPE_DEPTH_MAX} deep", found="a deeper one"
    )


def is_small(ty: WitType) -> bool:
    """Whether a type has at most `CACHED_TYPE_SIZE_MAX` parts and characters in names."""
    left, pending = CACHED_TYPE_SIZE_MAX, [ty]
    while pending:
        each = pending.pop()
        left -= 1
        match each:
            case RecordType(members) | VariantType(members):
                left -= sum([len(name) for name, _ in members])
            case EnumType(names) | FlagsType(names):
                left -= sum(map(len, names))
            case HandleType(resource):
                left -= len(resource)
            case _:
                pass
        pending.extend(parts(each))
        if len(pending) > left:
            return False
    return True


def cached_if_small(make: Callable[[WitType], T]) -> Callable[[WitType], T]:
    """A function of a type, whose results for small ones are kept."""
    cached = lru_cache(maxsize=CACHE_TYPES_MAX)(make)
    return lambda ty: (cached if is_small(ty) else make)(ty)


def kind(ty: WitType) -> str:
    """A type in at most a few words, for error messages."""
    match ty:
        case Prim():
            low, high = INT_RANGES.get(ty, (0, 0))
            return f"{ty.value} ({low} to {high})" if high else ty.value
        case ListType(element):
            return f"list<{element.value}>" if isinstance(element, Prim) else "list"
        case TupleType(elements):
            return f"tuple of {len(elements)}"
        case RecordType(fields):
            return f"record with {choices(name for name, _ in fields)}"
        case VariantType(cases):
            return f"variant: {choices(name for name, _ in cases)}"
        case EnumType(names):
            return f"enum: {choices(names)}"
        case OptionType():
            return "option"
        case ResultType():
            return "result"
        case FlagsType(names):
            return f"flags: {choices(names)}"
        case HandleType(resource, owned):
            return f"{'own' if owned else 'borrow'}<{resource}>"
    assert_never(ty)


def choices(names: Iterable[str]) -> str:
    """Names in declaration order, the first dozen of them."""
    known = list(names)
    shown = ", ".join(known[:_CHOICES_MAX])
    rest = len(known) - _CHOICES_MAX
    return f"{shown} and {rest} more" if rest > 0 else shown


def describe(value: object) -> str:
    """A Python value for an error message: one short line, whatever it is."""
    match value:
        case None | bool() | float():
            return repr(value)
        case int():
            bits = value.bit_length()
            return repr(int(value)) if bits <= 128 else f"an integer of {bits} bits"
        case str():
            shown = repr(value[:_TEXT_CHARS_MAX])
            return shown if len(value) <= _TEXT_CHARS_MAX else f"{shown}..."
        case bytes() | bytearray():
            return f"{len(value)} bytes"
        case list() | tuple():
            return f"{type(value).__name__} of {len(value)}"
        case _:
            return type(value).__name__


def unfit(expected: WitType | str, found: str) -> ValueTypeError:
    """The error for what does not fit, in words; containers add their part of the path to it."""
    wanted = expected if isinstance(expected, str) else kind(expected)
    return ValueTypeError(path="", expected=wanted, found=found)


def mismatch(expected: WitType | str, value: object) -> ValueTypeError:
    """The error for a value that does not fit."""
    return unfit(expected, describe(value))


def within(error: ValueTypeError, step: str) -> None:
    """Put one step (a field, a case, ``[3]``) before the path of an error on its way out."""
    if not error.path:
        error.path = step
    elif error.path.startswith("["):
        error.path = step + error.path
    else:
        error.path = f"{step}.{error.path}"
