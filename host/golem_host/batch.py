"""
Remote writes of several calls, such as one exchange of HTTP: spec 2.0, write-remote-batched.

Several may be open at once.  After a crash nothing recorded is discarded, whatever lies between the
steps of an unfinished one (R2): it goes on behind its last recorded step, and whoever performs it
decides what has to be done again for that.
"""

from __future__ import annotations

from collections.abc import Callable

from golem_host.context import InstanceContext
from golem_host.declare import Recorded
from golem_host.dispatch import answer, end_write, marked
from golem_host.replay import AtMostOnceViolated, Perform
from golem_host.wire import Wire
from golem_oplog.entries import BeginRemoteWrite, FunctionKind, ImportedFunctionInvoked


class Batch:
    """
    A remote write of several steps, which may overlap with others; made by `begin_batch`.

    One without an end in the log goes on from its last recorded step.  When its steps are
    committed is the caller's business.
    """

    __slots__ = ("_context", "_is_idempotent", "begin", "is_new", "is_unfinished")

    def __init__(self, context: InstanceContext, begin: int, *, is_new: bool) -> None:
        self._context = context
        self._is_idempotent = context.idempotent
        self.begin = begin
        """Its index."""
        self.is_new = is_new
        """Whether it begins now: nothing of it was performed by an earlier instance."""
        self.is_unfinished = is_new or context.replay.is_unfinished(begin)
        """Whether there was no end of it in the log when it was begun."""

    @property
    def may_repeat(self) -> bool:
        return self._is_idempotent

    def refuse_repetition(self) -> None:
        """
        Raises:
            AtMostOnceViolated: What an earlier instance performed may not be performed again.
        """
        if not self.is_new and not self._is_idempotent:
            raise AtMostOnceViolated(self.begin)

    def call(
        self, recorded: Recorded, request: tuple[Wire, ...], perform: Callable[[], Wire]
    ) -> Wire:
        """`recorded_call` as a step of it."""
        context = self._context
        function, packed = context.function_id(recorded), context.pack(request)
        if not context.replay.live:
            decision = context.replay.imported(function, recorded.type.name, packed)
            if not isinstance(decision, Perform):
                return answer(context, decision)
        context.refuse_growth()
        result = perform()
        kind = int(recorded.kind)
        context.append(
            ImportedFunctionInvoked(
                context.clock_ns(), function, packed, context.pack(result), kind, self.begin
            )
        )
        return result

    def is_next(self, recorded: Recorded) -> bool:
        """Whether the log goes on with this step, which then has to be called."""
        return self._context.replay.next_is(self._context.function_id(recorded))

    def end(self) -> None:
        """It is finished: it is never repeated."""
        if isinstance(self._context.replay.end_remote_write(self.begin), Perform):
            end_write(self._context, FunctionKind.WRITE_REMOTE_BATCHED, self.begin)


def begin_batch(context: InstanceContext) -> Batch:
    """Open a remote write of several steps."""
    context.refuse_growth()
    outcome = context.replay.begin_remote_write(idempotent=context.idempotent, resumes=True)
    begin = marked(context, outcome, BeginRemoteWrite)
    is_new = isinstance(outcome, Perform)
    if is_new:
        context.oplog.commit()
    return Batch(context, begin, is_new=is_new)
