"""All other workers, as one worker calls them: they answer when the test says so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

from golem_host.errors import ConflictError, HostError
from golem_host.services.calls import Caller, CallRef
from golem_host.services.peers import WorkerRef
from golem_host.services.waking import Waking
from golem_host.wire import Wire


class Submitted(NamedTuple):
    """One call, as it was put into a queue."""

    function: str
    params: tuple[Wire, ...]
    caller: Caller
    not_before: int | None


class ScriptedCalls:
    """A `Calls` that writes down what was submitted, once for each key."""

    def __init__(self) -> None:
        self.queue: dict[CallRef, Submitted] = {}
        self.answers: dict[CallRef, Wire | HostError] = {}
        self.refusals: list[Exception] = []
        """Raised by the next submissions, one each."""
        self.asked = 0
        """How often anything was submitted."""
        self.at_once: Wire | HostError | None = None
        """Whatever is submitted from now on is answered with this."""
        self.went_on: list[CallRef] = []
        """Those that were submitted by an earlier instance, and are waited for again."""
        self.on_submit: Callable[[], None] = lambda: None
        self.on_waiting: Callable[[], None] = lambda: None
        self._waking = Waking()

    def submit(
        self,
        call: CallRef,
        function: str,
        params: Sequence[Wire],
        caller: Caller,
        not_before: int | None = None,
    ) -> None:
        assert caller.trace is not None
        self.asked += 1
        self.on_submit()
        if self.refusals:
            raise self.refusals.pop(0)
        self.queue.setdefault(call, Submitted(function, tuple(params), caller, not_before))
        if self.at_once is not None:
            self.answers.setdefault(call, self.at_once)

    def answer(self, call: CallRef, answer: Wire | HostError) -> None:
        self.answers[call] = answer
        self._waking.ring(call)

    def go_on(self, call: CallRef) -> None:
        self.went_on.append(call)

    def is_settled(self, call: CallRef) -> bool:
        assert call in self.queue, "nobody waits for what was not asked"
        return call in self.answers

    def outcome(self, call: CallRef) -> Wire | None:
        answer = self.answers.get(call)
        if isinstance(answer, HostError):
            raise answer
        return answer

    def cancel(self, call: CallRef) -> bool:
        if call not in self.queue or call in self.answers:
            return False
        self.answers[call] = ConflictError(reason="canceled")
        return True

    def waking(self, call: CallRef, event: threading.Event) -> AbstractContextManager[None]:
        return self._waking.waking(call, event)

    def waiting(self, caller: WorkerRef, call: CallRef) -> AbstractContextManager[None]:
        del caller, call
        self.on_waiting()
        return nullcontext()

    def label(self, worker: WorkerRef) -> str:
        return f"cart/{worker.worker_name}"
