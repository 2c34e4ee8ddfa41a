"""How calls of containers stand in the log: part of the log format (spec 4.10)."""

from __future__ import annotations

from typing import Final

from golem_host.declare import READ_REMOTE, WRITE_REMOTE, Recorded
from golem_oplog.entries import FunctionKind
from golem_oplog.types import (
    FunctionType,
    ListType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    WitType,
)

_CONTAINER: Final = ("container", Prim.STRING)
_NAME: Final = ("name", Prim.STRING)
_NAMES: Final = ListType(Prim.STRING)
_SOURCE: Final = ("src", TupleType((Prim.STRING, Prim.STRING)))
_TARGET: Final = ("dest", TupleType((Prim.STRING, Prim.STRING)))
_BYTES: Final = ListType(Prim.U8)
_PIECE: Final = RecordType((("content", Prim.U64), ("size", Prim.U64), ("data", _BYTES)))
"""The bytes, and of the whole object its size and what stands for its content."""
_OBJECT: Final = RecordType((("created-at", Prim.U64), ("size", Prim.U64)))


def _call(
    kind: FunctionKind, name: str, *params: tuple[str, WitType], ok: WitType | None = None
) -> Recorded:
    result = ResultType(ok, Prim.STRING)
    return Recorded(kind, FunctionType(f"golem blobstore::{name}", params, result))


CREATE_CONTAINER: Final = _call(
    WRITE_REMOTE, "blobstore::create_container", _CONTAINER, ok=Prim.U64
)
"""Gives when it was made, as the next one does."""
GET_CONTAINER: Final = _call(READ_REMOTE, "blobstore::get_container", _CONTAINER, ok=Prim.U64)
DELETE_CONTAINER: Final = _call(WRITE_REMOTE, "blobstore::delete_container", _CONTAINER)
CONTAINER_EXISTS: Final = _call(
    READ_REMOTE, "blobstore::container_exists", _CONTAINER, ok=Prim.BOOL
)
COPY_OBJECT: Final = _call(WRITE_REMOTE, "blobstore::copy_object", _SOURCE, _TARGET)
MOVE_OBJECT: Final = _call(WRITE_REMOTE, "blobstore::move_object", _SOURCE, _TARGET)
GET_DATA: Final = _call(
    READ_REMOTE,
    "container::get_data",
    _CONTAINER,
    _NAME,
    ("start", Prim.U64),
    ("end", Prim.U64),
    ok=_PIECE,
)
HAS_OBJECT: Final = _call(READ_REMOTE, "container::has_object", _CONTAINER, _NAME, ok=Prim.BOOL)
OBJECT_INFO: Final = _call(READ_REMOTE, "container::object_info", _CONTAINER, _NAME, ok=_OBJECT)
LIST_OBJECT: Final = _call(READ_REMOTE, "container::list_object", _CONTAINER, ok=_NAMES)
WRITE_DATA: Final = _call(
    WRITE_REMOTE, "container::write_data", _CONTAINER, _NAME, ("length", Prim.U64)
)
DELETE_OBJECT: Final = _call(WRITE_REMOTE, "container::delete_object", _CONTAINER, _NAME)
DELETE_OBJECTS: Final = _call(
    WRITE_REMOTE, "container::delete_objects", _CONTAINER, ("names", _NAMES)
)
CLEAR: Final = _call(WRITE_REMOTE, "container::clear", _CONTAINER)

OF: Final = {
    "blobstore.{container-exists}": CONTAINER_EXISTS,
    "blobstore.{copy-object}": COPY_OBJECT,
    "blobstore.{create-container}": CREATE_CONTAINER,
    "blobstore.{delete-container}": DELETE_CONTAINER,
    "blobstore.{get-container}": GET_CONTAINER,
    "blobstore.{move-object}": MOVE_OBJECT,
    "container.{[method]container.clear}": CLEAR,
    "container.{[method]container.delete-object}": DELETE_OBJECT,
    "container.{[method]container.delete-objects}": DELETE_OBJECTS,
    "container.{[method]container.get-data}": GET_DATA,
    "container.{[method]container.has-object}": HAS_OBJECT,
    "container.{[method]container.list-objects}": LIST_OBJECT,
    "container.{[method]container.object-info}": OBJECT_INFO,
    "container.{[method]container.write-data}": WRITE_DATA,
}
"""By the function that makes the call."""
