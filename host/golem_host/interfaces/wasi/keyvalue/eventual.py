"""
``wasi:keyvalue/eventual``: one key of a bucket that all workers share.

Source: spec 4.9.
"""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, interface
from golem_host.interfaces.wasi.keyvalue import calls
from golem_host.interfaces.wasi.keyvalue.failures import fallible
from golem_host.interfaces.wasi.keyvalue.types import Bucket
from golem_host.interfaces.wasi.values import IncomingValue, OutgoingValue, effect_of, stored
from golem_host.services.stores.limits import check_name
from golem_host.wire import Wire

KEY = "a key"


@interface("wasi:keyvalue/eventual")
class Eventual:
    @function(UNRECORDED)
    @fallible
    def get(self, context: InstanceContext, bucket: Bucket, key: str) -> IncomingValue | None:
        check_name(key, KEY)
        pairs = context.services.stores.pairs

        def look() -> Wire:
            (value,) = pairs.get(bucket.name, [key])
            return None if value is None else (value,)

        found = stored(context, calls.GET, (bucket.name, key), look)
        return None if found is None else IncomingValue.of(context, found[0])

    @function(UNRECORDED)
    @fallible
    def set(self, context: InstanceContext, bucket: Bucket, key: str, value: OutgoingValue) -> None:
        check_name(key, KEY)
        value.require_whole()
        pairs = context.services.stores.pairs
        stored(
            context,
            calls.SET,
            (bucket.name, key, value.held.size),
            lambda: pairs.set(effect_of(context), bucket.name, [(key, value.all())]),
        )

    @function(UNRECORDED)
    @fallible
    def delete(self, context: InstanceContext, bucket: Bucket, key: str) -> None:
        check_name(key, KEY)
        pairs = context.services.stores.pairs
        stored(
            context,
            calls.DELETE,
            (bucket.name, key),
            lambda: pairs.delete(effect_of(context), bucket.name, [key]),
        )

    @function(UNRECORDED)
    @fallible
    def exists(self, context: InstanceContext, bucket: Bucket, key: str) -> bool:
        check_name(key, KEY)
        pairs = context.services.stores.pairs
        found: bool = stored(
            context, calls.EXISTS, (bucket.name, key), lambda: pairs.exists(bucket.name, key)
        )
        return found
