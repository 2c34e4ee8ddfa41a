"""
Filters as people write them, one condition a text: ``status = idle``, ``env.USER like al``.

====================  ==========================================  ==============================
property              comparators                                 value
====================  ==========================================  ==============================
``name``              ``=  !=  like  not-like  starts-with``      text, to the end
``env.NAME``          as ``name``                                 as ``name``
``config.NAME``       as ``name``                                 as ``name``
``status``            ``=  !=  <  <=  >  >=``                     a worker's status
``version``           as ``status``                               a number
``created-at``        as ``status``                               milliseconds since 1970, or a
                                                                  time such as 2026-01-31T12:00Z
====================  ==========================================  ==============================

``==``, ``notlike``, ``startswith`` and ``createdAt``, as Golem's tools spell them, are taken too.
Blanks around the comparator do not count.  States compare in the order running, idle, suspended,
interrupted, retrying, failed, exited.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from golem_host.errors import InvalidRequestError
from golem_host.worker.filters import STATUSES, Condition, WorkerFilter

TEXT_CHARS_MAX: Final = 4_096
SHOWN_CHARS_MAX: Final = 100
NUMBER_MAX: Final = (1 << 64) - 1

_PROPERTY: Final = re.compile(r"\s*([^\s=!<>]+)")
_COMPARATOR: Final = re.compile(r"\s*(==|!=|<=|>=|=|<|>|[A-Za-z-]+(?=\s|\Z))")
_TEXTUAL: Final[Mapping[str, str]] = {
    "=": "equal",
    "==": "equal",
    "!=": "not-equal",
    "like": "like",
    "not-like": "not-like",
    "notlike": "not-like",
    "starts-with": "starts-with",
    "startswith": "starts-with",
}
_ORDERED: Final[Mapping[str, str]] = {
    "=": "equal",
    "==": "equal",
    "!=": "not-equal",
    "<": "less",
    "<=": "less-equal",
    ">": "greater",
    ">=": "greater-equal",
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def parse_filters(texts: Iterable[str]) -> WorkerFilter:
    """
    What all of the texts ask for; without any, every worker passes.

    Raises:
        InvalidRequestError: One cannot be understood; the message says where.
    """
    return WorkerFilter.every(_Text(text).condition() for text in texts)


class _Text:
    """One text on its way to a condition."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def condition(self) -> Condition:
        if len(self._text) > TEXT_CHARS_MAX:
            raise self._error(TEXT_CHARS_MAX, f"at most {TEXT_CHARS_MAX} characters")
        start = self._blanks()
        name, dot, variable = self._take(_PROPERTY, "a property").partition(".")
        if name in {"env", "config"}:
            if not variable:
                raise self._error(self._at, f"which variable? Write {name}.NAME")
            return self._textual(name, variable)
        if not dot and name == "name":
            return self._textual(name, "")
        if not dot and name in {"status", "version", "created-at", "createdAt"}:
            return self._ordered("created-at" if name == "createdAt" else name)
        raise self._error(
            start, "the properties are name, status, version, created-at, env.NAME, config.NAME"
        )

    def _textual(self, name: str, variable: str) -> Condition:
        comparator = self._comparator(_TEXTUAL)
        return Condition(name, comparator, self._text[self._at :].strip(), variable)

    def _ordered(self, name: str) -> Condition:
        comparator = self._comparator(_ORDERED)
        at = self._blanks()
        value = self._text[at:].strip()
        if name == "status":
            if value.lower() not in STATUSES:
                raise self._error(at, f"a status is one of {', '.join(STATUSES)}")
            return Condition(name, comparator, value.lower())
        if value.isascii() and value.isdecimal():
            return Condition(name, comparator, min(int(value), NUMBER_MAX))
        if name == "version":
            raise self._error(at, "a version is a number")
        return Condition(name, comparator, self._time(at, value))

    def _time(self, at: int, value: str) -> int:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise self._error(
                at, "a time is a number of milliseconds since 1970, or like 2026-01-31T12:00:00Z"
            ) from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - _EPOCH) // timedelta(milliseconds=1)

    def _comparator(self, known: Mapping[str, str]) -> str:
        start = self._blanks()
        found = known.get(self._take(_COMPARATOR, "a comparator"))
        if found is None:
            names = [name for name in known if name not in {"==", "notlike", "startswith"}]
            raise self._error(start, f"the comparators here are {', '.join(names)}")
        return found

    def _take(self, pattern: re.Pattern[str], what: str) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise self._error(self._blanks(), f"expected {what}, as in `status = idle`")
        self._at = found.end()
        return found[1]

    def _blanks(self) -> int:
        """Where the next word begins."""
        rest = self._text[self._at :]
        return self._at + len(rest) - len(rest.lstrip())

    def _error(self, at: int, reason: str) -> InvalidRequestError:
        return InvalidRequestError(
            reason=f"filter {self._text[:SHOWN_CHARS_MAX]!r}, column {at + 1}: {reason}"
        )
