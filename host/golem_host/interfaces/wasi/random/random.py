"""``wasi:random``: all three interfaces are answered by the system's generator, and recorded."""

from __future__ import annotations

from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import READ_LOCAL, function, interface
from golem_host.failures import GuestLimitError

BYTES_PER_CALL_MAX: Final = 16 << 20


def _bytes(context: InstanceContext, count: int) -> bytes:
    if count > BYTES_PER_CALL_MAX:
        raise GuestLimitError(f"more than {BYTES_PER_CALL_MAX} random bytes in one call")
    return context.services.random.bytes(count)


def _u64(context: InstanceContext) -> int:
    return int.from_bytes(context.services.random.bytes(8), "little")


@interface("wasi:random/random")
class Random:
    @function(READ_LOCAL, record="golem random::get_random_bytes")
    def get_random_bytes(self, context: InstanceContext, count: int) -> bytes:
        return _bytes(context, count)

    @function(READ_LOCAL, record="golem random::get_random_u64")
    def get_random_u64(self, context: InstanceContext) -> int:
        return _u64(context)


@interface("wasi:random/insecure")
class Insecure:
    @function(READ_LOCAL, record="golem random::insecure::get_insecure_random_bytes")
    def get_insecure_random_bytes(self, context: InstanceContext, count: int) -> bytes:
        return _bytes(context, count)

    @function(READ_LOCAL, record="golem random::insecure::get_insecure_random_u64")
    def get_insecure_random_u64(self, context: InstanceContext) -> int:
        return _u64(context)


@interface("wasi:random/insecure-seed")
class InsecureSeed:
    @function(READ_LOCAL, record="golem random::insecure_seed::insecure_seed")
    def insecure_seed(self, context: InstanceContext) -> tuple[int, int]:
        return _u64(context), _u64(context)
