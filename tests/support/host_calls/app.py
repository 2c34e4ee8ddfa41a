"""Runs what a test asks for; see ``wit/world.wit``."""

# A guest is written as its author would write it, in a folder that is no package.
# ruff: noqa: ANN001, ANN201, INP001, A002
# mypy: ignore-errors

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import host, poll, types

state = []


class Api(exports.Api):
    def run(self, code):
        scope = {"host": host, "types": types, "poll": poll, "state": state}
        exec(code, scope)
        return repr(scope.get("result"))


class SaveSnapshot(exports.SaveSnapshot):
    def save(self):
        return json.dumps(state).encode()


class LoadSnapshot(exports.LoadSnapshot):
    def load(self, bytes):
        try:
            state[:] = json.loads(bytes)
        except ValueError as error:
            raise Err(str(error)) from error
