"""
What a guest sends: a request with its options, and, as a server, a response.

Source: WASI 0.2 ``wasi:http/types``.
"""

from __future__ import annotations

from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, constructor, function, on_drop, resource
from golem_host.interfaces.wasi.http.codes import fallible, require
from golem_host.interfaces.wasi.http.fields import Fields
from golem_host.interfaces.wasi.http.outgoing_body import OutgoingBody
from golem_host.interfaces.wasi.http.request_sink import RequestSink
from golem_host.interfaces.wasi.http.syntax import authority, is_method, is_scheme, is_target
from golem_host.net.http.errors import internal
from golem_oplog.values import Variant

LENGTH_DIGITS_MAX: Final = 19


def content_length(headers: Fields) -> int | None:
    """
    What the headers say of the length of the body; None where they say nothing.

    Raises:
        ValueError: They say nonsense.
    """
    values = {value.strip() for value in headers.values("content-length")}
    if not values:
        return None
    (value,) = values
    if not value.isdigit() or len(value) > LENGTH_DIGITS_MAX:
        raise ValueError(value)
    return int(value)


class OutgoingRequest:
    """Behind an ``outgoing-request`` handle."""

    def __init__(self, headers: Fields) -> None:
        self.headers = headers.view()
        self.method: Variant = Variant("get")
        self.scheme: Variant | None = None
        self.path: str | None = None
        self.authority: str | None = None
        self.sink = RequestSink()
        self.has_body = False

    def length(self) -> int | None:
        """Raises `ValueError`."""
        return content_length(self.headers)


class RequestOptions:
    """Behind a ``request-options`` handle; all in nanoseconds."""

    connect: int | None = None
    first_byte: int | None = None
    between_bytes: int | None = None


@resource("wasi:http/types", "outgoing-request")
class OutgoingRequestResource:
    @constructor(UNRECORDED)
    def new(self, context: InstanceContext, headers: Fields) -> OutgoingRequest:
        return OutgoingRequest(headers)

    @function(UNRECORDED)
    @fallible
    def body(self, context: InstanceContext, request: OutgoingRequest) -> OutgoingBody:
        require(not request.has_body)
        try:
            length = request.length()
        except ValueError:
            require(False)
            raise
        request.has_body = True
        return OutgoingBody(request.sink, length)

    @function(UNRECORDED)
    def method(self, context: InstanceContext, request: OutgoingRequest) -> Variant:
        return request.method

    @function(UNRECORDED)
    @fallible
    def set_method(
        self, context: InstanceContext, request: OutgoingRequest, method: Variant
    ) -> None:
        require(method.case != "other" or is_method(str(method.value)))
        request.method = method

    @function(UNRECORDED)
    def path_with_query(self, context: InstanceContext, request: OutgoingRequest) -> str | None:
        return request.path

    @function(UNRECORDED)
    @fallible
    def set_path_with_query(
        self, context: InstanceContext, request: OutgoingRequest, path_with_query: str | None
    ) -> None:
        require(path_with_query is None or is_target(path_with_query))
        request.path = path_with_query

    @function(UNRECORDED)
    def scheme(self, context: InstanceContext, request: OutgoingRequest) -> Variant | None:
        return request.scheme

    @function(UNRECORDED)
    @fallible
    def set_scheme(
        self, context: InstanceContext, request: OutgoingRequest, scheme: Variant | None
    ) -> None:
        is_other = scheme is not None and scheme.case == "other"
        require(not is_other or is_scheme(str(scheme and scheme.value)))
        request.scheme = scheme

    @function(UNRECORDED)
    def authority(self, context: InstanceContext, request: OutgoingRequest) -> str | None:
        return request.authority

    @function(UNRECORDED)
    @fallible
    def set_authority(
        self, context: InstanceContext, request: OutgoingRequest, given: str | None
    ) -> None:
        require(given is None or authority(given) is not None)
        request.authority = given

    @function(UNRECORDED)
    def headers(self, context: InstanceContext, request: OutgoingRequest) -> Fields:
        return request.headers.view()

    @on_drop
    def dropped(self, context: InstanceContext, request: OutgoingRequest) -> None:
        request.sink.give_up(internal("the request was dropped before it was sent"))


@resource("wasi:http/types", "request-options")
class RequestOptionsResource:
    @constructor(UNRECORDED)
    def new(self, context: InstanceContext) -> RequestOptions:
        return RequestOptions()

    @function(UNRECORDED)
    def connect_timeout(self, context: InstanceContext, options: RequestOptions) -> int | None:
        return options.connect

    @function(UNRECORDED)
    @fallible
    def set_connect_timeout(
        self, context: InstanceContext, options: RequestOptions, duration: int | None
    ) -> None:
        options.connect = duration

    @function(UNRECORDED)
    def first_byte_timeout(self, context: InstanceContext, options: RequestOptions) -> int | None:
        return options.first_byte

    @function(UNRECORDED)
    @fallible
    def set_first_byte_timeout(
        self, context: InstanceContext, options: RequestOptions, duration: int | None
    ) -> None:
        options.first_byte = duration

    @function(UNRECORDED)
    def between_bytes_timeout(
        self, context: InstanceContext, options: RequestOptions
    ) -> int | None:
        return options.between_bytes

    @function(UNRECORDED)
    @fallible
    def set_between_bytes_timeout(
        self, context: InstanceContext, options: RequestOptions, duration: int | None
    ) -> None:
        options.between_bytes = duration
