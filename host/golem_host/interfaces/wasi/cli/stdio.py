"""
``wasi:cli/stdin``, ``stdout`` and ``stderr``.

Each write to the standard outputs is one `Log` entry.  It is shown once that entry is durable,
and never by a replay.  What is read from the standard input is recorded, so that a worker that
is resumed reads nothing twice.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import READ_LOCAL, UNRECORDED, Recorded, function, interface
from golem_host.dispatch import recorded_call
from golem_host.errors import os_reason
from golem_host.interfaces.wasi.io.error import IoError
from golem_host.interfaces.wasi.io.poll import wait_for
from golem_host.interfaces.wasi.io.pollables import Pollable
from golem_host.interfaces.wasi.io.streams import (
    InputStream,
    LocalOutput,
    OutputStream,
    StreamClosedError,
    StreamFailedError,
)
from golem_host.services.console import Console, Source
from golem_host.wake import Watched
from golem_host.wire import Wire
from golem_oplog.entries import LogLevel
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import FunctionType, ListType, OptionType, Prim, ResultType

_SIZE: Final = (("size", Prim.U64),)
_BYTES: Final = ResultType(ListType(Prim.U8), OptionType(Prim.STRING))
"""The error is None at the end, else why it cannot be read."""
_READ: Final = Recorded(READ_LOCAL, FunctionType("cli::stdin::read", _SIZE, _BYTES))
_BLOCKING_READ: Final = Recorded(
    READ_LOCAL, FunctionType("cli::stdin::blocking_read", _SIZE, _BYTES)
)


class Reading:
    """How far the invocation that runs has read standard input; a replay counts it again."""

    def __init__(self, context: InstanceContext) -> None:
        self._context = context
        self._key = context.key
        self._position = 0
        self._was_lent = self._has_ended = False

    @classmethod
    def begin(cls, context: InstanceContext) -> Reading:
        return cls(context)

    def close(self) -> None:
        """Nothing to give back."""

    @property
    def console(self) -> Console:
        return self._context.services.console

    @property
    def at(self) -> tuple[str, int]:
        """The invocation, and what it reads next."""
        if self._key != self._context.key:
            self._key, self._position = self._context.key, 0
            self._was_lent = self._has_ended = False
        return self._key, self._position

    @property
    def source(self) -> Source | None:
        """What is lent to the invocation."""
        source = self.console.source_for(self.at[0])
        if source is not None:
            self._was_lent = True
        return source

    @property
    def is_unfinished(self) -> bool:
        """
        Whether it has begun and had no end.

        Whoever had lent it may have been killed.  Half of an input is not the whole: the rest is
        waited for, which the same command gives when it is run again.
        """
        _, position = self.at
        return not self._has_ended and (self._was_lent or position > 0)

    def advance(self, size_bytes: int) -> None:
        key, position = self.at
        self._key, self._position = key, position + size_bytes

    def end(self) -> None:
        """It had an end, or failed: nothing is left to wait for."""
        self._has_ended = True

    def take(self, source: Source | None, size_max: int, *, waits: bool) -> Wire | None:
        """The outcome of a live read, in wire form; None where it is on its way."""
        if source is None:
            return (0, b"") if self.is_unfinished else (1, None)
        try:
            data = source.read(*self.at, size_max, waits=waits)
        except EOFError:
            return 1, None
        except OSError as error:
            return 1, (os_reason(error),)
        return None if data is None else (0, data)


@dataclass(frozen=True, slots=True)
class InputAvailable:
    """Ready while there is something to read, or nothing will come."""

    reading: Reading

    def ready(self, now_ns: int) -> bool:
        reading, source = self.reading, self.reading.source
        reading.console.is_awaited = source is None and reading.is_unfinished
        if source is None:
            return not reading.is_unfinished
        return source.is_ready(*reading.at)

    def deadline_ns(self) -> int | None:
        return None

    def suspends(self) -> bool:
        return False

    def watched(self) -> Watched | None:
        source = self.reading.source
        return None if source is None else source.watched

    def waking(self, wake: threading.Event) -> AbstractContextManager[None]:
        return self.reading.console.waking(wake)

    def told(self) -> None:
        """What is there stays there: it is asked for by its position."""


@dataclass(frozen=True, slots=True)
class StandardInput:
    """What is lent to the worker as its standard input; at its end where nothing is."""

    reading: Reading

    def read(self, context: InstanceContext, size_max: int, *, waits: bool) -> bytes:
        reading = self.reading
        is_typed = False

        def perform() -> Wire:
            nonlocal is_typed
            while True:
                source = reading.source
                outcome = reading.take(source, size_max, waits=waits)
                is_typed = source is not None and source.is_terminal
                # An empty list would be taken for the end by many a guest.
                if outcome is not None and not (waits and size_max and outcome == (0, b"")):
                    return outcome
                wait_for(context, [self.pollable()])

        recorded = _BLOCKING_READ if waits else _READ
        failed, answer = recorded_call(context, recorded, (size_max,), perform)
        if failed:
            reading.end()
            raise StreamClosedError if answer is None else StreamFailedError(IoError(answer[0]))
        data: bytes = answer
        reading.advance(len(data))
        if is_typed and data:
            # Nobody types it a second time.
            context.oplog.commit()
        return data

    def skip(self, context: InstanceContext, size_max: int, *, waits: bool) -> int:
        return len(self.read(context, size_max, waits=waits))

    def pollable(self) -> Pollable:
        return InputAvailable(self.reading)

    def dropped(self, context: InstanceContext) -> None:
        """It is the console's."""


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
        return StandardInput(context.part(Reading))


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
