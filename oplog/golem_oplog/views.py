"""
Stored entries in the shape that ``golem:api/oplog`` gives them, with typed values.

Field names are those of the WIT records, in kebab-case.  What the log knows beyond them comes under
names of its own.  Where an entry holds the arguments or the result of a function, the field holds
`TypedValue`s; if the bytes cannot be read, an `Undecodable`, so that one bad payload does not hide
the rest of a log.

Source: spec 1.6.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, singledispatch
from typing import Final, TypeAlias

from golem_oplog.cbor import decode_args, decode_value
from golem_oplog.codec import decode_wire
from golem_oplog.entries import (
    KIND_BY_CLASS,
    ChangePersistenceLevel,
    ChangeRetryPolicy,
    Create,
    DescribeResource,
    Entry,
    Error,
    ErrorKind,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    FunctionKind,
    GrowMemory,
    ImportedFunctionInvoked,
    Log,
    LogLevel,
    Payload,
    PendingUpdate,
    PendingWorkerInvocation,
    PersistenceLevel,
    SuccessfulUpdate,
    label,
)
from golem_oplog.errors import MalformedPayloadError, OplogError
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.protocol import ReadableOplog
from golem_oplog.public import Variant
from golem_oplog.types import FunctionType, WitType
from golem_oplog.wire_check import check_wire
from golem_oplog.wire_out import from_wire

Fields: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class TypedValue:
    """A value that says of which WIT type it is; for an argument, also its parameter's name."""

    type: WitType
    wire: object
    name: str = ""

    @property
    def value(self) -> object:
        """The public form."""
        return from_wire(self.type)(self.wire)


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A payload that is missing, or holds no value of its type."""

    reason: str


class EntryView:
    """One entry as people and guests meet it.  `fields` is worked out when it is asked for."""

    def __init__(
        self, index: int, entry: Entry, log: ReadableOplog, invoked: FunctionType | None
    ) -> None:
        self.index = index
        self.entry = entry
        """The stored form."""
        self._log = log
        self._invoked = invoked

    @property
    def kind(self) -> str:
        """The WIT case name."""
        return KIND_BY_CLASS[type(self.entry)].name

    @property
    def is_hint(self) -> bool:
        return KIND_BY_CLASS[type(self.entry)].is_hint

    @property
    def timestamp(self) -> int:
        """Unix nanoseconds."""
        return self.entry.timestamp

    @cached_property
    def fields(self) -> Fields:
        return public_fields(self.entry, self._log, self._invoked)

    def __repr__(self) -> str:
        return f"EntryView({self.index}, {self.entry!r})"


class _Payloads:
    """How the payloads of one entry become values."""

    def __init__(self, log: ReadableOplog, invoked: FunctionType | None) -> None:
        self._log = log
        self._invoked = invoked
        """The exported function that a completed invocation belongs to."""

    def name(self, function: int) -> str:
        try:
            return self._log.function(function).name
        except OplogError:
            return f"function {function}"

    def imported_request(self, entry: ImportedFunctionInvoked) -> object:
        return self._arguments(entry.function, entry.request, decode_wire)

    def imported_response(self, entry: ImportedFunctionInvoked) -> object:
        if entry.response is None:
            return None
        payload = entry.response
        return _guarded(
            lambda: self._result(self._log.function(entry.function), payload, decode_wire)
        )

    def exported_request(self, function: int, request: Payload) -> object:
        return self._arguments(function, request, decode_args)

    def exported_response(self, payload: Payload | None) -> object:
        if payload is None:
            return None
        invoked = self._invoked
        if invoked is None:
            return Undecodable("the invocation that it completes is not in this log")
        return _guarded(lambda: self._result(invoked, payload, decode_value))

    def snapshot(self, payload: Payload) -> object:
        return _guarded(lambda: self._log.load(payload))

    def _arguments(
        self, number: int, payload: Payload, decode: Callable[[bytes], object]
    ) -> object:
        def arguments() -> tuple[TypedValue, ...]:
            function = self._log.function(number)
            wires = decode(self._log.load(payload))
            if not isinstance(wires, (list, tuple)) or len(wires) != len(function.params):
                raise MalformedPayloadError(reason=f"no list of {len(function.params)} arguments")
            pairs = zip(function.params, wires, strict=True)
            return tuple(_typed(ty, wire, name) for (name, ty), wire in pairs)

        return _guarded(arguments)

    def _result(
        self, function: FunctionType, payload: Payload, decode: Callable[[bytes], object]
    ) -> TypedValue | None:
        wire = decode(self._log.load(payload))
        if function.result is None:
            return None
        return _typed(function.result, wire)


def _typed(ty: WitType, wire: object, name: str = "") -> TypedValue:
    check_wire(ty, wire)
    return TypedValue(ty, wire, name)


def _guarded(decode: Callable[[], object]) -> object:
    try:
        return decode()
    except OplogError as error:
        return Undecodable(str(error))


@singledispatch
def _fields(entry: Entry, payloads: _Payloads) -> Fields:
    """The fields of an entry that needs no more than other names; the rest are registered below."""
    del payloads
    names = _RENAMED.get(type(entry), {})
    pairs = zip(entry._fields[1:], entry[1:], strict=True)
    return {names.get(name) or name.replace("_", "-"): value for name, value in pairs}


_RENAMED: Final[dict[type[Entry], dict[str, str]]] = {
    GrowMemory: {"delta_bytes": "delta"},
    DescribeResource: {"name": "resource-name", "params": "resource-params"},
    SuccessfulUpdate: {
        "component_size_bytes": "new-component-size",
        "plugins": "new-active-plugins",
    },
}


@_fields.register
def _create(entry: Create, payloads: _Payloads) -> Fields:
    del payloads
    return {
        "worker-id": _worker_id(entry.component_id, entry.worker_name),
        "component-version": entry.component_version,
        "args": entry.args,
        "env": entry.env,
        "config-vars": entry.config_vars,
        "created-by": entry.created_by,
        "project-id": entry.project_id,
        "parent": None if entry.parent is None else _worker_id(*entry.parent),
        "component-size": entry.component_size_bytes,
        "initial-total-linear-memory-size": entry.initial_memory_bytes,
        "initial-active-plugins": entry.plugins,
    }


def _worker_id(component_id: str, worker_name: str) -> Fields:
    return {"component-id": component_id, "worker-name": worker_name}


@_fields.register
def _imported(entry: ImportedFunctionInvoked, payloads: _Payloads) -> Fields:
    kind = label(FunctionKind, entry.function_type)
    batched = entry.function_type == FunctionKind.WRITE_REMOTE_BATCHED
    fields: Fields = {
        "function-name": payloads.name(entry.function),
        "request": payloads.imported_request(entry),
        "response": payloads.imported_response(entry),
        "wrapped-function-type": Variant(kind, entry.begin_index if batched else None),
    }
    if entry.error is not None:
        fields["error"] = entry.error
    return fields


@_fields.register
def _invoked(entry: ExportedFunctionInvoked, payloads: _Payloads) -> Fields:
    return {
        "function-name": payloads.name(entry.function),
        "request": payloads.exported_request(entry.function, entry.request),
        "idempotency-key": entry.idempotency_key,
        "trace-id": entry.trace_id,
        "trace-states": entry.trace_states,
        "invocation-context": entry.spans,
    }


@_fields.register
def _completed(entry: ExportedFunctionCompleted, payloads: _Payloads) -> Fields:
    return {
        "response": payloads.exported_response(entry.response),
        "consumed-fuel": entry.consumed_fuel,
    }


@_fields.register
def _pending_invocation(entry: PendingWorkerInvocation, payloads: _Payloads) -> Fields:
    if entry.function is None:
        invocation = Variant("manual-update", entry.target_version)
    else:
        parameters: Fields = {
            "idempotency-key": entry.idempotency_key,
            "function-name": payloads.name(entry.function),
            "input": payloads.exported_request(entry.function, entry.request),
        }
        invocation = Variant("exported-function", parameters)
    return {"invocation": invocation, "not-before": entry.not_before}


@_fields.register
def _pending_update(entry: PendingUpdate, payloads: _Payloads) -> Fields:
    description = (
        Variant("auto-update")
        if entry.snapshot is None
        else Variant("snapshot-based", payloads.snapshot(entry.snapshot))
    )
    return {"target-version": entry.target_version, "update-description": description}


@_fields.register
def _error(entry: Error, payloads: _Payloads) -> Fields:
    del payloads
    return {
        "error": entry.message,
        "kind": label(ErrorKind, entry.kind),
        "origin": entry.origin,
        "retry-at": entry.retry_at,
        "detail": entry.detail,
    }


@_fields.register
def _change_retry_policy(entry: ChangeRetryPolicy, payloads: _Payloads) -> Fields:
    del payloads
    policy: Fields = {
        "max-attempts": entry.max_attempts,
        "min-delay": entry.min_delay_ns,
        "max-delay": entry.max_delay_ns,
        "multiplier": entry.multiplier,
        "max-jitter-factor": entry.max_jitter_factor,
    }
    return {"retry-policy": policy}


@_fields.register
def _log(entry: Log, payloads: _Payloads) -> Fields:
    del payloads
    return {
        "level": label(LogLevel, entry.level),
        "context": entry.context,
        "message": entry.message.decode("utf-8", "replace"),
    }


@_fields.register
def _change_persistence_level(entry: ChangePersistenceLevel, payloads: _Payloads) -> Fields:
    del payloads
    return {"persistence-level": label(PersistenceLevel, entry.level)}


def public_fields(entry: Entry, log: ReadableOplog, invoked: FunctionType | None = None) -> Fields:
    """
    An entry's fields but for the timestamp, by their public names.

    ``invoked`` is the function that an `ExportedFunctionCompleted` is the end of.
    """
    return _fields(entry, _Payloads(log, invoked))
