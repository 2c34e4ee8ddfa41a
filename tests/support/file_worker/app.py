"""
A worker that does what it is told, one program for each call.

What a program writes to ``said`` is the result, or the error's name and code; its names are still
there in the next one.
"""

# A guest is written as its author would write it, in a folder that is no package.
# ruff: noqa: F401, INP001
# mypy: ignore-errors

import errno
import json
import os
import shutil
import sqlite3
import stat
import tempfile
import time
from pathlib import Path

import componentize_py_types
from wit_world import exports
from wit_world.imports import preopens, streams, types, wall_clock


class Api(exports.Api):
    def run(self, program: str) -> str:
        said = []
        globals()["said"] = said
        try:
            exec(program, globals())
        except OSError as error:
            said.append(f"{type(error).__name__} {errno.errorcode.get(error.errno, error.errno)}")
        except componentize_py_types.Err as error:
            said.append(f"Err {getattr(error.value, 'name', error.value)}")
        return "\n".join(map(str, said))
