"""``wasi:io/error``: a failure of a stream, as text."""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, resource
from golem_oplog.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class IoError:
    """Behind a ``wasi:io/error.error`` handle."""

    message: str
    domain: str = ""
    """The package whose interfaces have a code for it, such as ``wasi:filesystem``."""
    code: object = None
    """That code, in public form."""


@resource("wasi:io/error", "error")
class ErrorResource:
    @function(UNRECORDED)
    def to_debug_string(self, context: InstanceContext, error: IoError) -> str:
        return error.message
