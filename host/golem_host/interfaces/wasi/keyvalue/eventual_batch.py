"""
``wasi:keyvalue/eventual-batch``: several keys of a bucket at once.

Source: spec 4.9.
"""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, interface
from golem_host.interfaces.wasi.keyvalue import calls
from golem_host.interfaces.wasi.keyvalue.eventual import KEY
from golem_host.interfaces.wasi.keyvalue.failures import fallible
from golem_host.interfaces.wasi.keyvalue.types import Bucket
from golem_host.interfaces.wasi.values import IncomingValue, OutgoingValue, effect_of, stored
from golem_host.services.stores.limits import LIST_BYTES_MAX, StoreError, check_names
from golem_host.wire import Wire


@interface("wasi:keyvalue/eventual-batch")
class EventualBatch:
    @function(UNRECORDED)
    @fallible
    def get_many(
        self, context: InstanceContext, bucket: Bucket, keys: list[str]
    ) -> list[IncomingValue | None]:
        check_names(keys, KEY)
        pairs = context.services.stores.pairs

        def look() -> Wire:
            return [None if v is None else (v,) for v in pairs.get(bucket.name, keys)]

        found = stored(context, calls.GET_MANY, (bucket.name, keys), look)
        values: list[IncomingValue | None] = []
        try:
            values.extend(None if v is None else IncomingValue.of(context, v[0]) for v in found)
        except StoreError:
            # The guest gets none of them.
            for value in values:
                if value is not None:
                    value.dropped()
            raise
        return values

    @function(UNRECORDED)
    @fallible
    def keys(self, context: InstanceContext, bucket: Bucket) -> list[str]:
        pairs = context.services.stores.pairs
        found: list[str] = stored(
            context, calls.GET_KEYS, (bucket.name,), lambda: pairs.keys(bucket.name)
        )
        return found

    @function(UNRECORDED)
    @fallible
    def set_many(
        self,
        context: InstanceContext,
        bucket: Bucket,
        key_values: list[tuple[str, OutgoingValue]],
    ) -> None:
        check_names([key for key, _ in key_values], KEY)
        for _, value in key_values:
            value.require_whole()
        lengths = [(key, value.held.size) for key, value in key_values]
        total = sum(length for _, length in lengths)
        if total > LIST_BYTES_MAX:
            raise StoreError(
                f"values of {total} bytes in one call: at most {LIST_BYTES_MAX} are taken at once"
            )
        pairs = context.services.stores.pairs

        def put() -> None:
            whole = [(key, value.all()) for key, value in key_values]
            pairs.set(effect_of(context), bucket.name, whole)

        stored(context, calls.SET_MANY, (bucket.name, lengths), put)

    @function(UNRECORDED)
    @fallible
    def delete_many(self, context: InstanceContext, bucket: Bucket, keys: list[str]) -> None:
        check_names(keys, KEY)
        pairs = context.services.stores.pairs
        stored(
            context,
            calls.DELETE_MANY,
            (bucket.name, keys),
            lambda: pairs.delete(effect_of(context), bucket.name, keys),
        )
