"""
What a Python guest has of its host, in Python's own terms.

Everything can be imported from here.  What a guest may use depends on the imports of its world:
a name that needs another one is refused, with the line that the world lacks.

========================  ===========================================================
`atomically`              a function that happens as a whole, or again from its start
`atomic_region`           the same for a block
`retry_policy`            how failures inside of a block are tried again
`persistence_level`       what of a block is kept for replay
`idempotence_mode`        whether remote writes of a block may be repeated
`fallible_transaction`    steps that are taken back when one fails
`infallible_transaction`  the same, tried until all of them succeed
`Promise`                 a value that somebody else gives, perhaps in weeks
`sleep_until`             wait for a point in time
`idempotency_key`         a name for an effect, the same when it is repeated
`fork`                    become two workers
`commit`                  wait until everything so far is on disk
`WasiHandler`             `logging` by way of wasi:logging
`http`                    requests by way of wasi:http
`Worker`, `gather`        calls to other workers, one after the other or at the same time
`durable`                 make a function's outcome part of the log
`span`                    a named stretch of work, for traces
`State`                   state that travels to a new version by itself
`PayloadTooLargeError`    more than one call can take to the host
========================  ===========================================================
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from golem_guest import http, rpc
    from golem_guest._limits import PayloadTooLargeError
    from golem_guest.atomic import atomic_region, atomically
    from golem_guest.clock import sleep_until
    from golem_guest.effects import Kind, durable
    from golem_guest.log import WasiHandler
    from golem_guest.promises import Promise
    from golem_guest.rpc import RpcError, Worker, gather
    from golem_guest.settings import (
        Persistence,
        RetryPolicy,
        idempotence_mode,
        persistence_level,
        retry_policy,
    )
    from golem_guest.spans import span, trace_headers
    from golem_guest.state import State
    from golem_guest.transactions import (
        Operation,
        PartlyRolledBackError,
        RolledBackError,
        Transaction,
        fallible_transaction,
        infallible_transaction,
        operation,
    )
    from golem_guest.worker import Forked, commit, fork, idempotency_key

_MODULES = {
    "_limits": "PayloadTooLargeError",
    "atomic": "atomic_region atomically",
    "clock": "sleep_until",
    "effects": "Kind durable",
    "http": "",
    "log": "WasiHandler",
    "promises": "Promise",
    "rpc": "RpcError Worker gather",
    "settings": "Persistence RetryPolicy idempotence_mode persistence_level retry_policy",
    "spans": "span trace_headers",
    "state": "State",
    "transactions": (
        "Operation PartlyRolledBackError RolledBackError Transaction fallible_transaction "
        "infallible_transaction operation"
    ),
    "worker": "Forked commit fork idempotency_key",
}

__all__ = [
    "Forked",
    "Kind",
    "Operation",
    "PartlyRolledBackError",
    "PayloadTooLargeError",
    "Persistence",
    "Promise",
    "RetryPolicy",
    "RolledBackError",
    "RpcError",
    "State",
    "Transaction",
    "WasiHandler",
    "Worker",
    "atomic_region",
    "atomically",
    "commit",
    "durable",
    "fallible_transaction",
    "fork",
    "gather",
    "http",
    "idempotence_mode",
    "idempotency_key",
    "infallible_transaction",
    "operation",
    "persistence_level",
    "retry_policy",
    "rpc",
    "sleep_until",
    "span",
    "trace_headers",
]

_LACKING: dict[str, str] = {}
"""Name -> what the world lacks for it."""


def _load() -> None:
    """Everything that this world allows, now: a built guest has no files to import from."""
    for module, names in _MODULES.items():
        try:
            loaded = import_module(f"golem_guest.{module}")
        except ImportError as error:
            _LACKING.update(dict.fromkeys([module, *names.split()], str(error)))
            continue
        globals()[module] = loaded
        globals().update({name: getattr(loaded, name) for name in names.split()})


if not TYPE_CHECKING:
    # Else every name that is misspelled would have a type.

    def __getattr__(name: str) -> object:
        if name in _LACKING:
            message = f"golem_guest.{name}: {_LACKING[name]}"
            raise ImportError(message)
        message = f"module 'golem_guest' has no attribute {name!r}"
        raise AttributeError(message)


_load()
