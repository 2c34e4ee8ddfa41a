"""A guest that runs Python programs around `golem_guest`, for its tests."""

# A guest is written as its author would write it, in a folder that is no package.
# What is imported is for the programs that it is given.
# ruff: noqa: F401, I001, ICN001, INP001
# mypy: ignore-errors

import datetime
import json
import logging
import os
import random
import sys
import time

import golem_guest
from golem_guest import http
from wit_world import exports

state = golem_guest.State(count=0)
SaveSnapshot, LoadSnapshot = state.snapshots()


class Api(exports.Api):
    def run(self, program: str) -> str:
        names = {**vars(golem_guest), **globals(), "result": None}
        exec(program, names)
        return json.dumps(names["result"])
