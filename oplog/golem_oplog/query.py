"""Looking through a log: views of its entries in order, and those that somebody asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from sys import maxsize

from golem_oplog.entries import (
    KIND_BY_NAME,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
)
from golem_oplog.errors import OplogError, QueryError
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.protocol import ReadableOplog
from golem_oplog.public import Variant
from golem_oplog.regions import Mark, Regions
from golem_oplog.types import FunctionType
from golem_oplog.views import EntryView, TypedValue, Undecodable, public_fields
from golem_oplog.wave_printer import render_wire

__all__ = [
    "EntryFilter",
    "EntryView",
    "Mark",
    "Regions",
    "TypedValue",
    "Undecodable",
    "public_fields",
    "select_entries",
    "texts",
    "view_entries",
]

_BACKWARD_ENTRIES = 256


def view_entries(
    log: ReadableOplog,
    first: int = 1,
    last: int | None = None,
    *,
    payload_bytes_max: int = maxsize,
) -> Iterator[EntryView]:
    """
    Views of a log's entries in order, in bounded memory; what `ReadableOplog.read` raises.

    A payload above ``payload_bytes_max`` shows as `Undecodable`.
    """
    invoked: FunctionType | None = None
    knows_invoked = first == 1
    for index, entry in log.read(first, last):
        if isinstance(entry, ExportedFunctionInvoked):
            invoked = _function(log, entry.function)
            knows_invoked = True
        elif isinstance(entry, ExportedFunctionCompleted) and not knows_invoked:
            invoked = _invoked_before(log, index)
            knows_invoked = True
        yield EntryView(index, entry, log, invoked, payload_bytes_max)


def _invoked_before(log: ReadableOplog, index: int) -> FunctionType | None:
    """The export whose invocation was the last to begin before an index."""
    size = _BACKWARD_ENTRIES
    while index > 1:
        first = max(index - size, 1)
        found = None
        for _, entry in log.read(first, index - 1):
            if isinstance(entry, ExportedFunctionInvoked):
                found = entry
        if found is not None:
            return _function(log, found.function)
        index, size = first, size * 2
    return None


def _function(log: ReadableOplog, number: int) -> FunctionType | None:
    try:
        return log.function(number)
    except OplogError:
        return None  # The payloads of the invocation show as undecodable.


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries to show."""

    first: int = 1
    last: int | None = None
    kinds: frozenset[str] = frozenset()
    """WIT case names; all kinds if empty."""
    grep: str = ""
    """A regular expression that one of the entry's texts must match, in upper or lower case."""
    _pattern: re.Pattern[str] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        for kind in sorted(self.kinds):
            if kind not in KIND_BY_NAME:
                reason = f"the kinds are {', '.join(sorted(KIND_BY_NAME))}"
                raise QueryError(query=kind, reason=reason)
        if self.grep:
            try:
                pattern = re.compile(self.grep, re.IGNORECASE)
            except re.error as error:
                raise QueryError(query=self.grep, reason=str(error)) from error
            object.__setattr__(self, "_pattern", pattern)

    def matches(self, view: EntryView) -> bool:
        """Whether the entry is of a kind and has a text that were asked for."""
        if self.kinds and view.kind not in self.kinds:
            return False
        if self._pattern is None:
            return True
        return any(self._pattern.search(text) for text in texts(view))


def select_entries(log: ReadableOplog, wanted: EntryFilter) -> Iterator[EntryView]:
    """Views of the entries that a filter lets through."""
    return filter(wanted.matches, view_entries(log, wanted.first, wanted.last))


def texts(view: EntryView) -> Iterator[str]:
    """Everything in an entry that can be searched: its kind, and each leaf of its fields."""
    yield view.kind
    yield from _leaves(view.fields)


def _leaves(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case TypedValue(ty, wire):
            yield render_wire(wire, ty)
        case Undecodable(reason):
            yield reason
        case Variant(case, payload):
            yield case
            yield from _leaves(payload)
        case bytes():
            yield value.decode("utf-8", "replace")
        case Mapping():
            for item in value.values():
                yield from _leaves(item)
        case tuple() | list():
            for item in value:
                yield from _leaves(item)
        case None:
            pass
        case _:
            yield str(value)
