"""What a call is given, between public form and the log's."""

from __future__ import annotations

from datetime import datetime

from golem_host.errors import InvalidRequestError, ParamTypeMismatchError
from golem_host.wire import Public, Wire
from golem_host.worker.parts import NS_PER_S
from golem_oplog.errors import ValueTypeError
from golem_oplog.types import FunctionType
from golem_oplog.values import from_wire, to_wire


def wire_args(function: FunctionType, args: tuple[Public, ...]) -> list[Wire]:
    """Arguments in wire form, checked against the export's type."""
    refuse_count(function, len(args))
    wires: list[Wire] = []
    for (name, ty), value in zip(function.params, args, strict=True):
        try:
            wires.append(to_wire(ty)(value))
        except ValueTypeError as error:
            raise ParamTypeMismatchError(
                function=function.name, parameter=name, reason=str(error)
            ) from error
    return wires


def refuse_count(function: FunctionType, given: int) -> None:
    """
    Raises:
        ParamTypeMismatchError: The function takes another number of arguments.
    """
    if given != len(function.params):
        raise ParamTypeMismatchError(
            function=function.name,
            parameter="",
            reason=f"takes {_count(len(function.params))}, got {given}",
        )


def _count(number: int) -> str:
    return f"{number} argument" if number == 1 else f"{number} arguments"


def public_args(function: FunctionType, wires: list[Wire]) -> tuple[Public, ...]:
    types = [ty for _, ty in function.params]
    return tuple(from_wire(ty)(wire) for ty, wire in zip(types, wires, strict=True))


def unix_ns_of(at: datetime | float) -> int:
    """When a call is to begin: a point in time, or Unix seconds."""
    seconds = at.timestamp() if isinstance(at, datetime) else at
    try:
        nanoseconds = round(seconds * NS_PER_S)
    except (OverflowError, ValueError):
        nanoseconds = -1
    if not 0 <= nanoseconds < 1 << 63:
        raise InvalidRequestError(reason=f"{at!r} is no time at which a call could begin")
    return nanoseconds
