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
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            message = "sleep_until needs a time zone: datetime(..., tzinfo=UTC)"
            raise ValueError(message)
        moment = moment.timestamp()
    while (left := moment - time.time()) > 0:
        time.sleep(left)
