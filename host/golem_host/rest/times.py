"""Moments that clients give as text."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from golem_host.errors import InvalidRequestError

_FORM: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|z|[+-]\d\d:\d\d)"
)
NS_PER_S: Final = 1_000_000_000


def time_of(text: str) -> int:
    """
    Unix nanoseconds.

    Raises:
        InvalidRequestError: Not a time of day with date and zone, or before 1970.
    """
    unix_ns = _read(text)
    if unix_ns is None or unix_ns < 0:
        reason = f"{text[:100]!r} is not a time since 1970 such as 2026-01-31T12:00:00Z"
        raise InvalidRequestError(reason=reason)
    return unix_ns


def _read(text: str) -> int | None:
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    day, time, fraction, zone = form.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time}{zone.upper().replace('Z', '+00:00')}")
    except ValueError:
        return None
    return int(moment.timestamp()) * NS_PER_S + int((fraction or "0").ljust(9, "0"))
