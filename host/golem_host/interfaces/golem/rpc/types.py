"""
``golem:rpc/types``: UUIDs, and calls from one worker to another.

A call has a key that is recorded before it is made, so it takes effect once however often its
caller is rebuilt.  What goes wrong with it is a value, recorded like any other result.  A caller
that waits gives up its instance after a while and is woken by the answer.

Source: spec 1.3 and 2.16, with the project's remarks R20 and R23.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from golem_host.context import InstanceContext
from golem_host.declare import (
    READ_LOCAL,
    UNRECORDED,
    WRITE_REMOTE,
    Recorded,
    constructor,
    function,
    interface,
    resource,
    static,
)
from golem_host.dispatch import recorded_call
from golem_host.errors import ConflictError, HostError
from golem_host.failures import GuestError
from golem_host.interfaces.golem.api.own import caller, recorded_value, require_recording
from golem_host.interfaces.golem.api.values import (
    COMPONENT_ID,
    WORKER_ID,
    ComponentId,
    Uuid,
    WorkerId,
    component_id,
    uuid_text,
    worker_ref,
)
from golem_host.interfaces.golem.rpc.asked import (
    ASKED,
    RESULT,
    RPC_ERROR,
    Answer,
    Asked,
    ask,
    asking,
    failure,
    was_submitted,
)
from golem_host.interfaces.golem.rpc.future import Future, FutureInvokeResultResource
from golem_host.interfaces.wasi.clocks.wall_clock import NS_PER_SECOND
from golem_host.interfaces.wasi.io.poll import wait_for
from golem_host.services.calls import CallRef
from golem_host.services.peers import WorkerRef
from golem_host.wire import Public, Wire
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import FunctionType, Prim, RecordType, ResultType
from golem_oplog.values import Err, Ok, from_wire, to_wire

INTERFACE: Final = "golem:rpc/types"
TIME_NS_MAX: Final = (1 << 63) - 1
"""The year 2262: what is scheduled later than that is scheduled then."""

_DATETIME: Final = RecordType((("seconds", Prim.U64), ("nanoseconds", Prim.U32)))
EPHEMERAL: Final = Recorded(
    READ_LOCAL,
    FunctionType(
        "golem::rpc::wasm-rpc::generate_unique_local_worker_id",
        (("component-id", COMPONENT_ID),),
        WORKER_ID,
    ),
)
INVOKE: Final = Recorded(
    WRITE_REMOTE,
    FunctionType("golem::rpc::wasm-rpc::invoke", ASKED, ResultType(None, RPC_ERROR)),
)
AWAIT: Final = Recorded(
    WRITE_REMOTE, FunctionType("golem::rpc::wasm-rpc::invoke-and-await result", ASKED, RESULT)
)
SCHEDULE: Final = Recorded(
    WRITE_REMOTE,
    FunctionType(
        "golem::rpc::wasm-rpc::schedule_invocation",
        (("scheduled-time", _DATETIME), *ASKED),
        Prim.STRING,
    ),
)
CANCEL: Final = Recorded(
    WRITE_REMOTE,
    FunctionType(
        "golem::rpc::cancellation-token::cancel",
        (("worker-id", WORKER_ID), ("schedule-id", Prim.STRING)),
        None,
    ),
)


@interface(INTERFACE)
class RpcFunctions:
    @function(UNRECORDED)
    def parse_uuid(self, context: InstanceContext, uuid: str) -> Ok[object] | Err[object]:
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

    worker: WorkerRef


@resource(INTERFACE, "wasm-rpc")
class WasmRpcResource:
    @constructor(UNRECORDED)
    def new(self, context: InstanceContext, worker_id: Public) -> Line:
        return Line(worker_ref(worker_id))

    @static(UNRECORDED)
    def ephemeral(self, context: InstanceContext, component_id_: Public) -> Line:
        """The name is recorded inside."""
        require_recording(context, "a line to a new worker")
        component = component_id(component_id_)
        found = recorded_value(
            context,
            EPHEMERAL,
            (ComponentId.parse(component),),
            lambda: WorkerId.of(WorkerRef(component, context.services.random.uuid())),
        )
        return Line(worker_ref(found))

    @function(UNRECORDED)
    def invoke(
        self, context: InstanceContext, line: Line, function_name: str, function_params: Public
    ) -> Public:
        """Recorded inside."""
        asked = ask(context, line.worker, function_name, function_params)
        wire = recorded_call(
            context, INVOKE, asked.request(), lambda: _hand_over(context, asked), keyed=True
        )
        return from_wire(ResultType(None, RPC_ERROR))(wire)

    @function(UNRECORDED)
    def invoke_and_await(
        self, context: InstanceContext, line: Line, function_name: str, function_params: Public
    ) -> Public:
        """Recorded inside."""
        asked = ask(context, line.worker, function_name, function_params)
        wire = recorded_call(
            context, AWAIT, asked.request(), lambda: _await(context, asked), keyed=True
        )
        return from_wire(RESULT)(wire)

    @function(UNRECORDED)
    def async_invoke_and_await(
        self, context: InstanceContext, line: Line, function_name: str, function_params: Public
    ) -> Future:
        """The key is recorded inside, and each look at the future."""
        return Future(context, ask(context, line.worker, function_name, function_params))

    @function(UNRECORDED)
    def schedule_invocation(
        self,
        context: InstanceContext,
        line: Line,
        scheduled_time: Public,
        function_name: str,
        function_params: Public,
    ) -> None:
        """Recorded inside."""
        asked = ask(context, line.worker, function_name, function_params)
        _schedule(context, asked, scheduled_time)

    @function(UNRECORDED)
    def schedule_cancelable_invocation(
        self,
        context: InstanceContext,
        line: Line,
        scheduled_time: Public,
        function_name: str,
        function_params: Public,
    ) -> CallRef:
        """Recorded inside."""
        asked = ask(context, line.worker, function_name, function_params)
        return CallRef(asked.worker, _schedule(context, asked, scheduled_time))


def _hand_over(context: InstanceContext, asked: Asked) -> Wire:
    try:
        asked.submit(context)
    except HostError as error:
        return (1, failure(error))
    return (0, None)


def _await(context: InstanceContext, asked: Asked) -> Wire:
    try:
        if asked.worker == caller(context):
            raise ConflictError(
                reason=f"worker {context.services.peers.calls.label(asked.worker)} would wait for "
                "itself; use invoke, or schedule-invocation"
            )
        if was_submitted(context, asked):
            asked.go_on(context)
        else:
            asked.submit(context)
        while True:
            wait_for(context, [Answer(context, asked)])
            value = asked.outcome(context)
            if value is not None:
                return (0, value)
    except HostError as error:
        return (1, failure(error))


def _schedule(context: InstanceContext, asked: Asked, time: Public) -> str:
    """The opaque name of the schedule: the key of the call."""
    at_ns = min(time["seconds"] * NS_PER_SECOND + time["nanoseconds"], TIME_NS_MAX)

    def submit() -> str:
        try:
            asked.submit(context, at_ns)
        except HostError as error:
            # There is no other way to say so.
            raise GuestError(f"cannot be scheduled: {error}") from error
        return asked.call.key

    request = ((time["seconds"], time["nanoseconds"]), *asked.request())
    found: str = recorded_call(context, SCHEDULE, request, submit, keyed=True)
    return found


@resource(INTERFACE, "cancellation-token")
class CancellationTokenResource:
    @function(UNRECORDED)
    def cancel(self, context: InstanceContext, schedule: CallRef) -> None:
        """Recorded inside."""
        require_recording(context, "cancel")

        def cancel() -> None:
            with asking(schedule.worker):
                context.services.peers.calls.cancel(schedule)

        request = (to_wire(WORKER_ID)(WorkerId.of(schedule.worker)), schedule.key)
        recorded_call(context, CANCEL, request, cancel, keyed=True)


RPC: Final = (
    RpcFunctions(),
    WasmRpcResource(),
    FutureInvokeResultResource(),
    CancellationTokenResource(),
)
