"""
A guest that runs the Python program in its first argument, with a library at its hand.

`Durability` follows the pattern of Golem's own guest libraries; `remember` makes one function
durable by it.
"""

# A guest is written as its author would write it, in a folder that is no package.
# What is imported is for the programs that it is given.
# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN204, F401, INP001
# mypy: ignore-errors

import os
import sys

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import context, durability, host, oplog, outgoing_handler, poll, streams
from wit_world.imports import golem_rpc_types as rpc
from wit_world.imports import wasi_http_types as http


def text(value):
    kind = rpc.NamedWitTypeNode(None, None, rpc.WitTypeNode_PrimStringType())
    return rpc.ValueAndType(rpc.WitValue([rpc.WitNode_PrimString(value)]), rpc.WitType([kind]))


def text_in(pair):
    return pair.value.nodes[0].value


TYPED = (
    text,
    text_in,
    durability.persist_typed_durable_function_invocation,
    durability.read_persisted_typed_durable_function_invocation,
)
RAW = (
    str.encode,
    bytes.decode,
    durability.persist_durable_function_invocation,
    durability.read_persisted_durable_function_invocation,
)

LOCAL = oplog.WrappedFunctionType_ReadLocal()
READ = oplog.WrappedFunctionType_ReadRemote()
WRITE = oplog.WrappedFunctionType_WriteRemote()
BATCH = oplog.WrappedFunctionType_WriteRemoteBatched(None)


def step_of(begin):
    return oplog.WrappedFunctionType_WriteRemoteBatched(begin)


class Durability:
    """One call of a function that is durable."""

    def __init__(self, interface, function, kind, form=TYPED, forced=False):
        self.name = f"{interface}::{function}"
        self.kind, self.form, self.forced = kind, form, forced
        durability.observe_function_call(interface, function)
        self.begin = durability.begin_durable_function(kind)
        state = durability.current_durable_execution_state()
        level = state.persistence_level
        self.keeps_nothing = isinstance(level, host.PersistenceLevel_PersistNothing)
        self.is_live = state.is_live or self.keeps_nothing

    def persist(self, request, response):
        if not self.keeps_nothing:
            to, _, persist, _ = self.form
            persist(self.name, to(request), to(response), self.kind)
            self.end()
        return response

    def replay(self):
        _, of, _, read = self.form
        found = read()
        assert found.function_name == self.name, f"{found.function_name} is not {self.name}"
        self.end()
        return of(found.response)

    def end(self):
        durability.end_durable_function(self.kind, self.begin, self.forced)


def unrecorded(effect, argument):
    before = host.get_oplog_persistence_level()
    host.set_oplog_persistence_level(host.PersistenceLevel_PersistNothing())
    try:
        return effect(argument)
    finally:
        host.set_oplog_persistence_level(before)


def remember(function, effect, argument, kind, **named):
    durable = Durability("acme:library", function, kind, **named)
    if durable.is_live:
        return durable.persist(argument, unrecorded(effect, argument))
    return durable.replay()


def said(text):
    return context.AttributeValue_String(text)


def depend_on(*ids):
    """Another number of random bytes for other ids: a replay with others would diverge."""
    for each in ids:
        os.urandom(1 + int(each, 16) % 200)


def chance(_):
    return os.urandom(4).hex()


def fetch(url):
    authority, _, path = url.removeprefix("http://").partition("/")
    made = http.OutgoingRequest(http.Fields())
    made.set_scheme(http.Scheme_Http())
    made.set_authority(authority)
    made.set_path_with_query(f"/{path}")
    future = outgoing_handler.handle(made, None)
    with future.subscribe() as ready:
        ready.block()
    with future:
        response = future.get().value.value
    with response:
        body = response.consume()
    pieces = []
    with body, body.stream() as stream:
        while True:
            try:
                pieces.append(stream.blocking_read(65536))
            except Err as error:
                if isinstance(error.value, streams.StreamError_Closed):
                    return b"".join(pieces).decode()
                raise


NAMES = dict(globals())


class Run(exports.Run):
    def run(self):
        program = compile(sys.argv[1], "<program>", "exec")
        exec(program, {**NAMES, "args": sys.argv[2:]})
