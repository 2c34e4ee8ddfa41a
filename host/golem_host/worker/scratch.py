"""
One invocation in an instance of its own, of which nothing remains.

For calls that no worker is asked for: the instance is made for one of them, its log lies in memory
and ends with it, and a failure concerns nobody else.  Nothing is tried again.
"""

from __future__ import annotations

from dataclasses import replace

from golem_host.component import Component
from golem_host.errors import (
    HostError,
    InvocationExitedError,
    InvocationFailedError,
    InvocationInterruptedError,
)
from golem_host.net.access import NetAccess
from golem_host.services.output import Watcher, WorkerOutput
from golem_host.signals import InterruptSignal
from golem_host.status import fold
from golem_host.worker import outcome as ends
from golem_host.worker.parts import Parts, Shared, first_entry
from golem_host.worker.request import Request
from golem_host.worker.session import Session, Start
from golem_host.worker.stderr import searched_since, stderr_since
from golem_oplog.memory import MemoryOplog

STOPPED = "the call was given up"
NO_WAY_BACK = "an instance that is made for one call cannot go back in its log"


class Scratch:
    """
    A call that is made once.

    Args:
        shared: The host's.
        component: Of which an instance is made.
        request: The call; it is settled when `run` returns or raises.
        name: What the guest learns as its worker's name.  There is no such worker.
        watcher: Who sees what the guest writes.
    """

    def __init__(
        self, shared: Shared, component: Component, request: Request, name: str, watcher: Watcher
    ) -> None:
        self.name = name
        self._request = request
        self._watcher = watcher
        self._stop: InterruptSignal | None = None
        self._slot = shared.slots.slot(lambda: self._stop is not None)
        oplog = MemoryOplog(first_entry(shared, component, name))
        self._parts = Parts(
            component_name=component.name,
            worker_name=name,
            oplog=oplog,
            status=fold(oplog.skim),
            output=WorkerOutput(oplog, shared.flusher),
            shared=shared,
            net=NetAccess(shared.grants.of((component.name, name))),
        )
        # What cannot be rebuilt is treated like an ephemeral worker: it waits where it is.
        services = self._parts.services(replace(component, ephemeral=True), self._slot)
        self._session = Session(
            Start(linked=shared.link(component)),
            oplog=oplog,
            status=self._parts.status,
            services=services,
            is_last_attempt=lambda: True,
            on_live=lambda: None,
            on_completed=lambda _key, payload: request.settle(payload),
        )

    def run(self) -> None:
        """
        Make the call, in this thread; then the request has its outcome.

        Waits for one of the host's slots before guest code runs.
        """
        try:
            with self._parts.output.watched_by(self._watcher):
                self._take_slot()
                self._session.catch_up()
                self._session.check(self._request)
                self._session.run(self._request)
                self._parts.output.flush()
        except BaseException as raised:  # noqa: BLE001 - whatever it is, the caller is told
            if not self._request.done:
                self._request.fail(self._error(raised))
        finally:
            self._session.close()
            self._slot.give()
            self._forget()

    def stop(self) -> None:
        """Nobody wants the outcome any more; from any thread, at any time."""
        signal = InterruptSignal()
        self._stop = signal
        self._session.context.kill = signal
        self._session.context.wake.set()
        self._slot.poke()

    def _forget(self) -> None:
        """Nobody else has a way to its promises and its changes, or a reason to keep them."""
        parts = self._parts
        create = parts.status.create
        assert create is not None
        parts.shared.promises.delete_of(create.component_id, create.worker_name)
        parts.shared.stores.forget(create.component_id, create.worker_name)

    def _take_slot(self) -> None:
        if not self._slot.take():
            assert self._stop is not None
            raise self._stop

    def _error(self, raised: BaseException) -> BaseException:
        match ends.outcome_of(raised):
            case ends.Failed() as failed:
                return failed.error or self._failure(failed)
            case ends.Exited(exit_code=code):
                return InvocationExitedError(exit_code=code)
            case ends.Refused(error=error) | ends.BrokenOff(error=error):
                return error
            case ends.Again():
                return InvocationFailedError(error=NO_WAY_BACK, stderr="", traceback="")
            case _:
                return InvocationInterruptedError(kind=STOPPED)

    def _failure(self, failed: ends.Failed) -> HostError:
        oplog = self._parts.oplog
        message, traceback = ends.told(failed, searched_since(oplog, 1))
        return InvocationFailedError(
            error=message, stderr=stderr_since(oplog, 1), traceback=traceback
        )
