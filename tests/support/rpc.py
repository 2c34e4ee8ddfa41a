"""
``golem:rpc/types`` as a guest sees it, without an engine; `ScriptedCalls` are the other workers.

Types are written down here and not taken from the host: they are what components import.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from golem_host.dispatch import Dispatcher
from golem_host.engine import ImportedFunction
from golem_host.interfaces.offered import registry
from golem_host.services.calls import CallRef
from golem_oplog.entries import ImportedFunctionInvoked
from golem_oplog.memory import MemoryOplog
from golem_oplog.types import (
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
from golem_oplog.values import from_wire, to_wire
from golem_oplog.wit_value import VALUE_AND_TYPE, WIT_TYPE, WIT_VALUE, to_wit_value
from tests.support.contexts import context_on
from tests.support.host_api import COMPONENT_ID, KEY, POLL, UUID, Neighbours
from tests.support.scripted_calls import ScriptedCalls
from tests.support.scripted_guest import Params, imported

INTERFACE: Final = "golem:rpc/types"
ERROR: Final = VariantType(
    (
        ("protocol-error", Prim.STRING),
        ("denied", Prim.STRING),
        ("not-found", Prim.STRING),
        ("remote-internal-error", Prim.STRING),
    )
)
WORKER_ID: Final = RecordType((("component-id", COMPONENT_ID), ("worker-name", Prim.STRING)))
TIME: Final = RecordType((("seconds", Prim.U64), ("nanoseconds", Prim.U32)))
POLLABLE: Final = HandleType("wasi:io/poll.pollable", owned=True)


def _own(name: str) -> HandleType:
    return HandleType(f"{INTERFACE}.{name}", owned=True)


def _self(name: str) -> Params:
    return (("self", HandleType(f"{INTERFACE}.{name}", owned=False)),)


_CALL: Final[Params] = (
    ("function-name", Prim.STRING),
    ("function-params", ListType(WIT_VALUE)),
)
_LINE: Final = _self("wasm-rpc")
_LATER: Final[Params] = (*_LINE, ("scheduled-time", TIME), *_CALL)
FUNCTIONS: Final[dict[str, tuple[Params, WitType | None]]] = {
    "parse-uuid": ((("uuid", Prim.STRING),), ResultType(UUID, Prim.STRING)),
    "uuid-to-string": ((("uuid", UUID),), Prim.STRING),
    "extract-value": ((("vnt", VALUE_AND_TYPE),), WIT_VALUE),
    "extract-type": ((("vnt", VALUE_AND_TYPE),), WIT_TYPE),
    "[constructor]wasm-rpc": ((("worker-id", WORKER_ID),), _own("wasm-rpc")),
    "[static]wasm-rpc.ephemeral": ((("component-id", COMPONENT_ID),), _own("wasm-rpc")),
    "[method]wasm-rpc.invoke-and-await": ((*_LINE, *_CALL), ResultType(WIT_VALUE, ERROR)),
    "[method]wasm-rpc.invoke": ((*_LINE, *_CALL), ResultType(None, ERROR)),
    "[method]wasm-rpc.async-invoke-and-await": ((*_LINE, *_CALL), _own("future-invoke-result")),
    "[method]wasm-rpc.schedule-invocation": (_LATER, None),
    "[method]wasm-rpc.schedule-cancelable-invocation": (_LATER, _own("cancellation-token")),
    "[method]future-invoke-result.subscribe": (_self("future-invoke-result"), POLLABLE),
    "[method]future-invoke-result.get": (
        _self("future-invoke-result"),
        OptionType(ResultType(WIT_VALUE, ERROR)),
    ),
    "[method]cancellation-token.cancel": (_self("cancellation-token"), None),
}


def value_of(ty: WitType, wire: Any) -> Any:
    """A ``wit-value`` in public form."""
    return from_wire(WIT_VALUE)(to_wit_value(ty, wire))


def answer_of(ty: WitType, wire: Any) -> Any:
    """What another worker's function returns, in wire form."""
    return to_wit_value(TupleType((ty,)), (wire,))


@cache
def _linked() -> dict[str, tuple[ImportedFunction, Callable[..., Any]]]:
    dispatcher = Dispatcher(registry())
    imports = [*(imported(INTERFACE, n, p, r) for n, (p, r) in FUNCTIONS.items()), POLL]
    found = [(each, dispatcher.resolve(each)) for each in imports]
    return {each.name: (each, act) for each, act in found if act is not None}


class Guest:
    """One instance of alice in the middle of her only invocation."""

    def __init__(self, oplog: MemoryOplog, neighbours: Neighbours) -> None:
        self.neighbours = neighbours
        self.context = context_on(oplog, neighbours.clock, peers=neighbours)
        self.context.key = KEY
        assert self.context.replay.invocation() is not None

    @property
    def calls(self) -> ScriptedCalls:
        return self.neighbours.calls

    @property
    def only_call(self) -> CallRef:
        (call,) = self.calls.queue
        return call

    def __call__(self, name: str, *args: Any) -> Any:
        """Handles are given and returned as their reps, everything else in public form."""
        function, handler = _linked()[name]
        wires = [
            to_wire(ty)(arg) if not _has_handle(ty) else arg
            for (_, ty), arg in zip(function.type.params, args, strict=True)
        ]
        return _public(function.type, handler(self.context, *wires))

    def made(self) -> list[str]:
        """The names of the recorded calls so far, without those of the invocation."""
        oplog = self.context.oplog
        return [
            oplog.function(entry.function).name
            for _, entry in oplog.read(3)
            if isinstance(entry, ImportedFunctionInvoked)
        ]


def _has_handle(ty: WitType) -> bool:
    return isinstance(ty, HandleType) or (
        isinstance(ty, ListType) and isinstance(ty.element, HandleType)
    )


def _public(function: FunctionType, wire: Any) -> Any:
    if function.result is None or _has_handle(function.result):
        return wire
    return from_wire(function.result)(wire)
