"""An entry of every kind, each with what a guest is to be given in its place."""

from __future__ import annotations

from typing import Final

import msgpack

from golem_host.interfaces.signatures import signatures
from golem_host.services.peers import WorkerRef
from golem_oplog.cbor import encode_args, encode_value
from golem_oplog.entries import (
    ActivatePlugin,
    BeginAtomicRegion,
    BeginRemoteWrite,
    CancelPendingInvocation,
    ChangePersistenceLevel,
    ChangeRetryPolicy,
    CreateResource,
    DeactivatePlugin,
    DescribeResource,
    DropResource,
    EndAtomicRegion,
    EndRemoteWrite,
    Entry,
    Error,
    Exited,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    FailedUpdate,
    FinishSpan,
    GrowMemory,
    ImportedFunctionInvoked,
    Interrupted,
    Jump,
    Log,
    NoOp,
    PendingUpdate,
    PendingWorkerInvocation,
    Restart,
    Revert,
    SetSpanAttribute,
    StartSpan,
    SuccessfulUpdate,
    Suspend,
)
from golem_oplog.protocol import Oplog
from golem_oplog.public import Err, Ok, Variant
from golem_oplog.spans import ExternalSpan, LocalSpan, encode_stacks
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
from tests.support.oplogs import NOTIFY

NEXT: Final = "[method]get-oplog.get-next"
_PAGE = signatures().of("golem:api/oplog", NEXT)[0].type.result
assert isinstance(_PAGE, OptionType)
assert isinstance(_PAGE.payload, ListType)
OPLOG_ENTRY: Final[WitType] = _PAGE.payload.element

PLUGIN: Final = "01234567-89ab-cdef-0123-456789abcdef"
SECOND: Final = 1_000_000_000

_EVERYTHING: Final = RecordType(
    (
        ("numbers", TupleType((Prim.U8, Prim.S64, Prim.F32, Prim.F64))),
        ("letter", Prim.CHAR),
        ("colour", EnumType(("red", "green"))),
        ("rights", FlagsType(("read", "write", "run"))),
        ("shape", VariantType((("dot", None), ("circle", Prim.U16)))),
        ("bytes", ListType(Prim.U8)),
        ("outcome", ResultType(Prim.BOOL, None)),
        ("nothing", OptionType(Prim.STRING)),
        ("door", HandleType("test:shop/doors.door", owned=False)),
    )
)
MEASURE: Final = FunctionType(
    "test:shop/stock.{measure}", (("all", _EVERYTHING), ("times", Prim.U32)), Prim.STRING
)
CHECK_OUT: Final = FunctionType(
    "test:shop/cart.{check-out}",
    (("items", ListType(Prim.STRING)), ("note", OptionType(Prim.STRING))),
    Prim.U64,
)
_STACKS: Final = (
    (
        LocalSpan("a" * 16, 7 * SECOND + 7, "b" * 16, 1, (("name", "buy"),), inherited=True),
        ExternalSpan("b" * 16),
    ),
    (ExternalSpan("c" * 16),),
)
# 1.5 and -2.25 by their bits.
_MEASURED: Final = (
    (7, -1, 0x3FC00000, 0xC002000000000000),
    "z",
    1,
    0b101,
    (1, 500),
    b"\x01\x02",
    (0, True),
    None,
    3,
)


def value(*nodes: Variant) -> dict[str, object]:
    return {"nodes": list(nodes)}


def text(content: str) -> dict[str, object]:
    return value(Variant("prim-string", content))


def stamp(second: int) -> dict[str, object]:
    return {"seconds": second, "nanoseconds": second}


ALICE: Final = WorkerRef("00000000-0000-0000-0000-000000000001", "alice")


def _uri(worker: WorkerRef) -> dict[str, object]:
    return {"value": f"urn:worker:{worker.component_id}/{worker.worker_name}"}


def _everything(worker: WorkerRef) -> dict[str, object]:
    """The arguments of `MEASURE`: what a tree of every kind of node looks like."""
    return value(
        Variant("tuple-value", [1, 19]),
        Variant("record-value", [2, 7, 8, 9, 10, 12, 15, 17, 18]),
        Variant("tuple-value", [3, 4, 5, 6]),
        Variant("prim-u8", 7),
        Variant("prim-s64", -1),
        Variant("prim-float32", 1.5),
        Variant("prim-float64", -2.25),
        Variant("prim-char", "z"),
        Variant("enum-value", 1),
        Variant("flags-value", [True, False, True]),
        Variant("variant-value", (1, 11)),
        Variant("prim-u16", 500),
        Variant("list-value", [13, 14]),
        Variant("prim-u8", 1),
        Variant("prim-u8", 2),
        Variant("result-value", Ok(16)),
        Variant("prim-bool", True),
        Variant("option-value", None),
        Variant("handle", (_uri(worker), 3)),
        Variant("prim-u32", 2),
    )


def _items(name: str) -> list[dict[str, object]]:
    return [
        value(Variant("list-value", [1]), Variant("prim-string", name)),
        value(Variant("option-value", None)),
    ]


def samples(log: Oplog, worker: WorkerRef = ALICE) -> list[tuple[Entry, Variant]]:
    """
    For a log whose first entry is that of `create_entry`, of every other kind at least one.

    The time of each is as many seconds and nanoseconds as its place in the list, counted from 1.
    """
    measure, check_out, notify = log.define(MEASURE), log.define(CHECK_OUT), log.define(NOTIFY)
    request = encode_args([["tea"], None])
    no_time = 0
    pairs: list[tuple[Entry, str, dict[str, object] | None]] = [
        (
            ImportedFunctionInvoked(
                no_time,
                measure,
                msgpack.packb((_MEASURED, 2)),
                msgpack.packb("heavy"),
                4,
                17,
            ),
            "imported-function-invoked",
            {
                "function-name": "test:shop/stock.{measure}",
                "request": _everything(worker),
                "response": text("heavy"),
                "wrapped-function-type": Variant("write-remote-batched", 17),
            },
        ),
        (
            ImportedFunctionInvoked(no_time, notify, msgpack.packb(("bob",)), b"\xc0", 3),
            "imported-function-invoked",
            {
                "function-name": "test:shop/mail.{notify}",
                "request": value(Variant("tuple-value", [1]), Variant("prim-string", "bob")),
                "response": value(Variant("tuple-value", [])),
                "wrapped-function-type": Variant("write-remote"),
            },
        ),
        (
            ImportedFunctionInvoked(no_time, notify, b"\x90", None, 4, None, "no route"),
            "imported-function-invoked",
            {
                "function-name": "test:shop/mail.{notify}",
                "request": text("not shown: not a payload of this log: no list of 1 arguments"),
                "response": value(
                    Variant("result-value", Err(1)), Variant("prim-string", "no route")
                ),
                "wrapped-function-type": Variant("write-remote-batched", None),
            },
        ),
        (
            ExportedFunctionInvoked(no_time, check_out, request, "key-1", "f" * 32, ("a=b", "c=d")),
            "exported-function-invoked",
            {
                "function-name": "test:shop/cart.{check-out}",
                "request": _items("tea"),
                "idempotency-key": "key-1",
                "trace-id": "f" * 32,
                "trace-states": ["a=b", "c=d"],
                "invocation-context": [],
            },
        ),
        (
            ExportedFunctionInvoked(
                no_time, check_out, request, "key-3", "f" * 32, (), encode_stacks(_STACKS)
            ),
            "exported-function-invoked",
            {
                "function-name": "test:shop/cart.{check-out}",
                "request": _items("tea"),
                "idempotency-key": "key-3",
                "trace-id": "f" * 32,
                "trace-states": [],
                "invocation-context": [
                    [
                        Variant(
                            "local-span",
                            {
                                "span-id": "a" * 16,
                                "start": stamp(7),
                                "parent": "b" * 16,
                                "linked-context": 1,
                                "attributes": [{"key": "name", "value": Variant("string", "buy")}],
                                "inherited": True,
                            },
                        ),
                        Variant("external-span", {"span-id": "b" * 16}),
                    ],
                    [Variant("external-span", {"span-id": "c" * 16})],
                ],
            },
        ),
        (
            ExportedFunctionCompleted(no_time, encode_value(12), -5),
            "exported-function-completed",
            {"response": value(Variant("prim-u64", 12)), "consumed-fuel": -5},
        ),
        (
            ExportedFunctionCompleted(no_time, None),
            "exported-function-completed",
            {"response": None, "consumed-fuel": 0},
        ),
        (Suspend(no_time, "sleeping", 99), "suspend", None),
        (Error(no_time, 0, "it broke", 3, 7, "at line 5"), "error", {"error": "it broke"}),
        (NoOp(no_time), "no-op", None),
        (Jump(no_time, 4, 8), "jump", {"start": 4, "end": 8}),
        (Interrupted(no_time), "interrupted", None),
        (Exited(no_time, 3), "exited", None),
        (
            ChangeRetryPolicy(no_time, 3, 10, 20, 1.5, None),
            "change-retry-policy",
            {
                "retry-policy": {
                    "max-attempts": 3,
                    "min-delay": 10,
                    "max-delay": 20,
                    "multiplier": 1.5,
                    "max-jitter-factor": None,
                }
            },
        ),
        (BeginAtomicRegion(no_time), "begin-atomic-region", None),
        (EndAtomicRegion(no_time, 15), "end-atomic-region", {"begin-index": 15}),
        (BeginRemoteWrite(no_time), "begin-remote-write", None),
        (EndRemoteWrite(no_time, 17), "end-remote-write", {"begin-index": 17}),
        (
            PendingWorkerInvocation(no_time, "key-2", check_out, request, None, 55),
            "pending-worker-invocation",
            {
                "invocation": Variant(
                    "exported-function",
                    {
                        "idempotency-key": "key-2",
                        "function-name": "test:shop/cart.{check-out}",
                        "input": _items("tea"),
                    },
                )
            },
        ),
        (
            PendingWorkerInvocation(no_time, "", None, b"", 4),
            "pending-worker-invocation",
            {"invocation": Variant("manual-update", 4)},
        ),
        (
            PendingUpdate(no_time, 4, None, "token"),
            "pending-update",
            {"target-version": 4, "update-description": Variant("auto-update")},
        ),
        (
            PendingUpdate(no_time, 5, b"saved"),
            "pending-update",
            {"target-version": 5, "update-description": Variant("snapshot-based", b"saved")},
        ),
        (
            SuccessfulUpdate(no_time, 4, 4096, (PLUGIN, "mine")),
            "successful-update",
            {
                "target-version": 4,
                "new-component-size": 4096,
                "new-active-plugins": [plugin(), plugin("mine")],
            },
        ),
        (
            FailedUpdate(no_time, 5, "it differs"),
            "failed-update",
            {"target-version": 5, "details": "it differs"},
        ),
        (GrowMemory(no_time, 65536), "grow-memory", {"delta": 65536}),
        (CreateResource(no_time, 1, "test:shop/doors", "door"), "create-resource", _RESOURCE),
        (DropResource(no_time, 1, "test:shop/doors", "door"), "drop-resource", _RESOURCE),
        (
            DescribeResource(no_time, 1, "test:shop/doors", "door", ('"front"', "2")),
            "describe-resource",
            {
                "resource-id": 1,
                "resource-name": "door",
                "resource-params": [text('"front"'), text("2")],
            },
        ),
        (
            Log(no_time, 5, "shop", b"sold out\xff"),
            "log",
            {"level": "warn", "context": "shop", "message": "sold out\ufffd"},
        ),
        (Restart(no_time), "restart", None),
        (ActivatePlugin(no_time, PLUGIN), "activate-plugin", {"plugin": plugin()}),
        (DeactivatePlugin(no_time, "mine"), "deactivate-plugin", {"plugin": plugin("mine")}),
        (Revert(no_time, 4, 9, "token"), "revert", {"start": 4, "end": 9}),
        (
            CancelPendingInvocation(no_time, "key-2"),
            "cancel-invocation",
            {"idempotency-key": "key-2"},
        ),
        (
            StartSpan(no_time, "a" * 16, "b" * 16, None, (("name", "buy"),)),
            "start-span",
            {
                "span-id": "a" * 16,
                "parent": "b" * 16,
                "linked-context": None,
                "attributes": [{"key": "name", "value": Variant("string", "buy")}],
            },
        ),
        (FinishSpan(no_time, "a" * 16), "finish-span", {"span-id": "a" * 16}),
        (
            SetSpanAttribute(no_time, "a" * 16, "price", "12"),
            "set-span-attribute",
            {"span-id": "a" * 16, "key": "price", "value": Variant("string", "12")},
        ),
        (
            ChangePersistenceLevel(no_time, 0),
            "change-persistence-level",
            {"persistence-level": Variant("persist-nothing")},
        ),
    ]
    return [_sample(at, *pair) for at, pair in enumerate(pairs, 1)]


_RESOURCE: Final[dict[str, object]] = {"resource-id": 1}


def plugin(name: str = "") -> dict[str, object]:
    """As it is given for one of this name; for one known by its UUID without."""
    high, low = (0, 0) if name else (0x0123456789ABCDEF, 0x0123456789ABCDEF)
    return {
        "installation-id": {"high-bits": high, "low-bits": low},
        "name": name,
        "version": "",
        "parameters": [],
    }


def _sample(
    at: int, entry: Entry, case: str, fields: dict[str, object] | None
) -> tuple[Entry, Variant]:
    timed = entry._replace(timestamp=at * SECOND + at)
    return timed, Variant(case, stamp(at) if fields is None else {"timestamp": stamp(at), **fields})


CREATED: Final = Variant(
    "create",
    {
        "timestamp": {"seconds": 1_700_000_000, "nanoseconds": 0},
        "worker-id": {
            "component-id": {"uuid": {"high-bits": 0, "low-bits": 1}},
            "worker-name": "alice",
        },
        "component-version": 0,
        "args": ["--fast"],
        "env": [("LANG", "C")],
        "created-by": {"value": ""},
        "project-id": {"uuid": {"high-bits": 0, "low-bits": 0}},
        "parent": None,
        "component-size": 4096,
        "initial-total-linear-memory-size": 65536,
        "initial-active-plugins": [],
    },
)
"""What a guest is given for the entry of `create_entry`."""
