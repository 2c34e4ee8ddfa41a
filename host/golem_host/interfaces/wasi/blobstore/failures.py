"""What went wrong with an object, as the interfaces of ``wasi:blobstore`` say it: a text."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from golem_host.services.stores.limits import StoreError
from golem_oplog.values import Err, Ok

Q = ParamSpec("Q")


def fallible(action: Callable[Q, object]) -> Callable[Q, Ok[object] | Err[object]]:
    """What an action gives, or why the store refused, as the interface's ``result``."""

    @wraps(action)
    def answer(*args: Q.args, **named: Q.kwargs) -> Ok[object] | Err[object]:
        try:
            return Ok(action(*args, **named))
        except StoreError as refused:
            return Err(str(refused))

    return answer
