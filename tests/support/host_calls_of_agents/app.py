"""Runs what a test asks for; see ``wit/world.wit``."""

# A guest is written as its author would write it, in a folder that is no package.
# ruff: noqa: ANN001, ANN201, INP001
# mypy: ignore-errors

from wit_world import exports
from wit_world.imports import host, poll, types

state = []


class Api(exports.Api):
    def run(self, code):
        scope = {"host": host, "types": types, "poll": poll, "state": state}
        exec(code, scope)
        return repr(scope.get("result"))
