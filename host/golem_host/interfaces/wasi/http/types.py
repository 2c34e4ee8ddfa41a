"""The free function of ``wasi:http/types``."""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, interface
from golem_host.interfaces.wasi.http.codes import DOMAIN
from golem_host.interfaces.wasi.io.error import IoError
from golem_host.wire import Public


@interface("wasi:http/types")
class Types:
    @function(UNRECORDED)
    def http_error_code(self, context: InstanceContext, error: IoError) -> Public:
        return error.code if error.domain == DOMAIN else None
