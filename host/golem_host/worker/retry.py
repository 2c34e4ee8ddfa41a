"""
How long to wait before the next attempt.

Source: spec 2.5 and B.7, with the project's remark R13: every field of the policy counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """``golem:api/host.retry-policy``; delays in nanoseconds."""

    max_attempts: int = 3
    min_delay_ns: int = 100 * MS
    max_delay_ns: int = 1_000 * MS
    multiplier: float = 3.0
    max_jitter_factor: float | None = 0.15

    def delay_ns(self, failures_before: int, uniform: float) -> int | None:
        """
        Nanoseconds to wait after a failure, or None when there is no further attempt.

        Args:
            failures_before: Failures of the same origin before this one; 0 for the first.
            uniform: A random number in [0, 1), for the jitter.
        """
        if failures_before >= self.max_attempts:
            return None
        base = self._base_ns(max(failures_before - 1, 0))
        if self.max_jitter_factor:
            base += base * self.max_jitter_factor * uniform
        return int(min(base, self.max_delay_ns))

    def _base_ns(self, power: int) -> float:
        # The guest chooses multiplier and attempts: their power may leave the range of floats.
        try:
            base = self.min_delay_ns * self.multiplier**power
        except OverflowError:
            return float(self.max_delay_ns)
        return base if math.isfinite(base) and base >= 0 else float(self.max_delay_ns)
