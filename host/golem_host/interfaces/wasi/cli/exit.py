"""``wasi:cli/exit``: a way out that is not a failure.  Not recorded; it ends the instance."""

from __future__ import annotations

from typing import NoReturn

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, interface
from golem_host.signals import ExitSignal
from golem_oplog.values import Err, Ok


@interface("wasi:cli/exit")
class Exit:
    @function(UNRECORDED)
    def exit(self, context: InstanceContext, status: Ok[object] | Err[object]) -> NoReturn:
        raise ExitSignal(1 if isinstance(status, Err) else 0)

    @function(UNRECORDED)
    def exit_with_code(self, context: InstanceContext, status_code: int) -> NoReturn:
        raise ExitSignal(status_code)
