"""``wasi:clocks/wall-clock``: the time of day, as the guest first saw it."""

from __future__ import annotations

from typing import Final, Self

from golem_host.context import InstanceContext
from golem_host.declare import READ_LOCAL, function, interface
from golem_oplog.lazy_dataclass import dataclass

NS_PER_SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Datetime:
    """Whole ``seconds`` since 1970 UTC, plus ``nanoseconds`` in ``[0, 10**9)``."""

    seconds: int
    nanoseconds: int

    @classmethod
    def from_unix_ns(cls, unix_ns: int) -> Self:
        # The WIT record's field is a u64: there is no time before 1970.
        assert unix_ns >= 0
        return cls(*divmod(unix_ns, NS_PER_SECOND))


@interface("wasi:clocks/wall-clock")
class WallClock:
    @function(READ_LOCAL, record="wall_clock::now")
    def now(self, context: InstanceContext) -> Datetime:
        return Datetime.from_unix_ns(context.clock_ns())

    @function(READ_LOCAL, record="wall_clock::resolution")
    def resolution(self, context: InstanceContext) -> Datetime:
        return Datetime.from_unix_ns(context.services.clock.resolution_ns())
