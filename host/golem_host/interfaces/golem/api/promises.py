"""
Promises in ``golem:api/host``: make, wait, look, fill, remove.

A successful await is recorded, so that the promise may be deleted afterwards (R11).  While it is
open nothing is: the worker waits in memory for a while, then without an instance.

Source: spec 2.1, with the project's remarks R10, R11, R12 and R51.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import (
    READ_REMOTE,
    UNRECORDED,
    WRITE_LOCAL,
    WRITE_REMOTE,
    Recorded,
    function,
    interface,
    resource,
)
from golem_host.errors import PromiseNotFoundError
from golem_host.interfaces.golem.api.own import (
    INTERFACE,
    caller,
    recorded_value,
    require_recording,
)
from golem_host.interfaces.golem.api.values import PROMISE_ID, PromiseName, promise_id
from golem_host.interfaces.wasi.io.poll import wait_for
from golem_host.interfaces.wasi.io.pollables import Pollable, PromiseCell
from golem_host.services.promises import PromiseId
from golem_host.wire import Public
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import FunctionType, ListType, OptionType, Prim

AWAIT_RECORD: Final = "golem::api::await_promise"
POLL_RECORD: Final = "golem::api::poll_promise"

_ID: Final = (("promise-id", PROMISE_ID),)
_BYTES: Final = ListType(Prim.U8)
_AWAIT: Final = Recorded(READ_REMOTE, FunctionType(AWAIT_RECORD, _ID, _BYTES))
_POLL: Final = Recorded(READ_REMOTE, FunctionType(POLL_RECORD, _ID, OptionType(_BYTES)))


def _await(context: InstanceContext, promise: PromiseId) -> bytes:
    store = context.services.peers.promises
    while True:
        wait_for(context, [PromiseCell(promise, store)])
        content = store.get(promise)
        if content is not None:
            return content


@interface(INTERFACE)
class PromiseFunctions:
    @function(WRITE_LOCAL, record="golem::api::create_promise")
    def create_promise(self, context: InstanceContext) -> PromiseName:
        """
        The id holds the index that its entry is about to have.

        Should a kill come before the entry is on disk, the same promise is made again.
        """
        require_recording(context, "create-promise")
        promise = PromiseId(*caller(context), context.oplog.last_index + 1)
        context.services.peers.promises.create(promise)
        return PromiseName.of(promise)

    @function(UNRECORDED)
    def await_promise(self, context: InstanceContext, promise_id_: Public) -> bytes:
        promise = promise_id(promise_id_)
        replay = context.replay
        if not replay.live and not replay.next_is(context.function_id(_AWAIT)):
            # A log may come from a host that does not record this: then the content must be there.
            with suppress(PromiseNotFoundError):
                content = context.services.peers.promises.get(promise)
                if content is not None:
                    return content
        found: bytes = recorded_value(
            context, _AWAIT, (PromiseName.of(promise),), lambda: _await(context, promise)
        )
        return found

    @function(READ_REMOTE, record=POLL_RECORD)
    def poll_promise(self, context: InstanceContext, promise_id_: Public) -> bytes | None:
        return context.services.peers.promises.get(promise_id(promise_id_))

    @function(WRITE_REMOTE, record="golem::api::complete_promise")
    def complete_promise(self, context: InstanceContext, promise_id_: Public, data: bytes) -> bool:
        token = context.effect_token()
        return context.services.peers.promises.complete(promise_id(promise_id_), data, token)

    @function(WRITE_REMOTE, record="golem::api::delete_promise")
    def delete_promise(self, context: InstanceContext, promise_id_: Public) -> None:
        context.services.peers.promises.delete(promise_id(promise_id_))

    @function(UNRECORDED)
    def get_promise(self, context: InstanceContext, promise_id_: Public) -> GetPromiseResult:
        """In the agent-named dialect, the only way to wait."""
        return GetPromiseResult(promise_id(promise_id_))


@dataclass(frozen=True, slots=True)
class GetPromiseResult:
    """Behind a handle ``get-promise-result``."""

    promise: PromiseId


@resource(INTERFACE, "get-promise-result")
class GetPromiseResultResource:
    @function(UNRECORDED)
    def subscribe(self, context: InstanceContext, cell: GetPromiseResult) -> Pollable:
        return PromiseCell(cell.promise, context.services.peers.promises)

    @function(UNRECORDED)
    def get(self, context: InstanceContext, cell: GetPromiseResult) -> bytes | None:
        """Recorded as ``poll-promise``."""
        found: bytes | None = recorded_value(
            context,
            _POLL,
            (PromiseName.of(cell.promise),),
            lambda: context.services.peers.promises.get(cell.promise),
        )
        return found
