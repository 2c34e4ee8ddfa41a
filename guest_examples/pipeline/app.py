"""Records, variants and lists, in and out."""

from itertools import pairwise, takewhile
from math import isqrt

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import api

S64 = range(-(2**63), 2**63)


class Api(exports.Api):
    def run(self, source: api.Source, steps: list[api.Step]) -> api.Report:
        values = read(source)
        stages = [stage("source", values, 0)]
        for position, step in enumerate(steps, start=1):
            values = apply(step, values)
            name = type(step).__name__.removeprefix("Step_").lower()
            stages.append(stage(name, values, position))
        return api.Report(stages, values)


def read(source: api.Source) -> list[int]:
    match source:
        case api.Source_Numbers(numbers):
            return numbers
        case api.Source_PrimesBelow(limit) if limit > 1_000_000:
            raise Err(api.Problem_LimitTooHigh(limit))
        case api.Source_PrimesBelow(limit):
            return primes_below(limit)


def apply(step: api.Step, values: list[int]) -> list[int]:
    match step:
        case api.Step_Scale(factor):
            return [value * factor for value in values]
        case api.Step_Keep(wanted):
            return [value for value in values if wanted.low <= value <= wanted.high]
        case api.Step_Differences():
            return [right - left for left, right in pairwise(values)]
        case api.Step_Sort(order):
            return sorted(values, reverse=order is api.Order.DESCENDING)
        case api.Step_Take(count):
            return values[:count]


def stage(name: str, values: list[int], position: int) -> api.Stage:
    total = sum(values)
    if any(number not in S64 for number in (*values, total)):
        raise Err(api.Problem_Overflow(position))
    return api.Stage(name, len(values), total)


def primes_below(limit: int) -> list[int]:
    primes = []
    for candidate in range(2, limit):
        if all(candidate % prime for prime in takewhile(isqrt(candidate).__ge__, primes)):
            primes.append(candidate)
    return primes
