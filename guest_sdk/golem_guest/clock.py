"""Waiting, for as long as it takes."""

from __future__ import annotations

import time
from datetime import datetime


def sleep_until(moment: datetime | float) -> None:
    """
    Return at a point in time, or at once if it is past.

    A worker that waits for more than a few seconds needs no memory meanwhile, and the wait outlives
    its host.

    Args:
        moment: With a time zone, or Unix seconds.

    Raises:
        ValueError: The moment has no time zone.
    """
    end = unix_s(moment)
    while (left := end - time.time()) > 0:
        time.sleep(left)


def unix_s(moment: datetime | float) -> float:
    """
    Seconds since 1970 of a moment that is given either way.

    Raises:
        ValueError: It has no time zone.
    """
    if not isinstance(moment, datetime):
        return moment
    if moment.tzinfo is None:
        message = "the moment needs a time zone: datetime(..., tzinfo=UTC)"
        raise ValueError(message)
    return moment.timestamp()
