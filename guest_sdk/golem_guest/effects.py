"""
Effects of a guest's own, made durable (spec 7.4).

``durable(function)`` performs the function once, writes its outcome to the log, and answers from
the log ever after.  Host calls inside of the function leave no trace of their own: on replay the
whole function is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import Enum
from functools import wraps
from inspect import iscoroutinefunction
from typing import ParamSpec, TypeVar, cast, overload

from golem_guest._limits import TYPED_BYTES_MAX, check_text
from golem_guest._trap import end_invocation
from golem_guest._world import host, imported
from golem_guest.settings import Persistence, persistence_level

_DURABILITY = imported(
    "golem:durability/durability", marker="begin_durable_function", version="1.2.1"
)
_HOST = host()
_OPLOG = imported("golem:api/oplog", marker="WrappedFunctionType_ReadLocal", version="1.1.7")
_TYPES = imported("golem:rpc/types", marker="ValueAndType", version="0.2.2")

_ADVICE = "store what is large elsewhere, and pass its name"

P = ParamSpec("P")
R = TypeVar("R")


class Kind(Enum):
    """What an effect does, and so what a crash in the middle of it means."""

    READ_LOCAL = "ReadLocal"
    WRITE_LOCAL = "WriteLocal"
    READ_REMOTE = "ReadRemote"
    WRITE_REMOTE = "WriteRemote"
    """Committed before and after it; never made twice with `idempotence_mode(False)`."""


@overload
def durable(function: Callable[P, R], /) -> Callable[P, R]: ...


@overload
def durable(
    *, name: str | None = None, kind: Kind = Kind.WRITE_REMOTE
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def durable(
    function: Callable[P, R] | None = None,
    /,
    *,
    name: str | None = None,
    kind: Kind = Kind.WRITE_REMOTE,
) -> Callable[P, R] | Callable[[Callable[P, R]], Callable[P, R]]:
    """
    Make a function's outcome part of the log: ``@durable`` or ``@durable(name=..., kind=...)``.

    Arguments and result are recorded as JSON, and the result is given back as JSON has it (a tuple
    is a list), so that it is the same live and on replay.  A function that raises is not recorded:
    the invocation ends, and is tried again as the retry policy says.  So it does where the result
    has more than 256 KiB; arguments that large are a `PayloadTooLargeError` before anything is done.

    Args:
        function: The effect.
        name: Of its entries, ``module::function`` by default.  Changing it makes old logs diverge.
        kind: What it does.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if iscoroutinefunction(function):
            message = f"{function.__qualname__} is async: only a plain function can be durable"
            raise TypeError(message)
        interface, called = function.__module__, function.__qualname__
        full = name or f"{interface}::{called}"

        @wraps(function)
        def perform(*args: P.args, **kwargs: P.kwargs) -> R:
            request = json.dumps([*args, kwargs] if kwargs else [*args])
            check_text(f"the arguments of {full}", request, _ADVICE, TYPED_BYTES_MAX)
            _DURABILITY.observe_function_call(interface, called)
            wit_kind = getattr(_OPLOG, f"WrappedFunctionType_{kind.value}")()
            begin = _DURABILITY.begin_durable_function(wit_kind)
            state = _DURABILITY.current_durable_execution_state()
            unrecorded = isinstance(state.persistence_level, _HOST.PersistenceLevel_PersistNothing)
            if not state.is_live and not unrecorded:
                text = _replayed(full)
                _DURABILITY.end_durable_function(wit_kind, begin, False)
                return cast("R", json.loads(text))
            try:
                with persistence_level(Persistence.NOTHING):
                    text = json.dumps(function(*args, **kwargs))
                check_text(f"the result of {full}", text, _ADVICE, TYPED_BYTES_MAX)
                if not unrecorded:
                    _DURABILITY.persist_typed_durable_function_invocation(
                        full, _string(request), _string(text), wit_kind
                    )
                    _DURABILITY.end_durable_function(wit_kind, begin, False)
            except BaseException as error:  # noqa: BLE001 - else the log would lack what was begun
                end_invocation(error)
            return cast("R", json.loads(text))

        return perform

    return decorate if function is None else decorate(function)


def _replayed(full: str) -> str:
    found = _DURABILITY.read_persisted_typed_durable_function_invocation()
    if found.function_name != full:
        message = f"the log has {found.function_name!r} where the guest calls {full!r}"
        end_invocation(RuntimeError(message))
    text: str = found.response.value.nodes[0].value
    return text


def _string(text: str) -> object:
    """A ``value-and-type`` of a string."""
    return _TYPES.ValueAndType(
        _TYPES.WitValue([_TYPES.WitNode_PrimString(text)]),
        _TYPES.WitType([_TYPES.NamedWitTypeNode(None, None, _TYPES.WitTypeNode_PrimStringType())]),
    )
