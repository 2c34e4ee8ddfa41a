"""
Hypothesis strategies for arbitrary WIT types and their values, in both forms.

`wire_values` and `public_values` are written independently of the converters they help to test.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, assert_never

from hypothesis import strategies as st

from golem_oplog.floats import f32_bits, f64_bits
from golem_oplog.shape import HANDLE_MAX, INT_RANGES
from golem_oplog.types import (
    EnumType,
    FlagsType,
    FunctionType,
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
from golem_oplog.values import Err, Ok, ResourceRef, Some, Variant

TRICKY_LABELS = (
    *("true", "false", "some", "none", "ok", "err", "inf", "nan"),  # WAVE's keywords
    *("from", "class", "is-on", "HTTP2-get", "x", "a-b-c"),  # Python's, and unusual spellings
)
SIZE_MAX = 3


def _undashed(label: str) -> str:
    """The engine takes `err` and `er-r` for the same name."""
    return label.replace("-", "")


def labels() -> st.SearchStrategy[str]:
    """WIT names, those that are easily mistaken among them."""
    word = st.builds(
        str.__add__,
        st.sampled_from(string.ascii_lowercase),
        st.text(string.ascii_lowercase + string.digits, max_size=3),
    )
    made = st.lists(word, min_size=1, max_size=2).map("-".join)
    return st.sampled_from(TRICKY_LABELS) | made


def handle_types() -> st.SearchStrategy[WitType]:
    """Handles of a few resources, owned and borrowed."""
    resources = st.sampled_from(("golem:it/api.counter", "wasi:io/poll.pollable"))
    return st.builds(HandleType, resources, st.booleans())


@lru_cache
def wit_types(*, depth_max: int = 3, handles: bool = True) -> st.SearchStrategy[WitType]:
    """
    Any WIT type, nested up to ``depth_max`` composites deep.

    With ``handles=False`` none that holds a resource.
    """
    names = st.lists(labels(), min_size=1, max_size=SIZE_MAX, unique_by=_undashed).map(tuple)
    leaves: st.SearchStrategy[WitType] = st.one_of(
        st.sampled_from(Prim),
        st.just(ListType(Prim.U8)),
        st.builds(EnumType, names),
        st.builds(FlagsType, names),
        *([handle_types()] if handles else []),
    )
    if not depth_max:
        return leaves
    # Not `st.recursive`: its printed form grows so long that Hypothesis itself warns about it.
    inner = st.deferred(lambda: wit_types(depth_max=depth_max - 1, handles=handles))
    maybe = st.none() | inner
    return leaves | st.one_of(
        st.builds(ListType, inner),
        st.builds(OptionType, inner),
        st.builds(ResultType, maybe, maybe),
        st.builds(TupleType, st.lists(inner, min_size=1, max_size=SIZE_MAX).map(tuple)),
        st.builds(RecordType, _named(inner)),
        st.builds(VariantType, _named(maybe)),
    )


def _named(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    pairs = st.tuples(labels(), inner)
    return st.lists(
        pairs, min_size=1, max_size=SIZE_MAX, unique_by=lambda pair: _undashed(pair[0])
    ).map(tuple)


@lru_cache
def function_types(*, handles: bool = True) -> st.SearchStrategy[FunctionType]:
    """Any function: a full name, parameters and perhaps a result."""
    types = wit_types(depth_max=2, handles=handles)
    names = labels().map(lambda label: f"golem:it/api@1.0.0.{{{label}}}")
    return st.builds(FunctionType, names, st.just(()) | _named(types), st.none() | types)


def scalar_values(prim: Prim) -> st.SearchStrategy[Any]:
    """Values of a primitive type other than a float: both forms are the same."""
    if prim in INT_RANGES:
        low, high = INT_RANGES[prim]
        return st.sampled_from((low, high)) | st.integers(low, high)
    if prim is Prim.BOOL:
        return st.booleans()
    scalars = st.characters(exclude_categories=["Cs"])
    return scalars if prim is Prim.CHAR else st.text(scalars, max_size=12)


def _float_bits(prim: Prim, any_nan: bool) -> st.SearchStrategy[int]:
    if prim is Prim.F32:
        return st.integers(0, 2**32 - 1) if any_nan else st.floats(width=32).map(f32_bits)
    return st.integers(0, 2**64 - 1) if any_nan else st.floats().map(f64_bits)


def wire_values(ty: WitType, *, any_nan: bool = False) -> st.SearchStrategy[Any]:
    """Values in wire form; NaNs are the canonical one, or of any bits with ``any_nan``."""
    match ty:
        case Prim.F32 | Prim.F64:
            return _float_bits(ty, any_nan)
        case Prim():
            return scalar_values(ty)
        case ListType(Prim.U8):
            return st.binary(max_size=12)
        case ListType(element):
            return st.lists(wire_values(element, any_nan=any_nan), max_size=SIZE_MAX)
        case TupleType(elements):
            return _fixed(elements, any_nan)
        case RecordType(fields):
            return _fixed([field for _, field in fields], any_nan)
        case VariantType(cases):
            return _cases([payload for _, payload in cases], any_nan)
        case EnumType(names):
            return st.integers(0, len(names) - 1)
        case OptionType(payload):
            return st.none() | st.tuples(wire_values(payload, any_nan=any_nan))
        case ResultType(ok, err):
            return _cases([ok, err], any_nan)
        case FlagsType(names):
            return st.integers(0, 2 ** len(names) - 1)
        case HandleType():
            return st.integers(0, HANDLE_MAX)
    assert_never(ty)


def _fixed(types: Sequence[WitType], any_nan: bool) -> st.SearchStrategy[Any]:
    return st.tuples(*[wire_values(ty, any_nan=any_nan) for ty in types]).map(list)


def _cases(payloads: Sequence[WitType | None], any_nan: bool) -> st.SearchStrategy[Any]:
    return st.one_of(
        [
            st.tuples(
                st.just(case),
                st.none() if payload is None else wire_values(payload, any_nan=any_nan),
            )
            for case, payload in enumerate(payloads)
        ]
    )


def public_values(ty: WitType) -> st.SearchStrategy[Any]:
    """Values in public form. No NaN, so that equal values compare equal."""
    match ty:
        case Prim.F32 | Prim.F64:
            return st.floats(width=32 if ty is Prim.F32 else 64, allow_nan=False)
        case Prim():
            return scalar_values(ty)
        case ListType(Prim.U8):
            return st.binary(max_size=12)
        case ListType(element):
            return st.lists(public_values(element), max_size=SIZE_MAX)
        case TupleType(elements):
            return st.tuples(*[public_values(element) for element in elements])
        case RecordType(fields):
            return st.fixed_dictionaries({name: public_values(field) for name, field in fields})
        case VariantType(cases):
            return st.one_of(
                [st.builds(Variant, st.just(name), _side(payload)) for name, payload in cases]
            )
        case EnumType(names):
            return st.sampled_from(names)
        case OptionType(payload):
            present = public_values(payload)
            nested = isinstance(payload, OptionType)
            return st.none() | (st.builds(Some, present) if nested else present)
        case ResultType(ok, err):
            return st.builds(Ok, _side(ok)) | st.builds(Err, _side(err))
        case FlagsType(names):
            return st.frozensets(st.sampled_from(names))
        case HandleType(resource):
            return st.builds(ResourceRef, st.just(resource), st.integers(0, HANDLE_MAX))
    assert_never(ty)


def _side(payload: WitType | None) -> st.SearchStrategy[Any]:
    return st.none() if payload is None else public_values(payload)


def as_lists(wire: Any) -> Any:
    """A wire value as CBOR and msgpack give it back: every tuple a list."""
    if isinstance(wire, list | tuple):
        return [as_lists(item) for item in wire]
    return wire
