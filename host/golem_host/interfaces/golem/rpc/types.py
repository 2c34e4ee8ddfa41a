"""
``golem:rpc/types``: links, because every guest of ``golem:api/host`` imports it whole.

Names and values can be worked with.  A call to another worker is answered ``denied`` by this
version, which the guest can handle; a schedule, which knows no errors, traps.

Source: spec 1.3.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from golem_host.context import InstanceContext
from golem_host.declare import (
    UNRECORDED,
    Refused,
    constructor,
    function,
    interface,
    resource,
    static,
)
from golem_host.failures import GuestError
from golem_host.interfaces.golem.api.values import Uuid, uuid_text
from golem_host.interfaces.wasi.io.pollables import Pollable, Ready
from golem_host.wire import Public
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.values import Err, Ok, Variant

INTERFACE: Final = "golem:rpc/types"
WHY: Final = "calls from worker to worker are not offered by this version of golem-host"
_DENIED: Final = Err(Variant("denied", WHY))


@interface(INTERFACE)
class RpcFunctions:
    @function(UNRECORDED)
    def parse_uuid(self, context: InstanceContext, uuid: str) -> Ok | Err:
        try:
            parsed = UUID(uuid)
        except ValueError:
            return Err(f"{uuid!r} is no UUID")
        return Ok(Uuid.of(parsed))

    @function(UNRECORDED)
    def uuid_to_string(self, context: InstanceContext, uuid: Public) -> str:
        return uuid_text(uuid)

    @function(UNRECORDED)
    def extract_value(self, context: InstanceContext, vnt: Public) -> Public:
        return vnt["value"]

    @function(UNRECORDED)
    def extract_type(self, context: InstanceContext, vnt: Public) -> Public:
        return vnt["typ"]


@dataclass(frozen=True, slots=True)
class Line:
    """Behind a handle ``wasm-rpc``."""


@resource(INTERFACE, "wasm-rpc")
class WasmRpcResource:
    @constructor(UNRECORDED)
    def new(self, context: InstanceContext, worker_id: Public) -> Line:
        return Line()

    @static(UNRECORDED)
    def ephemeral(self, context: InstanceContext, component_id: Public) -> Line:
        return Line()

    @function(UNRECORDED)
    def async_invoke_and_await(
        self, context: InstanceContext, line: Line, function_name: str, params: Public
    ) -> Outcome:
        return Outcome()

    @function(UNRECORDED)
    def schedule_invocation(
        self, context: InstanceContext, line: Line, time: Public, function_name: str, params: Public
    ) -> None:
        raise GuestError(WHY)

    @function(UNRECORDED)
    def schedule_cancelable_invocation(
        self, context: InstanceContext, line: Line, time: Public, function_name: str, params: Public
    ) -> None:
        raise GuestError(WHY)


@dataclass(slots=True)
class Outcome:
    """Behind a handle ``future-invoke-result``."""

    is_taken: bool = False


@resource(INTERFACE, "future-invoke-result")
class FutureInvokeResultResource:
    @function(UNRECORDED)
    def subscribe(self, context: InstanceContext, outcome: Outcome) -> Pollable:
        return Ready()

    @function(UNRECORDED)
    def get(self, context: InstanceContext, outcome: Outcome) -> Err:
        if outcome.is_taken:
            raise GuestError("the result of this call was taken before")
        outcome.is_taken = True
        return _DENIED


RPC: Final = (
    RpcFunctions(),
    WasmRpcResource(),
    FutureInvokeResultResource(),
    Refused(
        INTERFACE,
        ("[method]wasm-rpc.invoke", "[method]wasm-rpc.invoke-and-await"),
        _DENIED,
        ("cancellation-token",),
    ),
    # Nobody has a token: there are no schedules.
    Refused(INTERFACE, ("[method]cancellation-token.cancel",), None),
)
