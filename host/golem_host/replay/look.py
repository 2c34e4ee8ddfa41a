"""
A replay that ends where the log does: for a look at what a guest has made of its state.

After the last entry the guest goes on as long as it asks for nothing that would be recorded: what
it does until then follows from the log.  Then `EndOfLogSignal` ends it.  Nothing is ever performed.
"""

from __future__ import annotations

from golem_host.replay.core import Replay
from golem_host.replay.decisions import Perform, ReplayedInvocation
from golem_host.replay.transitions import Event, transition
from golem_host.signals import EndOfLogSignal
from golem_oplog.entries import (
    ImportedFunctionInvoked,
    PersistenceLevel,
    SetSpanAttribute,
    StartSpan,
)


class LookReplay(Replay):
    """Never `live`."""

    __slots__ = ()

    @property
    def is_over(self) -> bool:
        """Whether everything in the log has been asked for."""
        return self._next is None

    def invocation(self) -> ReplayedInvocation | None:
        self.pass_spans()
        return None if self.is_over else super().invocation()

    def imported(
        self, function: int, name: str, request: bytes
    ) -> ImportedFunctionInvoked | Perform:
        self._end_if_nothing_is_left()
        return super().imported(function, name, request)

    def persisted(self, attempted: str) -> ImportedFunctionInvoked:
        self._end_if_nothing_is_left()
        return super().persisted(attempted)

    def completion(self, response: bytes | None) -> int | Perform:
        self._end_if_nothing_is_left()
        return super().completion(response)

    def begin_remote_write(self, *, idempotent: bool, resumes: bool = False) -> int | Perform:
        self._end_if_nothing_is_left()
        return super().begin_remote_write(idempotent=idempotent, resumes=resumes)

    def end_remote_write(self, begin_index: int) -> int | Perform:
        self._end_if_nothing_is_left()
        return super().end_remote_write(begin_index)

    def begin_atomic_region(self) -> int | Perform:
        self._end_if_nothing_is_left()
        return super().begin_atomic_region()

    def end_atomic_region(self, begin_index: int) -> int | Perform:
        self._end_if_nothing_is_left()
        return super().end_atomic_region(begin_index)

    def no_op(self) -> int | Perform:
        self._end_if_nothing_is_left()
        return super().no_op()

    def change_retry_policy(self) -> int | Perform:
        self._end_if_nothing_is_left()
        return super().change_retry_policy()

    def change_persistence_level(self, level: PersistenceLevel) -> int | Perform:
        self._end_if_nothing_is_left()
        return super().change_persistence_level(level)

    def start_span(self) -> StartSpan | Perform | None:
        self._end_if_over()
        return super().start_span()

    def finish_span(self, span_id: str) -> int | Perform | None:
        self._end_if_over()
        return super().finish_span(span_id)

    def set_span_attribute(self, attribute: SetSpanAttribute) -> int | Perform | None:
        self._end_if_over()
        return super().set_span_attribute(attribute)

    def _end_if_nothing_is_left(self) -> None:
        """Where the guest asks for something else than spans."""
        self.pass_spans()
        self._end_if_over()

    def _end_if_over(self) -> None:
        if self.is_over:
            raise EndOfLogSignal

    def _abandon_from(self, begin: int) -> Perform:
        del begin
        # The next attempt would do anew what is behind it.
        raise EndOfLogSignal

    def _go_live(self, event: Event) -> None:
        self.mode = transition(self.mode, event)
