"""
Linking: the component's own import list decides what is defined, and a callback who answers.

Interfaces are defined under the very name the component uses, so there is nothing to match: which
version of an interface a handler serves is the host's business.  One linker serves all instances.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

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

if TYPE_CHECKING:
    from golem_host.engine.component import Component

Resolve: TypeAlias = Callable[[ImportedFunction], Handler | None]
ResolveDrop: TypeAlias = Callable[[str], DropHandler | None]


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
        config = engine.config
        # The engine bounds each memory and how many there are: together the instance.
        abi.store_limiter(
            store,
            component.memory_bytes_max,
            config.table_elements_max,
            -1,
            -1,
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


def link(component: Component, resolve: Resolve, drop: ResolveDrop) -> LinkedComponent:
    """
    Answer every import, or say all that is missing at once.

    Raises:
        UnlinkableComponentError: ``resolve`` or ``drop`` returned None for some.
    """
    handlers = {function.type.name: resolve(function) for function in component.imports}
    description = component.description
    drops = {resource: drop(resource) for resource in description.host_resources}
    missing = [name for name, handler in handlers.items() if handler is None]
    missing += [f"resource {name}" for name, handler in drops.items() if handler is None]
    if missing:
        raise UnlinkableComponentError(
            component=component.name,
            reason=f"imports what this host does not offer: {', '.join(missing)}",
            missing=tuple(missing),
        )
    linker = RawLinker(component.engine.raw)
    for items in description.imports:
        with linker.interface(items.interface) as target:
            _define(component, items, target, handlers, drops)
    return LinkedComponent(component, linker)


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
