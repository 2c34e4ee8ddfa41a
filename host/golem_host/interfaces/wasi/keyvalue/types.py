"""
``wasi:keyvalue/types``: buckets and values, which are the guest's own and not recorded.

Source: spec 1.10 and 4.9.
"""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, on_drop, resource, static
from golem_host.interfaces.wasi.io.streams import InputStream, OutputStream
from golem_host.interfaces.wasi.keyvalue.failures import fallible
from golem_host.interfaces.wasi.values import IncomingValue, OutgoingValue
from golem_host.services.stores.limits import VALUE_BYTES_MAX, check_name
from golem_oplog.lazy_dataclass import dataclass

INTERFACE = "wasi:keyvalue/types"


@dataclass(frozen=True, slots=True)
class Bucket:
    """Behind a ``bucket`` handle."""

    name: str


@resource(INTERFACE, "bucket")
class BucketResource:
    @static(UNRECORDED)
    @fallible
    def open_bucket(self, context: InstanceContext, name: str) -> Bucket:
        """There is every bucket; a name may only be too long."""
        check_name(name, "the name of a bucket")
        return Bucket(name)


@resource(INTERFACE, "outgoing-value")
class OutgoingValueResource:
    @static(UNRECORDED)
    def new_outgoing_value(self, context: InstanceContext) -> OutgoingValue:
        return OutgoingValue(context, VALUE_BYTES_MAX)

    @function(UNRECORDED)
    @fallible
    def outgoing_value_write_body_async(
        self, context: InstanceContext, value: OutgoingValue
    ) -> OutputStream:
        value.require_whole()
        return value.stream()

    @function(UNRECORDED)
    @fallible
    def outgoing_value_write_body_sync(
        self, context: InstanceContext, value: OutgoingValue, data: bytes
    ) -> None:
        value.append(data)

    @on_drop
    def dropped(self, context: InstanceContext, value: OutgoingValue) -> None:
        value.dropped()


@resource(INTERFACE, "incoming-value")
class IncomingValueResource:
    @function(UNRECORDED)
    @fallible
    def incoming_value_consume_sync(self, context: InstanceContext, value: IncomingValue) -> bytes:
        return value.take()

    @function(UNRECORDED)
    @fallible
    def incoming_value_consume_async(
        self, context: InstanceContext, value: IncomingValue
    ) -> InputStream:
        return value.stream()

    @function(UNRECORDED)
    @fallible
    def incoming_value_size(self, context: InstanceContext, value: IncomingValue) -> int:
        return value.size

    @on_drop
    def dropped(self, context: InstanceContext, value: IncomingValue) -> None:
        value.dropped()
