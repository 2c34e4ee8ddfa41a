"""
``wasi:io/streams``: what every stream can do, whatever lies behind it.

The kinds of stream live beside the interface that makes them; here are the methods a guest calls,
in terms of two small protocols.

Source: WASI 0.2 ``wasi:io/streams``; spec 4.5.
"""

from __future__ import annotations

from typing import Final, Protocol

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, resource
from golem_host.failures import GuestError
from golem_host.interfaces.wasi.io.poll import wait_for
from golem_host.interfaces.wasi.io.pollables import Pollable
from golem_oplog.values import Err, Ok, Variant

CHUNK_BYTES_MAX: Final = 65_536
"""Most that one call reads, writes or splices: small enough to record, big enough to be quick."""

CLOSED: Final = Err(Variant("closed"))


class StreamClosedError(Exception):
    """The other side is gone: the guest gets ``closed``."""


class InputStream(Protocol):
    def read(self, context: InstanceContext, size_max: int) -> bytes:
        """What is there, at most ``size_max`` bytes; empty when nothing is there yet."""
        ...

    def pollable(self) -> Pollable: ...


class OutputStream(Protocol):
    def writable_bytes(self, context: InstanceContext) -> int: ...

    def write(self, context: InstanceContext, data: bytes) -> None: ...

    def flush(self, context: InstanceContext) -> None: ...

    def pollable(self) -> Pollable: ...


def _read(context: InstanceContext, stream: InputStream, size: int) -> bytes:
    return stream.read(context, min(size, CHUNK_BYTES_MAX))


def _blocking_read(context: InstanceContext, stream: InputStream, size: int) -> bytes:
    while True:
        data = _read(context, stream, size)
        if data or size == 0:
            return data
        wait_for(context, [stream.pollable()])


def _write(context: InstanceContext, stream: OutputStream, data: bytes) -> None:
    if len(data) > stream.writable_bytes(context):
        raise GuestError("write of more bytes than check-write permitted")
    stream.write(context, data)


def _blocking_write(context: InstanceContext, stream: OutputStream, data: bytes) -> None:
    view = memoryview(data)
    while view:
        room = stream.writable_bytes(context)
        if room == 0:
            wait_for(context, [stream.pollable()])
            continue
        stream.write(context, bytes(view[:room]))
        view = view[room:]
    stream.flush(context)


@resource("wasi:io/streams", "input-stream")
class InputStreamResource:
    @function(UNRECORDED)
    def read(self, context: InstanceContext, stream: InputStream, size: int) -> Ok | Err:
        try:
            return Ok(_read(context, stream, size))
        except StreamClosedError:
            return CLOSED

    @function(UNRECORDED)
    def blocking_read(self, context: InstanceContext, stream: InputStream, size: int) -> Ok | Err:
        try:
            return Ok(_blocking_read(context, stream, size))
        except StreamClosedError:
            return CLOSED

    @function(UNRECORDED)
    def skip(self, context: InstanceContext, stream: InputStream, size: int) -> Ok | Err:
        try:
            return Ok(len(_read(context, stream, size)))
        except StreamClosedError:
            return CLOSED

    @function(UNRECORDED)
    def blocking_skip(self, context: InstanceContext, stream: InputStream, size: int) -> Ok | Err:
        try:
            return Ok(len(_blocking_read(context, stream, size)))
        except StreamClosedError:
            return CLOSED

    @function(UNRECORDED)
    def subscribe(self, context: InstanceContext, stream: InputStream) -> Pollable:
        return stream.pollable()


@resource("wasi:io/streams", "output-stream")
class OutputStreamResource:
    @function(UNRECORDED)
    def check_write(self, context: InstanceContext, stream: OutputStream) -> Ok | Err:
        try:
            return Ok(stream.writable_bytes(context))
        except StreamClosedError:
            return CLOSED

    @function(UNRECORDED)
    def write(self, context: InstanceContext, stream: OutputStream, contents: bytes) -> Ok | Err:
        try:
            _write(context, stream, contents)
            return Ok()
        except StreamClosedError:
            return CLOSED

    @function(UNRECORDED)
    def blocking_write_and_flush(
        self, context: InstanceContext, stream: OutputStream, contents: bytes
    ) -> Ok | Err:
        try:
            _blocking_write(context, stream, contents)
            return Ok()
        except StreamClosedError:
            return CLOSED

    @function(UNRECORDED)
    def flush(self, context: InstanceContext, stream: OutputStream) -> Ok | Err:
        try:
            stream.flush(context)
            return Ok()
        except StreamClosedError:
            return CLOSED

    @function(UNRECORDED)
    def blocking_flush(self, context: InstanceContext, stream: OutputStream) -> Ok | Err:
        return self.flush(context, stream)

    @function(UNRECORDED)
    def subscribe(self, context: InstanceContext, stream: OutputStream) -> Pollable:
        return stream.pollable()

    @function(UNRECORDED)
    def write_zeroes(self, context: InstanceContext, stream: OutputStream, size: int) -> Ok | Err:
        try:
            if size > stream.writable_bytes(context):
                raise GuestError("write-zeroes of more bytes than check-write permitted")
            stream.write(context, bytes(size))
            return Ok()
        except StreamClosedError:
            return CLOSED

    @function(UNRECORDED)
    def blocking_write_zeroes_and_flush(
        self, context: InstanceContext, stream: OutputStream, size: int
    ) -> Ok | Err:
        try:
            for done in range(0, size, CHUNK_BYTES_MAX):
                _blocking_write(context, stream, bytes(min(CHUNK_BYTES_MAX, size - done)))
            return Ok()
        except StreamClosedError:
            return CLOSED

    @function(UNRECORDED)
    def splice(
        self, context: InstanceContext, stream: OutputStream, source: InputStream, size: int
    ) -> Ok | Err:
        try:
            room = min(size, stream.writable_bytes(context))
            data = _read(context, source, room)
            stream.write(context, data)
            return Ok(len(data))
        except StreamClosedError:
            return CLOSED

    @function(UNRECORDED)
    def blocking_splice(
        self, context: InstanceContext, stream: OutputStream, source: InputStream, size: int
    ) -> Ok | Err:
        try:
            data = _blocking_read(context, source, size)
            _blocking_write(context, stream, data)
            return Ok(len(data))
        except StreamClosedError:
            return CLOSED
