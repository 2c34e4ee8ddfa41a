"""
One function for every host call: the only place that knows both replay and live.

At link time `Dispatcher.resolve` turns a component's import into a handler: a closure with
everything looked up that does not depend on the call.  A handler lifts nothing and decides
nothing that could have been decided then.

``imported function -> replay core says: here is the answer, or perform -> live action -> append,
commit by durable function type``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import msgpack

from golem_host.context import InstanceContext
from golem_host.declare import HostFunction, Recorded, Registry, Shape
from golem_host.engine import ImportedFunction
from golem_host.errors import DeclarationError
from golem_host.failures import RecordedFailureError, WorldError
from golem_host.interfaces.signatures import signatures
from golem_host.replay import Perform
from golem_host.resources import Convert, handles, lifter, lowerer
from golem_host.wire import Wire, WireFunction
from golem_oplog.codec import decode_wire
from golem_oplog.entries import (
    BeginRemoteWrite,
    EndRemoteWrite,
    Entry,
    FunctionKind,
    ImportedFunctionInvoked,
    Jump,
)
from golem_oplog.types import FunctionType
from golem_oplog.wittext import format_function

Handler: TypeAlias = WireFunction

_NO_ARGUMENTS: Final = msgpack.packb(())


class Dispatcher:
    """Makes handlers for the imports of components out of a registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def resolve(self, imported: ImportedFunction) -> Handler | None:
        """The handler for an import, or None where nothing of this name is offered."""
        host_function = self._registry.find(imported.interface, imported.name)
        if host_function is None:
            return None
        return _handler(host_function, imported.type)

    def misfit(self, imported: ImportedFunction) -> Sequence[FunctionType]:
        """
        The types that an offered function may be imported with, where the import has none of them.

        Nothing where it fits, or where no type is known: of interfaces that an embedder declares.
        """
        interface, name = imported.interface, imported.name
        if self._registry.find(interface, name) is None:
            return ()
        # Read only now: a guest without imports needs no table.
        table = signatures()
        if table.match(interface, name, imported.type) is not None:
            return ()
        return [signature.type for signature in table.of(interface, name)]

    def drop(self, resource: str) -> Callable[[InstanceContext, int], None] | None:
        """What to do when the guest drops a handle of this resource."""
        if not self._registry.offers_resource(resource):
            return None
        interface, _, name = resource.rpartition(".")
        declared = self._registry.find(interface, Shape.DROP.value.format(resource=name))
        if declared is None:
            return _drop
        act = declared.action

        def drop(context: InstanceContext, rep: int) -> None:
            act(context, context.resources.take(rep))

        return drop


def _drop(context: InstanceContext, rep: int) -> None:
    context.resources.take(rep)


def recorded_call(
    context: InstanceContext,
    recorded: Recorded,
    request: tuple[Wire, ...],
    perform: Callable[[], Wire],
    *,
    keyed: bool = False,
) -> Wire:
    """
    A recorded call that an unrecorded action makes on its own; values in wire form.

    ``perform`` is only called where the log has no answer.  One that is ``keyed`` by something in
    the log can be repeated without a second effect, so it needs no bracket.
    """
    return _record(context, recorded, context.pack(request), perform, keyed=keyed)


def marked(context: InstanceContext, outcome: int | Perform, entry: Callable[[int], Entry]) -> int:
    """
    The index of a marker: the recorded one, or that of one made now.

    A marker whose operation is done again stands; what followed it is jumped over first.

    Args:
        context: The instance's.
        outcome: What the replay core said.
        entry: Makes the marker, from the time.
    """
    if not isinstance(outcome, Perform):
        return outcome
    region = outcome.jump
    if region is None:
        return context.append(entry(context.clock_ns()))
    context.append(Jump(context.clock_ns(), region.start, region.end))
    # Before anything is done again: later replays must agree that the first time is dead.
    context.oplog.commit()
    return region.start - 1


def _handler(host_function: HostFunction, imported: FunctionType) -> Handler:
    declaration = host_function.declaration
    act = _action(host_function, imported)
    if declaration.kind is None or declaration.record is None:
        return act
    _require_replayable(imported)
    observed = declaration.observed
    params = imported.params if observed is None else observed.params
    recorded = Recorded(declaration.kind, FunctionType(declaration.record, params, imported.result))
    if observed is not None:
        return _general_handler(recorded, observed.of, act)
    if declaration.kind >= FunctionKind.WRITE_REMOTE:
        return _general_handler(recorded, _all_arguments, act)
    return _local_handler(recorded, act)


def _require_replayable(imported: FunctionType) -> None:
    """
    Refuse a recorded function that makes or takes away a resource.

    On replay the answer comes from the log and the action does not run: a handle in the answer
    would stand for nothing, one that was given up would stay, and either way every handle made
    afterwards would be another than the log says.  A borrowed one comes and goes with the call.

    Raises:
        DeclarationError: It is declared so, or imported so.
    """
    made = any(handles(imported.result))
    taken = any(handle.owned for _, ty in imported.params for handle in handles(ty))
    if made or taken:
        raise DeclarationError(
            function=format_function(imported),
            reason=f"is recorded but {'returns' if made else 'takes'} a handle, which replay could "
            "not repeat; declare it UNRECORDED and record inside of it what it asks of the world "
            "(recorded_call, or CallContext.recorded in an interface of your own)",
        )


def _action(host_function: HostFunction, imported: FunctionType) -> Handler:
    """The live action from wire form to wire form, converting only what needs it."""
    call = host_function.action_for(imported)
    lifts = [lifter(ty) for _, ty in imported.params]
    result = None if host_function.declaration.gives_wire else imported.result
    lower = lowerer(result) if result is not None else None
    if not any(lifts):
        return _lowering(call, lower)
    converts: list[Convert] = [lift or _as_is for lift in lifts]

    def lifted(context: InstanceContext, *args: Wire) -> Wire:
        table = context.resources
        return call(context, *[c(table, a) for c, a in zip(converts, args, strict=True)])

    return _lowering(lifted, lower)


def _lowering(call: Handler, lower: Convert | None) -> Handler:
    if lower is None:
        return call

    def lowered(context: InstanceContext, *args: Wire) -> Wire:
        return lower(context.resources, call(context, *args))

    return lowered


def _as_is(_table: object, value: Wire) -> Wire:
    return value


def _local_handler(recorded: Recorded, act: Handler) -> Handler:
    """The hot path: read-local, write-local and read-remote calls bracket nothing."""
    kind = int(recorded.kind)
    name = recorded.type.name

    def handler(context: InstanceContext, *args: Wire) -> Wire:
        request = context.pack(args) if args else _NO_ARGUMENTS
        function = context.function_id(recorded)
        if not context.replay.live:
            decision = context.replay.imported(function, name, request)
            if not isinstance(decision, Perform):
                return answer(context, decision)
        try:
            result = act(context, *args)
        except WorldError as error:
            _record_failure(context, recorded, request, error, None)
            raise
        context.record_call(function, request, context.pack(result), kind)
        return result

    return handler


def _all_arguments(*args: Wire) -> tuple[Wire, ...]:
    return args


def _general_handler(
    recorded: Recorded,
    observe: Callable[..., tuple[Wire, ...]],
    act: Handler,
) -> Handler:
    def handler(context: InstanceContext, *args: Wire) -> Wire:
        request = context.pack(observe(*args))
        return _record(context, recorded, request, lambda: act(context, *args))

    return handler


def _record(
    context: InstanceContext,
    recorded: Recorded,
    request: bytes,
    perform: Callable[[], Wire],
    *,
    keyed: bool = False,
) -> Wire:
    """Answer or perform one recorded call, whatever its durable function type (spec 2.0)."""
    begin = None if keyed else begin_write(context, recorded.kind)
    function = context.function_id(recorded)
    if not context.replay.live:
        decision = context.replay.imported(function, recorded.type.name, request)
        if not isinstance(decision, Perform):
            if begin is not None:
                context.replay.end_remote_write(begin)
            return answer(context, decision)
    # Before the effect: once it has happened its entry is never refused.
    context.refuse_growth()
    if recorded.kind >= FunctionKind.WRITE_REMOTE:
        # No remote write leaves the process while an earlier entry could still be lost.
        context.oplog.commit()
    try:
        result = perform()
    except WorldError as error:
        _record_failure(context, recorded, request, error, begin)
        raise
    context.append(
        ImportedFunctionInvoked(
            context.clock_ns(), function, request, context.pack(result), int(recorded.kind), begin
        )
    )
    end_write(context, recorded.kind, begin)
    return result


def begin_write(context: InstanceContext, kind: FunctionKind) -> int | None:
    """Open the bracket that some remote writes need; returns its begin index."""
    bracketed = kind is FunctionKind.WRITE_REMOTE and not context.idempotent
    if not bracketed and kind is not FunctionKind.WRITE_REMOTE_BATCHED:
        return None
    outcome = context.replay.begin_remote_write(idempotent=context.idempotent)
    if not isinstance(outcome, Perform):
        return outcome
    begin = marked(context, outcome, BeginRemoteWrite)
    context.oplog.commit()
    return begin


def end_write(context: InstanceContext, kind: FunctionKind, begin: int | None) -> None:
    """Close the bracket of a call that was performed, if it has one, and commit what needs it."""
    if begin is not None:
        context.append(EndRemoteWrite(context.clock_ns(), begin))
    if kind >= FunctionKind.WRITE_REMOTE:
        # The guest learns of the outcome only once it cannot be forgotten.
        context.oplog.commit()


def answer(context: InstanceContext, recorded: ImportedFunctionInvoked) -> Wire:
    """What the log answers; raises the failure that it remembers."""
    if recorded.error is not None:
        raise RecordedFailureError(recorded.error)
    response = recorded.response
    assert response is not None, "an answer without an error has a response"
    if response.__class__ is not bytes:
        response = context.oplog.load(response)
    return decode_wire(response)


def _record_failure(
    context: InstanceContext,
    recorded: Recorded,
    request: bytes,
    error: WorldError,
    begin: int | None,
) -> None:
    """
    A failure of the world is only remembered once no attempt is left to heal it (R1).

    Raises:
        RecordedFailureError: It is remembered from now on.
    """
    if not context.is_last_attempt():
        return
    context.append(
        ImportedFunctionInvoked(
            context.clock_ns(),
            context.function_id(recorded),
            request,
            None,
            int(recorded.kind),
            begin,
            str(error),
        )
    )
    end_write(context, recorded.kind, begin)
    raise RecordedFailureError(str(error)) from error
