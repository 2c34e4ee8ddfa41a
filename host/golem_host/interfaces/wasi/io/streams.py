"""
``wasi:io/streams``: what every stream can do, whatever lies behind it.

The kinds of stream live beside the interface that makes them; here are the methods a guest calls,
in terms of two small protocols.

Source: WASI 0.2 ``wasi:io/streams``; spec 4.5.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, Protocol

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, on_drop, resource
from golem_host.failures import GuestError
from golem_host.interfaces.wasi.io.error import IoError
from golem_host.interfaces.wasi.io.poll import wait_for
from golem_host.interfaces.wasi.io.pollables import Pollable, Ready
from golem_oplog.values import Err, Ok, Variant

Q = ParamSpec("Q")

CHUNK_BYTES_MAX: Final = 65_536
"""Most that one call reads, writes or splices: small enough to record, big enough to be quick."""

CLOSED: Final = Err(Variant("closed"))


class StreamClosedError(Exception):
    """The other side is gone: the guest gets ``closed``."""


class StreamFailedError(Exception):
    """The guest gets ``last-operation-failed``, and the stream is closed from then on."""

    def __init__(self, error: IoError) -> None:
        super().__init__(error.message)
        self.error = error


class InputStream(Protocol):
    """All methods raise `StreamClosedError` and `StreamFailedError`."""

    def read(self, context: InstanceContext, size_max: int, *, waits: bool) -> bytes:
        """
        At most ``size_max`` bytes.

        Empty when there is nothing yet; with ``waits`` only where ``size_max`` is 0.
        """
        ...

    def skip(self, context: InstanceContext, size_max: int, *, waits: bool) -> int:
        """`read`, of which only the number of bytes matters."""
        ...

    def pollable(self) -> Pollable: ...

    def dropped(self, context: InstanceContext) -> None:
        """The guest has given the stream up."""
        ...


class OutputStream(Protocol):
    """All methods raise `StreamClosedError` and `StreamFailedError`."""

    def writable_bytes(self, context: InstanceContext) -> int: ...

    def wait(self, context: InstanceContext) -> None:
        """Wait until `writable_bytes` is not 0."""
        ...

    def write(self, context: InstanceContext, data: bytes) -> None:
        """At most as much as `writable_bytes` has said."""
        ...

    def flush(self, context: InstanceContext, *, waits: bool) -> None:
        """Begin to hand on what was written; with ``waits`` until it is."""
        ...

    def pollable(self) -> Pollable: ...

    def dropped(self, context: InstanceContext) -> None:
        """The guest has given the stream up."""
        ...


class LocalInput:
    """
    What input streams have in common whose bytes follow from the guest's own doing.

    Nothing is recorded: a replay reads the same again.
    """

    __slots__ = ()

    def take(self, context: InstanceContext, size_max: int) -> bytes:
        """What is there, at most ``size_max`` bytes."""
        raise NotImplementedError

    def pollable(self) -> Pollable:
        return Ready()

    def read(self, context: InstanceContext, size_max: int, *, waits: bool) -> bytes:
        while True:
            data = self.take(context, size_max)
            if data or size_max == 0 or not waits:
                return data
            wait_for(context, [self.pollable()])

    def skip(self, context: InstanceContext, size_max: int, *, waits: bool) -> int:
        return len(self.read(context, size_max, waits=waits))

    def dropped(self, context: InstanceContext) -> None:
        """Nothing to give back."""


class LocalOutput:
    """What output streams have in common that take what they are given at once."""

    __slots__ = ()

    def writable_bytes(self, context: InstanceContext) -> int:
        return CHUNK_BYTES_MAX

    def wait(self, context: InstanceContext) -> None:
        wait_for(context, [self.pollable()])

    def flush(self, context: InstanceContext, *, waits: bool) -> None:
        """Nothing is held back."""

    def pollable(self) -> Pollable:
        return Ready()

    def dropped(self, context: InstanceContext) -> None:
        """Nothing to give back."""


def answered(action: Callable[Q, object]) -> Callable[Q, Ok[object] | Err[object]]:
    """What a method of a stream gives and raises, as the interface's ``result``."""

    @wraps(action)
    def answer(*args: Q.args, **named: Q.kwargs) -> Ok[object] | Err[object]:
        try:
            return Ok(action(*args, **named))
        except StreamClosedError:
            return CLOSED
        except StreamFailedError as failed:
            return Err(Variant("last-operation-failed", failed.error))

    return answer


def _write(context: InstanceContext, stream: OutputStream, data: bytes) -> None:
    if len(data) > stream.writable_bytes(context):
        raise GuestError("write of more bytes than check-write permitted")
    stream.write(context, data)


def _blocking_write(context: InstanceContext, stream: OutputStream, data: bytes) -> None:
    view = memoryview(data)
    while view:
        room = stream.writable_bytes(context)
        if room == 0:
            stream.wait(context)
            continue
        stream.write(context, bytes(view[:room]))
        view = view[room:]
    stream.flush(context, waits=True)


def _size(wanted: int) -> int:
    return min(wanted, CHUNK_BYTES_MAX)


@resource("wasi:io/streams", "input-stream")
class InputStreamResource:
    @function(UNRECORDED)
    @answered
    def read(self, context: InstanceContext, stream: InputStream, size: int) -> bytes:
        return stream.read(context, _size(size), waits=False)

    @function(UNRECORDED)
    @answered
    def blocking_read(self, context: InstanceContext, stream: InputStream, size: int) -> bytes:
        return stream.read(context, _size(size), waits=True)

    @function(UNRECORDED)
    @answered
    def skip(self, context: InstanceContext, stream: InputStream, size: int) -> int:
        return stream.skip(context, _size(size), waits=False)

    @function(UNRECORDED)
    @answered
    def blocking_skip(self, context: InstanceContext, stream: InputStream, size: int) -> int:
        return stream.skip(context, _size(size), waits=True)

    @function(UNRECORDED)
    def subscribe(self, context: InstanceContext, stream: InputStream) -> Pollable:
        return stream.pollable()

    @on_drop
    def dropped(self, context: InstanceContext, stream: InputStream) -> None:
        stream.dropped(context)


@resource("wasi:io/streams", "output-stream")
class OutputStreamResource:
    @function(UNRECORDED)
    @answered
    def check_write(self, context: InstanceContext, stream: OutputStream) -> int:
        return stream.writable_bytes(context)

    @function(UNRECORDED)
    @answered
    def write(self, context: InstanceContext, stream: OutputStream, contents: bytes) -> None:
        _write(context, stream, contents)

    @function(UNRECORDED)
    @answered
    def blocking_write_and_flush(
        self, context: InstanceContext, stream: OutputStream, contents: bytes
    ) -> None:
        _blocking_write(context, stream, contents)

    @function(UNRECORDED)
    @answered
    def flush(self, context: InstanceContext, stream: OutputStream) -> None:
        stream.flush(context, waits=False)

    @function(UNRECORDED)
    @answered
    def blocking_flush(self, context: InstanceContext, stream: OutputStream) -> None:
        stream.flush(context, waits=True)

    @function(UNRECORDED)
    def subscribe(self, context: InstanceContext, stream: OutputStream) -> Pollable:
        return stream.pollable()

    @function(UNRECORDED)
    @answered
    def write_zeroes(self, context: InstanceContext, stream: OutputStream, size: int) -> None:
        if size > stream.writable_bytes(context):
            raise GuestError("write-zeroes of more bytes than check-write permitted")
        stream.write(context, bytes(size))

    @function(UNRECORDED)
    @answered
    def blocking_write_zeroes_and_flush(
        self, context: InstanceContext, stream: OutputStream, size: int
    ) -> None:
        for done in range(0, size, CHUNK_BYTES_MAX):
            _blocking_write(context, stream, bytes(_size(size - done)))

    @function(UNRECORDED)
    @answered
    def splice(
        self, context: InstanceContext, stream: OutputStream, source: InputStream, size: int
    ) -> int:
        room = min(_size(size), stream.writable_bytes(context))
        data = source.read(context, room, waits=False)
        stream.write(context, data)
        return len(data)

    @function(UNRECORDED)
    @answered
    def blocking_splice(
        self, context: InstanceContext, stream: OutputStream, source: InputStream, size: int
    ) -> int:
        data = source.read(context, _size(size), waits=True)
        _blocking_write(context, stream, data)
        return len(data)

    @on_drop
    def dropped(self, context: InstanceContext, stream: OutputStream) -> None:
        stream.dropped(context)
