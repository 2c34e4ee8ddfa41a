"""
A guest that runs the Python program in its first argument, for tests of HTTP.

Everything such a program may use is imported here, since a guest cannot import later.  The helpers
below are what a guest's author would write around the bindings of ``wasi:http``.
"""

# A guest is written as its author would write it, in a folder that is no package.
# What is imported is for the programs that it is given.
# ruff: noqa: ANN001, ANN003, ANN201, E402, F401, INP001
# mypy: ignore-errors

import asyncio
import hashlib
import sys
import time

import wit_world.imports
from componentize_py_types import Err, Ok, Some
from wit_world import exports
from wit_world.imports import host, monotonic_clock, outgoing_handler, poll, streams
from wit_world.imports import wasi_http_types as types

# The toolchain's own event loop knows it by the name that it has in a smaller world.
sys.modules["wit_world.imports.types"] = wit_world.imports.types = types

import poll_loop


def request(url, method=None, headers=(), path=None):
    scheme, _, rest = url.partition("://")
    authority, slash, tail = rest.partition("/")
    made = types.OutgoingRequest(types.Fields.from_list([(n, v.encode()) for n, v in headers]))
    made.set_method(method or types.Method_Get())
    made.set_scheme(types.Scheme_Https() if scheme == "https" else types.Scheme_Http())
    made.set_authority(authority)
    made.set_path_with_query(slash + tail if path is None else path)
    return made


def response_of(future):
    with future.subscribe() as ready:
        ready.block()
    with future:
        found = future.get()
    result = found.value if isinstance(found, Some) else found
    assert isinstance(result, Ok), result
    if isinstance(result.value, Err):
        raise result.value
    return result.value.value


def write(body, data):
    with body.write() as stream:
        for at in range(0, len(data), 4096):
            stream.blocking_write_and_flush(data[at : at + 4096])
    types.OutgoingBody.finish(body, None)


def read(response, size=65536):
    """The whole body and the trailers."""
    with response:
        body = response.consume()
    pieces = []
    with body.stream() as stream:
        while True:
            try:
                pieces.append(stream.blocking_read(size))
            except Err as error:
                if isinstance(error.value, streams.StreamError_Closed):
                    break
                raise
    trailers = types.IncomingBody.finish(body)
    return b"".join(pieces), trailers


def send(made, data=None, options=None):
    body = made.body() if data is not None else None
    future = outgoing_handler.handle(made, options)
    if body is not None:
        write(body, data)
    return response_of(future)


def fetch(url, data=None, **named):
    response = send(request(url, **named), data)
    status = response.status()
    with response.headers() as headers:
        entries = headers.entries()
    content, trailers = read(response)
    with trailers:
        pass
    return status, entries, content


NAMES = dict(globals())


class Run(exports.Run):
    def run(self):
        program = compile(sys.argv[1], "<program>", "exec")
        exec(program, {**NAMES, "args": sys.argv[2:]})
