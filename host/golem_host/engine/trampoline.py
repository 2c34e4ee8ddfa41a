"""
Trampolines: what wasmtime calls when a guest calls an import.

One ctypes callback per imported function.  It finds the instance's context by address, lifts the
arguments, calls the handler and lowers what it returned.  **Nothing raised may leave it**: ctypes
would print the exception and go on with a result that was never written.  So everything, `SystemExit`
and `KeyboardInterrupt` included, is put on the context and turned into an error of the call;
`Instance.call` raises it again.

The code of a trampoline is generated at its first call, because a component imports a hundred
functions and calls ten.  Until then the callback runs `_first_call`, whose code object is then
replaced by the generated one, so that later calls pay nothing for it.

A callback stays alive in `_LIVE` until wasmtime runs its finalizer: instances outlive linkers.
"""

from __future__ import annotations

import itertools
import struct
import threading
from collections.abc import Callable
from types import FunctionType as PythonFunction
from typing import Any, Final, TypeAlias

from golem_host.engine import abi
from golem_host.engine.codegen import Namespace, unpacking
from golem_host.engine.context import CONTEXTS
from golem_host.engine.lift import Lifter
from golem_host.engine.lower import Lowerer
from golem_host.engine.misfit import result_error
from golem_host.engine.resources import HandlePlan, make_box
from golem_host.engine.scalars import SCALARS
from golem_oplog.types import FunctionType, HandleType, ListType, Prim, WitType

Handler: TypeAlias = Callable[..., Any]
"""``handler(context, *arguments) -> result``, all values in wire form."""
DropHandler: TypeAlias = Callable[[Any, int], None]
"""``drop(context, rep)``: the guest has dropped an owned handle."""

_LIVE: Final[dict[int, object]] = {}
_numbers = itertools.count(1)

_PUT_TICKS: Final = struct.Struct("<Q").pack_into
_CONTINUE: Final = 0  # WASMTIME_UPDATE_DEADLINE_CONTINUE

_PARAMETERS: Final = "data,ctx,ty,args,nargs,res,nres"


def stash(address: int, exception: BaseException) -> int:
    """Keep what a handler raised for `Instance.call`; return the error that ends the guest."""
    context = CONTEXTS.get(address)
    if context is not None:
        context.raised = exception
    error: int = abi.error_new(b"a host function raised")
    return error


@abi.FINALIZER  # type: ignore[untyped-decorator] # ctypes has no types for it
def _finalize(number: int) -> None:
    _LIVE.pop(number, None)


class Boundary:
    """Generates the code of one component's boundary; thread-safe."""

    def __init__(self, handles: HandlePlan) -> None:
        self.lock = threading.Lock()
        self.namespace = Namespace(
            CONTEXTS=CONTEXTS,
            stash=stash,
            result_error=result_error,
            make_box=make_box,
            val_clone=abi.val_clone,
            vallist_new=abi.vallist_new,
            byte_vec_new=abi.byte_vec_new,
            put_sized=struct.Struct("<B7xQQ").pack_into,
            put_address=struct.Struct("<B7xQ").pack_into,
        )
        self.lifter = Lifter(self.namespace, handles)
        self.lowerer = Lowerer(self.namespace, handles)
        self.handles = handles

    def host_function(self, ty: FunctionType, handler: Handler) -> Callable[..., int]:
        """The Python function behind a callback; its code is generated when it is first called."""

        def build() -> Callable[..., int]:
            with self.lock:
                name = self._write(ty, handler)
                self.namespace.compile()
                generated: PythonFunction = self.namespace[name]
            # The stub runs in the same globals, so it can take the generated code over.
            stub.__code__ = generated.__code__
            return generated

        with self.lock:
            hook = self.namespace.constant(build, "build")
            name = self.namespace.function(
                "import",
                _PARAMETERS,
                [
                    f"try: call={hook}()",
                    "except BaseException as e: return stash(ctx,e)",
                    f"return call({_PARAMETERS})",
                ],
            )
            self.namespace.compile()
        stub: PythonFunction = self.namespace[name]
        return stub

    def _write(self, ty: FunctionType, handler: Handler) -> str:
        """Add the real trampoline to the namespace; return its name."""
        namespace = self.namespace
        text, names, values = self.lifter.fields([t for _, t in ty.params])
        lift = []
        if names:
            unpack = namespace.constant(struct.Struct(text).unpack_from, "u")
            lift = [f"{unpacking(names)}={unpack}(M,args)"]
        call = namespace.constant(handler, "handler")
        described = namespace.constant(ty, "type")
        lower = _Results(namespace, self.lowerer, self.handles).statements(ty.result)
        return namespace.function(
            "import",
            _PARAMETERS,
            [
                "try:",
                " cx=CONTEXTS[ctx]",
                *(f" {line}" for line in lift),
                f" r={call}({','.join(['cx', *values])})",
                "except BaseException as e: return stash(ctx,e)",
                "try:",
                *(f" {line}" for line in lower),
                " return 0",
                f"except BaseException as e: return stash(ctx,result_error({described},r,cx,e))",
            ],
        )


class _Results:
    """Statements that put the handler's result ``r`` into wasmtime's cell at ``res``."""

    def __init__(self, namespace: Namespace, lowerer: Lowerer, handles: HandlePlan) -> None:
        self._namespace = namespace
        self._lowerer = lowerer
        self._handles = handles

    def statements(self, ty: WitType | None) -> list[str]:
        match ty:
            case None:
                return ["if r is not None: raise TypeError('a result for a function without one')"]
            case Prim.STRING:
                # A kind byte is set last: until then wasmtime sees a bool and frees nothing.
                return [
                    "s=r.encode()",
                    "byte_vec_new(res+8,len(s),s)",
                    f"M[res]={abi.KIND_STRING}",
                ]
            case Prim():
                return self._scalar(ty)
            case ListType(Prim.U8):
                return self._bytes()
            case HandleType() if self._handles.is_host(ty):
                resource_id = self._handles.host_ids[ty.resource]
                box = f"make_box(r,{ty.owned},{resource_id},cx)"
                return [f"put_address(M,res,{abi.KIND_RESOURCE},{box})"]
            case _:
                return self._copied(ty)

    def _scalar(self, ty: Prim) -> list[str]:
        scalar = SCALARS[ty]
        pack = self._namespace.constant(struct.Struct(f"<B7x{scalar.stored_code}").pack_into, "k")
        return [f"{pack}(M,res,{scalar.kind},{scalar.lowered('r')})"]

    @staticmethod
    def _bytes() -> list[str]:
        """Cells made in one buffer and copied once; the general way would copy them twice."""
        return [
            "n=len(r)",
            "if n:",
            f" b=bytearray({abi.CELL_BYTES}*n)",
            f" b[::{abi.CELL_BYTES}]=b'\\x02'*n",
            f" b[8::{abi.CELL_BYTES}]=r",
            " vallist_new(res+8,n,address_of(b))",
            f" M[res]={abi.KIND_LIST}",
            # All but the first byte of a fresh result cell is uninitialised.
            f"else: put_sized(M,res,{abi.KIND_LIST},0,0)",
        ]

    def _copied(self, ty: WitType) -> list[str]:
        """Built in Python's memory, copied into wasmtime's in one call whatever the nesting."""
        statements, cell = self._lowerer.packed([ty], ["r"])
        return [
            "keep=[].append",
            *statements,
            f"top={cell}",
            "val_clone(id(top)+OFF,res)",
            "if cx.boxes: cx.free_boxes()",
        ]


def add_function(linker_instance: int, name: str, function: Callable[..., int]) -> int:
    """Define a function in a linker instance; returns an error or 0."""
    callback = abi.CALLBACK(function)
    number = next(_numbers)
    _LIVE[number] = callback
    encoded = name.encode()
    error: int = abi.linker_add_func(
        linker_instance, encoded, len(encoded), callback, number, _finalize
    )
    return error


def add_resource(linker_instance: int, name: str, resource_type: int, drop: DropHandler) -> int:
    """Define a host resource in a linker instance; returns an error or 0."""

    def dropped(_data: int, address: int, rep: int) -> int:
        try:
            drop(CONTEXTS[address], rep)
        except BaseException as exception:  # noqa: BLE001 # nothing may leave a callback
            return stash(address, exception)
        return 0

    callback = abi.DESTRUCTOR(dropped)
    number = next(_numbers)
    _LIVE[number] = callback
    encoded = name.encode()
    error: int = abi.linker_add_resource(
        linker_instance, encoded, len(encoded), resource_type, callback, number, _finalize
    )
    return error


@abi.EPOCH_CALLBACK  # type: ignore[untyped-decorator] # ctypes has no types for it
def on_epoch(address: int, _data: int, delta: int, kind: int) -> int:
    """Runs in a guest's thread after a tick: ends the guest if its context says so."""
    try:
        kill = CONTEXTS[address].kill
        if kill is None:
            _PUT_TICKS(abi.MEMORY, delta, 1)
            abi.MEMORY[kind] = _CONTINUE
            return 0
    except BaseException as exception:  # noqa: BLE001 # nothing may leave a callback
        kill = exception
    return stash(address, kill)
