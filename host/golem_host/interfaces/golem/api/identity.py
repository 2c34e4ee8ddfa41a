"""
Who the worker is, who others are, and what names stand for: ``golem:api/host``.

What is known of a worker changes, so each answer is recorded (R15, R16): always in the fullest
form, whatever dialect the guest speaks, because its next version may speak another.

Source: spec 2.10 and 2.14.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import (
    READ_REMOTE,
    UNRECORDED,
    WRITE_REMOTE,
    Recorded,
    function,
    interface,
)
from golem_host.errors import InvalidRequestError
from golem_host.interfaces.golem.api.own import (
    INTERFACE,
    caller,
    of_another_worker,
    recorded_value,
)
from golem_host.interfaces.golem.api.values import (
    COMPONENT_ID,
    METADATA,
    WORKER_ID,
    ComponentId,
    Metadata,
    WorkerId,
    component_id,
    worker_ref,
)
from golem_host.services.peers import WorkerRef
from golem_host.status import RUNNING
from golem_host.wire import Public
from golem_host.worker.metadata import metadata_of
from golem_oplog.types import FunctionType, OptionType, Prim

SELF_RECORD: Final = "golem::api::get_self_metadata"
OTHER_RECORD: Final = "golem::api::get_worker_metadata"
RESOLVE_RECORD: Final = "golem::api::resolve_component_id"

_SELF: Final = Recorded(READ_REMOTE, FunctionType(SELF_RECORD, (), METADATA))
_OTHER: Final = Recorded(
    READ_REMOTE, FunctionType(OTHER_RECORD, (("worker-id", WORKER_ID),), OptionType(METADATA))
)
_RESOLVE: Final = Recorded(
    WRITE_REMOTE,
    FunctionType(RESOLVE_RECORD, (("component-reference", Prim.STRING),), OptionType(COMPONENT_ID)),
)


def _of_self(context: InstanceContext) -> Metadata:
    identity = context.services.identity
    known = metadata_of("", context.status, context.oplog.last_index)
    # It asks, so it runs; and it is the version that asks, also in the middle of an update.
    known = replace(known, status=RUNNING, component_version=identity.component_version)
    return Metadata.of(identity.component_id, known)


def _of_other(context: InstanceContext, worker: WorkerRef) -> Metadata | None:
    if worker == caller(context):
        return _of_self(context)
    with of_another_worker(worker):
        known = context.services.peers.metadata(worker)
    return None if known is None else Metadata.of(worker.component_id, known)


def _resolve(context: InstanceContext, reference: str) -> str | None:
    if not reference or " " in reference:
        raise InvalidRequestError(
            reason=f"{reference!r} names no component: a name is not empty and has no blanks"
        )
    return context.services.peers.component_id_of(reference)


def _resolve_id(context: InstanceContext, reference: str) -> ComponentId | None:
    found = _resolve(context, reference)
    return None if found is None else ComponentId.parse(found)


@interface(INTERFACE)
class IdentityFunctions:
    @function(UNRECORDED)
    def get_self_metadata(self, context: InstanceContext) -> Metadata:
        """Recorded inside."""
        return Metadata.recorded(recorded_value(context, _SELF, (), lambda: _of_self(context)))

    @function(UNRECORDED)
    def get_worker_metadata(self, context: InstanceContext, worker_id: Public) -> Metadata | None:
        """Recorded inside."""
        worker = worker_ref(worker_id)
        found = recorded_value(
            context, _OTHER, (WorkerId.of(worker),), lambda: _of_other(context, worker)
        )
        return None if found is None else Metadata.recorded(found)

    @function(UNRECORDED)
    def get_agent_metadata(self, context: InstanceContext, agent_id: Public) -> Metadata | None:
        """`get_worker_metadata` by its later name."""
        return self.get_worker_metadata(context, agent_id)

    @function(WRITE_REMOTE, record=RESOLVE_RECORD)
    def resolve_component_id(
        self, context: InstanceContext, component_reference: str
    ) -> ComponentId | None:
        return _resolve_id(context, component_reference)

    @function(UNRECORDED)
    def resolve_worker_id(
        self, context: InstanceContext, component_reference: str, worker_name: str
    ) -> WorkerId | None:
        """Recorded as ``resolve-component-id``: the rest follows."""
        found = recorded_value(
            context,
            _RESOLVE,
            (component_reference,),
            lambda: _resolve_id(context, component_reference),
        )
        if found is None:
            return None
        return WorkerId.of(WorkerRef(component_id(found), worker_name))

    @function(UNRECORDED)
    def resolve_agent_id(
        self, context: InstanceContext, component_reference: str, agent_name: str
    ) -> WorkerId | None:
        """`resolve_worker_id` by its later name."""
        return self.resolve_worker_id(context, component_reference, agent_name)

    @function(WRITE_REMOTE, record="golem::api::resolve_worker_id_strict")
    def resolve_worker_id_strict(
        self, context: InstanceContext, component_reference: str, worker_name: str
    ) -> WorkerId | None:
        return _resolve_strictly(context, component_reference, worker_name)

    @function(WRITE_REMOTE, record="golem::api::resolve_worker_id_strict")
    def resolve_agent_id_strict(
        self, context: InstanceContext, component_reference: str, agent_name: str
    ) -> WorkerId | None:
        """`resolve_worker_id_strict` by its later name."""
        return _resolve_strictly(context, component_reference, agent_name)


def _resolve_strictly(context: InstanceContext, reference: str, name: str) -> WorkerId | None:
    component = _resolve(context, reference)
    if component is None:
        return None
    worker = WorkerRef(component, name)
    return WorkerId.of(worker) if context.services.peers.exists(worker) else None
