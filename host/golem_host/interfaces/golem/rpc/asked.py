"""
What one worker asks of another, and what it is told: under which key, in which form, with which
errors.

The key is recorded first, so a repetition after a crash asks under the same one and is answered
what the first one was.  That is why these calls are in no bracket, also with idempotence off: there
is nothing that could happen twice.

Source: spec 1.2 and 2.16, with the project's remark R1.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Final
from uuid import UUID

from golem_host.context import InstanceContext
from golem_host.declare import READ_LOCAL, Recorded
from golem_host.errors import (
    ComponentNotFoundError,
    ConflictError,
    HostClosedError,
    HostError,
    InvalidRequestError,
    ParamTypeMismatchError,
    QueueFullError,
    StateDirError,
    WorkerNotFoundError,
)
from golem_host.failures import WorldError
from golem_host.interfaces.golem.api.own import (
    caller,
    of_another_worker,
    recorded_value,
    require_recording,
)
from golem_host.interfaces.golem.api.values import UUID_TYPE, WORKER_ID, Uuid, WorkerId, uuid_text
from golem_host.interfaces.wasi.io.pollables import Cell
from golem_host.services.calls import BETWEEN, Caller, CallRef
from golem_host.services.peers import WorkerRef
from golem_host.signals import InterruptSignal
from golem_host.tracing import Tracing
from golem_host.wire import Public, Wire
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import FunctionType, ListType, Prim, ResultType, VariantType
from golem_oplog.values import to_wire
from golem_oplog.wit_nodes import WIT_VALUE

ERROR_CHARS_MAX: Final = 4_096
"""Of another worker's error, which may be any text of its guest."""

ASKED: Final = (
    ("worker-id", WORKER_ID),
    ("idempotency-key", Prim.STRING),
    ("function-name", Prim.STRING),
    ("function-params", ListType(WIT_VALUE)),
)
"""What a recorded call to another worker has as its request."""
RPC_ERROR: Final = VariantType(
    tuple(
        (case, Prim.STRING)
        for case in ("protocol-error", "denied", "not-found", "remote-internal-error")
    )
)
_PROTOCOL, _DENIED, _NOT_FOUND, _INTERNAL = range(4)
RESULT: Final = ResultType(WIT_VALUE, RPC_ERROR)

KEY: Final = Recorded(
    READ_LOCAL,
    FunctionType("golem::rpc::wasm-rpc::invoke-and-await idempotency key", (), UUID_TYPE),
)
_PARAMS: Final = ListType(WIT_VALUE)


@dataclass(frozen=True, slots=True)
class Asked:
    """One call to another worker, made or about to be made."""

    call: CallRef
    function: str
    params: Sequence[Wire]
    """In wire form of ``wit-value``."""

    @property
    def worker(self) -> WorkerRef:
        return self.call.worker

    def request(self) -> tuple[Wire, ...]:
        """Of the type `ASKED`, in wire form."""
        worker = to_wire(WORKER_ID)(WorkerId.of(self.worker))
        return (worker, self.call.key, self.function, self.params)

    def submit(self, context: InstanceContext, not_before: int | None = None) -> None:
        """
        Put it into the other worker's queue; nothing happens where it is there already.

        Raises:
            HostError: See `Calls.submit`.
            WorldError: The other worker cannot be used now.
        """
        create = context.status.create
        assert create is not None
        trace = context.part(Tracing).for_callee()
        who = Caller(caller(context), create.args, create.env, create.config_vars, trace)
        with asking(self.worker):
            context.services.peers.calls.submit(
                self.call, self.function, self.params, who, not_before
            )

    def go_on(self, context: InstanceContext) -> None:
        """See `Calls.go_on`."""
        with asking(self.worker):
            context.services.peers.calls.go_on(self.call)

    def outcome(self, context: InstanceContext) -> Wire | None:
        """See `Calls.outcome`."""
        with asking(self.worker):
            return context.services.peers.calls.outcome(self.call)


def ask(context: InstanceContext, worker: WorkerRef, function: str, params: Public) -> Asked:
    """A call with a key of its own, which is recorded."""
    require_recording(context, "a call to another worker")
    key = recorded_value(context, KEY, (), lambda: Uuid.of(_new_key(context)))
    return Asked(CallRef(worker, uuid_text(key)), function, to_wire(_PARAMS)(params))


def _new_key(context: InstanceContext) -> UUID:
    if not context.key:
        # While the guest is made there is no invocation to derive it from.
        return UUID(context.services.random.uuid())
    return context.derive_key(context.oplog.last_index)


@contextmanager
def asking(worker: WorkerRef) -> Iterator[None]:
    """
    What is not the other worker's answer is none of the guest's business.

    Raises:
        WorldError: Its log cannot be used: the next attempt may find it repaired.
        InterruptSignal: The host is being closed: the next one asks again.
    """
    try:
        with of_another_worker(worker):
            yield
    except HostClosedError:
        raise InterruptSignal(restart=True) from None
    except StateDirError as error:
        raise WorldError(str(error)) from error


def failure(error: HostError) -> Wire:
    """An ``rpc-error``, in wire form."""
    match error:
        case InvalidRequestError() | ParamTypeMismatchError():
            case = _PROTOCOL
        case ComponentNotFoundError() | WorkerNotFoundError():
            case = _NOT_FOUND
        case ConflictError() | QueueFullError():
            case = _DENIED
        case _:
            case = _INTERNAL
    text = str(error)
    return (case, text if len(text) <= ERROR_CHARS_MAX else f"{text[:ERROR_CHARS_MAX]}...")


class Answer(Cell):
    """Ready when the other worker has answered, or never will."""

    __slots__ = ("_asked", "_context")

    is_one_of_many = True

    def __init__(self, context: InstanceContext, asked: Asked) -> None:
        self._context = context
        self._asked = asked

    @property
    def name(self) -> str:
        return str(self._asked.call)

    @property
    def what(self) -> str:
        call = self._asked.call
        label = self._context.services.peers.calls.label(call.worker)
        return f"the result of {label} {self._asked.function}, key {call.key}"

    def ready(self, now_ns: int) -> bool:
        with asking(self._asked.worker):
            return self._context.services.peers.calls.is_settled(self._asked.call)

    @contextmanager
    def alone(self) -> Iterator[None]:
        calls = self._context.services.peers.calls
        with ExitStack() as stack:
            with asking(self._asked.worker):
                # Looks at other workers, for a circle; what is raised later is not about them.
                stack.enter_context(calls.waiting(caller(self._context), self._asked.call))
            yield

    def waking(self, wake: threading.Event) -> AbstractContextManager[None]:
        return self._context.services.peers.calls.waking(self._asked.call, wake)


def was_submitted(context: InstanceContext, asked: Asked) -> bool:
    """
    Whether the log says that the other worker had accepted the call.

    Then it is not put there again, should it have been canceled or its worker deleted.
    """
    suspend = context.status.suspend
    return suspend is not None and str(asked.call) in suspend.promise.split(BETWEEN)
