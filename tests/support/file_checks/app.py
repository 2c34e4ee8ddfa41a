"""
A guest that does what the program in its variable ``PROGRAM`` says.

So that one guest, which takes long to build, serves every test of files.
"""

# A guest is written as its author would write it, in a folder that is no package.
# ruff: noqa: ANN201, F401, INP001
# mypy: ignore-errors

import dbm.dumb
import errno
import glob
import io
import json
import os
import shutil
import sqlite3
import stat
import sys
import tempfile
import time
import traceback
from pathlib import Path

import componentize_py_types
from wit_world import exports
from wit_world.imports import (
    environment,
    poll,
    preopens,
    streams,
    types,
    wall_clock,
)
from wit_world.imports import error as io_error


class Run(exports.Run):
    def run(self):
        exec(os.environ["PROGRAM"], {"__name__": "program"})
