"""A guest that runs Python programs around `golem_guest`, for its tests."""

# A guest is written as its author would write it, in a folder that is no package.
# What is imported is for the programs that it is given.
# ruff: noqa: ANN001, ANN201, F401, I001, ICN001, INP001
# mypy: ignore-errors

import datetime
import json
import logging
import os
import random
import sys
import time

import golem_guest
import wit_world
from componentize_py_types import Err, Ok, Some
from golem_guest import http, rpc
from wit_world import exports

state = golem_guest.State(count=0)
SaveSnapshot, LoadSnapshot = state.snapshots()
notes = []


class WitWorld(wit_world.WitWorld):
    def go(self, text: str) -> str:
        return text.upper()


class Api(exports.Api):
    def run(self, program: str) -> str:
        return json.dumps(execute(program))


class Called(exports.Called):
    def echo(self, p, c, a, s, r, b, o):
        return p, c, a, s, r, b, o

    def even(self, number, milliseconds):
        time.sleep(milliseconds / 1000)
        if number % 2:
            raise Err(f"{number} is odd")
        return number

    def note(self, text):
        notes.append(text)
        return notes

    def fail(self, text):
        raise ValueError(text)


def execute(program):
    names = {**vars(golem_guest), **globals(), "result": None}
    exec(program, names)
    return names["result"]
