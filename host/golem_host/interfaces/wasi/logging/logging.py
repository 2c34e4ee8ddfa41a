"""
``wasi:logging/logging``: lines for people, which are entries of the log like other output.

Spec 4.11 and 6.5, with the project's remark R50.
"""

from __future__ import annotations

from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, interface
from golem_host.failures import GuestLimitError
from golem_oplog.entries import LogLevel

CONTEXT_CHARS_MAX: Final = 4096
"""A longer context traps the guest."""
ENTRY_CHARS_MAX: Final = 1 << 18
"""A longer message is several entries, so that none is too large for a log."""

_LEVELS: Final = {level.label: level for level in LogLevel}


@interface("wasi:logging/logging")
class Logging:
    @function(UNRECORDED)
    def log(
        self,
        context: InstanceContext,
        level: str,
        context_: str,
        message: str,
    ) -> None:
        if len(context_) > CONTEXT_CHARS_MAX:
            raise GuestLimitError(
                f"a context of {len(context_)} characters; at most {CONTEXT_CHARS_MAX} are logged"
            )
        for start in range(0, max(len(message), 1), ENTRY_CHARS_MAX):
            piece = message[start : start + ENTRY_CHARS_MAX]
            context.emit(_LEVELS[level], piece.encode(), context_)
