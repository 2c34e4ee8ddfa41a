"""
``wasi:http/outgoing-handler``: a request becomes an exchange, if it can be seen to be right.

Source: WASI 0.2 ``wasi:http/outgoing-handler``; spec 4.7, step 1.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from golem_host.batch import Batch, begin_batch
from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, interface
from golem_host.interfaces.wasi.http.codes import fallible
from golem_host.interfaces.wasi.http.exchange import Exchange
from golem_host.interfaces.wasi.http.incoming import FutureIncomingResponse
from golem_host.interfaces.wasi.http.outgoing import OutgoingRequest, RequestOptions
from golem_host.interfaces.wasi.http.part import Http
from golem_host.interfaces.wasi.http.syntax import TARGET_BYTES_MAX, authority
from golem_host.interfaces.wasi.sockets.part import Sockets
from golem_host.net.grants import LOCALHOST, LOOPBACK, Grants, normal_name
from golem_host.net.http.connection import FIELDS_MAX, HEAD_BYTES_MAX
from golem_host.net.http.errors import HttpError
from golem_host.net.http.pipe import Fields
from golem_host.net.http.request import (
    CONNECT_TIMEOUT_S,
    READ_TIMEOUT_S,
    Origin,
    Request,
    Timeouts,
    seconds,
)
from golem_host.trace_context import TRACE_PARENT, TRACE_STATE
from golem_host.tracing import Tracing

KEY_HEADER: Final = "idempotency-key"
_TRACE_HEADERS: Final = frozenset((TRACE_PARENT, TRACE_STATE))
_PORTS: Final = {"HTTP": 80, "HTTPS": 443}
_DEFAULT_SCHEME: Final = "HTTPS"


@interface("wasi:http/outgoing-handler")
class OutgoingHandler:
    @function(UNRECORDED)
    @fallible
    def handle(
        self, context: InstanceContext, request: OutgoingRequest, options: RequestOptions | None
    ) -> FutureIncomingResponse:
        batch = begin_batch(context)
        try:
            sent = _request(context, batch, request, options or RequestOptions())
        except HttpError as error:
            batch.end()
            request.sink.give_up(error)
            raise
        exchange = Exchange(context, batch, sent, request.headers.entries, request.sink.upload)
        request.sink.attach(exchange)
        return FutureIncomingResponse(exchange)


def _request(
    context: InstanceContext, batch: Batch, request: OutgoingRequest, options: RequestOptions
) -> Request:
    """
    Raises:
        HttpError: It can be seen to be wrong, or is not granted.
    """
    origin = _origin(request)
    grants = context.part(Sockets).grants
    if context.services.http.asks_grants and not _may_be_granted(grants, origin):
        why = f"{origin.host}:{origin.port} is not granted: --net, HostConfig(net=...)"
        raise HttpError("HTTP-request-denied", why=why)
    if context.part(Http).is_full:
        raise HttpError("connection-limit-reached")
    target = request.path or "/"
    if len(target) > TARGET_BYTES_MAX:
        raise HttpError("HTTP-request-URI-too-long")
    method = str(request.method.value if request.method.case == "other" else request.method.case)
    method = method if request.method.case == "other" else method.upper()
    if method == "CONNECT":
        raise HttpError("HTTP-request-method-invalid")
    assert request.authority is not None
    written = request.headers.entries
    return Request(
        method=method,
        origin=origin,
        authority=request.authority,
        target=target if target.startswith(("/", "*")) else f"/{target}",
        headers=_headers(context, batch, written),
        length=_length(request),
        timeouts=Timeouts(
            seconds(options.connect, CONNECT_TIMEOUT_S),
            seconds(options.first_byte, READ_TIMEOUT_S),
            seconds(options.between_bytes, READ_TIMEOUT_S),
        ),
        allowed=lambda address, port: grants.connects(address, port, {origin.host}),
        may_repeat=batch.may_repeat,
    )


def _origin(request: OutgoingRequest) -> Origin:
    scheme = _DEFAULT_SCHEME if request.scheme is None else request.scheme.case
    port = _PORTS.get(scheme)
    if port is None:
        raise HttpError("HTTP-protocol-error", why="the scheme is neither HTTP nor HTTPS")
    form = None if request.authority is None else authority(request.authority)
    if form is None:
        raise HttpError("HTTP-request-URI-invalid", why="the request has no authority")
    return Origin(scheme == "HTTPS", form.host, form.port or port)


def _may_be_granted(grants: Grants, origin: Origin) -> bool:
    """Whether it is, or its addresses may turn out to be once they are known."""
    if grants.names(origin.host, origin.port):
        return True
    if normal_name(origin.host) == LOCALHOST:
        known = (ip_address(each) for each in LOOPBACK)
        return any(grants.connects(each, origin.port, frozenset()) for each in known)
    return False


def _length(request: OutgoingRequest) -> int | None:
    """Of the body, as far as it is known; None where it is sent in chunks."""
    try:
        declared = request.length()
    except ValueError:
        raise HttpError("HTTP-request-body-size", why="content-length is no length") from None
    sink = request.sink
    if declared is not None:
        if not request.has_body and declared:
            raise HttpError("HTTP-request-body-size", 0)
        return declared
    if not request.has_body:
        sink.end([])
        return 0
    return sink.size if sink.is_ended and not sink.has_trailers else None


def _headers(context: InstanceContext, batch: Batch, written: Fields) -> Fields:
    size = sum(len(name) + len(value) + 4 for name, value in written)
    if size > HEAD_BYTES_MAX or len(written) > FIELDS_MAX:
        raise HttpError("HTTP-request-header-section-size", size)
    trace = context.part(Tracing).headers()
    if trace:
        # Set, where the key is only added (spec 4.7): a trace that the guest names is another one.
        said = [each for each in written if each[0].lower() not in _TRACE_HEADERS]
        written = [*said, *((name, value.encode()) for name, value in trace)]
    if any(name.lower() == KEY_HEADER for name, _ in written):
        return written
    return [*written, (KEY_HEADER, str(context.derive_key(batch.begin)).encode())]
