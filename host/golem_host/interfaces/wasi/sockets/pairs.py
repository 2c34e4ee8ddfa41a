"""
Connections with both ends in one guest: two buffers in memory, never reset, rebuilt by replay.

Nothing of them is recorded, since only the guest itself does anything to them.
"""

from __future__ import annotations

from typing import Final, Protocol

from golem_host.context import InstanceContext
from golem_host.interfaces.wasi.io.pollables import Unwatched
from golem_host.interfaces.wasi.io.streams import LocalInput, LocalOutput, StreamClosedError

PIPE_BYTES_MAX: Final = 65_536


class Pipe:
    """One direction."""

    __slots__ = ("data", "is_written_out", "reader_is_gone")

    def __init__(self) -> None:
        self.data = bytearray()
        self.is_written_out = False
        """Nothing more will come."""
        self.reader_is_gone = False

    @property
    def room(self) -> int:
        return PIPE_BYTES_MAX - len(self.data)

    def close_reader(self) -> None:
        self.reader_is_gone = True
        self.data.clear()


class _Readable(Unwatched):
    __slots__ = ("_pipe",)

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def ready(self, now_ns: int) -> bool:
        pipe = self._pipe
        return bool(pipe.data) or pipe.is_written_out or pipe.reader_is_gone

    def deadline_ns(self) -> int | None:
        return None

    def suspends(self) -> bool:
        return True


class _Writable(_Readable):
    __slots__ = ()

    def ready(self, now_ns: int) -> bool:
        pipe = self._pipe
        return pipe.room > 0 or pipe.is_written_out or pipe.reader_is_gone


class Handles(Protocol):
    """The socket that a stream belongs to."""

    def dropped(self) -> None: ...


class PairInput(LocalInput):
    __slots__ = ("_of", "_pipe")

    def __init__(self, pipe: Pipe, of: Handles) -> None:
        self._pipe = pipe
        self._of = of

    def dropped(self, context: InstanceContext) -> None:
        self._of.dropped()

    def take(self, context: InstanceContext, size_max: int) -> bytes:
        pipe = self._pipe
        if pipe.reader_is_gone or (pipe.is_written_out and not pipe.data):
            raise StreamClosedError
        data = bytes(pipe.data[:size_max])
        del pipe.data[:size_max]
        return data

    def pollable(self) -> _Readable:
        return _Readable(self._pipe)


class PairOutput(LocalOutput):
    __slots__ = ("_of", "_pipe")

    def __init__(self, pipe: Pipe, of: Handles) -> None:
        self._pipe = pipe
        self._of = of

    def dropped(self, context: InstanceContext) -> None:
        self._of.dropped()

    def _check(self) -> None:
        if self._pipe.reader_is_gone or self._pipe.is_written_out:
            raise StreamClosedError

    def writable_bytes(self, context: InstanceContext) -> int:
        self._check()
        return self._pipe.room

    def write(self, context: InstanceContext, data: bytes) -> None:
        self._check()
        self._pipe.data += data

    def flush(self, context: InstanceContext, *, waits: bool) -> None:
        self._check()

    def pollable(self) -> _Writable:
        return _Writable(self._pipe)


class PairEnd:
    """One end of a connection within the guest."""

    __slots__ = ("incoming", "outgoing")

    def __init__(self, incoming: Pipe, outgoing: Pipe) -> None:
        self.incoming = incoming
        self.outgoing = outgoing

    def shut(self, *, sending: bool, receiving: bool) -> None:
        if sending:
            self.outgoing.is_written_out = True
        if receiving:
            self.incoming.close_reader()

    def close(self) -> None:
        self.shut(sending=True, receiving=True)


def pair() -> tuple[PairEnd, PairEnd]:
    there, back = Pipe(), Pipe()
    return PairEnd(back, there), PairEnd(there, back)
