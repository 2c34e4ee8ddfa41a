"""``wasi:cli/terminal-*``: a worker outlives every terminal, so it never has one."""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, interface, resource


@resource("wasi:cli/terminal-input", "terminal-input")
class TerminalInputResource:
    """No method, and no value is ever made."""


@resource("wasi:cli/terminal-output", "terminal-output")
class TerminalOutputResource:
    """No method, and no value is ever made."""


@interface("wasi:cli/terminal-stdin")
class TerminalStdin:
    @function(UNRECORDED)
    def get_terminal_stdin(self, context: InstanceContext) -> None:
        return None


@interface("wasi:cli/terminal-stdout")
class TerminalStdout:
    @function(UNRECORDED)
    def get_terminal_stdout(self, context: InstanceContext) -> None:
        return None


@interface("wasi:cli/terminal-stderr")
class TerminalStderr:
    @function(UNRECORDED)
    def get_terminal_stderr(self, context: InstanceContext) -> None:
        return None
