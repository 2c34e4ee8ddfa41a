"""
The handles to resources of a guest that somebody outside of it holds: a facet of the status.

A handle goes by a number, given in order, and no number means two resources in the life of a
worker.  So wherever the past changes, numbers go on behind the highest one that was ever given: a
*floor* says from which entry on, and behind which number.  Floors follow from the log, therefore a
replay gives the same numbers again.

Source: spec 3.7 and 6.6.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import field
from typing import NamedTuple

from golem_oplog.entries import CreateResource, DropResource, Entry, Jump, PendingUpdate, Revert
from golem_oplog.lazy_dataclass import dataclass


class Resource(NamedTuple):
    """What a handle stands for."""

    owner: str
    """The interface, without a version; empty for the world itself."""
    name: str

    @property
    def full_name(self) -> str:
        """As in `HandleType`."""
        return f"{self.owner}.{self.name}" if self.owner else self.name

    @classmethod
    def of(cls, full_name: str) -> Resource:
        owner, _, name = full_name.rpartition(".")
        return cls(owner, name)


class Floor(NamedTuple):
    """Behind entry ``oplog_index``, numbers up to ``number`` are not given."""

    oplog_index: int
    number: int


@dataclass(slots=True)
class Handles:
    """Change it by `apply` and `pass_over` only."""

    open: dict[int, Resource] = field(default_factory=dict)
    """By number, in the order in which they were handed out."""
    last_number: int = 0
    """The highest that was ever given."""
    _floors: list[Floor] = field(default_factory=list)
    _taken_back: list[tuple[int, int]] = field(default_factory=list)
    """First and last number of those whose resources were made in a past that is none any more."""

    def apply(self, index: int, entry: Entry) -> None:
        """Follow the log by one entry that lies in no skipped region."""
        match entry:
            case CreateResource(resource_id=number, owner=owner, name=name):
                self.open[number] = Resource(owner, name)
                self.last_number = max(self.last_number, number)
            case DropResource(resource_id=number):
                self.open.pop(number, None)
            case _:
                self._note_change(index, entry)

    def pass_over(self, index: int, entry: Entry) -> None:
        """Follow the log by one entry of a skipped region."""
        if isinstance(entry, CreateResource):
            number = entry.resource_id
            self.last_number = max(self.last_number, number)
            first, last = self._taken_back[-1] if self._taken_back else (0, -1)
            if last == number - 1:
                self._taken_back[-1] = (first, number)
            else:
                self._taken_back.append((number, number))
        else:
            self._note_change(index, entry)

    def _note_change(self, index: int, entry: Entry) -> None:
        match entry:
            case PendingUpdate(snapshot=None):
                pass
            case Jump() | Revert() | PendingUpdate() if self.last_number > self._last_floor:
                self._floors.append(Floor(index, self.last_number))
            case _:
                pass

    @property
    def _last_floor(self) -> int:
        return self._floors[-1].number if self._floors else 0

    def floor(self, index: int) -> int:
        """The number behind which those are that an invocation begun by entry ``index`` gives."""
        at = bisect_left(self._floors, (index,))
        return self._floors[at - 1].number if at else 0

    def why_closed(self, number: int, snapshot_index: int) -> str:
        """
        What has become of a number that is not open.

        ``snapshot_index`` is the entry that holds the state the worker began with; 0 without one.
        """
        if not 0 < number <= self.last_number:
            return "this worker has not handed it out"
        if snapshot_index and number <= self.floor(snapshot_index + 1):
            return "handles do not survive a snapshot-based update, and it is older than the last"
        if any(first <= number <= last for first, last in self._taken_back):
            return "the worker was taken back to before it was made"
        return "it was dropped or given away"
