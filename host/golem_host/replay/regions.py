"""
Sets of oplog indexes that replay passes over: what jumps and reverts have declared dead.

A region is inclusive on both ends.  Regions that overlap or touch are one region.

Source: spec 3.3.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple


class Region(NamedTuple):
    """Indexes ``start`` to ``end``, both inside."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Regions:
    """An immutable set of indexes, kept as sorted, separate, non-touching regions."""

    regions: tuple[Region, ...] = ()

    @classmethod
    def of(cls, regions: Iterable[Region]) -> Regions:
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

    def union(self, other: Iterable[Region]) -> Regions:
        return Regions.of((*self.regions, *other))

    def intersects(self, start: int, end: int) -> bool:
        """Whether any index from ``start`` to ``end`` is inside."""
        at = bisect_right(self.regions, end, key=_start) - 1
        return at >= 0 and self.regions[at].end >= start


def _start(region: Region) -> int:
    return region.start
