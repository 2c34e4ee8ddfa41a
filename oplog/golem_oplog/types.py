"""
WIT types as plain, comparable values: the vocabulary shared by engine, log and tools.

A value travels in one of two forms.

**Wire form** is what the engine lifts and lowers and what the log stores: positional, made
only of what msgpack and CBOR carry, and exact.

===============  ====================================================================
WIT type         wire form
===============  ====================================================================
bool             ``bool``
s8 .. u64        ``int``
f32, f64         ``int``: the IEEE 754 bits, so that no NaN payload is ever lost
char, string     ``str``
list<u8>         ``bytes``
list<t>          ``list`` or ``tuple`` of wire values
record, tuple    ``list`` or ``tuple``, one element per field
variant          ``(case index, payload or None)``
enum             ``int``: case index
option<t>        ``None`` or ``(payload,)``
result<t, e>     ``(0, ok payload or None)`` or ``(1, err payload or None)``
flags            ``int``: bit *n* is the *n*-th name
own, borrow      ``int``: for a resource of the host its rep, for one of the guest a handle id
===============  ====================================================================

**Public form** is what people meet in Python: see `golem_oplog.values`.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias, Union

from golem_oplog.lazy_dataclass import dataclass


class Prim(Enum):
    """A primitive type; the value is its WIT spelling."""

    BOOL = "bool"
    S8 = "s8"
    U8 = "u8"
    S16 = "s16"
    U16 = "u16"
    S32 = "s32"
    U32 = "u32"
    S64 = "s64"
    U64 = "u64"
    F32 = "f32"
    F64 = "f64"
    CHAR = "char"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class ListType:
    """``list<element>``."""

    element: WitType


@dataclass(frozen=True, slots=True)
class RecordType:
    """``record``: at least one named field, in declaration order."""

    fields: tuple[tuple[str, WitType], ...]


@dataclass(frozen=True, slots=True)
class TupleType:
    """``tuple<...>``."""

    elements: tuple[WitType, ...]


@dataclass(frozen=True, slots=True)
class VariantType:
    """``variant``: named cases in declaration order, each with or without a payload."""

    cases: tuple[tuple[str, WitType | None], ...]


@dataclass(frozen=True, slots=True)
class EnumType:
    """``enum``: case names in declaration order."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OptionType:
    """``option<payload>``."""

    payload: WitType


@dataclass(frozen=True, slots=True)
class ResultType:
    """``result<ok, err>``; either side may be absent."""

    ok: WitType | None
    err: WitType | None


@dataclass(frozen=True, slots=True)
class FlagsType:
    """``flags``: names in declaration order, bit 0 first."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HandleType:
    """``own<r>`` or ``borrow<r>``; ``resource`` is ``ns:pkg/interface.name`` without a version."""

    resource: str
    owned: bool


WitType: TypeAlias = Union[
    Prim,
    ListType,
    RecordType,
    TupleType,
    VariantType,
    EnumType,
    OptionType,
    ResultType,
    FlagsType,
    HandleType,
]


@dataclass(frozen=True, slots=True)
class FunctionType:
    """A function's full name, parameters and result: what a log interns as a *definition*."""

    name: str
    params: tuple[tuple[str, WitType], ...]
    result: WitType | None
