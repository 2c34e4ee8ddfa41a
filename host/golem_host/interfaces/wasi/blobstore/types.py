"""
``wasi:blobstore/types``: values, which are the guest's own and not recorded.

Source: spec 1.10 and 4.10.
"""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, on_drop, resource, static
from golem_host.interfaces.wasi.blobstore.failures import fallible
from golem_host.interfaces.wasi.io.streams import InputStream
from golem_host.interfaces.wasi.values import IncomingValue, OutgoingValue
from golem_host.services.stores.limits import OBJECT_BYTES_MAX
from golem_oplog.values import Err, Ok

INTERFACE = "wasi:blobstore/types"


@resource(INTERFACE, "outgoing-value")
class OutgoingValueResource:
    @static(UNRECORDED)
    def new_outgoing_value(self, context: InstanceContext) -> OutgoingValue:
        return OutgoingValue(context, OBJECT_BYTES_MAX)

    @function(UNRECORDED)
    def outgoing_value_write_body(
        self, context: InstanceContext, value: OutgoingValue
    ) -> Ok[object] | Err[object]:
        """Once: a second stream would mix its bytes with those of the first."""
        return Err(None) if value.is_streamed else Ok(value.stream())

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
    def size(self, context: InstanceContext, value: IncomingValue) -> int:
        return value.size

    @on_drop
    def dropped(self, context: InstanceContext, value: IncomingValue) -> None:
        value.dropped()
