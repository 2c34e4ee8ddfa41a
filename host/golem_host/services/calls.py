"""
Calls from one worker to another: what a live action may ask of its host for them.

A call has a key that its caller has derived and recorded first; whatever is asked a second time
under the same key changes nothing.

Source: spec 2.16.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, Self

from golem_host.services.peers import WorkerRef
from golem_host.wire import Wire
from golem_oplog.entries import Pairs

if TYPE_CHECKING:
    from golem_host.trace_context import TraceContext

_PREFIX: Final = "call "
BETWEEN: Final = "\n"
"""Parts the names of what is waited for, where it is more than one."""


class CallRef(NamedTuple):
    """One call: who is called, and its key there."""

    worker: WorkerRef
    key: str
    """A UUID in text form, for those that the host derives."""

    def __str__(self) -> str:
        """What a suspended caller waits for, where a promise's id would stand otherwise."""
        return f"{_PREFIX}{self.worker.component_id}/{self.worker.worker_name}/{self.key}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """From the text form; None where it is that of a promise, or of several."""
        if not text.startswith(_PREFIX) or BETWEEN in text:
            return None
        # Neither a component's id nor a worker's name has a slash.
        component_id, worker_name, key = text.removeprefix(_PREFIX).split("/", 2)
        return cls(WorkerRef(component_id, worker_name), key)

    @classmethod
    def parse_all(cls, text: str) -> list[Self]:
        """Every call of which a worker waits for the first one; none where it is a promise."""
        return [call for each in text.split(BETWEEN) if (call := cls.parse(each)) is not None]


class Caller(NamedTuple):
    """Who calls: a worker that is created by its first call has this from its caller."""

    worker: WorkerRef
    args: tuple[str, ...]
    env: Pairs
    config_vars: Pairs
    trace: TraceContext | None = None
    """The spans around the call: what is called lies below them."""


class Calls(Protocol):
    """Everything here is done at once or waits for the disk alone; none waits for a worker."""

    def submit(
        self,
        call: CallRef,
        function: str,
        params: Sequence[Wire],
        caller: Caller,
        not_before: int | None = None,
    ) -> None:
        """
        Put a call into the other worker's queue, durably; a worker that is not there is created.

        Args:
            call: The same one again changes nothing, and does not wake a worker that was
                interrupted.
            function: Any spelling of `golem_host.worker.names`.
            params: In wire form of ``wit-value``, one each.
            caller: Who calls.
            not_before: Unix nanoseconds before which it does not begin.

        Raises:
            ComponentNotFoundError: No such component.
            InvalidRequestError: No such function, or the worker's name cannot be.
            ParamTypeMismatchError: What is given does not fit.
            QueueFullError: Too much is queued there.
            HostError: It takes no more calls.
        """
        ...

    def go_on(self, call: CallRef) -> None:
        """
        Let a call that was submitted earlier go on, if an earlier host has left it unfinished.

        No error, and no effect, where it is gone or was interrupted.
        """
        ...

    def is_settled(self, call: CallRef) -> bool:
        """Whether `outcome` has something to say: a value or an error."""
        ...

    def outcome(self, call: CallRef) -> Wire | None:
        """
        The result of a call that was submitted: a ``wit-value`` in wire form, None while there is
        none.

        A tuple of one where the function returns something, an empty record where it does not.

        Raises:
            HostError: It has failed, was canceled, or its worker is gone.
        """
        ...

    def cancel(self, call: CallRef) -> bool:
        """Take a call out of the queue, durably; False where it has begun or is not there."""
        ...

    def waking(self, call: CallRef, event: threading.Event) -> AbstractContextManager[None]:
        """While this lasts, the event is set when the call may be settled."""
        ...

    def waiting(self, caller: WorkerRef, call: CallRef) -> AbstractContextManager[None]:
        """
        While this lasts the caller waits for nothing but this call.

        Where that closes a circle of workers that wait for each other, one of their calls that has
        not begun is taken back: its caller gets a `ConflictError` that names the circle.

        Raises:
            ConflictError: It is this one.
        """
        ...

    def label(self, worker: WorkerRef) -> str:
        """``component/worker`` as people know it."""
        ...
