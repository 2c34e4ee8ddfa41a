"""
What is recorded of directories of the host, call by call; the names are log format.

Every answer is a ``result`` with WASI's error code as text.  Of what is written the log has the hash.
"""

from __future__ import annotations

from typing import Final

from golem_host.declare import READ_REMOTE, WRITE_REMOTE, Recorded
from golem_oplog.entries import FunctionKind
from golem_oplog.types import (
    FunctionType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    WitType,
)

_PATH: Final = ("path", Prim.STRING)
_TO: Final = ("new-path", Prim.STRING)
_OFFSET: Final = ("offset", Prim.U64)
_SIZE: Final = ("size", Prim.U64)
_FOLLOW: Final = ("follow", Prim.BOOL)
_TIMES: Final = (
    ("accessed-ns", OptionType(Prim.S64)),
    ("modified-ns", OptionType(Prim.S64)),
)
_IDENTITY: Final = (("inode", Prim.U64), ("device", Prim.U64))
_STAT: Final = RecordType(
    (
        ("type", Prim.STRING),
        ("link-count", Prim.U64),
        ("size", Prim.U64),
        ("accessed-ns", Prim.U64),
        ("modified-ns", Prim.U64),
        *_IDENTITY,
    )
)
_TRAIL: Final = ListType(ListType(Prim.U8))
"""Names, as the host has them, from the directory that the call is made on."""
_OPENED: Final = RecordType(
    (
        ("type", Prim.STRING),
        ("flags", ListType(Prim.STRING)),
        ("trail", _TRAIL),
        *_IDENTITY,
    )
)
_BYTES: Final = ListType(Prim.U8)
_ENTRY: Final = TupleType((Prim.STRING, OptionType(Prim.STRING)))


def _recorded(
    kind: FunctionKind, name: str, params: tuple[tuple[str, WitType], ...], ok: WitType | None
) -> Recorded:
    result = ResultType(ok, Prim.STRING)
    return Recorded(kind, FunctionType(f"filesystem::types::host::{name}", params, result))


_HOW: Final = (
    _PATH, ("open-flags", ListType(Prim.STRING)), ("flags", ListType(Prim.STRING)), _FOLLOW,
)  # fmt: skip
OPEN: Final = _recorded(READ_REMOTE, "open_at", _HOW, _OPENED)
CREATE: Final = _recorded(WRITE_REMOTE, "create_at", _HOW, _OPENED)
READ: Final = _recorded(READ_REMOTE, "read", (_PATH, _OFFSET, _SIZE), _BYTES)
WRITE: Final = _recorded(WRITE_REMOTE, "write", (_PATH, _OFFSET, _SIZE, ("sha256", _BYTES)), None)
RESIZE: Final = _recorded(WRITE_REMOTE, "set_size", (_PATH, _SIZE), None)
SET_TIMES: Final = _recorded(WRITE_REMOTE, "set_times", (_PATH, *_TIMES), None)
SET_TIMES_AT: Final = _recorded(WRITE_REMOTE, "set_times_at", (_PATH, *_TIMES, _FOLLOW), None)
SYNC: Final = _recorded(WRITE_REMOTE, "sync", (_PATH,), None)
LOOK: Final = _recorded(READ_REMOTE, "stat", (_PATH,), _STAT)
LOOK_AT: Final = _recorded(READ_REMOTE, "stat_at", (_PATH, _FOLLOW), _STAT)
ENTRIES: Final = _recorded(READ_REMOTE, "read_directory", (_PATH,), ListType(_ENTRY))
READLINK: Final = _recorded(READ_REMOTE, "readlink_at", (_PATH,), Prim.STRING)
MKDIR: Final = _recorded(WRITE_REMOTE, "create_directory_at", (_PATH,), None)
RMDIR: Final = _recorded(WRITE_REMOTE, "remove_directory_at", (_PATH,), None)
UNLINK: Final = _recorded(WRITE_REMOTE, "unlink_file_at", (_PATH,), None)
SYMLINK: Final = _recorded(WRITE_REMOTE, "symlink_at", (("target", Prim.STRING), _PATH), None)
LINK: Final = _recorded(WRITE_REMOTE, "link_at", (_PATH, _TO), None)
RENAME: Final = _recorded(WRITE_REMOTE, "rename_at", (_PATH, _TO), TupleType((_TRAIL, _TRAIL)))
