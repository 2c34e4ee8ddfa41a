"""Settings of the worker for the length of a block (spec 7.1)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Self

from golem_guest._world import host

_HOST = host()
_NS = 1_000_000_000
_DELAY_NS_MAX = (1 << 64) - 1
"""More has no form in the interface."""
_DELAY_S_MAX = _DELAY_NS_MAX / _NS


class Persistence(Enum):
    """What of the coming work is kept for replay."""

    NOTHING = "PersistNothing"
    """For what a library records by itself; see `golem_guest.durable`, which uses it rightly."""
    REMOTE_SIDE_EFFECTS = "PersistRemoteSideEffects"
    SMART = "Smart"


@dataclass(frozen=True)
class RetryPolicy:
    """How a failed invocation is tried again."""

    max_attempts: int = 3
    min_delay_s: float = 0.1
    max_delay_s: float = 1.0
    multiplier: float = 3.0
    max_jitter_factor: float | None = 0.15

    def __post_init__(self) -> None:
        """
        Refuse here what the host could only trap at.

        Raises:
            ValueError: A number is out of its range.
        """
        jitter = 0.0 if self.max_jitter_factor is None else self.max_jitter_factor
        ranges = {
            "max_attempts": (self.max_attempts, (1 << 32) - 1),
            "min_delay_s": (self.min_delay_s, _DELAY_S_MAX),
            "max_delay_s": (self.max_delay_s, _DELAY_S_MAX),
            "multiplier": (self.multiplier, sys.float_info.max),
            "max_jitter_factor": (jitter, sys.float_info.max),
        }
        for name, (value, most) in ranges.items():
            if not 0 <= value <= most:
                message = f"{name} of a retry policy is {value!r}: it is from 0 to {most:g}"
                raise ValueError(message)

    @classmethod
    def current(cls) -> Self:
        """The one in force."""
        found = _HOST.get_retry_policy()
        return cls(
            found.max_attempts,
            found.min_delay / _NS,
            found.max_delay / _NS,
            found.multiplier,
            found.max_jitter_factor,
        )

    def apply(self) -> None:
        """Put it in force, for the rest of the worker's life."""
        _HOST.set_retry_policy(
            _HOST.RetryPolicy(
                self.max_attempts,
                min(round(self.min_delay_s * _NS), _DELAY_NS_MAX),
                min(round(self.max_delay_s * _NS), _DELAY_NS_MAX),
                self.multiplier,
                self.max_jitter_factor,
            )
        )


@contextmanager
def retry_policy(policy: RetryPolicy) -> Iterator[None]:
    """
    Another policy for failures inside of the block; the one before is back behind it.

    An exception that leaves the block leaves the policy in force, since that may be the failure
    which it is for.  Whoever catches the exception after all puts another one in force.
    """
    before = RetryPolicy.current()
    policy.apply()
    yield
    before.apply()


@contextmanager
def persistence_level(level: Persistence) -> Iterator[None]:
    """
    Another level for the block.

    Enter `Persistence.NOTHING` only while the worker is live: on replay the whole block is passed
    over, its entering too.  `golem_guest.durable` takes care of that.
    """
    before = _HOST.get_oplog_persistence_level()
    _HOST.set_oplog_persistence_level(getattr(_HOST, f"PersistenceLevel_{level.value}")())
    try:
        yield
    finally:
        _HOST.set_oplog_persistence_level(before)


@contextmanager
def idempotence_mode(repeat: bool) -> Iterator[None]:
    """
    Whether a remote write of unknown outcome is made again (at least once), or the invocation fails
    in its place (at most once).

    Let no write or HTTP exchange begin on one side of the block's border and end on the other.
    """
    before = _HOST.get_idempotence_mode()
    _HOST.set_idempotence_mode(repeat)
    try:
        yield
    finally:
        _HOST.set_idempotence_mode(before)
