"""
Values of ``golem:api/host`` and ``golem:rpc/types``: what guests pass, and what they are given.

What is given is an object with an attribute for the field of every dialect: the importing
component's own type takes those that it has.  What is passed is read by what all dialects share.

Source: spec 1.2 and 1.4; the dialects differ in names alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Self, TypeAlias, cast
from uuid import UUID

from golem_host.services.peers import WorkerRef
from golem_host.services.promises import PromiseId
from golem_host.wire import Public
from golem_host.worker.filters import STATUSES
from golem_host.worker.metadata import WorkerMetadata
from golem_oplog.entries import Pairs
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import EnumType, ListType, Prim, RecordType, TupleType

UUID_TYPE: Final = RecordType((("high-bits", Prim.U64), ("low-bits", Prim.U64)))
COMPONENT_ID: Final = RecordType((("uuid", UUID_TYPE),))
WORKER_ID: Final = RecordType((("component-id", COMPONENT_ID), ("worker-name", Prim.STRING)))
PROMISE_ID: Final = RecordType((("worker-id", WORKER_ID), ("oplog-idx", Prim.U64)))
_PAIRS: Final = ListType(TupleType((Prim.STRING, Prim.STRING)))
METADATA: Final = RecordType(
    (
        ("worker-id", WORKER_ID),
        ("args", ListType(Prim.STRING)),
        ("env", _PAIRS),
        ("wasi-config-vars", _PAIRS),
        ("status", EnumType(STATUSES)),
        ("component-version", Prim.U64),
        ("retry-count", Prim.U64),
    )
)
"""As it is recorded, whatever dialect the guest speaks: a later version may speak another."""

_LOW_BITS: Final = (1 << 64) - 1

_Fields: TypeAlias = Mapping[str, Public]


@dataclass(frozen=True, slots=True)
class Uuid:
    """``golem:rpc/types.uuid``."""

    high_bits: int
    low_bits: int

    @classmethod
    def of(cls, uuid: UUID) -> Self:
        return cls(uuid.int >> 64, uuid.int & _LOW_BITS)

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls.of(UUID(text))


@dataclass(frozen=True, slots=True)
class ComponentId:
    uuid: Uuid

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls(Uuid.parse(text))


@dataclass(frozen=True, slots=True)
class WorkerId:
    """``worker-id``, or ``agent-id``, whose name is called otherwise."""

    component_id: ComponentId
    worker_name: str

    @classmethod
    def of(cls, worker: WorkerRef) -> Self:
        return cls(ComponentId.parse(worker.component_id), worker.worker_name)

    @property
    def agent_id(self) -> str:
        return self.worker_name

    @property
    def agent_name(self) -> str:
        return self.worker_name


@dataclass(frozen=True, slots=True)
class PromiseName:
    """``promise-id``."""

    worker_id: WorkerId
    oplog_idx: int

    @classmethod
    def of(cls, promise: PromiseId) -> Self:
        owner = WorkerRef(promise.component_id, promise.worker_name)
        return cls(WorkerId.of(owner), promise.oplog_index)

    @property
    def agent_id(self) -> WorkerId:
        return self.worker_id


@dataclass(frozen=True, slots=True)
class Metadata:
    """``worker-metadata``, or ``agent-metadata``."""

    worker_id: WorkerId
    args: tuple[str, ...]
    env: Pairs
    wasi_config_vars: Pairs
    status: str
    component_version: int
    retry_count: int

    @classmethod
    def of(cls, component_id: str, known: WorkerMetadata) -> Self:
        return cls(
            WorkerId.of(WorkerRef(component_id, known.name)),
            known.args,
            known.env,
            tuple(sorted(known.config_vars)),
            known.status,
            known.component_version,
            known.retry_count,
        )

    @classmethod
    def recorded(cls, fields: Public) -> Self:
        """From the public form of `METADATA`."""
        return cls(
            WorkerId.of(worker_ref(fields["worker-id"])),
            fields["args"],
            fields["env"],
            fields["wasi-config-vars"],
            fields["status"],
            fields["component-version"],
            fields["retry-count"],
        )

    @property
    def agent_id(self) -> WorkerId:
        return self.worker_id

    @property
    def config_vars(self) -> Pairs:
        return self.wasi_config_vars


def uuid_text(value: Public) -> str:
    return str(UUID(int=value["high-bits"] << 64 | value["low-bits"]))


def component_id(value: Public) -> str:
    """The UUID in text form."""
    return uuid_text(value["uuid"])


def worker_ref(value: Public) -> WorkerRef:
    """From a worker-id of any dialect: a component, and the one other field is the name."""
    fields = dict(cast("_Fields", value))
    component = component_id(fields.pop("component-id"))
    (name,) = fields.values()
    return WorkerRef(component, name)


def promise_id(value: Public) -> PromiseId:
    """From a promise-id of any dialect."""
    fields = dict(cast("_Fields", value))
    index = fields.pop("oplog-idx")
    (owner,) = fields.values()
    worker = worker_ref(owner)
    return PromiseId(worker.component_id, worker.worker_name, index)
