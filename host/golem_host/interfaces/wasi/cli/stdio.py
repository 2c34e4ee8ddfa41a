"""
``wasi:cli/stdin``, ``stdout`` and ``stderr``.

Each write to the standard outputs is one `Log` entry.  It is shown once that entry is durable,
and never by a replay.  Standard input is at its end from the start.
"""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, interface
from golem_host.interfaces.wasi.io.streams import (
    InputStream,
    LocalInput,
    LocalOutput,
    OutputStream,
    StreamClosedError,
)
from golem_oplog.entries import LogLevel
from golem_oplog.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class EmptyInput(LocalInput):
    """A stream that has ended."""

    def take(self, context: InstanceContext, size_max: int) -> bytes:
        raise StreamClosedError


@dataclass(frozen=True, slots=True)
class StandardOutput(LocalOutput):
    """
    Standard output or standard error.

    What was written is shown within milliseconds, flushed or not.
    """

    level: LogLevel

    def write(self, context: InstanceContext, data: bytes) -> None:
        context.emit(self.level, data)


@interface("wasi:cli/stdin")
class Stdin:
    @function(UNRECORDED)
    def get_stdin(self, context: InstanceContext) -> InputStream:
        return EmptyInput()


@interface("wasi:cli/stdout")
class Stdout:
    @function(UNRECORDED)
    def get_stdout(self, context: InstanceContext) -> OutputStream:
        return StandardOutput(LogLevel.STDOUT)


@interface("wasi:cli/stderr")
class Stderr:
    @function(UNRECORDED)
    def get_stderr(self, context: InstanceContext) -> OutputStream:
        return StandardOutput(LogLevel.STDERR)
