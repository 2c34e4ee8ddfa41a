"""
Which parts of a log no longer count: jumped over by replay, taken back by a revert, or held in a
snapshot.

A revert takes back everything in its region, jumps and updates included.  A jump only makes replay
step over its region.  An update by a snapshot stands for everything up to the entry that holds it.
A region is inclusive on both ends; regions that overlap or touch are one region.

Source: spec 3.3 and 3.7.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple, TypeAlias

from golem_oplog.entries import (
    Entry,
    FailedUpdate,
    Jump,
    PendingUpdate,
    Revert,
    SuccessfulUpdate,
)
from golem_oplog.lazy_dataclass import dataclass

_UpdateEntry: TypeAlias = PendingUpdate | SuccessfulUpdate | FailedUpdate


class Region(NamedTuple):
    """Indexes ``start`` to ``end``, both inside."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RegionSet:
    """An immutable set of indexes, kept as sorted, separate, non-touching regions."""

    regions: tuple[Region, ...] = ()

    @classmethod
    def of(cls, regions: Iterable[Region]) -> RegionSet:
        """The union; a region that ends before it starts holds nothing."""
        merged: list[Region] = []
        for region in sorted(r for r in regions if r.start <= r.end):
            if merged and region.start <= merged[-1].end + 1:
                merged[-1] = Region(merged[-1].start, max(merged[-1].end, region.end))
            else:
                merged.append(region)
        return cls(tuple(merged))

    def __iter__(self) -> Iterator[Region]:
        return iter(self.regions)

    def __bool__(self) -> bool:
        return bool(self.regions)

    def __contains__(self, index: object) -> bool:
        if not isinstance(index, int):
            return False
        return self.find(index) is not None

    def find(self, index: int) -> Region | None:
        """The region that holds this index."""
        at = bisect_right(self.regions, index, key=_start) - 1
        if at >= 0 and index <= self.regions[at].end:
            return self.regions[at]
        return None

    def union(self, other: Iterable[Region]) -> RegionSet:
        return RegionSet.of((*self.regions, *other))

    def intersects(self, start: int, end: int) -> bool:
        """Whether any index from ``start`` to ``end`` is inside."""
        at = bisect_right(self.regions, end, key=_start) - 1
        return at >= 0 and self.regions[at].end >= start


def _start(region: Region) -> int:
    return region.start


class Mark(Enum):
    """What became of an entry."""

    LIVE = ""
    JUMPED = "jumped"
    REVERTED = "reverted"
    SUPERSEDED = "superseded"


class Regions:
    """What a log's `Jump`, `Revert` and update entries declare; made from `read` or `skim`."""

    def __init__(self, entries: Iterable[tuple[int, Entry | int]]) -> None:
        jumps: list[tuple[int, Region]] = []
        reverts: list[Region] = []
        updates: list[tuple[int, _UpdateEntry]] = []
        for index, entry in entries:
            if isinstance(entry, Jump):
                jumps.append((index, Region(entry.start, entry.end)))
            elif isinstance(entry, Revert):
                reverts.append(Region(entry.start, entry.end))
            elif isinstance(entry, PendingUpdate | SuccessfulUpdate | FailedUpdate):
                updates.append((index, entry))
        self.reverted = RegionSet.of(reverts)
        self.jumped = RegionSet.of(region for index, region in jumps if index not in self.reverted)
        self.superseded = _superseded(each for each in updates if each[0] not in self.reverted)

    @property
    def skipped(self) -> RegionSet:
        """Everything that replay passes over."""
        return self.jumped.union(self.superseded).union(self.reverted)

    def mark(self, index: int) -> Mark:
        if index in self.reverted:
            return Mark.REVERTED
        if index in self.jumped:
            return Mark.JUMPED
        return Mark.SUPERSEDED if index in self.superseded else Mark.LIVE


def _superseded(updates: Iterable[tuple[int, _UpdateEntry]]) -> RegionSet:
    pending: list[tuple[int, PendingUpdate]] = []
    found: list[Region] = []
    for index, entry in updates:
        if isinstance(entry, PendingUpdate):
            pending.append((index, entry))
            continue
        closed = next((p for p in pending if p[1].target_version == entry.target_version), None)
        if closed is None:
            continue
        pending.remove(closed)
        if isinstance(entry, SuccessfulUpdate) and closed[1].snapshot is not None:
            found.append(Region(2, closed[0]))
    return RegionSet.of(found)
