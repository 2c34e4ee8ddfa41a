"""
``wasi:http/incoming-handler``, which a component exports, as it is called from outside.

A request and its response are plain values: an ordinary invocation, whose record is the whole
request.  What the guest does with the handles is repeated by a replay, and not recorded.

Source: spec 4.7, "Incoming HTTP".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from golem_host.context import InstanceContext
from golem_host.interfaces.adapted import Finish
from golem_host.interfaces.wasi.http.codes import ERROR_CODE, FIELDS
from golem_host.interfaces.wasi.http.fields import Fields
from golem_host.interfaces.wasi.http.serving import (
    IncomingRequest,
    OutgoingResponse,
    RequestBody,
    ResponseOutparam,
)
from golem_host.net.http.errors import HttpError, internal
from golem_host.wire import Public, Wire
from golem_oplog.types import (
    FunctionType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
)
from golem_oplog.values import Err, Ok, Variant, from_wire, to_wire

METHODS: Final = frozenset(
    ("get", "head", "post", "put", "delete", "connect", "options", "trace", "patch")
)
_TEXT: Final = OptionType(Prim.STRING)
RESPONSE: Final = RecordType(
    (("status", Prim.U16), ("headers", FIELDS), ("body", ListType(Prim.U8)))
)
RESULT: Final = ResultType(RESPONSE, ERROR_CODE)
TYPE: Final = FunctionType(
    "golem:http/incoming-handler.{handle}",
    (
        ("method", Prim.STRING),
        ("scheme", _TEXT),
        ("authority", _TEXT),
        ("path-with-query", _TEXT),
        ("headers", FIELDS),
        ("body", ListType(Prim.U8)),
    ),
    RESULT,
)
_public: Final[tuple[Callable[[Wire], Public], ...]] = tuple(from_wire(ty) for _, ty in TYPE.params)
_wire: Final = to_wire(RESULT)


class _Handle:
    """The `Adapter`."""

    interface = "golem:http/incoming-handler"
    type = TYPE

    def enter(self, context: InstanceContext, args: list[Wire]) -> tuple[list[Wire], Finish]:
        method, scheme, authority, path, headers, body = (
            public(arg) for public, arg in zip(_public, args, strict=True)
        )
        request = IncomingRequest(
            method=_method(method),
            path=path,
            scheme=None if scheme is None else _scheme(scheme),
            authority=authority,
            headers=Fields([(name, value) for name, value in headers], is_immutable=True),
            source=RequestBody(body),
        )
        place = ResponseOutparam()
        handles = [context.resources.add(request), context.resources.add(place)]
        return handles, lambda: _wire(_result(place))


HANDLE: Final = _Handle()


def _method(name: str) -> Variant:
    lower = name.lower()
    return Variant(lower) if lower in METHODS and name.isupper() else Variant("other", name)


def _scheme(name: str) -> Variant:
    upper = name.upper()
    return Variant(upper) if upper in {"HTTP", "HTTPS"} else Variant("other", name)


def _result(place: ResponseOutparam) -> Ok[object] | Err[object]:
    answer = place.answer
    if answer is None:
        return Err(internal("the handler returned without a response").public())
    if isinstance(answer, Err):
        return answer
    assert isinstance(answer.value, OutgoingResponse)
    return _response(answer.value)


def _response(response: OutgoingResponse) -> Ok[object] | Err[object]:
    sink = response.sink
    if response.has_body and not sink.is_ended:
        error = sink.error or HttpError("HTTP-response-incomplete")
        return Err(error.public())
    return Ok(
        {
            "status": response.status,
            "headers": list(response.headers.entries),
            "body": bytes(sink.data),
        }
    )
