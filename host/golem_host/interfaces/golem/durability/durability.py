"""
``golem:durability/durability``: for libraries in guests that make a function of theirs durable.

The guest performs the function itself and tells the host the outcome; on replay it asks for the
outcome instead.  Which of the two it has to do, `current-durable-execution-state` says.  An outcome
is an entry like that of any host call, under a name and with types that are the guest's own.

Source: spec 1.9, 2.0, 2.17 and 7.4, with the project's remarks R24 and R25.
"""

from __future__ import annotations

import logging
from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, constructor, function, interface, on_drop, resource
from golem_host.dispatch import answer, begin_write, marked
from golem_host.failures import GuestError, GuestLimitError
from golem_host.interfaces.golem.durability.part import Durability, refuse_large_types
from golem_host.interfaces.wasi.clocks.wall_clock import Datetime
from golem_host.interfaces.wasi.io.pollables import Lazy, LazySubscription, Pollable
from golem_host.wire import Public, Wire
from golem_oplog.entries import (
    BeginAtomicRegion,
    BlobRef,
    EndRemoteWrite,
    FunctionKind,
    ImportedFunctionInvoked,
    Payload,
    PersistenceLevel,
)
from golem_oplog.errors import ValueTypeError
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import FunctionType, ListType, Prim, WitType
from golem_oplog.values import Variant, from_wire, to_wire
from golem_oplog.wit_value import VALUE_AND_TYPE, from_wit_type, from_wit_value, to_value_and_type

INTERFACE: Final = "golem:durability/durability"

_LOG: Final = logging.getLogger(__name__)
_KINDS: Final = {kind.label: kind for kind in FunctionKind}
_BYTES: Final = ListType(Prim.U8)
_VERSION: Final = "v2"

TYPED_BYTES_MAX: Final = 256 << 10
"""
Of an outcome in the log that is read as a typed value, as in `golem:api/oplog`: there each byte of
a list is a node, which takes some 170 bytes.
"""


@dataclass(frozen=True, slots=True)
class ExecutionState:
    """``durable-execution-state``."""

    is_live: bool
    persistence_level: Variant


@dataclass(frozen=True, slots=True)
class Persisted:
    """Both forms of a persisted invocation: they differ in the type of ``response`` alone."""

    timestamp: Datetime
    function_name: str
    response: Public
    function_type: Variant
    entry_version: str = _VERSION


@interface(INTERFACE)
class DurabilityFunctions:
    @function(UNRECORDED)
    def observe_function_call(self, context: InstanceContext, iface: str, function: str) -> None:
        _LOG.debug("guest function", extra={"interface": iface, "function": function})

    @function(UNRECORDED)
    def begin_durable_function(self, context: InstanceContext, function_type: Variant) -> int:
        """Where there is no marker, the index of the last entry that a replay consumes, too."""
        kind, operation = _of(function_type)
        begin = None if operation is not None else begin_write(context, kind)
        if begin is not None:
            context.status.began(begin)
        context.part(Durability).begun(kind)
        return context.agreed_index if begin is None else begin

    @function(UNRECORDED)
    def end_durable_function(
        self,
        context: InstanceContext,
        function_type: Variant,
        begin_index: int,
        forced_commit: bool,
    ) -> None:
        """A second end, or one of what never began, leaves a marker and means nothing."""
        kind, operation = _of(function_type)
        if _is_bracketed(context, kind, operation):
            opened = context.status.open_begins.get(begin_index)
            if context.replay.live and opened is BeginAtomicRegion:
                raise GuestError(
                    f"end-durable-function: an atomic region began at index {begin_index}"
                )
            if context.replay.live and opened is None:
                context.refuse_growth()
            outcome = context.replay.end_remote_write(begin_index)
            marked(context, outcome, lambda now: EndRemoteWrite(now, begin_index))
        if forced_commit or kind >= FunctionKind.WRITE_REMOTE:
            context.oplog.commit()

    @function(UNRECORDED)
    def current_durable_execution_state(self, context: InstanceContext) -> ExecutionState:
        """Where in the log the guest stands decides, and nothing else (spec 2.17)."""
        return ExecutionState(context.replay.live, Variant(context.persistence_level.label))

    @function(UNRECORDED)
    def persist_durable_function_invocation(
        self,
        context: InstanceContext,
        function_name: str,
        request: bytes,
        response: bytes,
        function_type: Variant,
    ) -> None:
        _persist(context, function_name, (_BYTES, request), (_BYTES, response), function_type)

    @function(UNRECORDED)
    def persist_typed_durable_function_invocation(
        self,
        context: InstanceContext,
        function_name: str,
        request: Public,
        response: Public,
        function_type: Variant,
    ) -> None:
        given, answered = _typed(function_name, request), _typed(function_name, response)
        # Else a replay could not read it.
        _refuse_large(context.pack(answered[1]), function_name)
        _persist(context, function_name, given, answered, function_type)

    @function(UNRECORDED)
    def read_persisted_durable_function_invocation(self, context: InstanceContext) -> Persisted:
        what = "read-persisted-durable-function-invocation"
        entry, function, response = _read(context, what, is_typed=False)
        if function.result != _BYTES:
            raise GuestError(
                f"{what}: the outcome of {function.name} was not persisted as bytes; read it with "
                "read-persisted-typed-durable-function-invocation"
            )
        return _persisted(entry, function, response)

    @function(UNRECORDED)
    def read_persisted_typed_durable_function_invocation(
        self, context: InstanceContext
    ) -> Persisted:
        """What was persisted as bytes is a ``list<u8>`` here."""
        what = "read-persisted-typed-durable-function-invocation"
        entry, function, response = _read(context, what, is_typed=True)
        if function.result is None:
            raise GuestError(f"{what}: the next entry is {function.name}, which gives no value")
        value = to_value_and_type(function.result, response)
        return _persisted(entry, function, from_wire(VALUE_AND_TYPE)(value))


def _of(function_type: Variant) -> tuple[FunctionKind, int | None]:
    """The durable function type, and the operation that it is a step of."""
    operation = function_type.value
    assert operation is None or isinstance(operation, int)
    return _KINDS[function_type.case], operation


def _is_bracketed(context: InstanceContext, kind: FunctionKind, operation: int | None) -> bool:
    """Whether its end leaves a marker, in the mode that is in force now (spec 2.7)."""
    if kind is FunctionKind.WRITE_REMOTE:
        return not context.idempotent
    return kind is FunctionKind.WRITE_REMOTE_BATCHED and operation is None


def _typed(name: str, pair: Public) -> tuple[WitType, Wire]:
    try:
        value, typ = to_wire(VALUE_AND_TYPE)(pair)
        ty = from_wit_type(typ)
        # Before anything is made of it: reading a value takes many times the size of its type.
        refuse_large_types(name, ty)
        return ty, from_wit_value(ty, value)
    except ValueTypeError as error:
        raise GuestError(f"persist-typed-durable-function-invocation: {error}") from error


def _persist(
    context: InstanceContext,
    name: str,
    request: tuple[WitType, Wire],
    response: tuple[WitType, Wire],
    function_type: Variant,
) -> None:
    if not context.replay.live:
        raise GuestError(
            f"the outcome of {name} is persisted while the log is replayed, which has it already; "
            "where current-durable-execution-state says is-live: false, read it"
        )
    kind, operation = _of(function_type)
    number = context.part(Durability).persisting(
        FunctionType(name, (("request", request[0]),), response[0])
    )
    context.append(
        ImportedFunctionInvoked(
            context.clock_ns(),
            number,
            context.pack((request[1],)),
            context.pack(response[1]),
            int(kind),
            operation,
        )
    )


def _refuse_large(response: Payload, name: str) -> None:
    size_bytes = response.size_bytes if isinstance(response, BlobRef) else len(response)
    if size_bytes > TYPED_BYTES_MAX:
        raise GuestLimitError(
            f"the outcome of {name} has {size_bytes} bytes, and as a typed value at most "
            f"{TYPED_BYTES_MAX} are persisted or read: persist and read it as bytes"
        )


def _read(
    context: InstanceContext, what: str, *, is_typed: bool
) -> tuple[ImportedFunctionInvoked, FunctionType, Wire]:
    """The next outcome of the log."""
    context.replay.pass_spans()
    if context.replay.live or context.persistence_level is PersistenceLevel.PERSIST_NOTHING:
        raise GuestError(
            f"{what}: there is nothing to read; where current-durable-execution-state says "
            "is-live: true, or persist-nothing, perform the function"
        )
    entry = context.replay.persisted(what)
    function = context.oplog.function(entry.function)
    if is_typed and entry.response is not None:
        _refuse_large(entry.response, function.name)
    return entry, function, answer(context, entry)


def _persisted(
    entry: ImportedFunctionInvoked, function: FunctionType, response: Public
) -> Persisted:
    kind = FunctionKind(entry.function_type)
    operation = entry.begin_index if kind is FunctionKind.WRITE_REMOTE_BATCHED else None
    return Persisted(
        Datetime.from_unix_ns(entry.timestamp),
        function.name,
        response,
        Variant(kind.label, operation),
    )


@resource(INTERFACE, "lazy-initialized-pollable")
class LazyInitializedPollableResource:
    @constructor(UNRECORDED)
    def new(self, context: InstanceContext) -> Lazy:
        return Lazy()

    @function(UNRECORDED)
    def set(self, context: InstanceContext, lazy: Lazy, pollable: Pollable) -> None:
        """A former source is dropped."""
        if not lazy.give(pollable):
            raise GuestError("a lazy-initialized-pollable was set to wait for itself")

    @function(UNRECORDED)
    def subscribe(self, context: InstanceContext, lazy: Lazy) -> Pollable:
        return LazySubscription(lazy)

    @on_drop
    def drop(self, context: InstanceContext, lazy: Lazy) -> None:
        """What was subscribed is never ready any more: its source is dropped with the rest."""
        lazy.source = None
