"""
What becomes of the handles to resources of the guest in a call: who may pass which, and what the
log says about them.

Handles are the same after every rebuild, because the same calls make them; the log's entries about
them are hints, appended live only, for the status and for people.
"""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.engine import (
    GUEST_HANDLES_MAX,
    ClosedHandleError,
    Component,
    ExportedFunction,
    HandleError,
    Instance,
)
from golem_host.errors import InvalidRequestError
from golem_host.handles import Resource
from golem_host.resources import handles
from golem_host.wire import Wire
from golem_oplog.entries import CreateResource, DropResource
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import FunctionType


@dataclass(frozen=True, slots=True)
class Traffic:
    """Which handles may cross with the calls of one function."""

    takes: frozenset[str]
    """Names of the resources that its parameters may hold handles to."""
    gives: frozenset[str]
    host: frozenset[str]
    """Those of them that are the host's: nobody outside of the guest can hold one."""

    @classmethod
    def of(cls, function: FunctionType, component: Component) -> Traffic:
        takes = frozenset(each.resource for _, ty in function.params for each in handles(ty))
        gives = frozenset(each.resource for each in handles(function.result))
        both = takes | gives
        return cls(takes, gives, both & set(component.description.host_resources) if both else both)


class HandleAccount:
    """The handles of one session's instance."""

    def __init__(
        self, context: InstanceContext, component: Component, *, is_ephemeral: bool
    ) -> None:
        self._context = context
        self._component = component
        self._is_ephemeral = is_ephemeral
        self._traffic: dict[str, Traffic] = {}
        self._is_settled = False
        """Whether the log's entries are known to say what the instance has."""

    def begin(self, oplog_index: int) -> None:
        """An invocation begins, whose entry has this index."""
        context = self._context
        floor = context.status.handles.floor(oplog_index)
        context.guest_handles_made = max(context.guest_handles_made, floor)

    def check(self, instance: Instance, export: ExportedFunction, args: list[Wire]) -> None:
        """
        Raises:
            InvalidRequestError: The export cannot be called with these handles, or not now.
            ParamTypeMismatchError: Nor with what lies between them.
        """
        function = export.type
        traffic = self._traffic.get(function.name)
        if traffic is None:
            traffic = self._traffic[function.name] = Traffic.of(function, self._component)
        if traffic.host:
            names = ", ".join(sorted(traffic.host))
            raise _refusal(function, f"only the guest itself can hold handles of the host: {names}")
        if not traffic.takes:
            if traffic.gives and len(self._context.guest_handles) >= GUEST_HANDLES_MAX:
                raise _refusal(function, f"{GUEST_HANDLES_MAX} handles are open; drop some first")
            return
        if self._is_ephemeral:
            raise _refusal(function, "no handle outlives a call of an ephemeral worker")
        try:
            instance.check_handles(export, args)
        except ClosedHandleError as error:
            raise _refusal(function, self._why_closed(error)) from error
        except HandleError as error:
            raise _refusal(function, str(error)) from error

    def _why_closed(self, error: ClosedHandleError) -> str:
        status = self._context.status
        snapshot = status.snapshot
        why = status.handles.why_closed(error.number, snapshot.oplog_index if snapshot else 0)
        label = Resource.of(error.resource).name
        return f"{label}({error.number}) is not open: {why}"

    def completed_in_replay(self) -> None:
        self._context.guest_handles_touched.clear()

    def completed(self) -> None:
        """A call has returned, live: append which handles it has opened and closed."""
        context = self._context
        touched = context.guest_handles_touched
        if self._is_ephemeral or (self._is_settled and not touched):
            return
        held, noted = context.guest_handles, context.status.handles.open
        # An attempt that a crash has cut off may have noted what this one did not do.
        numbers = sorted(touched) if self._is_settled else sorted({*noted, *held})
        touched.clear()
        self._is_settled = True
        now = context.clock_ns()
        for number in numbers:
            if number not in held and number in noted:
                owner, name = noted[number]
                context.append(DropResource(now, number, owner, name))
            elif number in held and number not in noted:
                owner, name = Resource.of(held[number].resource)
                context.append(CreateResource(now, number, owner, name))


def _refusal(function: FunctionType, reason: str) -> InvalidRequestError:
    return InvalidRequestError(reason=f"{function.name}: {reason}")
