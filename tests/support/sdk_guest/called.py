"""The resource of the interface `called`: the toolchain looks for it in a module of this name."""

# As in `app`.
# ruff: noqa: ANN001, ANN201, ANN204, ANN206, INP001
# mypy: ignore-errors

from wit_world.exports import called


class Counter(called.Counter):
    def __init__(self, start):
        self.value = start

    def add(self, by):
        self.value += by
        return self.value

    @classmethod
    def zero(cls):
        return cls(0)
