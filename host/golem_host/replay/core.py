"""
One replay: the state machine through which every request of a guest passes.

What may not be here: anything that performs, waits or asks for the time.  State is checked first
and changed after; a refused request leaves everything as it was.

Source: spec 2.0.3, 2.4 and 6, with the project's remarks R2, R5, R21, R38 and R50.
"""

from __future__ import annotations

import hashlib
from operator import eq
from typing import Final

from golem_host.replay.decisions import (
    PERFORM,
    AtMostOnceViolated,
    Perform,
    ReplayedInvocation,
)
from golem_host.replay.reading import OF_SPANS, Reading
from golem_host.replay.transitions import Event, transition
from golem_oplog.entries import (
    BeginAtomicRegion,
    BeginRemoteWrite,
    BlobRef,
    ChangePersistenceLevel,
    ChangeRetryPolicy,
    EndAtomicRegion,
    EndRemoteWrite,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    FinishSpan,
    ImportedFunctionInvoked,
    Log,
    NoOp,
    Payload,
    PersistenceLevel,
    SetSpanAttribute,
    StartSpan,
)
from golem_oplog.regions import RegionSet

_ENTERED_IN_REPLAY: Final = (
    "what is done at persist-nothing is not replayed, so the guest must set that level only while "
    "current-durable-execution-state says that it is live"
)


class Replay(Reading):
    """The rest of a log, read against what the guest asks for: one method for each request."""

    __slots__ = ()

    @classmethod
    def of_nothing(cls) -> Replay:
        """The replay of an empty log: everything is live."""
        return cls((), regions=RegionSet(), target=0, open_begins=frozenset(), same_function=eq)

    # -- what the guest asks for ------------------------------------------------------------

    def invocation(self) -> ReplayedInvocation | None:
        """The next recorded invocation, which the caller must now run; None when live."""
        self.pass_spans()
        if self.live:
            return None
        index, entry = self._expect(ExportedFunctionInvoked, "an exported function")
        self._consume(Event.INVOKED)
        return ReplayedInvocation(index, entry)

    def begin_live_invocation(self) -> None:
        """An invocation that is not in the log has been appended."""
        self.mode = transition(self.mode, Event.INVOKED)

    def completion(self, response: bytes | None) -> int | Perform:
        """
        The export returned.  `PERFORM` when its completion must be appended.

        Raises:
            Divergence: It returned something else than the log says, or too early.
        """
        self.pass_spans()
        if self.live:
            self.mode = transition(self.mode, Event.COMPLETED)
            return PERFORM
        index, entry = self._expect(ExportedFunctionCompleted, "completion of the export", response)
        if not _same_payload(entry.response, response):
            raise self._divergence("completion of the export", response)
        self._consume(Event.COMPLETED)
        return index

    def imported(
        self, function: int, name: str, request: bytes
    ) -> ImportedFunctionInvoked | Perform:
        """
        A recorded host call: the entry that answers it, or `PERFORM`.

        Raises:
            Divergence: The log has another call here, or the same one with another request.
        """
        pending = self._next
        if pending is None:
            return PERFORM
        entry = pending[1]
        if not isinstance(entry, ImportedFunctionInvoked):
            if entry.__class__ in OF_SPANS and self._is_of_another_version():
                self.pass_spans()
                return self.imported(function, name, request)
            raise self._divergence(name, request, function)
        if entry.function != function and not self._same_function(entry.function, function):
            raise self._divergence(name, request, function)
        if entry.request != request and not _same_payload(entry.request, request):
            if pending[0] > self.compare_from:
                raise self._divergence(name, request, function)
            self.requests_differing += 1
        self._last = pending
        self._advance()
        return entry

    def persisted(self, attempted: str) -> ImportedFunctionInvoked:
        """
        The next entry, for a guest that keeps the outcome of a function of its own; not when live.

        Raises:
            Divergence: The log has something else here than an outcome.
        """
        _, entry = self._expect(ImportedFunctionInvoked, attempted)
        self._consume()
        return entry

    def next_is(self, function: int) -> bool:
        """Whether the next entry answers a call of this function."""
        self.pass_spans()
        if self._next is None:
            return False
        entry = self._next[1]
        return isinstance(entry, ImportedFunctionInvoked) and (
            entry.function == function or self._same_function(entry.function, function)
        )

    def begin_remote_write(self, *, idempotent: bool, resumes: bool = False) -> int | Perform:
        """
        The begin marker of a bracketed remote write: its index, or `PERFORM`.

        A bare `PERFORM` means: append the marker.  With a jump: the marker stands, the operation
        it opened is done again (`begin_index` is the entry before the jump's start).

        Args:
            idempotent: Whether an unfinished one may be repeated.
            resumes: Whether an unfinished one goes on from its last recorded step, so that what
                was recorded behind its begin stands: other writes overlap with it (R2).  Whether
                it may be repeated is then asked when it has to be, see `is_unfinished`.

        Raises:
            AtMostOnceViolated: The operation is unfinished and may not be repeated.
        """
        self.pass_spans()
        if self._next is None:
            return PERFORM
        index, _ = self._expect(BeginRemoteWrite, "begin-remote-write")
        if index not in self._open_begins:
            self._consume()
            return index
        if resumes:
            self._consume()
            return index
        if not idempotent:
            raise AtMostOnceViolated(index)
        return self._abandon_from(index)

    def is_unfinished(self, begin_index: int) -> bool:
        """Whether the log has this begin, but not its end."""
        return begin_index in self._open_begins

    def end_remote_write(self, begin_index: int) -> int | Perform:
        self.pass_spans()
        if self._next is None:
            return PERFORM
        index, entry = self._expect(EndRemoteWrite, f"end-remote-write {begin_index}")
        if entry.begin_index != begin_index:
            raise self._divergence(f"end-remote-write {begin_index}", None)
        self._consume()
        return index

    def begin_atomic_region(self) -> int | Perform:
        """As `begin_remote_write`, for an atomic region; an unfinished one is always redone."""
        self.pass_spans()
        if self._next is None:
            return PERFORM
        index, _ = self._expect(BeginAtomicRegion, "begin-atomic-region")
        if index not in self._open_begins:
            self._consume()
            return index
        return self._abandon_from(index)

    def end_atomic_region(self, begin_index: int) -> int | Perform:
        self.pass_spans()
        if self._next is None:
            return PERFORM
        index, entry = self._expect(EndAtomicRegion, f"end-atomic-region {begin_index}")
        if entry.begin_index != begin_index:
            raise self._divergence(f"end-atomic-region {begin_index}", None)
        self._consume()
        return index

    def no_op(self) -> int | Perform:
        """The marker of ``get-oplog-index``."""
        self.pass_spans()
        if self._next is None:
            return PERFORM
        index, _ = self._expect(NoOp, "no-op")
        self._consume()
        return index

    def change_retry_policy(self) -> int | Perform:
        """The guest's own argument wins: the recorded policy is not compared (spec 2.5)."""
        self.pass_spans()
        if self._next is None:
            return PERFORM
        index, _ = self._expect(ChangeRetryPolicy, "change-retry-policy")
        self._consume()
        return index

    def change_persistence_level(self, level: PersistenceLevel) -> int | Perform:
        self.pass_spans()
        if self._next is None:
            return PERFORM
        index, entry = self._next
        if not isinstance(entry, ChangePersistenceLevel) or entry.level != level:
            divergence = self._divergence(f"persistence level {level.label}", None)
            if level == PersistenceLevel.PERSIST_NOTHING:
                # Always: replay passes over every zone, with the entry that opens it.
                divergence.cause = _ENTERED_IN_REPLAY
            raise divergence
        self._consume()
        return index

    def start_span(self) -> StartSpan | Perform | None:
        """
        The recorded span that is opened next; None where the log has none here.

        What a span is called, and whether it is there, is not compared: a version of the component
        that opens other spans goes on with its log (spec 3.2), see `pass_spans` too.
        """
        if self._next is None:
            return PERFORM
        entry = self._next[1]
        if not isinstance(entry, StartSpan):
            return None
        self._consume()
        return entry

    def finish_span(self, span_id: str) -> int | Perform | None:
        """Where the end of a span is recorded; None where the log does not have it here."""
        if self._next is None:
            return PERFORM
        index, entry = self._next
        if not isinstance(entry, FinishSpan) or entry.span_id != span_id:
            return None
        self._consume()
        return index

    def set_span_attribute(self, attribute: SetSpanAttribute) -> int | Perform | None:
        """
        Compared as the arguments of a host call are; None where another version says less.

        Raises:
            Divergence: The log has something else here, or another attribute.
        """
        if self._next is None:
            return PERFORM
        if self._is_of_another_version() and self._next_kind() is not SetSpanAttribute:
            return None
        attempted = f"set-span-attribute {attribute.key}"
        index, entry = self._expect(SetSpanAttribute, attempted)
        if entry[1:] != attribute[1:]:
            if index > self.compare_from:
                raise self._divergence(attempted, None)
            self.requests_differing += 1
        self._consume()
        return index

    def made_up(self, entry: SetSpanAttribute | FinishSpan) -> None:
        """
        Something about a span whose start the log does not have: it leaves no entry, also once live.

        Earlier hosts appended one once they were live; it is used up.
        """
        if self._next is not None and self._next[1] == entry._replace(
            timestamp=self._next[1].timestamp
        ):
            self._consume()

    def output_was_recorded(self, log: Log) -> bool:
        """
        Whether this piece of output is in the log already and must not be recorded again.

        Always while replaying; once live, for the output that followed the last consumed entry.
        """
        if not self.live:
            return True
        key = log._replace(timestamp=0)
        if self.tail_logs[key] <= 0:
            return False
        self.tail_logs[key] -= 1
        return True


def _same_payload(recorded: Payload | None, attempted: bytes | None) -> bool:
    if isinstance(recorded, BlobRef):
        return attempted is not None and recorded == BlobRef(
            hashlib.sha256(attempted).digest(), len(attempted)
        )
    return recorded == attempted
