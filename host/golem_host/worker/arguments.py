"""The arguments of a call, between public form and wire form."""

from __future__ import annotations

from golem_host.errors import ParamTypeMismatchError
from golem_host.wire import Public, Wire
from golem_host.worker.request import Request
from golem_oplog.errors import ValueTypeError
from golem_oplog.types import FunctionType
from golem_oplog.values import from_wire, to_wire


def wire_args(function: FunctionType, args: tuple[Public, ...]) -> list[Wire]:
    """Arguments in wire form, checked against the export's type."""
    if len(args) != len(function.params):
        raise ParamTypeMismatchError(
            function=function.name,
            parameter="",
            reason=f"takes {_count(len(function.params))}, got {len(args)}",
        )
    wires: list[Wire] = []
    for (name, ty), value in zip(function.params, args, strict=True):
        try:
            wires.append(to_wire(ty)(value))
        except ValueTypeError as error:
            raise ParamTypeMismatchError(
                function=function.name, parameter=name, reason=str(error)
            ) from error
    return wires


def _count(number: int) -> str:
    return f"{number} argument" if number == 1 else f"{number} arguments"


def public_args(request: Request) -> tuple[Public, ...]:
    types = [ty for _, ty in request.function.params]
    return tuple(from_wire(ty)(wire) for ty, wire in zip(types, request.args, strict=True))
