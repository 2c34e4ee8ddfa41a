"""How calls of a bucket stand in the log: part of the log format (spec 4.9)."""

from __future__ import annotations

from typing import Final

from golem_host.declare import READ_REMOTE, WRITE_REMOTE, Recorded
from golem_oplog.entries import FunctionKind
from golem_oplog.types import (
    FunctionType,
    ListType,
    OptionType,
    Prim,
    ResultType,
    TupleType,
    WitType,
)

_BUCKET: Final = ("bucket", Prim.STRING)
_KEY: Final = ("key", Prim.STRING)
_KEYS: Final = ("keys", ListType(Prim.STRING))
_LENGTH: Final = ("length", Prim.U64)
_LENGTHS: Final = ("lengths", ListType(TupleType((Prim.STRING, Prim.U64))))
_VALUE: Final = OptionType(ListType(Prim.U8))


def _call(
    kind: FunctionKind, name: str, *params: tuple[str, WitType], ok: WitType | None = None
) -> Recorded:
    return Recorded(
        kind,
        FunctionType(f"golem keyvalue::{name}", (_BUCKET, *params), ResultType(ok, Prim.STRING)),
    )


GET: Final = _call(READ_REMOTE, "eventual::get", _KEY, ok=_VALUE)
EXISTS: Final = _call(READ_REMOTE, "eventual::exists", _KEY, ok=Prim.BOOL)
SET: Final = _call(WRITE_REMOTE, "eventual::set", _KEY, _LENGTH)
DELETE: Final = _call(WRITE_REMOTE, "eventual::delete", _KEY)
GET_MANY: Final = _call(READ_REMOTE, "eventual_batch::get_many", _KEYS, ok=ListType(_VALUE))
GET_KEYS: Final = _call(READ_REMOTE, "eventual_batch::get_keys", ok=ListType(Prim.STRING))
SET_MANY: Final = _call(WRITE_REMOTE, "eventual_batch::set_many", _LENGTHS)
DELETE_MANY: Final = _call(WRITE_REMOTE, "eventual_batch::delete_many", _KEYS)
INCREMENT: Final = _call(WRITE_REMOTE, "atomic::increment", _KEY, ("delta", Prim.U64), ok=Prim.U64)
COMPARE_AND_SWAP: Final = _call(
    WRITE_REMOTE,
    "atomic::compare_and_swap",
    _KEY,
    ("old", Prim.U64),
    ("new", Prim.U64),
    ok=Prim.BOOL,
)

OF: Final = {
    "atomic.{compare-and-swap}": COMPARE_AND_SWAP,
    "atomic.{increment}": INCREMENT,
    "eventual-batch.{delete-many}": DELETE_MANY,
    "eventual-batch.{get-many}": GET_MANY,
    "eventual-batch.{keys}": GET_KEYS,
    "eventual-batch.{set-many}": SET_MANY,
    "eventual.{delete}": DELETE,
    "eventual.{exists}": EXISTS,
    "eventual.{get}": GET,
    "eventual.{set}": SET,
}
"""By the function that makes the call."""
