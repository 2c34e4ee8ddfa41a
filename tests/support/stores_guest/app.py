"""
A guest that runs the Python program in its first argument, for tests of what workers share.

Everything such a program may use is imported here, since a guest cannot import later.  The helpers
below are what a guest's author would write around the bindings.
"""

# A guest is written as its author would write it, in a folder that is no package.
# What is imported is for the programs that it is given.
# ruff: noqa: ANN001, ANN002, ANN201, F401, INP001
# mypy: ignore-errors

import hashlib
import sys

from componentize_py_types import Err, Ok, Some
from wit_world import exports
from wit_world.imports import (
    atomic,
    blobstore,
    container,
    eventual,
    eventual_batch,
    host,
    logging,
    store,
    streams,
)
from wit_world.imports import wasi_blobstore_types as blobs
from wit_world.imports import wasi_keyvalue_types as keyvalue


def bucket(name):
    return keyvalue.Bucket.open_bucket(name)


def outgoing(*pieces):
    value = keyvalue.OutgoingValue.new_outgoing_value()
    for piece in pieces:
        value.outgoing_value_write_body_sync(piece)
    return value


def put(opened, key, *pieces):
    with outgoing(*pieces) as value:
        eventual.set(opened, key, value)


def got(opened, key):
    value = eventual.get(opened, key)
    return None if value is None else value.incoming_value_consume_sync()


def drained(stream):
    pieces = []
    while True:
        try:
            pieces.append(stream.blocking_read(65536))
        except Err:
            return b"".join(pieces)


def write(opened, name, data):
    with blobs.OutgoingValue.new_outgoing_value() as value:
        with value.outgoing_value_write_body() as stream:
            for start in range(0, len(data), 65536):
                stream.blocking_write_and_flush(data[start : start + 65536])
        opened.write_data(name, value)


def read(opened, name, start=0, end=(1 << 64) - 1):
    with opened.get_data(name, start, end) as value:
        return value.incoming_value_consume_sync()


def refused(action, *args):
    try:
        action(*args)
    except Err as error:
        return error.value.trace() if hasattr(error.value, "trace") else error.value
    return "not refused"


class Run(exports.Run):
    def run(self):
        exec(compile(sys.argv[1], "<program>", "exec"), globals())
