"""
Entries as guests meet them: the wire form of ``golem:api/oplog.oplog-entry``.

For ``golem:api/oplog`` and for ``golem:api/oplog-processor``.  What an entry of ours has beyond the
WIT record (the origin of an error, the reason of a suspension) is not there.  Nothing in a log
makes the conversion fail: where the WIT has no room for what is stored, the nearest thing that it
has room for stands there.

===========================  =====================================================================
in the log                   in the entry that a guest is given
===========================  =====================================================================
arguments of a host call     one tuple, whose members are the arguments
a host call without result   the empty tuple
a host call that failed      ``err`` of a result, with the error's text
an unreadable payload        a string that says why; a snapshot holds that text in UTF-8
a payload above 256 KiB      as one that is unreadable
an id that is no UUID        the UUID with 0 only; a plugin's goes into its name
an unknown code              ``write-remote``, ``info``, ``smart``
a number out of range        the nearest in it
===========================  =====================================================================

Source: spec 1.2 and 1.6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, cast
from uuid import UUID

from golem_host.interfaces.golem.api.oplog_values import (
    Fields,
    Uri,
    answer,
    arguments,
    expect,
    not_shown,
    resource_params,
    result,
    values,
)
from golem_host.services.peers import WorkerRef
from golem_host.wire import Wire
from golem_host.worker.urn import worker_uri
from golem_oplog.entries import FunctionKind, LogLevel, Pairs, PersistenceLevel
from golem_oplog.errors import ValueTypeError
from golem_oplog.floats import f64_bits
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.public import Variant
from golem_oplog.spans import SPAN_STACKS
from golem_oplog.types import HandleType
from golem_oplog.values import to_wire
from golem_oplog.views import EntryView, Undecodable

PAYLOAD_BYTES_MAX: Final = 256 << 10
"""
A larger payload is not shown to guests: give it to `golem_oplog.query.view_entries`.

A value of so many bytes may be a list of as many elements, each of which is a node of 24 bytes in
the guest's memory, and of more than 100 for a moment in ours.
"""

_NS_PER_S: Final = 1_000_000_000
_LOW_BITS: Final = (1 << 64) - 1
_NIL: Final = (0, 0)
_U32: Final = range(1 << 32)
_U64: Final = range(1 << 64)
_S64: Final = range(-(1 << 63), 1 << 63)

_Make: TypeAlias = Callable[[object], Wire]
_Member: TypeAlias = Callable[[Fields, Uri], Wire]


@dataclass(frozen=True, slots=True)
class EntryShape:
    """How the entries of one worker's log are shown."""

    worker: WorkerRef
    """The owner of the resources that its values may hold."""

    def wire(self, view: EntryView) -> Wire:
        """
        A wire value of ``oplog-entry``.

        ``view`` should have been made with `PAYLOAD_BYTES_MAX`.
        """
        number, members = _CASES[view.kind]
        timestamp = _datetime(view.timestamp)
        if members is None:
            return (number, timestamp)
        fields = view.fields
        return (number, (timestamp, *[member(fields, self._uri) for member in members]))

    def _uri(self, handle: HandleType, number: int) -> tuple[str, int]:
        del handle
        return worker_uri(self.worker.component_id, self.worker.worker_name), number


# -- numbers --------------------------------------------------------------------------------------


def _within(bounds: range, number: object) -> int:
    """Logs come from other hosts as well: a number that the WIT has no room for fails nothing."""
    return min(max(expect(int, number), bounds[0]), bounds[-1])


def _u64(number: object) -> Wire:
    return _within(_U64, number)


def _s64(number: object) -> Wire:
    return _within(_S64, number)


def _datetime(unix_ns: int) -> Wire:
    return divmod(_within(_U64, unix_ns), _NS_PER_S)


# -- parts of records -----------------------------------------------------------------------------


def _uuid(text: object) -> Wire:
    try:
        number = UUID(cast("str", text)).int
    except ValueError:
        return _NIL
    return (number >> 64, number & _LOW_BITS)


def _worker_id(value: object) -> Wire:
    fields = cast("Fields", value)
    return ((_uuid(fields["component-id"]),), fields["worker-name"])


def _option(value: object) -> Wire:
    return None if value is None else (value,)


def _parent(value: object) -> Wire:
    return None if value is None else (_worker_id(value),)


def _single(value: object) -> Wire:
    """A record, or a payload, that has this one member."""
    return (value,)


def _plugin(text: object) -> Wire:
    identity = _uuid(text)
    return (identity, text if identity == _NIL else "", "", [])


def _plugins(value: object) -> Wire:
    return [_plugin(each) for each in expect(tuple, value)]


def _function_kind(value: object) -> Wire:
    kind = expect(Variant, value)
    number = _code(FunctionKind, kind.case, FunctionKind.WRITE_REMOTE)
    if number != FunctionKind.WRITE_REMOTE_BATCHED:
        return (number, None)
    return (number, None if kind.value is None else (_u64(kind.value),))


_Code: TypeAlias = type[FunctionKind | LogLevel | PersistenceLevel]


def _code(codes: _Code, label: object, unknown: int) -> int:
    """The place of a case in its variant or enum: that of the stored code."""
    return next((int(code) for code in codes if code.label == label), int(unknown))


def _level(value: object) -> Wire:
    return _code(LogLevel, value, LogLevel.INFO)


def _persistence(value: object) -> Wire:
    return (_code(PersistenceLevel, value, PersistenceLevel.SMART), None)


def _retry_policy(value: object) -> Wire:
    policy = cast("Mapping[str, float]", value)
    jitter = cast("Mapping[str, float | None]", value)["max-jitter-factor"]
    return (
        _within(_U32, policy["max-attempts"]),
        _u64(policy["min-delay"]),
        _u64(policy["max-delay"]),
        f64_bits(policy["multiplier"]),
        None if jitter is None else (f64_bits(jitter),),
    )


def _invocation(fields: Fields, uri: Uri) -> Wire:
    invocation = expect(Variant, fields["invocation"])
    if invocation.case == "manual-update":
        return (1, _u64(invocation.value or 0))
    call = cast("Fields", invocation.value)
    return (0, (call["idempotency-key"], call["function-name"], (values(call["input"], uri),)))


def _update(value: object) -> Wire:
    update = expect(Variant, value)
    if update.case == "auto-update":
        return (0, None)
    snapshot = update.value
    return (1, not_shown(snapshot).encode() if isinstance(snapshot, Undecodable) else snapshot)


def _attributes(value: object) -> Wire:
    return [(key, (0, text)) for key, text in cast("Pairs", value)]


def _attribute_value(value: object) -> Wire:
    return (0, value)


def _span_stacks(value: object) -> Wire:
    """``list<list<span-data>>``; what cannot be read is left out."""
    if isinstance(value, Undecodable):
        return []
    try:
        return to_wire(SPAN_STACKS)(value)
    except ValueTypeError:
        return []


def _record(*members: str | tuple[str, _Make] | _Member) -> tuple[_Member, ...]:
    """
    Members in order: the name of a field that is taken as it is, one with what makes the member of
    it, or what makes the member of all fields.
    """
    return tuple([_member(each) for each in members])


def _member(member: str | tuple[str, _Make] | _Member) -> _Member:
    match member:
        case str():
            return lambda fields, _uri: fields[member]
        case (name, make):
            return lambda fields, _uri: make(fields[name])
        case _:
            return member


_TIME_ONLY: Final = None
_BEGUN: Final = _record(("begin-index", _u64))
_PLUGIN: Final = _record(("plugin", _plugin))
_REGION: Final = _record(("start", _u64), ("end", _u64))
_RESOURCE: Final = _record(("resource-id", _u64))

_IN_ORDER: Final[Mapping[str, tuple[_Member, ...] | None]] = {
    "create": _record(
        ("worker-id", _worker_id),
        ("component-version", _u64),
        "args",
        "env",
        ("created-by", _single),
        ("project-id", lambda value: _single(_uuid(value))),
        ("parent", _parent),
        ("component-size", _u64),
        ("initial-total-linear-memory-size", _u64),
        ("initial-active-plugins", _plugins),
    ),
    "imported-function-invoked": _record(
        "function-name", arguments, answer, ("wrapped-function-type", _function_kind)
    ),
    "exported-function-invoked": _record(
        "function-name",
        lambda fields, uri: values(fields["request"], uri),
        "idempotency-key",
        "trace-id",
        "trace-states",
        ("invocation-context", _span_stacks),
    ),
    "exported-function-completed": _record(result, ("consumed-fuel", _s64)),
    "suspend": _TIME_ONLY,
    "error": _record("error"),
    "no-op": _TIME_ONLY,
    "jump": _REGION,
    "interrupted": _TIME_ONLY,
    "exited": _TIME_ONLY,
    "change-retry-policy": _record(("retry-policy", _retry_policy)),
    "begin-atomic-region": _TIME_ONLY,
    "end-atomic-region": _BEGUN,
    "begin-remote-write": _TIME_ONLY,
    "end-remote-write": _BEGUN,
    "pending-worker-invocation": _record(_invocation),
    "pending-update": _record(("target-version", _u64), ("update-description", _update)),
    "successful-update": _record(
        ("target-version", _u64), ("new-component-size", _u64), ("new-active-plugins", _plugins)
    ),
    "failed-update": _record(("target-version", _u64), ("details", _option)),
    "grow-memory": _record(("delta", _u64)),
    "create-resource": _RESOURCE,
    "drop-resource": _RESOURCE,
    "describe-resource": _record(("resource-id", _u64), "resource-name", resource_params),
    "log": _record(("level", _level), "context", "message"),
    "restart": _TIME_ONLY,
    "activate-plugin": _PLUGIN,
    "deactivate-plugin": _PLUGIN,
    "revert": _REGION,
    "cancel-invocation": _record("idempotency-key"),
    "start-span": _record(
        "span-id", ("parent", _option), ("linked-context", _option), ("attributes", _attributes)
    ),
    "finish-span": _record("span-id"),
    "set-span-attribute": _record("span-id", "key", ("value", _attribute_value)),
    "change-persistence-level": _record(("persistence-level", _persistence)),
}
"""In the order of the variant: kind -> what follows the time in its record."""

_CASES: Final = {kind: (at, members) for at, (kind, members) in enumerate(_IN_ORDER.items())}
