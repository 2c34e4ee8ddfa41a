"""
Stored entries in the shape that ``golem:api/oplog`` gives them, with typed values.

Field names are those of the WIT records, in kebab-case.  What the log knows beyond them comes under
names of its own.  Where an entry holds the arguments or the result of a function, the field holds
`TypedValue`s; if the bytes cannot be read, an `Undecodable`, so that one bad payload does not hide
the rest of a log.

Source: spec 1.6.
"""

from __future__ import annotations

from functools import cached_property, singledispatch
from sys import maxsize
from typing import Final, TypeAlias

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
    PendingUpdate,
    PendingWorkerInvocation,
    PersistenceLevel,
    SuccessfulUpdate,
    label,
)
from golem_oplog.payloads import Payloads, TypedValue, Undecodable
from golem_oplog.protocol import ReadableOplog
from golem_oplog.public import Variant
from golem_oplog.types import FunctionType

__all__ = ["EntryView", "Fields", "TypedValue", "Undecodable", "public_fields"]

Fields: TypeAlias = dict[str, object]


class EntryView:
    """One entry as people and guests meet it.  `fields` is worked out when it is asked for."""

    def __init__(
        self,
        index: int,
        entry: Entry,
        log: ReadableOplog,
        invoked: FunctionType | None,
        payload_bytes_max: int = maxsize,
    ) -> None:
        self.index = index
        self.entry = entry
        """The stored form."""
        self._log = log
        self._invoked = invoked
        self._payload_bytes_max = payload_bytes_max

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
        return public_fields(self.entry, self._log, self._invoked, self._payload_bytes_max)

    def __repr__(self) -> str:
        return f"EntryView({self.index}, {self.entry!r})"


@singledispatch
def _fields(entry: Entry, payloads: Payloads) -> Fields:
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
def _create(entry: Create, payloads: Payloads) -> Fields:
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
def _imported(entry: ImportedFunctionInvoked, payloads: Payloads) -> Fields:
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
def _invoked(entry: ExportedFunctionInvoked, payloads: Payloads) -> Fields:
    return {
        "function-name": payloads.name(entry.function),
        "request": payloads.exported_request(entry.function, entry.request),
        "idempotency-key": entry.idempotency_key,
        "trace-id": entry.trace_id,
        "trace-states": entry.trace_states,
        "invocation-context": payloads.spans(entry),
    }


@_fields.register
def _completed(entry: ExportedFunctionCompleted, payloads: Payloads) -> Fields:
    return {
        "response": payloads.exported_response(entry.response),
        "consumed-fuel": entry.consumed_fuel,
    }


@_fields.register
def _pending_invocation(entry: PendingWorkerInvocation, payloads: Payloads) -> Fields:
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
def _pending_update(entry: PendingUpdate, payloads: Payloads) -> Fields:
    description = (
        Variant("auto-update")
        if entry.snapshot is None
        else Variant("snapshot-based", payloads.snapshot(entry.snapshot))
    )
    return {"target-version": entry.target_version, "update-description": description}


@_fields.register
def _error(entry: Error, payloads: Payloads) -> Fields:
    del payloads
    return {
        "error": entry.message,
        "kind": label(ErrorKind, entry.kind),
        "origin": entry.origin,
        "retry-at": entry.retry_at,
        "detail": entry.detail,
    }


@_fields.register
def _change_retry_policy(entry: ChangeRetryPolicy, payloads: Payloads) -> Fields:
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
def _log(entry: Log, payloads: Payloads) -> Fields:
    del payloads
    return {
        "level": label(LogLevel, entry.level),
        "context": entry.context,
        "message": entry.message.decode("utf-8", "replace"),
    }


@_fields.register
def _change_persistence_level(entry: ChangePersistenceLevel, payloads: Payloads) -> Fields:
    del payloads
    return {"persistence-level": label(PersistenceLevel, entry.level)}


def public_fields(
    entry: Entry,
    log: ReadableOplog,
    invoked: FunctionType | None = None,
    payload_bytes_max: int = maxsize,
) -> Fields:
    """
    An entry's fields but for the timestamp, by their public names.

    Args:
        entry: The stored form.
        log: Where it stands.
        invoked: The function that an `ExportedFunctionCompleted` is the end of.
        payload_bytes_max: A larger payload is not read: it shows as `Undecodable`.
    """
    return _fields(entry, Payloads(log, invoked, payload_bytes_max))
