"""Which worker a request is for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Protocol
from urllib.parse import unquote

from golem_host.errors import InvalidRequestError
from golem_oplog.lazy_dataclass import dataclass

_RULE: Final = re.compile(r"header:(?P<header>[!#$%&'*+.^_`|~0-9A-Za-z-]+)|path:(?P<part>[1-9])")
FORMS: Final = "header:NAME or path:1 to path:9"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a rule may look at."""

    path: str
    """As it was sent, percent-encoded, without the query."""
    headers: Mapping[str, str]
    """By lower-case name, the first of each."""


class WorkerRule(Protocol):
    def worker_of(self, asked: Asked) -> str:
        """
        The worker's name.

        Raises:
            InvalidRequestError: The request names none.
        """
        ...


@dataclass(frozen=True, slots=True)
class OneWorker:
    """All requests are for the same one."""

    name: str

    def worker_of(self, asked: Asked) -> str:
        del asked
        return self.name


@dataclass(frozen=True, slots=True)
class ByHeader:
    """A header names it."""

    header: str
    """In lower case."""

    def worker_of(self, asked: Asked) -> str:
        name = asked.headers.get(self.header, "")
        if not name:
            raise InvalidRequestError(reason=f"the header {self.header} names the worker: give it")
        return name


@dataclass(frozen=True, slots=True)
class ByPath:
    """A part of the path names it."""

    part: int
    """Counted from 1."""

    def worker_of(self, asked: Asked) -> str:
        parts = asked.path.split("/")
        name = parts[self.part] if len(parts) > self.part else ""
        try:
            name = unquote(name, errors="strict")
        except UnicodeDecodeError:
            raise InvalidRequestError(reason="the path is not UTF-8") from None
        if not name:
            raise InvalidRequestError(reason=f"part {self.part} of the path names the worker")
        return name


def parse_rule(text: str) -> WorkerRule:
    """
    ``header:NAME`` or ``path:N``.

    Raises:
        InvalidRequestError: It is something else.
    """
    form = _RULE.fullmatch(text)
    if form is None:
        raise InvalidRequestError(reason=f"{text!r} names no part of a request: {FORMS}")
    if form["header"] is not None:
        return ByHeader(form["header"].lower())
    return ByPath(int(form["part"]))
