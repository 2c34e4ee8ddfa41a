"""Values that do not fit their type: what to tell whoever made them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from golem_host.engine.context import StoreContext
from golem_host.errors import HandlerResultError, ParamTypeMismatchError
from golem_oplog.errors import ValueTypeError
from golem_oplog.types import FunctionType, WitType
from golem_oplog.values import check_wire


def result_error(
    ty: FunctionType, result: object, context: StoreContext, cause: BaseException
) -> BaseException:
    """
    What to raise where a handler's result could not be lowered.

    Raises nothing itself, whatever the result does when it is looked at: this runs in a callback.
    """
    try:
        context.free_boxes()
        if not isinstance(cause, Exception):
            return cause
        error = HandlerResultError(function=ty.name, reason=_reason(ty.result, result, cause))
        error.__cause__ = cause
    except BaseException as raised:  # noqa: BLE001 # nothing may leave a callback
        return raised
    return error


def argument_error(
    ty: FunctionType, arguments: Sequence[Any], cause: Exception
) -> ParamTypeMismatchError:
    """What to raise where the arguments of an export could not be lowered."""
    if len(arguments) != len(ty.params):
        reason = f"takes {len(ty.params)} arguments, {len(arguments)} were given"
        return ParamTypeMismatchError(function=ty.name, parameter="", reason=reason)
    for (name, param), value in zip(ty.params, arguments, strict=True):
        reason = _misfit(param, value)
        if reason:
            return ParamTypeMismatchError(function=ty.name, parameter=name, reason=reason)
    return ParamTypeMismatchError(function=ty.name, parameter="", reason=str(cause))


def _reason(ty: WitType | None, value: object, cause: Exception) -> str:
    if ty is None:
        return f"a function without a result returned {type(value).__name__}"
    return _misfit(ty, value) or str(cause) or type(cause).__name__


def _misfit(ty: WitType, value: object) -> str:
    """Where and how a value does not fit, or nothing where its form is right."""
    try:
        check_wire(ty, value)
    except ValueTypeError as error:
        return str(error)
    return ""
