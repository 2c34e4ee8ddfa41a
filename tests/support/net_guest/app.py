"""
A guest that runs the Python program in its first argument, for tests of the network.

Everything such a program may use is imported here, since a guest cannot import later: the standard
`socket` and `asyncio`, and the bindings of ``wasi:sockets`` themselves.
"""

# A guest is written as its author would write it, in a folder that is no package.
# ruff: noqa: ANN201, INP001
# mypy: ignore-errors

import sys

from wit_world import exports

NAMES = dict(globals())


class Run(exports.Run):
    def run(self):
        program = compile(sys.argv[1], "<program>", "exec")
        exec(program, {**NAMES, "args": sys.argv[2:]})
