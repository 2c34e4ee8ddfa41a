"""
Every kind of oplog entry, one class each: the tag it is stored under, its public name, whether it
is a hint, and its fields in stored order.

A stored entry is the msgpack array ``[tag, *fields]``.  Tags are those of the stored form of
Golem's oplog and are never reused; a field may be added at the end of a kind, never inserted or
removed.  Times are integer nanoseconds since the Unix epoch.

Payloads are bytes: for host calls the msgpack form of the wire values, for exported functions
their canonical CBOR form.  A payload above 64 KiB is a `BlobRef` instead.

Source: spec 3.1 and 3.2 for kinds, tags and hints; spec 1.6 for the names.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple, TypeAlias, Union


class BlobRef(NamedTuple):
    """A payload that lies outside of the log, addressed by its content."""

    sha256: bytes
    size_bytes: int


Payload: TypeAlias = Union[bytes, BlobRef]
Pairs: TypeAlias = tuple[tuple[str, str], ...]


class ExportedFunctionCompleted(NamedTuple):
    timestamp: int
    response: Payload | None
    """CBOR of the one result value; None where the function has no result."""
    consumed_fuel: int = 0


class Suspend(NamedTuple):
    timestamp: int
    reason: str = ""
    wake_at: int | None = None
    """When a timer ends the wait; None for promises."""
    promise: str = ""
    """The promise that ends the wait, or the call to another worker, in text form."""


class Error(NamedTuple):
    timestamp: int
    kind: int
    """An `ErrorKind`."""
    message: str
    origin: int
    """Index the failing attempt started from; attempts are counted per origin."""
    retry_at: int | None = None
    """When the next attempt is due; None when there is none."""
    detail: str = ""
    """The guest's own account of it, such as a Python traceback."""


class NoOp(NamedTuple):
    timestamp: int


class Jump(NamedTuple):
    timestamp: int
    start: int
    end: int


class Interrupted(NamedTuple):
    timestamp: int


class Exited(NamedTuple):
    timestamp: int
    exit_code: int = 0


class ChangeRetryPolicy(NamedTuple):
    timestamp: int
    max_attempts: int
    min_delay_ns: int
    max_delay_ns: int
    multiplier: float
    max_jitter_factor: float | None


class BeginAtomicRegion(NamedTuple):
    timestamp: int


class EndAtomicRegion(NamedTuple):
    timestamp: int
    begin_index: int


class BeginRemoteWrite(NamedTuple):
    timestamp: int


class EndRemoteWrite(NamedTuple):
    timestamp: int
    begin_index: int


class PendingWorkerInvocation(NamedTuple):
    timestamp: int
    idempotency_key: str
    function: int | None
    """Definition id; None for a manual update."""
    request: Payload
    """CBOR of the list of arguments."""
    target_version: int | None = None
    """Only for a manual update."""
    not_before: int | None = None
    """Scheduled start; None for at once."""
    trace_id: str = ""
    trace_states: tuple[str, ...] = ()
    spans: bytes = b""


class PendingUpdate(NamedTuple):
    timestamp: int
    target_version: int
    snapshot: Payload | None
    """None for an automatic update."""
    token: str = ""
    """Names the request, so that the same one again changes nothing."""


class FailedUpdate(NamedTuple):
    timestamp: int
    target_version: int
    details: str | None


class GrowMemory(NamedTuple):
    timestamp: int
    delta_bytes: int


class CreateResource(NamedTuple):
    timestamp: int
    resource_id: int
    owner: str
    name: str


class DropResource(NamedTuple):
    timestamp: int
    resource_id: int
    owner: str
    name: str


class DescribeResource(NamedTuple):
    timestamp: int
    resource_id: int
    owner: str
    name: str
    params: tuple[str, ...]


class Log(NamedTuple):
    timestamp: int
    level: int
    """A `LogLevel`."""
    context: str
    message: bytes
    """As the guest wrote it; shown as UTF-8, other bytes replaced."""


class Restart(NamedTuple):
    timestamp: int


class ImportedFunctionInvoked(NamedTuple):
    timestamp: int
    function: int
    """Definition id: the recorded name with parameter and result types."""
    request: Payload
    """msgpack of the list of arguments, in the observer's form."""
    response: Payload | None
    """msgpack of the one result; None for a failure."""
    function_type: int
    """A `FunctionKind`."""
    begin_index: int | None = None
    """For write-remote-batched: where the operation began; None opens one."""
    error: str | None = None
    """Text of a failure that outlived its retries."""


class Create(NamedTuple):
    timestamp: int
    component_id: str
    """UUID in text form."""
    worker_name: str
    component_version: int
    args: tuple[str, ...]
    env: Pairs
    config_vars: Pairs
    component_size_bytes: int
    initial_memory_bytes: int
    created_by: str = ""
    project_id: str = ""
    parent: tuple[str, str] | None = None
    """Component id and name of the worker that this one was forked from, or first called by."""
    plugins: tuple[str, ...] = ()
    token: str = ""
    """Names the request that made the fork, so that the same one again changes nothing; or the call."""


class ActivatePlugin(NamedTuple):
    timestamp: int
    plugin: str


class DeactivatePlugin(NamedTuple):
    timestamp: int
    plugin: str


class SuccessfulUpdate(NamedTuple):
    timestamp: int
    target_version: int
    component_size_bytes: int
    plugins: tuple[str, ...] = ()


class Revert(NamedTuple):
    timestamp: int
    start: int
    end: int
    token: str = ""
    """Names the request, so that the same one again changes nothing."""


class CancelPendingInvocation(NamedTuple):
    timestamp: int
    idempotency_key: str


class ExportedFunctionInvoked(NamedTuple):
    timestamp: int
    function: int
    """Definition id: the full export name with types."""
    request: Payload
    """CBOR of the list of arguments."""
    idempotency_key: str
    trace_id: str = ""
    trace_states: tuple[str, ...] = ()
    spans: bytes = b""


class StartSpan(NamedTuple):
    timestamp: int
    span_id: str
    parent: str | None
    linked_context: str | None
    attributes: Pairs


class FinishSpan(NamedTuple):
    timestamp: int
    span_id: str


class SetSpanAttribute(NamedTuple):
    timestamp: int
    span_id: str
    key: str
    value: str


class ChangePersistenceLevel(NamedTuple):
    timestamp: int
    level: int
    """A `PersistenceLevel`."""


Entry: TypeAlias = Union[
    ExportedFunctionCompleted,
    Suspend,
    Error,
    NoOp,
    Jump,
    Interrupted,
    Exited,
    ChangeRetryPolicy,
    BeginAtomicRegion,
    EndAtomicRegion,
    BeginRemoteWrite,
    EndRemoteWrite,
    PendingWorkerInvocation,
    PendingUpdate,
    FailedUpdate,
    GrowMemory,
    CreateResource,
    DropResource,
    DescribeResource,
    Log,
    Restart,
    ImportedFunctionInvoked,
    Create,
    ActivatePlugin,
    DeactivatePlugin,
    SuccessfulUpdate,
    Revert,
    CancelPendingInvocation,
    ExportedFunctionInvoked,
    StartSpan,
    FinishSpan,
    SetSpanAttribute,
    ChangePersistenceLevel,
]


class EntryKind(NamedTuple):
    """One row of the table: what is true of every entry of a kind."""

    tag: int
    name: str
    """The WIT case name of ``golem:api/oplog.oplog-entry``."""
    is_hint: bool
    """Recorded for status or for people; stepped over by replay."""
    cls: type[Entry]


HINT: Final = True
REPLAYED: Final = False

KINDS: Final = (
    EntryKind(0, "exported-function-completed", REPLAYED, ExportedFunctionCompleted),
    EntryKind(1, "suspend", HINT, Suspend),
    EntryKind(2, "error", HINT, Error),
    EntryKind(3, "no-op", REPLAYED, NoOp),
    EntryKind(4, "jump", REPLAYED, Jump),
    EntryKind(5, "interrupted", HINT, Interrupted),
    EntryKind(6, "exited", HINT, Exited),
    EntryKind(7, "change-retry-policy", REPLAYED, ChangeRetryPolicy),
    EntryKind(8, "begin-atomic-region", REPLAYED, BeginAtomicRegion),
    EntryKind(9, "end-atomic-region", REPLAYED, EndAtomicRegion),
    EntryKind(10, "begin-remote-write", REPLAYED, BeginRemoteWrite),
    EntryKind(11, "end-remote-write", REPLAYED, EndRemoteWrite),
    EntryKind(12, "pending-worker-invocation", HINT, PendingWorkerInvocation),
    EntryKind(13, "pending-update", HINT, PendingUpdate),
    EntryKind(14, "failed-update", HINT, FailedUpdate),
    EntryKind(15, "grow-memory", HINT, GrowMemory),
    EntryKind(16, "create-resource", HINT, CreateResource),
    EntryKind(17, "drop-resource", HINT, DropResource),
    EntryKind(18, "describe-resource", HINT, DescribeResource),
    EntryKind(19, "log", HINT, Log),
    EntryKind(20, "restart", HINT, Restart),
    EntryKind(21, "imported-function-invoked", REPLAYED, ImportedFunctionInvoked),
    EntryKind(22, "create", REPLAYED, Create),
    EntryKind(23, "activate-plugin", HINT, ActivatePlugin),
    EntryKind(24, "deactivate-plugin", HINT, DeactivatePlugin),
    EntryKind(25, "successful-update", HINT, SuccessfulUpdate),
    EntryKind(26, "revert", HINT, Revert),
    EntryKind(27, "cancel-invocation", HINT, CancelPendingInvocation),
    EntryKind(28, "exported-function-invoked", REPLAYED, ExportedFunctionInvoked),
    EntryKind(29, "start-span", REPLAYED, StartSpan),
    EntryKind(30, "finish-span", REPLAYED, FinishSpan),
    EntryKind(31, "set-span-attribute", REPLAYED, SetSpanAttribute),
    EntryKind(32, "change-persistence-level", REPLAYED, ChangePersistenceLevel),
)

KIND_BY_CLASS: Final[dict[type[Entry], EntryKind]] = {kind.cls: kind for kind in KINDS}
KIND_BY_TAG: Final[dict[int, EntryKind]] = {kind.tag: kind for kind in KINDS}
KIND_BY_NAME: Final[dict[str, EntryKind]] = {kind.name: kind for kind in KINDS}
HINT_CLASSES: Final = frozenset(kind.cls for kind in KINDS if kind.is_hint)

# Tags, names and classes are each unique: a second use of one would make old logs unreadable.
assert len(KIND_BY_CLASS) == len(KIND_BY_TAG) == len(KIND_BY_NAME) == len(KINDS)


class _Code(IntEnum):
    """An enumeration stored as its number and shown as its WIT case name."""

    @property
    def label(self) -> str:
        return self.name.lower().replace("_", "-")


def label(codes: type[_Code], number: int) -> str:
    """A code's WIT case name; its number where a newer version wrote it."""
    try:
        return codes(number).label
    except ValueError:
        return str(number)


class ErrorKind(_Code):
    """Values of `Error.kind`."""

    UNKNOWN = 0
    INVALID_REQUEST = 1
    STACK_OVERFLOW = 2
    OUT_OF_MEMORY = 3


class LogLevel(_Code):
    """Values of `Log.level`, in the order of ``golem:api/oplog.log-level``."""

    STDOUT = 0
    STDERR = 1
    TRACE = 2
    DEBUG = 3
    INFO = 4
    WARN = 5
    ERROR = 6
    CRITICAL = 7


class FunctionKind(_Code):
    """Values of `ImportedFunctionInvoked.function_type`: the durable function types."""

    READ_LOCAL = 0
    WRITE_LOCAL = 1
    READ_REMOTE = 2
    WRITE_REMOTE = 3
    WRITE_REMOTE_BATCHED = 4


class PersistenceLevel(_Code):
    """Values of `ChangePersistenceLevel.level`."""

    PERSIST_NOTHING = 0
    PERSIST_REMOTE_SIDE_EFFECTS = 1
    SMART = 2
