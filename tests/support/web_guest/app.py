"""A guest that answers HTTP as its path says, for tests of what is around it."""

# A guest is written as its author would write it, in a folder that is no package.
# ruff: noqa: ANN001, ANN201, INP001, PLW0603, T201
# mypy: ignore-errors

import json
import sys
from urllib.parse import unquote

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import monotonic_clock, streams, types

calls = 0


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request, response_out):
        global calls
        calls += 1
        _, _, rest = request.path_with_query().partition("/")
        name, _, argument = rest.partition("/")
        globals()[f"do_{name}"](request, response_out, argument)


def do_echo(request, out, _argument):
    with request.headers() as headers:
        entries = [(name, value.decode("latin-1")) for name, value in headers.entries()]
    method, scheme = request.method(), request.scheme()
    document = {
        "method": getattr(method, "value", type(method).__name__),
        "scheme": type(scheme).__name__,
        "authority": request.authority(),
        "path": request.path_with_query(),
        "headers": entries,
        "body": read(request).decode("latin-1"),
    }
    reply(out, 200, json.dumps(document).encode(), [("x-a", b"1"), ("X-B", b"2"), ("x-a", b"3")])


def do_count(_request, out, _argument):
    reply(out, 200, str(calls).encode())


def do_status(_request, out, argument):
    reply(out, int(argument), b"" if argument in ("204", "304") else b"body")


def do_size(_request, out, argument):
    reply(out, 200, bytes(int(argument)))


def do_headers(_request, out, argument):
    """Status and headers, as ``404/name:value/...`` with percent-encoded values, and no body."""
    status, *lines = argument.split("/")
    headers = [line.split(":") for line in lines]
    response = types.OutgoingResponse(
        types.Fields.from_list([(name, unquote(value).encode()) for name, value in headers])
    )
    response.set_status_code(int(status))
    types.ResponseOutparam.set(out, Ok(response))


def do_none(_request, _out, _argument):
    pass


def do_error(_request, out, _argument):
    types.ResponseOutparam.set(out, Err(types.ErrorCode_HttpResponseTimeout()))


def do_unfinished(_request, out, _argument):
    response = types.OutgoingResponse(types.Fields())
    body = response.body()
    types.ResponseOutparam.set(out, Ok(response))
    with body.write() as stream:
        stream.blocking_write_and_flush(b"half")
    body.__exit__(None, None, None)


def do_raise(_request, _out, _argument):
    raise ValueError("not today")


def do_sleep(_request, out, argument):
    with monotonic_clock.subscribe_duration(int(argument) * 1_000_000) as pollable:
        pollable.block()
    reply(out, 200, str(calls).encode())


def do_print(_request, out, argument):
    print(argument)
    sys.stdout.flush()
    reply(out, 200, b"")


def read(request):
    pieces = []
    with request.consume() as body, body.stream() as stream:
        while True:
            try:
                pieces.append(stream.blocking_read(65536))
            except Err as error:
                if not isinstance(error.value, streams.StreamError_Closed):
                    raise
                return b"".join(pieces)


def reply(out, status, data, headers=()):
    response = types.OutgoingResponse(types.Fields.from_list(list(headers)))
    response.set_status_code(status)
    body = response.body()
    types.ResponseOutparam.set(out, Ok(response))
    with body.write() as stream:
        for at in range(0, len(data), 4096):
            stream.blocking_write_and_flush(data[at : at + 4096])
    types.OutgoingBody.finish(body, None)
