"""
A worker as embedders hold it.

A `Worker` is a name for something durable: it stays valid while the host is open, whether or not
the worker has an instance or a thread at the moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from golem_host.component import Component, callable_exports
from golem_host.errors import (
    InvocationInterruptedError,
    ParamTypeMismatchError,
)
from golem_host.services.output import STREAM_NAMES, Watcher
from golem_host.signals import InterruptSignal
from golem_host.wire import Public, Wire
from golem_host.worker.metadata import WorkerMetadata, metadata_of
from golem_host.worker.names import find_export
from golem_host.worker.parts import View
from golem_host.worker.request import Call, Request
from golem_host.worker.runner import Runner
from golem_oplog.cbor import encode_args
from golem_oplog.entries import Log, LogLevel
from golem_oplog.errors import ValueTypeError
from golem_oplog.query import view_entries
from golem_oplog.types import FunctionType
from golem_oplog.values import from_wire, to_wire
from golem_oplog.views import EntryView

TIMEOUT_KIND: Final = "timeout"


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One piece of what the guest wrote."""

    index: int
    stream: str
    """``stdout`` or ``stderr``."""
    text: str


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An invocation that is accepted and not completed."""

    key: str
    function: str
    args: tuple[Public, ...]
    """Public form."""
    running: bool


class Worker:
    """``component/name`` in one host."""

    def __init__(
        self,
        component_name: str,
        name: str,
        *,
        view: Callable[[], View],
        runner: Callable[[], Runner],
        delete: Callable[[], None],
        new_key: Callable[[], str],
    ) -> None:
        self.component_name = component_name
        self.name = name
        self._view = view
        self._runner = runner
        self._delete = delete
        self._new_key = new_key

    @property
    def component(self) -> Component:
        """The component version that the worker runs."""
        return self._view().component()

    # -- invoking ---------------------------------------------------------------------------

    def invoke(
        self,
        function: str,
        *args: Public,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> Public:
        """
        Call an exported function and wait for its value, in public form.

        Nothing is promised before this returns; then everything is on disk.  With a key that was
        used before, the first call's outcome is returned and nothing is executed.

        When ``timeout`` seconds are over the invocation is interrupted, durably; one that has not
        begun is forgotten, unless it was accepted by `enqueue`.

        Raises:
            InvalidRequestError: No such function.
            ParamTypeMismatchError: An argument does not fit.
            ConflictError: The key belongs to another call.
            InvocationFailedError: The guest trapped and no retry is left.
            PreviousInvocationFailedError, InvocationExitedError: The worker takes no more.
            InvocationInterruptedError: Somebody, or the timeout, stopped it.
        """
        request = self._submit(function, args, idempotency_key, durable=False)
        try:
            return request.result(timeout)
        except TimeoutError:
            self._runner().give_up(request)
            if request.done:
                try:
                    return request.result(0)
                except InvocationInterruptedError:
                    pass
            raise InvocationInterruptedError(kind=TIMEOUT_KIND) from None

    def enqueue(self, function: str, *args: Public, idempotency_key: str | None = None) -> Call:
        """Accept a call that will be made whatever happens: it is on disk when this returns."""
        request = self._submit(function, args, idempotency_key, durable=True)
        return Call(request, self._runner().cancel)

    def call(self, idempotency_key: str) -> Call | None:
        """The call accepted under a key, whether it waits, runs or is done; None if there is none."""
        request = self._runner().attach(idempotency_key)
        return None if request is None else Call(request, self._runner().cancel)

    def resolve(self, function: str) -> FunctionType:
        """
        The full name and type of the export that a short name stands for.

        Raises:
            InvalidRequestError: None or several.
        """
        return find_export(callable_exports(self.component.load(self.component)), function).type

    def unfinished(self) -> list[Unfinished]:
        """Everything accepted and not completed, the running invocation first."""
        return [
            Unfinished(request.key, request.function.name, _public_args(request), running)
            for request, running in self._runner().ledger.unfinished()
        ]

    def _submit(
        self, function: str, args: tuple[Public, ...], key: str | None, *, durable: bool
    ) -> Request:
        function_type = self.resolve(function)
        wires = wire_args(function_type, args)
        return self._runner().submit(
            self._new_key() if key is None else key,
            function_type,
            wires,
            encode_args(wires),
            durable=durable,
        )

    # -- steering ---------------------------------------------------------------------------

    def interrupt(self) -> None:
        """Stop what runs; it stays stopped until `resume` or a new invocation.  Durable."""
        self._runner().interrupt(InterruptSignal())

    def resume(self) -> None:
        """Go on with what is unfinished.

        Raises:
            PreviousInvocationFailedError, InvocationExitedError: Nothing can go on.
        """
        runner = self._runner()
        runner.ledger.refuse_if_over()
        runner.wake()

    def simulate_crash(self) -> None:
        """Throw the instance away in the middle of whatever it does, and rebuild it by replay."""
        self._runner().interrupt(InterruptSignal(restart=True))

    def delete(self) -> None:
        """Stop the worker and remove its log, damaged or not.  What it did outside stays done."""
        self._delete()

    # -- looking ----------------------------------------------------------------------------

    def metadata(self) -> WorkerMetadata:
        """
        Raises:
            OplogError: Its log cannot be read; nothing but its name is known then.
        """
        view = self._view()
        return metadata_of(view.component_name, view.status, view.oplog.last_index)

    def oplog(self, start: int = 1) -> Iterator[EntryView]:
        """The entries from an index on, in the public shape of ``golem:api/oplog``."""
        return view_entries(self._view().oplog, start)

    def output(self) -> Iterator[OutputLine]:
        """Everything the guest has written to stdout and stderr, from the log."""
        for index, entry in self._view().oplog.read():
            if isinstance(entry, Log) and entry.level in STREAM_NAMES:
                stream = STREAM_NAMES[LogLevel(entry.level)]
                yield OutputLine(index, stream, entry.message.decode("utf-8", "replace"))

    def attach(
        self, on_output: Callable[[str, bytes], None], on_notice: Callable[[str], None]
    ) -> AbstractContextManager[None]:
        """
        Watch: ``on_output(stream, data)`` for what the guest writes from now on, each byte once
        and after it is durable; ``on_notice(text)`` for what happens to the worker.

        Called from the host's threads; must be quick and must not raise.
        """
        return self._runner().parts.output.watched_by(Watcher(on_output, on_notice))


def wire_args(function: FunctionType, args: tuple[Public, ...]) -> list[Wire]:
    """Arguments in wire form, checked against the export's type."""
    if len(args) != len(function.params):
        raise ParamTypeMismatchError(
            function=function.name,
            parameter="",
            reason=f"takes {_count(len(function.params))}, got {len(args)}",
        )
    wires: list[Wire] = []
    for (name, ty), value in zip(function.params, args, strict=True):
        try:
            wires.append(to_wire(ty)(value))
        except ValueTypeError as error:
            raise ParamTypeMismatchError(
                function=function.name, parameter=name, reason=str(error)
            ) from error
    return wires


def _count(number: int) -> str:
    return f"{number} argument" if number == 1 else f"{number} arguments"


def _public_args(request: Request) -> tuple[Public, ...]:
    types = [ty for _, ty in request.function.params]
    return tuple(from_wire(ty)(wire) for ty, wire in zip(types, request.args, strict=True))
