"""
One instance of a worker, from its first replayed entry to the end of its last live call.

A session is thrown away after any exception: the runner decides what happens next, and going on
always means a new session.
"""

from __future__ import annotations

from collections.abc import Callable

from golem_host.context import InstanceContext, Services
from golem_host.engine import ExportedFunction, Instance, LinkedComponent
from golem_host.failures import GuestError
from golem_host.replay import Divergence, Perform, Replay
from golem_host.status import Status
from golem_host.wire import Wire
from golem_host.worker.render import divergence_error
from golem_host.worker.request import Request
from golem_oplog.cbor import decode_args, encode_value
from golem_oplog.entries import ExportedFunctionCompleted, ExportedFunctionInvoked
from golem_oplog.protocol import Oplog


class Session:
    """
    A live instance.

    Args:
        on_completed: Called with key and CBOR result once a completion is durable.
    """

    def __init__(
        self,
        *,
        linked: LinkedComponent,
        oplog: Oplog,
        status: Status,
        services: Services,
        compare_requests: bool,
        is_last_attempt: Callable[[], bool],
        on_completed: Callable[[str, bytes | None], None],
    ) -> None:
        self._oplog = oplog
        self._status = status
        self._on_completed = on_completed
        self._exports = {e.type.name: e for e in linked.component.exports}
        target = oplog.last_index
        replay = Replay(
            oplog.read(2, target),
            regions=status.skipped,
            target=target,
            open_begins=frozenset(status.open_begins),
            same_function=self._same_function,
            compare_requests=compare_requests,
        )
        self.context = InstanceContext(oplog=oplog, replay=replay, status=status, services=services)
        self.context.is_last_attempt = is_last_attempt
        self._linked = linked
        self._instance: Instance | None = None

    def catch_up(self) -> None:
        """Build the instance and replay the log; an unfinished last invocation is finished."""
        with _Rendered(self._oplog):
            self._instance = self._linked.instantiate(self.context)
            while (replayed := self.context.replay.invocation()) is not None:
                entry = replayed.entry
                export = self._export(self._oplog.function(entry.function).name)
                args = decode_args(self._oplog.load(entry.request))
                self._call(export, args, entry.idempotency_key)

    def run(self, request: Request) -> None:
        """Run an invocation that is not in the log yet."""
        export = self._export(request.function.name)
        context = self.context
        with _Rendered(self._oplog):
            context.replay.begin_live_invocation()
            # Rides with the first commit that follows: nothing outside depends on it before.
            context.append(
                ExportedFunctionInvoked(
                    context.clock_ns(),
                    self._oplog.define(request.function),
                    request.payload,
                    request.key,
                )
            )
            self._call(export, request.args, request.key)

    def close(self) -> None:
        if self._instance is not None:
            self._instance.close()
            self._instance = None

    def _call(self, export: ExportedFunction, args: list[Wire], key: str) -> None:
        assert self._instance is not None
        result = self._instance.call(export, args)
        payload = None if export.type.result is None else encode_value(result)
        context = self.context
        if context.replay.live:
            self._refuse_open_region()
        if not isinstance(context.replay.completion(payload), Perform):
            return
        context.append(ExportedFunctionCompleted(context.clock_ns(), payload))
        self._oplog.commit()
        self._on_completed(key, payload)

    def _refuse_open_region(self) -> None:
        for begin in self._status.open_begins:
            # R5: otherwise the next recovery would discard later, completed invocations with it.
            raise GuestError(f"the invocation ended inside of the region begun at index {begin}")

    def _export(self, name: str) -> ExportedFunction:
        export = self._exports.get(name)
        if export is None:
            raise GuestError(f"this version of the component has no export {name}")
        return export

    def _same_function(self, recorded: int, ours: int) -> bool:
        return self._oplog.function(recorded).name == self._oplog.function(ours).name


class _Rendered:
    """Turns the core's `Divergence` into the public `DivergenceError`."""

    def __init__(self, oplog: Oplog) -> None:
        self._oplog = oplog

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, raised: BaseException | None, trace: object) -> None:
        if isinstance(raised, Divergence):
            raise divergence_error(self._oplog, raised) from None
