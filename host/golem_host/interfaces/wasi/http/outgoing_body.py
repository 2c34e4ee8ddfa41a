"""
``outgoing-body`` and its stream.

How much may be written follows from what was written, until a window is full; from then on it is
asked and recorded how much room there is.

Source: WASI 0.2 ``wasi:http/types.outgoing-body``; spec 4.5.
"""

from __future__ import annotations

from typing import Final, Protocol

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, on_drop, resource, static
from golem_host.failures import GuestError
from golem_host.interfaces.wasi.http.codes import fallible, io_error, require
from golem_host.interfaces.wasi.http.fields import Fields
from golem_host.interfaces.wasi.http.syntax import FORBIDDEN_TRAILERS
from golem_host.interfaces.wasi.io.pollables import Pollable, Ready
from golem_host.interfaces.wasi.io.streams import (
    CHUNK_BYTES_MAX,
    StreamClosedError,
    StreamFailedError,
)
from golem_host.net.http.errors import HttpError, internal
from golem_host.net.http.pipe import Fields as Entries


class Sink(Protocol):
    """Where a body goes to."""

    too_long: str
    """The code for a body of another length than the headers say."""

    def room(self, context: InstanceContext) -> int:
        """Raises `StreamClosedError` where nobody takes anything any more."""
        ...

    def wait(self, context: InstanceContext) -> None:
        """Wait until there is room."""
        ...

    def put(self, context: InstanceContext, data: bytes) -> None: ...

    def end(self, trailers: Entries) -> None: ...

    def fail(self, error: HttpError) -> None:
        """It will never be whole."""
        ...

    def pollable(self) -> Pollable: ...


class OutgoingBody:
    """Behind an ``outgoing-body`` handle."""

    def __init__(self, sink: Sink, length: int | None) -> None:
        self.sink = sink
        self.length = length
        """What the headers say; None where they say nothing."""
        self.written = 0
        self.is_written = False
        self.is_finished = False
        self.stream: BodyOutput | None = None

    def fail(self, error: HttpError) -> None:
        self.is_finished = True
        self.sink.fail(error)


class BodyOutput:
    """An `OutputStream`."""

    def __init__(self, body: OutgoingBody) -> None:
        self._body = body
        self.is_dropped = False

    def writable_bytes(self, context: InstanceContext) -> int:
        if self._body.is_finished:
            raise StreamClosedError
        return min(self._body.sink.room(context), CHUNK_BYTES_MAX)

    def wait(self, context: InstanceContext) -> None:
        self._body.sink.wait(context)

    def write(self, context: InstanceContext, data: bytes) -> None:
        body = self._body
        if body.is_finished:
            raise StreamClosedError
        if body.length is not None and body.written + len(data) > body.length:
            error = HttpError(body.sink.too_long, body.written + len(data))
            body.fail(error)
            raise StreamFailedError(io_error(error))
        if data:
            body.written += len(data)
            body.sink.put(context, data)

    def flush(self, context: InstanceContext, *, waits: bool) -> None:
        """What was written is sent as soon as it can be, without being asked."""
        if self._body.is_finished:
            raise StreamClosedError

    def pollable(self) -> Pollable:
        return Ready() if self._body.is_finished else self._body.sink.pollable()

    def dropped(self, context: InstanceContext) -> None:
        self.is_dropped = True


_UNFINISHED: Final = "the body was dropped before it was finished"


@resource("wasi:http/types", "outgoing-body")
class OutgoingBodyResource:
    @function(UNRECORDED)
    @fallible
    def write(self, context: InstanceContext, body: OutgoingBody) -> BodyOutput:
        require(body.stream is None)
        body.stream = BodyOutput(body)
        return body.stream

    @static(UNRECORDED)
    @fallible
    def finish(self, context: InstanceContext, this: OutgoingBody, trailers: Fields | None) -> None:
        if this.stream is not None and not this.stream.is_dropped:
            raise GuestError("outgoing-body.finish while the stream of the body is open")
        if this.is_finished:
            # A write has failed it: it was longer than the headers say.
            raise HttpError(this.sink.too_long, this.written)
        if this.length is not None and this.written != this.length:
            error = HttpError(this.sink.too_long, this.written)
            this.fail(error)
            raise error
        this.is_finished = True
        entries = [] if trailers is None else trailers.entries
        kept = [entry for entry in entries if entry[0].lower() not in FORBIDDEN_TRAILERS]
        this.sink.end(kept)

    @on_drop
    def dropped(self, context: InstanceContext, body: OutgoingBody) -> None:
        if not body.is_finished:
            body.fail(internal(_UNFINISHED))
