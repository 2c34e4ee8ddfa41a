"""Counters that another worker may hold."""

# ruff: noqa: ANN001, ANN201, ANN204, INP001
# mypy: ignore-errors

from wit_world.exports import counters


class Counter(counters.Counter):
    def __init__(self, start):
        self.value = start

    def add(self, by):
        self.value += by
        return self.value
