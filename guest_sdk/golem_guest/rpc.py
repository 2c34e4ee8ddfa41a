"""
Calls from one worker to another (``golem:rpc/types``), with Python values.

::

    left = Worker("account", "alice").call("withdraw", 100)

A call takes effect once, however often the caller is rebuilt, and the worker that is called comes
into being with the first.  Its functions are those that ``wit/`` describes: the project's own for
workers of the same component, and for others a copy of their WIT below ``wit/deps/``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from componentize_py_types import Err

from golem_guest._wit import Wit
from golem_guest._wit_reader import Function, WitError
from golem_guest._wit_values import Case, Handle, decode, encode
from golem_guest._world import component_id, host, imported, uuid_of
from golem_guest.clock import unix_s

__all__ = ["Call", "Case", "Handle", "RpcError", "Scheduled", "WitError", "Worker", "gather"]

_HOST = host()
_TYPES = imported("golem:rpc/types", marker="WasmRpc", version="0.2.2")
_CLOCK = imported("wasi:clocks/wall-clock", marker="Datetime", version="0.2.9")
_NS = 1_000_000_000
_MOMENT_S_MAX = 9e9
"""The year 2255: what is scheduled later than that is scheduled then."""
# A built guest has no files to read.
_WIT = Wit(
    path.read_text(encoding="utf-8")
    for path in sorted(Path(__file__).with_name("wit").rglob("*.wit"))
)


class RpcError(Exception):
    """A call without an outcome: refused, not possible, or ended by a failure over there."""

    def __init__(self, function: str, error: Any) -> None:
        name = type(error).__name__.removeprefix("RpcError_")
        super().__init__(f"{function}: {error.value}")
        self.name = name
        """``ProtocolError``, ``Denied``, ``NotFound`` or ``RemoteInternalError``."""
        self.reason = str(error.value)


class Worker:
    """
    Another worker: of a deployed component, by its name there.

    Nothing is asked before the first call.  One object may be used for any number of calls.
    """

    def __init__(
        self, component: str | UUID, name: str | None = None, *, interface: str | None = None
    ) -> None:
        """
        Say who is meant.

        Args:
            component: The name that it is deployed under, or its id.
            name: Of the worker; without one, each call has a new worker of its own.
            interface: The one that functions belong to, where several in ``wit/`` have the same.
        """
        self._component: str | UUID | None = component
        self.name = name
        self._interface = interface
        self._id: UUID | None = component if isinstance(component, UUID) else None

    @classmethod
    def sibling(cls, name: str | None = None, *, interface: str | None = None) -> Self:
        """A worker of the caller's own component; also the caller itself, but for waiting."""
        made = cls("", name, interface=interface)
        made._component = None
        return made

    def __repr__(self) -> str:
        component = "sibling" if self._component is None else self._component
        return f"Worker({str(component)!r}, {self.name!r})"

    def call(self, function: str, *given: object) -> Any:
        """
        Call a function and wait for what it returns.

        Args:
            function: Its name in the WIT.
            given: Its arguments; `golem_guest.rpc.Case` says how values look.

        Raises:
            componentize_py_types.Err: The function's own ``err``.
            RpcError: There is no outcome.
            TypeError: An argument is not of its type.
            WitError: ``wit/`` does not have the function.
        """
        called = _WIT.function(function, self._interface)
        values = _values(called, given)
        with self._line() as line:
            try:
                found = line.invoke_and_await(called.name, values)
            except Err as error:
                raise RpcError(called.name, error.value) from None
        return _outcome(called, found)

    def start(self, function: str, *given: object) -> Call:
        """Call a function and go on; errors are raised by `Call.result`, except for wrong arguments."""
        called = _WIT.function(function, self._interface)
        values = _values(called, given)
        with self._line() as line:
            return Call(called, line.async_invoke_and_await(called.name, values))

    def send(self, function: str, *given: object) -> None:
        """Return when the call is in the worker's queue; nobody hears of its result."""
        called = _WIT.function(function, self._interface)
        values = _values(called, given)
        with self._line() as line:
            try:
                line.invoke(called.name, values)
            except Err as error:
                raise RpcError(called.name, error.value) from None

    def schedule(self, moment: datetime | float, function: str, *given: object) -> Scheduled:
        """
        Have a call made at a point in time, or now if it is past, whatever becomes of the caller.

        Args:
            moment: With a time zone, or Unix seconds.
            function: Its name in the WIT.
            given: Its arguments.
        """
        called = _WIT.function(function, self._interface)
        values = _values(called, given)
        unix_ns = round(max(0, min(unix_s(moment), _MOMENT_S_MAX)) * _NS)
        seconds, nanoseconds = divmod(unix_ns, _NS)
        at = _CLOCK.Datetime(seconds, nanoseconds)
        with self._line() as line:
            return Scheduled(line.schedule_cancelable_invocation(at, called.name, values))

    def _line(self) -> Any:
        if self._id is None:
            self._id = self._find()
        component = component_id(self._id)
        if self.name is None:
            return _TYPES.WasmRpc.ephemeral(component)
        return _TYPES.WasmRpc(_TYPES.WorkerId(component, self.name))

    def _find(self) -> UUID:
        if self._component is None:
            return uuid_of(_HOST.get_self_metadata().worker_id.component_id.uuid)
        found = _HOST.resolve_component_id(self._component)
        if found is None:
            message = f"no component {self._component!r}: deploy it first"
            raise LookupError(message)
        return uuid_of(found.uuid)


class Call:
    """A call under way."""

    def __init__(self, function: Function, future: Any) -> None:
        self._function = function
        self._future = future
        self._found: Any = None

    def wait(self) -> None:
        """Return when there is an outcome.  The worker needs no memory meanwhile."""
        while not self.is_done():
            with self._future.subscribe() as ready:
                ready.block()

    def is_done(self) -> bool:
        """Whether `result` returns at once."""
        if self._found is None:
            self._found = self._future.get()
            if self._found is not None:
                self._future.__exit__(None, None, None)
        return self._found is not None

    def result(self) -> Any:
        """What the function returned, when it has; raises as `Worker.call` does."""
        self.wait()
        if isinstance(self._found, Err):
            raise RpcError(self._function.name, self._found.value)
        return _outcome(self._function, self._found.value)


class Scheduled:
    """A call that is to be made later."""

    def __init__(self, token: Any) -> None:
        self._token = token

    def cancel(self) -> None:
        """Call it off; no error if it was made already."""
        self._token.cancel()


def gather(calls: Iterable[Call]) -> list[Any]:
    """
    The results of calls under way, in their order, when all of them have an outcome.

    Raises:
        Exception: What the first of those raises that failed.
    """
    begun = list(calls)
    for call in begun:
        call.wait()
    return [call.result() for call in begun]


def _values(function: Function, given: tuple[object, ...]) -> list[Any]:
    if len(given) != len(function.params):
        names = ", ".join(name for name, _ in function.params)
        message = f"{function.name} takes {len(function.params)} ({names}), not {len(given)}"
        raise TypeError(message)
    values = []
    for (name, wanted), value in zip(function.params, given, strict=True):
        try:
            values.append(encode(wanted, value))
        except TypeError as error:
            message = f"{function.name}, {name}: {error}"
            raise TypeError(message) from None
    return values


def _outcome(function: Function, found: Any) -> Any:
    """The value of a tuple of one, or of an empty record, which is none."""
    if function.result is None:
        return None
    value = decode(function.result, found, found.nodes[0].value[0])
    if function.result.kind != "result":
        return value
    if isinstance(value, Err):
        raise value
    return value.value
