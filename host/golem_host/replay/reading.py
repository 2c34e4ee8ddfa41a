"""
Where a replay stands in its log: the entry that the guest must ask for next, and what lies before.

Hints, dead regions and persist-nothing zones are stepped over as they are met.

Source: spec 2.6, 6.3 and 6.4, with the project's remarks R6, R38 and R50.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Final, TypeVar

from golem_host.replay.decisions import Divergence, Perform
from golem_host.replay.transitions import Event, Mode, transition
from golem_oplog.entries import (
    HINT_CLASSES,
    ChangePersistenceLevel,
    Create,
    Entry,
    ExportedFunctionCompleted,
    FinishSpan,
    ImportedFunctionInvoked,
    Jump,
    Log,
    PersistenceLevel,
    SetSpanAttribute,
    StartSpan,
    SuccessfulUpdate,
)
from golem_oplog.regions import Region, RegionSet

E = TypeVar("E", bound=Entry)

_NEVER_ASKED_FOR: Final = HINT_CLASSES | {Create, Jump}
"""
What no request of a guest stands for.  A jump mostly lies in its own region, but another thread may
have appended a hint between the last entry the region was made for and the jump.
"""

OF_SPANS: Final = frozenset((StartSpan, SetSpanAttribute, FinishSpan))


def _nothing() -> None:
    """Nobody needs to know."""


class Reading:
    """
    The rest of a log.

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

    @property
    def last_index(self) -> int:
        """The entry on which guest and log agreed last: `Create`, where there is none yet."""
        return 1 if self._last is None else self._last[0]

    @property
    def time_ns(self) -> int:
        """When what is replayed now was done, as near as the log says; 0 where it says nothing."""
        near = self._last or self._next
        return 0 if near is None else near[1].timestamp

    def pass_spans(self) -> None:
        """
        Step over what another version of the component did with spans, which the guest does not ask
        for: it asks for something else, or what comes next is about to be looked at.
        """
        while self._is_of_another_version() and self._next_kind() in OF_SPANS:
            self._advance()

    # -- moving -----------------------------------------------------------------------------

    def _is_of_another_version(self) -> bool:
        """Whether the next entry may be: see `compare_from`."""
        return self._next is not None and self._next[0] <= self.compare_from

    def _next_kind(self) -> type[Entry]:
        assert self._next is not None
        return self._next[1].__class__

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
