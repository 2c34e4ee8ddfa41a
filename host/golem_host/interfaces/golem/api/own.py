"""What the actions of ``golem:api/host`` share: who calls, and what may not be done now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from golem_host.context import InstanceContext
from golem_host.declare import Recorded
from golem_host.dispatch import recorded_call
from golem_host.failures import GuestError, WorldError
from golem_host.services.peers import WorkerRef, shown
from golem_host.wire import Public
from golem_oplog.errors import OplogError
from golem_oplog.types import WitType
from golem_oplog.values import from_wire, to_wire

INTERFACE = "golem:api/host"


def caller(context: InstanceContext) -> WorkerRef:
    identity = context.services.identity
    return WorkerRef(identity.component_id, identity.worker_name)


def require_recording(context: InstanceContext, what: str) -> None:
    """
    Refuse what would be forgotten.

    Raises:
        GuestError: A snapshot is being saved or loaded, which leaves no trace in the log.
    """
    if context.is_unrecorded:
        raise GuestError(f"{what} while a snapshot is saved or loaded: it would not be remembered")


@contextmanager
def of_another_worker(worker: WorkerRef) -> Iterator[None]:
    """A damaged log is the failure of the worker that it belongs to, not of the one that asks."""
    try:
        yield
    except OplogError as error:
        raise WorldError(
            f"worker {worker.component_id}/{shown(worker.worker_name)} cannot be used: {error}"
        ) from error


def recorded_value(
    context: InstanceContext,
    recorded: Recorded,
    arguments: tuple[Public, ...],
    perform: Callable[[], Public],
) -> Public:
    """`recorded_call` from and to public values, by the recorded types alone."""
    request = tuple(
        to_wire(ty)(value) for (_, ty), value in zip(recorded.type.params, arguments, strict=True)
    )
    result: WitType | None = recorded.type.result
    assert result is not None
    return from_wire(result)(
        recorded_call(context, recorded, request, lambda: to_wire(result)(perform()))
    )
