"""
One instance of a worker without an engine, in the middle of its only invocation.

`Instance` calls any function that the host offers, by name and in public form, through the
dispatcher.  What a crash leaves of its log is another instance's: `crashed` in
`tests.support.contexts`.
"""

from __future__ import annotations

from functools import cache
from sys import maxsize
from typing import Any, Final

from golem_host.context import InstanceContext
from golem_host.dispatch import Dispatcher, Handler
from golem_host.engine import ImportedFunction
from golem_host.interfaces.offered import registry
from golem_host.interfaces.signatures import signatures
from golem_host.replay import Perform
from golem_host.trace_context import TraceContext
from golem_oplog.entries import ExportedFunctionCompleted, ExportedFunctionInvoked
from golem_oplog.memory import MemoryOplog
from golem_oplog.types import FunctionType, HandleType, ListType, WitType
from golem_oplog.values import from_wire, to_wire
from tests.support.contexts import context_on, new_log
from tests.support.scripted_guest import exported
from tests.support.world import EPOCH_NS, FrozenClock

KEY: Final = "order-42"
NO_TRACE: Final = TraceContext("")
"""As in logs from before there were any."""


@cache
def _linked(full_name: str) -> tuple[FunctionType, Handler]:
    """The type by which an offered function is imported, and what the dispatcher makes of it."""
    interface, _, name = full_name.partition("#")
    (signature, *_) = signatures().of(interface, name)
    handler = _dispatcher().resolve(ImportedFunction(interface, name, signature.type))
    assert handler is not None
    return signature.type, handler


@cache
def _dispatcher() -> Dispatcher:
    return Dispatcher(registry())


def begun_log(trace: TraceContext = NO_TRACE) -> MemoryOplog:
    """A log whose only invocation has begun: entries 1 and 2."""
    oplog = new_log()
    function = oplog.define(exported("test:it/api", "run", (), None).type)
    said = (trace.trace_id, trace.states, trace.spans)
    oplog.append(ExportedFunctionInvoked(EPOCH_NS, function, b"\x80", KEY, *said))
    oplog.commit()
    return oplog


class Instance:
    """
    Args:
        oplog: The log, which is replayed as far as it goes.
        interface: Of the functions that are called by their name alone.
    """

    def __init__(
        self,
        oplog: MemoryOplog,
        interface: str,
        clock: FrozenClock | None = None,
        *,
        oplog_bytes_max: int = maxsize,
    ) -> None:
        self.interface = interface
        self.oplog = oplog
        self.context: InstanceContext = context_on(oplog, clock, oplog_bytes_max=oplog_bytes_max)
        self.context.key = KEY
        replayed = self.context.replay.invocation()
        assert replayed is not None
        self.context.invoked = replayed.entry

    def __call__(self, name: str, *args: Any) -> Any:
        """Handles are given and returned as their reps; ``name`` may be ``interface#name``."""
        function, handler = _linked(name if "#" in name else f"{self.interface}#{name}")
        wires = [_to(ty, arg) for (_, ty), arg in zip(function.params, args, strict=True)]
        wire = handler(self.context, *wires)
        result = function.result
        if result is None or isinstance(result, HandleType):
            return wire
        return from_wire(result)(wire)

    def drop(self, resource: str, rep: int) -> None:
        """Give a handle up; ``resource`` is ``ns:pkg/interface.name``."""
        drop = _dispatcher().drop(resource)
        assert drop is not None
        drop(self.context, rep)

    def complete(self) -> None:
        """The export returns."""
        if isinstance(self.context.replay.completion(None), Perform):
            self.context.append(ExportedFunctionCompleted(self.context.clock_ns(), None))


def _to(ty: WitType, value: Any) -> Any:
    is_handles = isinstance(ty, HandleType) or (
        isinstance(ty, ListType) and isinstance(ty.element, HandleType)
    )
    return value if is_handles else to_wire(ty)(value)
