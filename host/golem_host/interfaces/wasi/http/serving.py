"""
The resources of a server: a request that came in, the response to it, and the place for that.

Both bodies are whole: a request is in the log before its handler begins, and a response is the
result of an invocation.  Nothing here is recorded.

Source: WASI 0.2 ``wasi:http/types``; spec 4.7.
"""

from __future__ import annotations

from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, constructor, function, resource, static
from golem_host.interfaces.wasi.http.codes import fallible, require
from golem_host.interfaces.wasi.http.fields import Fields
from golem_host.interfaces.wasi.http.incoming import IncomingBody, Source
from golem_host.interfaces.wasi.http.outgoing import content_length
from golem_host.interfaces.wasi.http.outgoing_body import OutgoingBody
from golem_host.interfaces.wasi.http.trailers import FutureTrailers
from golem_host.interfaces.wasi.io.pollables import Pollable, Ready
from golem_host.interfaces.wasi.io.streams import (
    CHUNK_BYTES_MAX,
    InputStream,
    LocalInput,
    StreamClosedError,
)
from golem_host.net.http.errors import HttpError
from golem_host.net.http.pipe import Fields as Entries
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.values import Err, Ok, Variant

_STATUS: Final = range(100, 1000)


RESPONSE_BODY_BYTES_MAX: Final = 16 << 20


class RequestBody:
    """A `Source` that is there from the beginning."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._stream: BodyInput | None = None

    @property
    def is_open(self) -> bool:
        return self._stream is not None and not self._stream.is_dropped

    def stream(self) -> InputStream:
        self._stream = BodyInput(self._data)
        return self._stream

    def finish(self) -> FutureTrailers:
        # What serves hands no trailers on.
        return FutureTrailers(None)

    def dropped(self) -> None:
        """Nothing to give back."""


class BodyInput(LocalInput):
    """The `InputStream` of a request's body."""

    __slots__ = ("_data", "_position", "is_dropped")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        self.is_dropped = False

    def take(self, context: InstanceContext, size_max: int) -> bytes:
        if self._position == len(self._data):
            raise StreamClosedError
        data = self._data[self._position : self._position + min(size_max, CHUNK_BYTES_MAX)]
        self._position += len(data)
        return data

    def dropped(self, context: InstanceContext) -> None:
        self.is_dropped = True


class ResponseSink:
    """A `Sink` that keeps what it is given."""

    too_long = "HTTP-response-body-size"

    def __init__(self) -> None:
        self.data = bytearray()
        self.is_ended = False
        self.error: HttpError | None = None

    def room(self, context: InstanceContext) -> int:
        if self.error is not None:
            raise StreamClosedError
        return CHUNK_BYTES_MAX

    def wait(self, context: InstanceContext) -> None:
        """There is always room."""

    def put(self, context: InstanceContext, data: bytes) -> None:
        size = len(self.data) + len(data)
        if size > RESPONSE_BODY_BYTES_MAX:
            self.fail(HttpError(self.too_long, size))
            self.data.clear()
            raise StreamClosedError
        self.data += data

    def end(self, trailers: Entries) -> None:
        """What serves hands no trailers on."""
        self.is_ended = self.error is None

    def fail(self, error: HttpError) -> None:
        self.error = self.error or error

    def pollable(self) -> Pollable:
        return Ready()


class OutgoingResponse:
    """Behind an ``outgoing-response`` handle."""

    def __init__(self, headers: Fields) -> None:
        self.headers = headers.view()
        self.status = 200
        self.sink = ResponseSink()
        self.has_body = False


@dataclass(slots=True)
class IncomingRequest:
    """Behind an ``incoming-request`` handle."""

    method: Variant
    path: str | None
    scheme: Variant | None
    authority: str | None
    headers: Fields
    source: Source
    is_consumed: bool = False


class ResponseOutparam:
    """Behind a ``response-outparam`` handle."""

    answer: Ok[object] | Err[object] | None = None
    """``result<outgoing-response, error-code>``, once it is set."""


@resource("wasi:http/types", "outgoing-response")
class OutgoingResponseResource:
    @constructor(UNRECORDED)
    def new(self, context: InstanceContext, headers: Fields) -> OutgoingResponse:
        return OutgoingResponse(headers)

    @function(UNRECORDED)
    def status_code(self, context: InstanceContext, response: OutgoingResponse) -> int:
        return response.status

    @function(UNRECORDED)
    @fallible
    def set_status_code(
        self, context: InstanceContext, response: OutgoingResponse, status_code: int
    ) -> None:
        require(status_code in _STATUS)
        response.status = status_code

    @function(UNRECORDED)
    def headers(self, context: InstanceContext, response: OutgoingResponse) -> Fields:
        return response.headers.view()

    @function(UNRECORDED)
    @fallible
    def body(self, context: InstanceContext, response: OutgoingResponse) -> OutgoingBody:
        require(not response.has_body)
        try:
            length = content_length(response.headers)
        except ValueError:
            require(False)
            raise
        response.has_body = True
        return OutgoingBody(response.sink, length)


@resource("wasi:http/types", "incoming-request")
class IncomingRequestResource:
    @function(UNRECORDED)
    def method(self, context: InstanceContext, request: IncomingRequest) -> Variant:
        return request.method

    @function(UNRECORDED)
    def path_with_query(self, context: InstanceContext, request: IncomingRequest) -> str | None:
        return request.path

    @function(UNRECORDED)
    def scheme(self, context: InstanceContext, request: IncomingRequest) -> Variant | None:
        return request.scheme

    @function(UNRECORDED)
    def authority(self, context: InstanceContext, request: IncomingRequest) -> str | None:
        return request.authority

    @function(UNRECORDED)
    def headers(self, context: InstanceContext, request: IncomingRequest) -> Fields:
        return request.headers.view()

    @function(UNRECORDED)
    @fallible
    def consume(self, context: InstanceContext, request: IncomingRequest) -> IncomingBody:
        require(not request.is_consumed)
        request.is_consumed = True
        return IncomingBody(request.source)


@resource("wasi:http/types", "response-outparam")
class ResponseOutparamResource:
    @static(UNRECORDED)
    def set(
        self, context: InstanceContext, param: ResponseOutparam, response: Ok[object] | Err[object]
    ) -> None:
        param.answer = response
