"""
Linking: the component's own import list decides what is defined, and a callback who answers.

Interfaces are defined under the very name the component uses, so there is nothing to match: which
version of an interface a handler serves is the host's business.  One linker serves all instances.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from golem_host.engine import abi
from golem_host.engine.context import CONTEXTS, StoreContext
from golem_host.engine.describe import ImportedFunction, InterfaceItems
from golem_host.engine.exports import INSTANCE_BYTES
from golem_host.engine.instance import Instance, release
from golem_host.engine.raw import RawLinker, ResourceType
from golem_host.engine.trampoline import (
    DropHandler,
    Handler,
    add_function,
    add_resource,
    on_epoch,
)
from golem_host.engine.traps import Trap, TrapKind, failure
from golem_host.errors import ComponentError, UnlinkableComponentError
from golem_oplog.types import FunctionType
from golem_oplog.wittext import format_function

if TYPE_CHECKING:
    from golem_host.engine.component import Component

Resolve: TypeAlias = Callable[[ImportedFunction], Handler | None]
ResolveDrop: TypeAlias = Callable[[str], DropHandler | None]
Misfit: TypeAlias = Callable[[ImportedFunction], Sequence[FunctionType]]

TYPE_TEXT_MAX: Final = 4_000
"""Characters of one type in a refusal: more than any of WASI's takes, and a guest may import any."""


class LinkedComponent:
    """A component whose imports are all answered: makes instances, from any thread."""

    def __init__(self, component: Component, linker: RawLinker) -> None:
        self.component = component
        self._linker = linker

    def instantiate(self, context: StoreContext) -> Instance:
        """
        Make an instance; start functions run now, and may call handlers.

        Raises:
            ComponentError: It does not start within the limits, or not at all.
            BaseException: As for `Instance.call`.
        """
        if context.address:
            message = "a context serves one instance"
            raise ValueError(message)
        component = self.component
        store = self._open_store(context)
        raw = bytearray(INSTANCE_BYTES)
        context.running = True
        error = abi.linker_instantiate(
            self._linker.pointer,
            context.address,
            component.pointer,
            abi.address_of(raw),
        )
        context.running = False
        if error:
            raised = failure(error, context, component.name, component.imports)
            cause = self._not_started(raised)
            release(context, store)
            raise cause
        return Instance(component, context, store, raw)

    def _open_store(self, context: StoreContext) -> int:
        component = self.component
        engine = component.engine
        store: int = abi.store_new(engine.raw.pointer, 0, 0)
        # The engine bounds each of them and how many there are: together the instance.
        abi.store_limiter(
            store,
            component.memory_bytes_max,
            component.table_elements_max,
            -1,
            component.tables_max,
            component.memories_max,
        )
        abi.store_epoch_deadline_callback(store, on_epoch, 0, 0)
        address: int = abi.store_context(store)
        # The default deadline has passed already.
        abi.context_set_epoch_deadline(address, 1)
        context.address = address
        context.kill_switch = engine.ticker
        CONTEXTS[address] = context
        return store

    def _not_started(self, cause: BaseException) -> BaseException:
        if isinstance(cause, Trap) and cause.kind is TrapKind.OTHER and not cause.backtrace:
            return ComponentError(
                component=self.component.name, reason=f"cannot start: {cause.message}"
            )
        return cause


def any_type(_imported: ImportedFunction) -> Sequence[FunctionType]:
    """The `Misfit` of a host that takes whatever type its functions are imported with."""
    return ()


def link(
    component: Component, resolve: Resolve, drop: ResolveDrop, misfit: Misfit
) -> LinkedComponent:
    """
    Answer every import, or say all that is missing or of another type at once.

    Raises:
        UnlinkableComponentError: ``resolve`` or ``drop`` returned None for some, or ``misfit`` types.
    """
    mistyped = {ty.type: accepted for ty in component.imports if (accepted := misfit(ty))}
    # What is mistyped is not resolved: a handler is made for the type of the import.
    handlers = {f.type.name: resolve(f) for f in component.imports if f.type not in mistyped}
    description = component.description
    drops = {resource: drop(resource) for resource in description.host_resources}
    missing = [name for name, handler in handlers.items() if handler is None]
    missing += [f"resource {name}" for name, handler in drops.items() if handler is None]
    if missing or mistyped:
        raise _unlinkable(component.name, missing, mistyped)
    linker = RawLinker(component.engine.raw)
    for items in description.imports:
        with linker.interface(items.interface) as target:
            _define(component, items, target, handlers, drops)
    return LinkedComponent(component, linker)


def _unlinkable(
    component: str, missing: list[str], mistyped: dict[FunctionType, Sequence[FunctionType]]
) -> UnlinkableComponentError:
    reasons = []
    if missing:
        reasons.append(f"imports what this host does not offer: {', '.join(missing)}")
    for found, accepted in mistyped.items():
        expected = " or ".join(_signature_text(ty) for ty in accepted)
        reasons.append(
            f"imports {found.name} as {_signature_text(found)}, but this host offers {expected}"
        )
    return UnlinkableComponentError(
        component=component,
        reason="; ".join(reasons),
        missing=tuple(missing),
        mistyped=tuple(found.name for found in mistyped),
    )


def _signature_text(ty: FunctionType) -> str:
    text = format_function(ty).removeprefix(f"{ty.name}: ")
    return text if len(text) <= TYPE_TEXT_MAX else f"{text[:TYPE_TEXT_MAX]}..."


def _define(
    component: Component,
    items: InterfaceItems,
    target: int,
    handlers: dict[str, Handler | None],
    drops: dict[str, DropHandler | None],
) -> None:
    errors = []
    for name, resource in items.resources:
        handler = drops[resource]
        assert handler is not None
        with ResourceType.of_host(component.boundary.handles.host_ids[resource]) as ty:
            errors.append(add_resource(target, name, ty.pointer, handler))
    for name, function in items.functions:
        answer = handlers[function.name]
        assert answer is not None
        stub = component.boundary.host_function(function, answer)
        errors.append(add_function(target, name, stub))
    for error in filter(None, errors):
        raise ComponentError(component=component.name, reason=abi.take_error(error))
