"""
``wasi:keyvalue/atomic``: a number is read and written in one step, outside of atomic regions exactly
once.

Golem aborts its host here (R20).
"""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, interface
from golem_host.interfaces.wasi.keyvalue import calls
from golem_host.interfaces.wasi.keyvalue.eventual import KEY
from golem_host.interfaces.wasi.keyvalue.failures import fallible
from golem_host.interfaces.wasi.keyvalue.types import Bucket
from golem_host.interfaces.wasi.values import effect_of, stored
from golem_host.services.stores.limits import check_name


@interface("wasi:keyvalue/atomic")
class Atomic:
    @function(UNRECORDED)
    @fallible
    def increment(self, context: InstanceContext, bucket: Bucket, key: str, delta: int) -> int:
        check_name(key, KEY)
        pairs = context.services.stores.pairs
        total: int = stored(
            context,
            calls.INCREMENT,
            (bucket.name, key, delta),
            lambda: pairs.increment(effect_of(context), bucket.name, key, delta),
        )
        return total

    @function(UNRECORDED)
    @fallible
    def compare_and_swap(
        self, context: InstanceContext, bucket: Bucket, key: str, old: int, new: int
    ) -> bool:
        check_name(key, KEY)
        pairs = context.services.stores.pairs
        is_swapped: bool = stored(
            context,
            calls.COMPARE_AND_SWAP,
            (bucket.name, key, old, new),
            lambda: pairs.swap(effect_of(context), bucket.name, key, old, new),
        )
        return is_swapped
