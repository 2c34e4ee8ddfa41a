"""Calling an export: the code for its type, generated once per component and bound per instance."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

from golem_host.engine.codegen import unpacking
from golem_host.engine.context import StoreContext
from golem_host.engine.raw import Owned
from golem_host.engine.trampoline import Boundary
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import FunctionType

Keep = Callable[[bytes], None]

FUNC_BYTES: Final = struct.calcsize("<QIIQ")
"""What the C interface knows a function by: store, two private words, a private address."""
INSTANCE_BYTES: Final = struct.calcsize("<QII")
"""The same for an instance."""


@dataclass(frozen=True, slots=True)
class ExportCaller:
    """How one exported function of a component is called in any of its instances."""

    type: FunctionType
    index: Owned
    lower: Callable[[Sequence[Any], Keep, StoreContext], bytes]
    """Arguments to cells that lie one after the other.  ``keep`` gets what they point to."""
    lift: Callable[[int, StoreContext], Any] | None
    """The cell at an address to the result; None for a function without one."""


def export_caller(boundary: Boundary, ty: FunctionType, index: Owned) -> ExportCaller:
    """Generate the code of one export."""
    with boundary.lock:
        namespace = boundary.namespace
        variables = namespace.names("v", len(ty.params))
        statements, cells = boundary.lowerer.packed([t for _, t in ty.params], variables)
        take = (
            f"{unpacking(variables)}=args" if variables else "if args: raise TypeError(len(args))"
        )
        lower = namespace.function("export", "args,keep,cx", [take, *statements, f"return {cells}"])
        lift = None if ty.result is None else boundary.lifter.boxed(ty.result)
        namespace.compile()
        return ExportCaller(ty, index, namespace[lower], None if lift is None else namespace[lift])
