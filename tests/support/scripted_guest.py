"""
A guest without wasm: exports are Python functions that call the host through the dispatcher.

It stands where a linked component does, so that sessions and runners run as they do for a real
guest.  It keeps the engine's promises that they rely on: whatever a handler raises comes out of
`call` as the same object, a kill is met at the next host call, and after any error the instance is
dead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from golem_host.context import InstanceContext
from golem_host.declare import Registry
from golem_host.dispatch import Dispatcher, Handler
from golem_host.engine import ExportedFunction, ImportedFunction, LinkedComponent, Trap, TrapKind
from golem_oplog.types import FunctionType, WitType

Params: TypeAlias = tuple[tuple[str, WitType], ...]
Body: TypeAlias = Callable[..., Any]
"""From `HostCalls` and wire arguments to a wire result."""


def imported(interface: str, name: str, params: Params, result: WitType | None) -> ImportedFunction:
    full_name = f"{interface}.{{{name}}}" if interface else name
    return ImportedFunction(interface, name, FunctionType(full_name, params, result))


def exported(interface: str, name: str, params: Params, result: WitType | None) -> ExportedFunction:
    full_name = f"{interface}.{{{name}}}" if interface else name
    return ExportedFunction(interface, name, FunctionType(full_name, params, result))


def handlers(
    declaring: Sequence[object], imports: Sequence[ImportedFunction]
) -> dict[str, Handler]:
    """What the dispatcher links to these imports, by import name."""
    dispatcher = Dispatcher(Registry(declaring))
    found = {each.name: dispatcher.resolve(each) for each in imports}
    assert None not in found.values()
    return cast("dict[str, Handler]", found)


class HostCalls:
    """The host as a scripted guest sees it: a function per import name."""

    def __init__(self, context: InstanceContext, found: Mapping[str, Handler]) -> None:
        self._context = context
        self._handlers = found

    def __call__(self, name: str, *args: Any) -> Any:
        if self._context.kill is not None:
            raise self._context.kill
        return self._handlers[name](self._context, *args)


class ScriptedInstance:
    def __init__(self, guest: ScriptedGuest, context: InstanceContext) -> None:
        self._guest = guest
        self._context = context
        self._host = HostCalls(context, guest.handlers)
        self.is_dead = False
        self._run(guest.start)

    def call(self, export: ExportedFunction, args: Sequence[Any]) -> Any:
        if self.is_dead:
            raise Trap(TrapKind.CANNOT_ENTER_COMPONENT, "an earlier call on this instance failed")
        return self._run(self._guest.bodies[export.type.name], *args)

    def _run(self, body: Body, *args: Any) -> Any:
        try:
            return body(self._host, *args)
        except BaseException:
            self.is_dead = True
            raise

    def close(self) -> None:
        self.is_dead = True


def _does_nothing(host: HostCalls) -> None:
    """A guest without anything to initialise."""


class _Compiled:
    """What is asked of a compiled component."""

    def __init__(self, exports: Iterable[ExportedFunction]) -> None:
        self.exports = tuple(exports)


class ScriptedGuest:
    """Exports with what each does, and the handlers of its imports."""

    def __init__(
        self,
        bodies: Mapping[ExportedFunction, Body],
        handlers: Mapping[str, Handler] | None = None,
        *,
        start: Body = _does_nothing,
    ) -> None:
        self.component = _Compiled(bodies)
        self.bodies = {export.type.name: body for export, body in bodies.items()}
        self.handlers = handlers or {}
        self.start = start
        self.instances: list[ScriptedInstance] = []

    def instantiate(self, context: InstanceContext) -> ScriptedInstance:
        self.instances.append(ScriptedInstance(self, context))
        return self.instances[-1]

    def linked(self) -> LinkedComponent:
        """Itself, as what a session expects."""
        return cast("LinkedComponent", self)
