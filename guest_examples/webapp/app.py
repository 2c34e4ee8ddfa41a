"""A guest book: HTTP in front, memory behind, and no database."""

import json

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import streams, types

lines: list[str] = []


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request: types.IncomingRequest, response_out: types.ResponseOutparam) -> None:
        if isinstance(request.method(), types.Method_Post):
            lines.append(body_of(request).decode())
            answer(response_out, 201, {"lines": len(lines)})
        elif isinstance(request.method(), types.Method_Get):
            answer(response_out, 200, lines)
        else:
            answer(response_out, 405, {"error": "GET to read, POST to write"})


def body_of(request: types.IncomingRequest) -> bytes:
    pieces = []
    with request.consume() as body, body.stream() as stream:
        while True:
            try:
                pieces.append(stream.blocking_read(65536))
            except Err as error:
                if not isinstance(error.value, streams.StreamError_Closed):
                    raise
                return b"".join(pieces)


def answer(response_out: types.ResponseOutparam, status: int, document: object) -> None:
    data = json.dumps(document).encode()
    headers = types.Fields.from_list([("content-type", b"application/json")])
    response = types.OutgoingResponse(headers)
    response.set_status_code(status)
    body = response.body()
    types.ResponseOutparam.set(response_out, Ok(response))
    with body.write() as stream:
        for at in range(0, len(data), 4096):
            stream.blocking_write_and_flush(data[at : at + 4096])
    types.OutgoingBody.finish(body, None)
