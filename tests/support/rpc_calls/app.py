"""Runs what a test asks for; see ``wit/world.wit``."""

# A guest is written as its author would write it, in a folder that is no package.
# ruff: noqa: ANN001, ANN201, INP001
# mypy: ignore-errors

from wit_world import exports
from wit_world.imports import environment, host, monotonic_clock, poll, types, wall_clock

state = []


class Api(exports.Api):
    def run(self, code):
        scope = {
            "types": types,
            "host": host,
            "poll": poll,
            "clock": monotonic_clock,
            "wall": wall_clock,
            "state": state,
        }
        exec(code, scope)
        return repr(scope.get("result"))

    def note(self, text):
        state.append(text)
        return len(state)

    def put(self, text):
        state.append(text)

    def noted(self):
        return state

    def echo(self, p, c, a, s, r, b):
        return p, c, a, s, r, b

    def slow(self, text, nanoseconds):
        monotonic_clock.subscribe_duration(nanoseconds).block()
        return self.note(text)

    def fail(self, text):
        raise ValueError(text)

    def about(self):
        mine = host.get_self_metadata()
        return repr(
            (environment.get_arguments(), environment.get_environment(), mine.wasi_config_vars)
        )
