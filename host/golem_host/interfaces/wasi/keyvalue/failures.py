"""``wasi:keyvalue/wasi-keyvalue-error``: what went wrong with a store, as text."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, resource
from golem_host.services.stores.limits import StoreError
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.values import Err, Ok

Q = ParamSpec("Q")


@dataclass(frozen=True, slots=True)
class Failure:
    """Behind an ``error`` handle."""

    message: str


@resource("wasi:keyvalue/wasi-keyvalue-error", "error")
class ErrorResource:
    @function(UNRECORDED)
    def trace(self, context: InstanceContext, error: Failure) -> str:
        return error.message


def fallible(action: Callable[Q, object]) -> Callable[Q, Ok[object] | Err[object]]:
    """What an action gives, or why the store refused, as the interface's ``result``."""

    @wraps(action)
    def answer(*args: Q.args, **named: Q.kwargs) -> Ok[object] | Err[object]:
        try:
            return Ok(action(*args, **named))
        except StoreError as refused:
            return Err(Failure(str(refused)))

    return answer
