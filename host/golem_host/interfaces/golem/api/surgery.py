"""
Copies, reverts and updates of workers: ``golem:api/host``.

Each effect has a token, so that a kill between it and its entry changes nothing.  What cannot be
done is raised and not recorded: nothing has happened.

Source: spec 2.9 and 2.11 to 2.13, with the project's remarks R9, R17, R20, R22 and R41.
"""

from __future__ import annotations

from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import WRITE_REMOTE, function, interface
from golem_host.errors import InvalidRequestError
from golem_host.interfaces.golem.api.own import (
    INTERFACE,
    caller,
    of_another_worker,
    require_recording,
)
from golem_host.interfaces.golem.api.values import worker_ref
from golem_host.services.peers import WorkerRef
from golem_host.wire import Public
from golem_oplog.entries import (
    BeginRemoteWrite,
    EndRemoteWrite,
    ImportedFunctionInvoked,
    PersistenceLevel,
)
from golem_oplog.sequel import Sequel
from golem_oplog.types import EnumType, FunctionType, Prim

ORIGINAL: Final = "original"
FORKED: Final = "forked"
CUT_MIN: Final = 2
"""A fork has at least one entry behind its `Create`."""
VERSION_MAX: Final = (1 << 63) - 1

FORK_RECORD: Final = "golem::api::fork"
FORK_WORKER_RECORD: Final = "golem::api::fork_worker"
REVERT_RECORD: Final = "golem::api::revert_worker"
UPDATE_RECORD: Final = "golem::api::update-worker"
_FORK: Final = FunctionType(FORK_RECORD, (("new-name", Prim.STRING),), EnumType((ORIGINAL, FORKED)))


@interface(INTERFACE)
class SurgeryFunctions:
    @function(WRITE_REMOTE, record=FORK_RECORD)
    def fork(self, context: InstanceContext, new_name: str) -> str:
        """The copy has everything up to this call, and the other answer in place of it."""
        require_recording(context, "fork")
        if _is_repeated_by_the_fork(context, new_name):
            return FORKED
        own = caller(context)
        cut = context.oplog.last_index
        if cut < CUT_MIN:
            raise InvalidRequestError(reason="there is nothing to fork yet")
        target = WorkerRef(own.component_id, new_name)
        sequels = _sequels(context, new_name)
        context.services.peers.fork(own, target, cut, context.effect_token(), sequels)
        return ORIGINAL

    @function(WRITE_REMOTE, record=FORK_WORKER_RECORD)
    def fork_worker(
        self,
        context: InstanceContext,
        source_worker_id: Public,
        target_worker_id: Public,
        oplog_idx_cut_off: int,
    ) -> None:
        source, target = worker_ref(source_worker_id), worker_ref(target_worker_id)
        if oplog_idx_cut_off < CUT_MIN:
            raise InvalidRequestError(
                reason=f"cannot fork at index {oplog_idx_cut_off}: the first possible cut is "
                f"{CUT_MIN}"
            )
        with of_another_worker(source):
            context.services.peers.fork(
                source, target, oplog_idx_cut_off, context.effect_token(), ()
            )

    @function(WRITE_REMOTE, record=FORK_WORKER_RECORD)
    def fork_agent(
        self,
        context: InstanceContext,
        source_agent_id: Public,
        target_agent_id: Public,
        oplog_idx_cut_off: int,
    ) -> None:
        """`fork_worker` by its later name."""
        self.fork_worker(context, source_agent_id, target_agent_id, oplog_idx_cut_off)

    @function(WRITE_REMOTE, record=REVERT_RECORD)
    def revert_worker(
        self, context: InstanceContext, worker_id: Public, revert_target: Public
    ) -> None:
        """Waits for the other worker to stand still, and leaves the run slot to it meanwhile."""
        worker = worker_ref(worker_id)
        if worker == caller(context):
            raise InvalidRequestError(
                reason="a worker cannot revert itself: it would wait for its own end; "
                "use set-oplog-index"
            )
        is_index = revert_target.case == "revert-to-oplog-index"
        target: int = revert_target.value
        token = context.effect_token()
        with of_another_worker(worker), context.services.slot.released():
            context.services.peers.revert(
                worker,
                to_index=target if is_index else None,
                last_invocations=None if is_index else target,
                token=token,
                check_kill=context.check_kill,
            )
        context.check_kill()

    @function(WRITE_REMOTE, record=REVERT_RECORD)
    def revert_agent(
        self, context: InstanceContext, agent_id: Public, revert_target: Public
    ) -> None:
        """`revert_worker` by its later name."""
        self.revert_worker(context, agent_id, revert_target)

    @function(WRITE_REMOTE, record=UPDATE_RECORD)
    def update_worker(
        self, context: InstanceContext, worker_id: Public, target_version: int, mode: str
    ) -> None:
        worker = worker_ref(worker_id)
        if target_version > VERSION_MAX:
            raise InvalidRequestError(
                reason=f"component {worker.component_id} has no version {target_version}"
            )
        token = context.effect_token()
        with of_another_worker(worker):
            context.services.peers.update(worker, target_version, mode, token)

    @function(WRITE_REMOTE, record=UPDATE_RECORD)
    def update_agent(
        self, context: InstanceContext, agent_id: Public, target_version: int, mode: str
    ) -> None:
        """`update_worker` by its later name."""
        self.update_worker(context, agent_id, target_version, mode)


def _is_repeated_by_the_fork(context: InstanceContext, new_name: str) -> bool:
    """
    Whether the call that made this worker is made again by it.

    That happens where the fork was made inside of an atomic region, a remote write of the guest's
    own or a persist-nothing zone: these are done again from their beginning, the fork's answer with
    them.
    """
    identity = context.services.identity
    if not identity.is_fork or new_name != identity.worker_name:
        return False
    if context.persistence_level == PersistenceLevel.PERSIST_NOTHING:
        return True
    return context.status.is_in_operation


def _own_begin(context: InstanceContext) -> int | None:
    """The begin marker of the remote write that is being performed; None if it needs none."""
    if context.idempotent:
        return None
    begins = context.status.open_begins
    return max(each for each in begins if begins[each] is BeginRemoteWrite)


def _sequels(context: InstanceContext, new_name: str) -> list[Sequel]:
    """What the fork has behind the cut: its own answer, and the end of the bracket around it."""
    now, begin = context.clock_ns(), _own_begin(context)
    request = context.pack((new_name,))
    response = context.pack(1)

    def answer(function_id: int) -> ImportedFunctionInvoked:
        return ImportedFunctionInvoked(
            now, function_id, request, response, int(WRITE_REMOTE), begin
        )

    sequels = [Sequel(_FORK, answer)]
    if begin is not None:
        sequels.append(Sequel(None, lambda _: EndRemoteWrite(now, begin)))
    return sequels
