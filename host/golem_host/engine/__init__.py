"""
Running components: the only package that knows wasmtime.

`Engine.load` gives a `Component`; `Component.link` answers its imports and gives a
`LinkedComponent`; that makes an `Instance` for each `StoreContext`; `Instance.call` calls an export.
Values are in wire form throughout (see `golem_oplog.types`).

**Threads.**  An engine, a component and a linked component may be shared.  An instance may move
between threads, one at a time.  Only `StoreContext.kill` may be set from outside.  Guests belong on
threads other than the main one: Python delivers signals between bytecodes of the main thread, and
guest code has none.  Guests that only compute run in parallel; guests that mostly call the host
share the GIL.

**Processes.**  Do not compile in a forked child of a process that has compiled: the engine's threads
did not come along, and it hangs.  Start new processes instead.

**Memory.**  See `golem_host.engine.abi` for who frees what.
"""

from golem_host.engine.component import Component
from golem_host.engine.context import StoreContext
from golem_host.engine.describe import ExportedFunction, ImportedFunction
from golem_host.engine.engine import Engine
from golem_host.engine.instance import Instance, InstanceBusyError
from golem_host.engine.limits import EngineConfig
from golem_host.engine.linker import LinkedComponent
from golem_host.engine.resources import (
    GUEST_HANDLES_MAX,
    ClosedHandleError,
    HandleError,
)
from golem_host.engine.trampoline import DropHandler, Handler
from golem_host.engine.traps import Trap, TrapKind

__all__ = [
    "GUEST_HANDLES_MAX",
    "ClosedHandleError",
    "Component",
    "DropHandler",
    "Engine",
    "EngineConfig",
    "ExportedFunction",
    "HandleError",
    "Handler",
    "ImportedFunction",
    "Instance",
    "InstanceBusyError",
    "LinkedComponent",
    "StoreContext",
    "Trap",
    "TrapKind",
]
