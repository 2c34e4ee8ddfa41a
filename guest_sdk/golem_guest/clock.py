"""Waiting, for as long as it takes."""

from __future__ import annotations

import time
from datetime import datetime

_SLEEP_S_MAX = 1e8
"""Three years at a time, for there is an end to what `time.sleep` takes."""


def sleep_until(moment: datetime | float) -> None:
    """
    Return at a point in time, or at once if it is past.

    A worker that waits for more than a few seconds needs no memory meanwhile, and the wait outlives
    its host.

    Args:
        moment: With a time zone, or Unix seconds.

    Raises:
        ValueError: The moment has no time zone, or is no number.
    """
    end = unix_s(moment)
    while (left := end - time.time()) > 0:
        time.sleep(min(left, _SLEEP_S_MAX))


def unix_s(moment: datetime | float) -> float:
    """
    Seconds since 1970 of a moment that is given either way.

    Raises:
        ValueError: It has no time zone, or is no number.
    """
    if not isinstance(moment, datetime):
        if moment != moment:  # noqa: PLR0124 - so NaN is told from all others
            raise ValueError("NaN is no moment")
        return moment
    if moment.tzinfo is None:
        message = "the moment needs a time zone: datetime(..., tzinfo=UTC)"
        raise ValueError(message)
    return moment.timestamp()
