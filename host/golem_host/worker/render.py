"""A divergence in words: what the log says, what the guest asked for, each with its arguments."""

from __future__ import annotations

from typing import Final

from golem_host.errors import DivergenceError
from golem_host.replay import Divergence
from golem_oplog.cbor import decode_args
from golem_oplog.codec import decode_wire
from golem_oplog.entries import (
    KIND_BY_CLASS,
    Entry,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    ImportedFunctionInvoked,
    Payload,
)
from golem_oplog.errors import OplogError
from golem_oplog.protocol import Oplog
from golem_oplog.types import FunctionType, WitType
from golem_oplog.values import from_wire
from golem_oplog.wave import render_value

ARGUMENT_CHARS_MAX: Final = 200


def divergence_error(oplog: Oplog, divergence: Divergence) -> DivergenceError:
    """The public error for what the replay core raised."""
    last = ""
    if divergence.last is not None:
        last = f"{describe(oplog, divergence.last[1])} at index {divergence.last[0]}"
    return DivergenceError(
        index=divergence.index,
        recorded=describe(oplog, divergence.recorded),
        attempted=_attempted(oplog, divergence),
        last_agreed=last,
        cause=divergence.cause,
    )


def describe(oplog: Oplog, entry: Entry) -> str:
    """One entry as a person would say it."""
    if isinstance(entry, ImportedFunctionInvoked):
        return _host_call(oplog, entry.function, entry.request)
    if isinstance(entry, ExportedFunctionInvoked):
        function = oplog.function(entry.function)
        return f"{function.name}({_arguments(function, decode_args(oplog.load(entry.request)))})"
    if isinstance(entry, ExportedFunctionCompleted):
        return "the end of the exported function"
    return KIND_BY_CLASS[type(entry)].name


def _attempted(oplog: Oplog, divergence: Divergence) -> str:
    if divergence.attempted_function is not None and divergence.attempted_request is not None:
        return _host_call(oplog, divergence.attempted_function, divergence.attempted_request)
    recorded = divergence.recorded
    if isinstance(recorded, ExportedFunctionCompleted) and divergence.attempted_request is not None:
        return f"{divergence.attempted} with another result"
    return divergence.attempted


def _host_call(oplog: Oplog, function_id: int, request: Payload) -> str:
    function = oplog.function(function_id)
    wires = decode_wire(oplog.load(request))
    return f"{function.name}({_arguments(function, list(wires))})"


def _arguments(function: FunctionType, wires: list[object]) -> str:
    types = [ty for _, ty in function.params]
    text = ", ".join(_value(ty, wire) for ty, wire in zip(types, wires, strict=False))
    return text if len(text) <= ARGUMENT_CHARS_MAX else text[:ARGUMENT_CHARS_MAX] + "..."


def _value(ty: WitType, wire: object) -> str:
    try:
        return render_value(from_wire(ty)(wire), ty)
    except OplogError:
        return "?"
