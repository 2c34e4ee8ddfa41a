"""
Write the golden files of format version 1.

```
python -m tests.golden.write_v1
```

Run it once for each format version: files that were released are only ever added to.  It refuses to
replace any.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgpack

from golem_oplog import (
    BlobRef,
    BlobStore,
    Create,
    Entry,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    FunctionType,
    ImportedFunctionInvoked,
    ListType,
    Log,
    OplogStore,
    OsFiles,
    PendingWorkerInvocation,
    Prim,
    RecordType,
    ResultType,
    SyncLevel,
    encode_args,
    encode_value,
    open_file,
)
from golem_oplog.entries import KINDS

HOME: Final = Path(__file__).parent / "v1"
PRICE = RecordType((("item", Prim.STRING), ("cents", Prim.U32)))
LOOKUP = FunctionType(
    "golden:shop/stock.{look-up}",
    (("items", ListType(Prim.STRING)),),
    ResultType(ListType(PRICE), Prim.STRING),
)
CHECK_OUT = FunctionType("golden:shop/cart.{check-out}", (("count", Prim.U8),), Prim.F64)
LARGE = bytes(range(256)) * 300

_SAMPLES: Final[dict[str, object]] = {
    "int": 7,
    "int | None": 8,
    "float": 1.5,
    "float | None": 0.25,
    "str": "text é",
    "str | None": "more text",
    "bytes": b"bytes \xff",
    "Payload": b"payload",
    "Payload | None": b"payload too",
    "tuple[str, ...]": ("one", "two"),
    "tuple[str, str] | None": ("id", "name"),
    "Pairs": (("key", "value"),),
}


def create_entry(worker_name: str) -> Create:
    return Create(
        1_750_000_000_000_000_000,
        "00000000-0000-0000-0000-000000000001",
        worker_name,
        0,
        ("--verbose",),
        (("LANG", "C"),),
        (),
        4096,
        65536,
    )


def samples() -> list[Entry]:
    """One entry of every kind but `Create`, with every field set, and one with every default."""
    entries: list[Entry] = []
    for kind in KINDS:
        if kind.cls is Create:
            continue
        spellings = [hint.__forward_arg__ for hint in kind.cls.__annotations__.values()]
        values = [_SAMPLES[spelling] for spelling in spellings]
        entries.append(kind.cls._make(values))
        required = len(values) - len(kind.cls._field_defaults)
        defaults = list(kind.cls._field_defaults.values())
        entries.append(kind.cls._make(values[:required] + defaults))
    return [_with_known_function(entry) for entry in entries]


def _with_known_function(entry: Entry) -> Entry:
    """The same entry, referring to a definition that there is."""
    match entry:
        case (
            ImportedFunctionInvoked(function=int())
            | ExportedFunctionInvoked(function=int())
            | PendingWorkerInvocation(function=int())
        ):
            return entry._replace(function=0)
    return entry


def shop_entries(lookup: int, check_out: int) -> list[Entry]:
    """An invocation as a host would record it, and a large payload."""
    request = msgpack.packb([["tea", "milk"]])
    response = msgpack.packb((0, [["tea", 350], ["milk", 120]]))
    return [
        ExportedFunctionInvoked(2, check_out, encode_args([2]), "key-1"),
        ImportedFunctionInvoked(3, lookup, request, response, 2),
        Log(4, 0, "", "café\n".encode()),
        ExportedFunctionCompleted(5, encode_value(0x4012CCCCCCCCCCCD)),
        ImportedFunctionInvoked(6, lookup, LARGE, None, 3, None, "no route to host"),
    ]


def main() -> None:
    HOME.mkdir()
    files = OsFiles()
    blobs = BlobStore(HOME / "blobs", files, SyncLevel.POWER)
    store = OplogStore(HOME / "workers", files, SyncLevel.POWER, blobs)
    with store.create("shop", create_entry("shop")) as log:
        lookup, check_out = log.define(LOOKUP), log.define(CHECK_OUT)
        for entry in shop_entries(lookup, check_out):
            log.append(entry)
        log.commit()
        for entry in samples():
            log.append(entry)
    # A sealed segment of two, so that both kinds are kept: 70 lines of a kilobyte fill the first.
    with store.create("long", create_entry("long")) as log:
        for number in range(70):
            log.append(Log(number, 0, "", b"%1000d" % number))
            log.flush()
    store.fork("long", "fork", 30, create_entry("fork")).close()
    _drop_zeros()


def _drop_zeros() -> None:
    """The zeros ahead of the last chunk say nothing, and would be most of the bytes."""
    for path in HOME.rglob("*.oplog"):
        with open_file(path) as reader:
            end = reader.look_again().end_offset
        os.truncate(path, end)


def blob_ref() -> BlobRef:
    """What stands in the log in place of `LARGE`."""
    return BlobRef(sha256(LARGE).digest(), len(LARGE))


if __name__ == "__main__":
    main()
