"""
How long to wait before the next attempt.

Source: spec 2.5 and B.7, with the project's remark R13: every field of the policy counts.
"""

from __future__ import annotations

import math
from typing import Final

from golem_oplog.lazy_dataclass import dataclass

MS: Final = 1_000_000
DELAY_NS_MAX: Final = 1 << 62
"""146 years, whatever the policy says: a due time that still fits an entry."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """``golem:api/host.retry-policy``; delays in nanoseconds."""

    max_attempts: int = 3
    """Attempts after the first one; 0 for none."""
    min_delay_ns: int = 100 * MS
    """Before the first of them."""
    max_delay_ns: int = 1_000 * MS
    """However many there were."""
    multiplier: float = 3.0
    """By how much each wait is longer than the one before it."""
    max_jitter_factor: float | None = 0.15
    """The part of a wait by which it may be longer, at random; None for none."""

    def delay_ns(self, failures_before: int, uniform: float) -> int | None:
        """
        Nanoseconds to wait after a failure, or None when there is no further attempt.

        Args:
            failures_before: Failures of the same origin before this one; 0 for the first.
            uniform: A random number in [0, 1), for the jitter.
        """
        if failures_before >= self.max_attempts:
            return None
        delay = self._base_ns(max(failures_before - 1, 0))
        if self.max_jitter_factor:
            delay += delay * self.max_jitter_factor * uniform
        longest = min(self.max_delay_ns, DELAY_NS_MAX)
        # The guest chooses all of these numbers; NaN compares with nothing.
        return int(delay) if 0 <= delay < longest else longest

    def _base_ns(self, power: int) -> float:
        try:
            return self.min_delay_ns * self.multiplier**power
        except OverflowError:
            return math.inf


NO_RETRY: Final = RetryPolicy(max_attempts=0)
"""The first failure is the last one."""
