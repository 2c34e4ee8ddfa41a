"""Arbitrary oplog entries, made from the table of kinds."""

from __future__ import annotations

from hypothesis import strategies as st

from golem_oplog.entries import KINDS, BlobRef, Entry

INT64_MIN, UINT64_MAX = -(2**63), 2**64 - 1

_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_integers = st.one_of(st.integers(0, 200), st.integers(INT64_MIN, UINT64_MAX))
_floats = st.floats(allow_nan=False)
_payloads = st.one_of(
    st.binary(max_size=40),
    st.builds(BlobRef, st.binary(min_size=32, max_size=32), st.integers(0, UINT64_MAX)),
)
_pairs = st.tuples(_texts, _texts)

_BY_SPELLING: dict[str, st.SearchStrategy[object]] = {
    "int": _integers,
    "int | None": st.none() | _integers,
    "float": _floats,
    "float | None": st.none() | _floats,
    "str": _texts,
    "str | None": st.none() | _texts,
    "bytes": st.binary(max_size=40),
    "Payload": _payloads,
    "Payload | None": st.none() | _payloads,
    "tuple[str, ...]": st.lists(_texts, max_size=3).map(tuple),
    "tuple[str, str] | None": st.none() | _pairs,
    "Pairs": st.lists(_pairs, max_size=3).map(tuple),
}


def entries_of(cls: type[Entry]) -> st.SearchStrategy[Entry]:
    """Entries of one kind, every field of any value that its annotation allows."""
    fields = [_BY_SPELLING[hint.__forward_arg__] for hint in cls.__annotations__.values()]
    return st.tuples(*fields).map(cls._make)


entries: st.SearchStrategy[Entry] = st.one_of([entries_of(kind.cls) for kind in KINDS])
