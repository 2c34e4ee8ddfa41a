"""One running instance of a component: thrown away after any error, and rebuilt by replay."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from golem_host.engine import abi
from golem_host.engine.context import CONTEXTS, StoreContext
from golem_host.engine.describe import ExportedFunction
from golem_host.engine.exports import FUNC_BYTES, ExportCaller
from golem_host.engine.misfit import argument_error
from golem_host.engine.resources import (
    HandleError,
    HandlesFullError,
    forget_all,
    forget_given,
    give_guest_handle,
    take_back,
)
from golem_host.engine.traps import Trap, TrapKind, failure
from golem_host.errors import InvalidRequestError
from golem_oplog.closing import ClosesOnExit
from golem_oplog.types import HandleType

if TYPE_CHECKING:
    from golem_host.engine.component import Component


class InstanceBusyError(RuntimeError):
    """A call came in while another one runs: a store serves one thread, and no handler re-enters."""


class Instance(ClosesOnExit):
    """
    A component's instance in a store of its own.

    It may move between threads, but only one at a time may be inside.  After any error that comes
    out of `call`, arguments that do not fit excepted, the guest is in an unknown state: the instance
    is dead, and every later call raises a `Trap` of kind ``CANNOT_ENTER_COMPONENT``.

    `close` frees the guest's memory.  Destructors of resources do not run then.
    """

    __slots__ = (
        "_bound",
        "_component",
        "_context",
        "_dead",
        "_entered",
        "_raw",
        "_result",
        "_result_address",
        "_store",
    )

    def __init__(
        self, component: Component, context: StoreContext, store: int, raw: bytearray
    ) -> None:
        self._component = component
        self._context = context
        self._store = store
        self._raw = raw
        self._bound: dict[str, tuple[ExportCaller, bytearray, int]] = {}
        self._result = bytearray(abi.CELL_BYTES)
        self._result_address = abi.address_of(self._result)
        self._entered = threading.Lock()
        self._dead = False

    @property
    def is_dead(self) -> bool:
        """True after an error or `close`: nothing can be called any more."""
        return self._dead

    def call(self, export: ExportedFunction, args: Sequence[Any]) -> Any:
        """
        Call an export; arguments and result are in wire form.

        Raises:
            ParamTypeMismatchError: An argument does not fit. The guest was not entered.
            InvalidRequestError: The result would leave more handles open than there may be.
            Trap: The guest failed.
            PayloadTooLargeError: More left the guest in one call than the engine can carry.
            BaseException: Whatever a handler raised, or `StoreContext.kill`: the very same object.
        """
        if export.is_drop:
            return self._drop(export, args)
        caller, _, function = self._bound.get(export.type.name) or self._bind(export)
        context = self._enter(export.type.name)
        try:
            keep: list[bytes] = []
            try:
                cells = caller.lower(args, keep.append, context)
            except Exception as error:
                take_back(context)
                raise argument_error(caller.type, args, error) from error
            return self._run(caller, function, cells)
        finally:
            self._leave()

    def check_handles(self, export: ExportedFunction, args: Sequence[Any]) -> None:
        """
        Raises:
            HandleError: `call` would refuse one of the handles among the arguments.
            ParamTypeMismatchError: `call` would refuse another argument.
        """
        context = self._enter(export.type.name)
        try:
            bound = None
            if not export.is_drop:
                bound = self._bound.get(export.type.name) or self._bind(export)
            try:
                if bound is None:
                    _given_up(export, args, context)
                else:
                    keep: list[bytes] = []
                    bound[0].lower(args, keep.append, context)
            except HandleError:
                raise
            except Exception as error:
                raise argument_error(export.type, args, error) from error
        finally:
            take_back(context)
            self._leave()

    def _drop(self, export: ExportedFunction, args: Sequence[Any]) -> None:
        name = export.type.name
        context = self._enter(name)
        try:
            try:
                box = _given_up(export, args, context)
            except Exception as error:
                take_back(context)
                raise argument_error(export.type, args, error) from error
            failed = abi.resource_any_drop(context.address, box)
            if failed:
                self._dead = True
                raise failure(failed, context, name, self._component.imports)
            forget_given(context)
        finally:
            self._leave()

    def close(self) -> None:
        """Free the instance.  Doing so twice is harmless; doing so while it runs is refused."""
        if not self._entered.acquire(blocking=False):
            message = "the instance is running"
            raise InstanceBusyError(message)
        try:
            self._dead = True
            store, self._store = self._store, 0
            if store:
                release(self._context, store)
        finally:
            self._entered.release()

    def __del__(self, _exiting: Callable[[], bool] = sys.is_finalizing) -> None:
        # As in `golem_host.engine.raw.Owned`.
        if not _exiting():
            self.close()

    def _run(self, caller: ExportCaller, function: int, cells: bytes) -> Any:
        context = self._context
        error = abi.func_call(
            function,
            context.address,
            id(cells) + abi.BYTES_OFFSET,
            len(caller.type.params),
            self._result_address,
            0 if caller.lift is None else 1,
        )
        if context.boxes:
            context.free_boxes()
        if error:
            self._dead = True
            raise failure(error, context, caller.type.name, self._component.imports)
        context.lent.clear()
        if context.given:
            forget_given(context)
        if caller.lift is None:
            return None
        try:
            return caller.lift(self._result_address, context)
        except HandlesFullError as error:
            self._dead = True
            raise InvalidRequestError(reason=f"{caller.type.name}: {error}") from error
        except HandleError as error:
            self._dead = True
            raise Trap(TrapKind.OTHER, f"{caller.type.name}: {error}") from error
        finally:
            abi.val_delete(self._result_address)
            self._result[0] = abi.KIND_BOOL

    def _enter(self, function: str) -> StoreContext:
        if not self._entered.acquire(blocking=False):
            message = f"{function}: the instance is running"
            raise InstanceBusyError(message)
        context = self._context
        # In this order: whoever sets `kill` later finds the instance running.
        context.running = True
        if not self._dead and context.kill is None:
            return context
        try:
            kill = context.kill
            if self._dead or kill is None:
                raise Trap(
                    TrapKind.CANNOT_ENTER_COMPONENT,
                    f"{function}: an earlier call on this instance failed",
                )
            self._dead = True
            raise kill
        finally:
            self._leave()

    def _leave(self) -> None:
        self._context.running = False
        self._entered.release()

    def _bind(self, export: ExportedFunction) -> tuple[ExportCaller, bytearray, int]:
        caller = self._component.export_caller(export)
        function = bytearray(FUNC_BYTES)
        address = abi.address_of(function)
        if self._dead or not abi.instance_get_func(
            abi.address_of(self._raw), self._context.address, caller.index.pointer, address
        ):
            message = f"{export.type.name}: an earlier call on this instance failed"
            raise Trap(TrapKind.CANNOT_ENTER_COMPONENT, message)
        bound = self._bound[export.type.name] = (caller, function, address)
        return bound


def _given_up(export: ExportedFunction, args: Sequence[Any], context: StoreContext) -> int:
    """The box of the handle that a drop is called with."""
    ((_, ty),), (number,) = export.type.params, args
    assert isinstance(ty, HandleType)
    return give_guest_handle(number, ty.resource, context)


def release(context: StoreContext, store: int) -> None:
    """Free a store and what its context holds."""
    forget_all(context)
    # First the entry: the address may be given to another store at once.
    CONTEXTS.pop(context.address, None)
    context.address = 0
    context.kill_switch = None
    abi.store_delete(store)
