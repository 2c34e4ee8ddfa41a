"""
What comes in: a response, its body, the stream of that and the trailers.

A body belongs to whatever it is read from, see `Source`: the exchange of a response, or a request
that came in.

Source: WASI 0.2 ``wasi:http/types``; spec 4.7.
"""

from __future__ import annotations

from typing import Final, Protocol

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, on_drop, resource, static
from golem_host.failures import GuestError
from golem_host.interfaces.wasi.http.body_stream import ResponseBody
from golem_host.interfaces.wasi.http.codes import error_of_wire, fallible, require
from golem_host.interfaces.wasi.http.exchange import Exchange
from golem_host.interfaces.wasi.http.fields import Fields
from golem_host.interfaces.wasi.http.pollables import Awaited
from golem_host.interfaces.wasi.http.trailers import FutureTrailers
from golem_host.interfaces.wasi.io.pollables import Pollable
from golem_host.interfaces.wasi.io.streams import InputStream
from golem_host.net.http.errors import HttpError
from golem_host.net.http.request import Head
from golem_oplog.values import Err, Ok

TAKEN: Final = Ok(Err(None))


class Source(Protocol):
    """What a body is read from."""

    @property
    def is_open(self) -> bool:
        """Whether the guest has a stream of it."""
        ...

    def stream(self) -> InputStream: ...

    def finish(self) -> FutureTrailers: ...

    def dropped(self) -> None:
        """The guest has given up the body, but perhaps not the stream."""
        ...


class IncomingBody:
    """Behind an ``incoming-body`` handle."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.is_streamed = False


class IncomingResponse:
    """Behind an ``incoming-response`` handle."""

    def __init__(self, exchange: Exchange, head: Head) -> None:
        self.exchange = exchange
        self.status = head.status
        self.headers = Fields(head.headers, is_immutable=True)
        self.is_consumed = False
        exchange.own(self)


class FutureIncomingResponse:
    """Behind a ``future-incoming-response`` handle."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.awaited = Awaited(exchange, lambda outside: outside.is_decided)
        self.is_taken = False
        exchange.own(self)


@resource("wasi:http/types", "future-incoming-response")
class FutureIncomingResponseResource:
    @function(UNRECORDED)
    def subscribe(self, context: InstanceContext, future: FutureIncomingResponse) -> Pollable:
        return future.awaited

    @function(UNRECORDED)
    def get(self, context: InstanceContext, future: FutureIncomingResponse) -> object:
        if future.is_taken:
            return Err(None)
        try:
            head = future.exchange.get(lambda: future.awaited.keep_word(context))
        except HttpError as error:
            future.is_taken = True
            return Ok(Err(error.public()))
        if head is None:
            return None
        future.is_taken = True
        return Ok(Ok(IncomingResponse(future.exchange, head)))

    @on_drop
    def dropped(self, context: InstanceContext, future: FutureIncomingResponse) -> None:
        future.exchange.dropped(future)


@resource("wasi:http/types", "incoming-response")
class IncomingResponseResource:
    @function(UNRECORDED)
    def status(self, context: InstanceContext, response: IncomingResponse) -> int:
        return response.status

    @function(UNRECORDED)
    def headers(self, context: InstanceContext, response: IncomingResponse) -> Fields:
        return response.headers.view()

    @function(UNRECORDED)
    @fallible
    def consume(self, context: InstanceContext, response: IncomingResponse) -> IncomingBody:
        require(not response.is_consumed)
        response.is_consumed = True
        return IncomingBody(ResponseBody(response.exchange))

    @on_drop
    def dropped(self, context: InstanceContext, response: IncomingResponse) -> None:
        response.exchange.dropped(response)


@resource("wasi:http/types", "incoming-body")
class IncomingBodyResource:
    @function(UNRECORDED)
    @fallible
    def stream(self, context: InstanceContext, body: IncomingBody) -> InputStream:
        require(not body.is_streamed)
        body.is_streamed = True
        return body.source.stream()

    @static(UNRECORDED)
    def finish(self, context: InstanceContext, this: IncomingBody) -> FutureTrailers:
        if this.source.is_open:
            raise GuestError("incoming-body.finish while the stream of the body is open")
        return this.source.finish()

    @on_drop
    def dropped(self, context: InstanceContext, body: IncomingBody) -> None:
        body.source.dropped()


@resource("wasi:http/types", "future-trailers")
class FutureTrailersResource:
    @function(UNRECORDED)
    def subscribe(self, context: InstanceContext, future: FutureTrailers) -> Pollable:
        return future.pollable()

    @function(UNRECORDED)
    def get(self, context: InstanceContext, future: FutureTrailers) -> object:
        if future.is_taken:
            return Err(None)
        found = future.look()
        if found is None:
            return None
        future.is_taken = True
        ((case, value),) = found
        if case:
            return Ok(Err(error_of_wire(value).public()))
        if value is None:
            return Ok(Ok(None))
        entries = [(name, bytes(each)) for name, each in value[0]]
        return Ok(Ok(Fields(entries)))

    @on_drop
    def dropped(self, context: InstanceContext, future: FutureTrailers) -> None:
        future.release()
