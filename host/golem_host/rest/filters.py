"""
Filters as text: ``status = idle``, ``version >= 2``, ``env.USER like al``, as Golem's tools take.

====================  =================================  ====================
property              comparators                        value
====================  =================================  ====================
``name``              ``= != like notlike startswith``   text
``env.NAME``          as ``name``                        text
``config.NAME``       as ``name``                        text
``status``            ``= !=``                           a worker's status
``version``           ``= != < <= > >=``                 a number
``createdAt``         ``= != < <= > >=``                 RFC 3339
====================  =================================  ====================
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from golem_host.errors import InvalidRequestError
from golem_host.rest.times import time_of
from golem_host.worker.metadata import WorkerMetadata

Predicate: TypeAlias = Callable[[WorkerMetadata], bool]

FILTERS_MAX: Final = 100

STATUSES: Final = (
    "running",
    "idle",
    "suspended",
    "interrupted",
    "retrying",
    "failed",
    "exited",
)

_FORM: Final = re.compile(
    r"\s*([^\s=!<>]+)\s*(<=|>=|!=|==|=|<|>|\s[a-z-]+\s)\s*(.*?)\s*", re.DOTALL
)
_ORDERED: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TEXTS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "like": operator.contains,
    "notlike": lambda text, part: part not in text,
    "startswith": str.startswith,
}


def parse_filters(texts: Iterable[str]) -> Predicate:
    """
    What all of the texts ask for.

    Raises:
        InvalidRequestError: One cannot be understood.
    """
    predicates = [_parse(text) for text in texts]
    if len(predicates) > FILTERS_MAX:
        raise InvalidRequestError(reason=f"at most {FILTERS_MAX} filters")
    return lambda metadata: all(holds(metadata) for holds in predicates)


def _parse(text: str) -> Predicate:
    form = _FORM.fullmatch(text)
    if form is None:
        raise _unknown(text, "expected PROPERTY COMPARATOR VALUE")
    name, comparator, value = form[1], form[2].strip(), form[3]
    kind, _, key = name.partition(".")
    if name == "name":
        return _text(text, comparator, value, lambda metadata: metadata.name)
    if kind == "env" and key:
        return _text(text, comparator, value, lambda metadata: dict(metadata.env).get(key))
    if kind == "config" and key:
        return _text(text, comparator, value, lambda metadata: dict(metadata.config_vars).get(key))
    if name == "status":
        return _status(text, comparator, value.lower())
    if name == "version":
        if not (value.isascii() and value.isdigit() and len(value) <= 20):
            raise _unknown(text, "a version is a number")
        return _number(text, comparator, int(value), lambda metadata: metadata.component_version)
    if name == "createdAt":
        return _number(text, comparator, time_of(value), lambda metadata: metadata.created_ns)
    raise _unknown(
        text, "the properties are name, status, version, createdAt, env.NAME, config.NAME"
    )


def _text(
    text: str, comparator: str, value: str, get: Callable[[WorkerMetadata], str | None]
) -> Predicate:
    compare = _TEXTS.get(comparator)
    if compare is None:
        raise _unknown(text, f"the comparators here are {', '.join(_TEXTS)}")

    def holds(metadata: WorkerMetadata) -> bool:
        found = get(metadata)
        # A variable that is not set compares with nothing.
        return found is not None and compare(found, value)

    return holds


def _number(
    text: str, comparator: str, value: int, get: Callable[[WorkerMetadata], int]
) -> Predicate:
    compare = _ORDERED.get(comparator)
    if compare is None:
        raise _unknown(text, f"the comparators here are {', '.join(_ORDERED)}")
    return lambda metadata: compare(get(metadata), value)


def _status(text: str, comparator: str, value: str) -> Predicate:
    if value not in STATUSES:
        raise _unknown(text, f"a status is one of {', '.join(STATUSES)}")
    if comparator not in {"=", "==", "!="}:
        raise _unknown(text, "the comparators here are =, !=")
    wanted = comparator != "!="
    return lambda metadata: (metadata.status == value) is wanted


def _unknown(text: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError(reason=f"filter {text[:100]!r}: {reason}")
