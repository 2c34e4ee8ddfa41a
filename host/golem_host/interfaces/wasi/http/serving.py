"""
The resources of a server: a request that came in, the response to it, and the place for that.

No guest of this version gets one of the first or the last: what is exported for requests is not
called yet.  They are here so that components which name them link.

Source: WASI 0.2 ``wasi:http/types``.
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
from golem_host.interfaces.wasi.http.request_sink import RequestSink
from golem_host.wire import Public
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.values import Variant

_STATUS: Final = range(100, 1000)


class ResponseSink(RequestSink):
    """As long as nobody takes it: a window, and no more."""

    too_long = "HTTP-response-body-size"


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

    answer: Public = None
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
    def set(self, context: InstanceContext, param: ResponseOutparam, response: Public) -> None:
        param.answer = response
