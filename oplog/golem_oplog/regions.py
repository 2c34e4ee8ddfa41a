"""
Which parts of a log no longer count: jumped over by replay, or taken back by a revert.

A revert takes back everything in its region, jumps included.  A jump only makes replay step over
its region.

Source: spec 3.7.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from golem_oplog.entries import Entry, Jump, Revert


class Span(NamedTuple):
    """Indexes from the first to the last, both included."""

    first: int
    last: int


class Mark(Enum):
    """What became of an entry."""

    LIVE = ""
    JUMPED = "jumped"
    REVERTED = "reverted"


class Regions:
    """The regions that a log's `Jump` and `Revert` entries declare."""

    def __init__(self, entries: Iterable[tuple[int, Entry]]) -> None:
        jumps: list[tuple[int, Span]] = []
        reverts: list[Span] = []
        for index, entry in entries:
            if isinstance(entry, Jump):
                jumps.append((index, Span(entry.start, entry.end)))
            elif isinstance(entry, Revert):
                reverts.append(Span(entry.start, entry.end))
        self.reverted = merge(reverts)
        self.jumped = merge(span for index, span in jumps if not contains(self.reverted, index))

    def mark(self, index: int) -> Mark:
        if contains(self.reverted, index):
            return Mark.REVERTED
        return Mark.JUMPED if contains(self.jumped, index) else Mark.LIVE


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans in order, those that overlap or touch made one, and those without an index left out."""
    merged: list[Span] = []
    for span in sorted(span for span in spans if span.first <= span.last):
        if merged and span.first <= merged[-1].last + 1:
            merged[-1] = Span(merged[-1].first, max(merged[-1].last, span.last))
        else:
            merged.append(span)
    return tuple(merged)


def contains(spans: tuple[Span, ...], index: int) -> bool:
    """Whether one of merged spans contains an index."""
    at = bisect_right(spans, index, key=lambda span: span.first)
    return at > 0 and index <= spans[at - 1].last
