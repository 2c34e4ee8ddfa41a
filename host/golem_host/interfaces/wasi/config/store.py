"""
``wasi:config/store``: what the worker was created with.

It never changes, so nothing is recorded (spec 4.11).
"""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, interface
from golem_oplog.values import Ok


@interface("wasi:config/store")
class Store:
    @function(UNRECORDED)
    def get(self, context: InstanceContext, key: str) -> Ok[object]:
        return Ok(dict(context.services.identity.config_vars).get(key))

    @function(UNRECORDED)
    def get_all(self, context: InstanceContext) -> Ok[object]:
        """Sorted by name, as they stand in the first entry of the log."""
        return Ok(list(context.services.identity.config_vars))
