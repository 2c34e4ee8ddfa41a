"""
A guest that runs the Python program in its first argument, for tests of the network.

Everything such a program may use is imported here, since a guest cannot import later: the standard
`socket`, `asyncio` and `urllib`, and the bindings of ``wasi:sockets`` themselves.
"""

# A guest is written as its author would write it, in a folder that is no package.
# What is imported is for the programs that it is given.
# ruff: noqa: ANN201, F401, INP001
# mypy: ignore-errors

import asyncio
import encodings.idna
import errno
import select
import socket
import socketserver
import struct
import sys
import threading
import time
import traceback
import urllib.request

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import (
    instance_network,
    ip_name_lookup,
    monotonic_clock,
    network,
    poll,
    streams,
    tcp,
    tcp_create_socket,
    udp,
    udp_create_socket,
)

NAMES = dict(globals())


class Run(exports.Run):
    def run(self):
        program = compile(sys.argv[1], "<program>", "exec")
        exec(program, {**NAMES, "args": sys.argv[2:]})
