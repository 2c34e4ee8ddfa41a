"""
One replay: the state machine through which every request of a guest passes.

What may not be here: anything that performs, waits or asks for the time.  State is checked first
and changed after; a refused request leaves everything as it was.

Source: spec 2.0.3, 2.4 and 6, with the project's remarks R2, R5, R21, R38 and R50.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from operator import eq
from typing import Final, TypeVar

from golem_host.replay.decisions import (
    PERFORM,
    AtMostOnceViolated,
    Divergence,
    Perform,
    ReplayedInvocation,
)
from golem_host.replay.transitions import Event, Mode, transition
from golem_oplog.entries import (
    HINT_CLASSES,
    BeginAtomicRegion,
    BeginRemoteWrite,
    BlobRef,
    ChangePersistenceLevel,
    ChangeRetryPolicy,
    Create,
    EndAtomicRegion,
    EndRemoteWrite,
    Entry,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    ImportedFunctionInvoked,
    Jump,
    Log,
    NoOp,
    Payload,
    PersistenceLevel,
    SuccessfulUpdate,
)
from golem_oplog.regions import Region, RegionSet

E = TypeVar("E", bound=Entry)

_ENTERED_IN_REPLAY: Final = (
    "what is done at persist-nothing is not replayed, so the guest must set that level only while "
    "current-durable-execution-state says that it is live"
)
_NEVER_ASKED_FOR: Final = HINT_CLASSES | {Create, Jump}
"""
What no request of a guest stands for.  A jump mostly lies in its own region, but another thread may
have appended a hint between the last entry the region was made for and the jump.
"""


def _nothing() -> None:
    """Nobody needs to know."""


class Replay:
    """
    The rest of a log, read against what the guest asks for.

    Args:
        entries: The log after `Create`, in order, with contiguous indexes.
        regions: Every region that replay passes over.
        target: Index of the last entry, which `entries` ends with.
        open_begins: Begin markers, outside of the regions, whose end marker is not in the log.
        same_function: Whether a recorded definition id and one of ours are the same function;
            only asked when the ids differ.
        compare_from: Behind this index a request must equal the recorded one byte by byte; up to
            it another component version wrote the entries, and differing requests are counted.
        on_live: Called once, at the moment when the log is used up, unless it is empty.
    """

    __slots__ = (
        "_entries",
        "_last",
        "_next",
        "_on_live",
        "_open_begins",
        "_region_at",
        "_regions",
        "_same_function",
        "compare_from",
        "live",
        "mode",
        "on_updated",
        "requests_differing",
        "tail_logs",
        "target",
        "updated_to",
    )

    def __init__(
        self,
        entries: Iterable[tuple[int, Entry]],
        *,
        regions: RegionSet,
        target: int,
        open_begins: AbstractSet[int],
        same_function: Callable[[int, int], bool],
        compare_from: int = 0,
        on_live: Callable[[], None] = _nothing,
    ) -> None:
        self._entries: Iterator[tuple[int, Entry]] = iter(entries)
        self._regions = regions.regions
        self._region_at = 0
        self._open_begins = open_begins
        self._same_function = same_function
        self._last: tuple[int, Entry] | None = None
        self._next: tuple[int, Entry] | None = None
        self.target = target
        self.compare_from = compare_from
        self.requests_differing = 0
        self.mode = Mode.STARTING
        self.live = False
        """Whether the log is used up: checked by the dispatcher before anything else."""
        self.tail_logs: Counter[Log] = Counter()
        """
        Guest output recorded after the last consumed entry.  A guest that is live again repeats
        exactly this output first; each repeated piece is taken out and not recorded anew (R50).
        Cleared by the first live append that is not a hint.
        """
        self.updated_to: int | None = None
        """The version of the last update that was passed over."""
        self.on_updated: Callable[[int], None] = lambda _version: None
        """Called with the version where the log says that the worker came to another one."""
        self._on_live = _nothing
        self._advance()
        self._on_live = on_live

    @classmethod
    def of_nothing(cls) -> Replay:
        """The replay of an empty log: everything is live."""
        return cls((), regions=RegionSet(), target=0, open_begins=frozenset(), same_function=eq)

    @property
    def last_index(self) -> int:
        """The entry on which guest and log agreed last: `Create`, where there is none yet."""
        return 1 if self._last is None else self._last[0]

    @property
    def time_ns(self) -> int:
        """When what is replayed now was done, as near as the log says; 0 where it says nothing."""
        near = self._last or self._next
        return 0 if near is None else near[1].timestamp

    # -- what the guest asks for ------------------------------------------------------------

    def invocation(self) -> ReplayedInvocation | None:
        """The next recorded invocation, which the caller must now run; None when live."""
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
        if self._next is None:
            return PERFORM
        index, entry = self._expect(EndRemoteWrite, f"end-remote-write {begin_index}")
        if entry.begin_index != begin_index:
            raise self._divergence(f"end-remote-write {begin_index}", None)
        self._consume()
        return index

    def begin_atomic_region(self) -> int | Perform:
        """As `begin_remote_write`, for an atomic region; an unfinished one is always redone."""
        if self._next is None:
            return PERFORM
        index, _ = self._expect(BeginAtomicRegion, "begin-atomic-region")
        if index not in self._open_begins:
            self._consume()
            return index
        return self._abandon_from(index)

    def end_atomic_region(self, begin_index: int) -> int | Perform:
        if self._next is None:
            return PERFORM
        index, entry = self._expect(EndAtomicRegion, f"end-atomic-region {begin_index}")
        if entry.begin_index != begin_index:
            raise self._divergence(f"end-atomic-region {begin_index}", None)
        self._consume()
        return index

    def no_op(self) -> int | Perform:
        """The marker of ``get-oplog-index``."""
        if self._next is None:
            return PERFORM
        index, _ = self._expect(NoOp, "no-op")
        self._consume()
        return index

    def change_retry_policy(self) -> int | Perform:
        """The guest's own argument wins: the recorded policy is not compared (spec 2.5)."""
        if self._next is None:
            return PERFORM
        index, _ = self._expect(ChangeRetryPolicy, "change-retry-policy")
        self._consume()
        return index

    def change_persistence_level(self, level: PersistenceLevel) -> int | Perform:
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

    # -- moving -----------------------------------------------------------------------------

    def _expect(self, kind: type[E], attempted: str, request: bytes | None = None) -> tuple[int, E]:
        assert self._next is not None
        index, entry = self._next
        if not isinstance(entry, kind):
            raise self._divergence(attempted, request)
        return index, entry

    def _consume(self, event: Event | None = None) -> None:
        if event is not None:
            self.mode = transition(self.mode, event)
        self._last = self._next
        self._advance()

    def _advance(self) -> None:
        """Step over hints and dead regions to the next entry that the guest must ask for."""
        if self.tail_logs:
            self.tail_logs.clear()
        regions = self._regions
        for pair in self._entries:
            if regions and self._is_dead(pair[0]):
                continue
            entry = pair[1]
            kind = entry.__class__
            if kind is ImportedFunctionInvoked:
                # Nearly always: what follows is not asked for it.
                break
            if kind in _NEVER_ASKED_FOR:
                if isinstance(entry, Log):
                    self.tail_logs[entry._replace(timestamp=0)] += 1
                elif isinstance(entry, SuccessfulUpdate):
                    self._pass_update(entry)
            elif kind is ChangePersistenceLevel and _opens_zone(entry):
                self._skip_zone()
            else:
                break
        else:
            self._next = None
            self._go_live(Event.EXHAUSTED)
            return
        self._next = pair

    def _pass_update(self, entry: SuccessfulUpdate) -> None:
        self.updated_to = entry.target_version
        self.on_updated(entry.target_version)

    def _is_dead(self, index: int) -> bool:
        # Indexes only grow, so the regions behind us are never looked at again.
        while self._region_at < len(self._regions):
            region = self._regions[self._region_at]
            if index < region.start:
                return False
            if index <= region.end:
                return True
            self._region_at += 1
        return False

    def _skip_zone(self) -> None:
        """
        Pass over a persist-nothing zone with both of its delimiters.

        It ends at the next change to another level, or with the log.  A completion ends it too, and
        goes with it: the guest then diverges where it returns.  No log of ours has that, because
        the end of an invocation closes its zone first (R6).
        """
        for index, entry in self._entries:
            if self._is_dead(index) or _opens_zone(entry):
                continue
            if isinstance(entry, SuccessfulUpdate):
                self._pass_update(entry)
            if isinstance(entry, ChangePersistenceLevel | ExportedFunctionCompleted):
                return

    def _abandon_from(self, begin: int) -> Perform:
        """Keep the begin marker, declare everything behind it dead, and go live."""
        self._next = None
        self._entries = iter(())
        self.tail_logs.clear()
        self._go_live(Event.ABANDONED)
        # The jump itself is the entry after the target and lies inside of its own region.
        return Perform(Region(begin + 1, self.target + 1))

    def _go_live(self, event: Event) -> None:
        self.live = True
        self.mode = transition(self.mode, event)
        self._on_live()

    def _divergence(
        self, attempted: str, request: bytes | None, function: int | None = None
    ) -> Divergence:
        assert self._next is not None
        index, entry = self._next
        return Divergence(index, entry, attempted, function, request, self._last)


def _opens_zone(entry: Entry) -> bool:
    return (
        isinstance(entry, ChangePersistenceLevel)
        and entry.level == PersistenceLevel.PERSIST_NOTHING
    )


def _same_payload(recorded: Payload | None, attempted: bytes | None) -> bool:
    if isinstance(recorded, BlobRef):
        return attempted is not None and recorded == BlobRef(
            hashlib.sha256(attempted).digest(), len(attempted)
        )
    return recorded == attempted
