"""What callers of `tests.support.handle_guests` may expect: a dict from numbers to counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, TypeAlias

from golem_host import InvalidRequestError, ResourceRef
from golem_host.worker.worker import Worker
from tests.support.handle_guests import API

REFUSED: Final = "refused"
UNDROPPABLE: Final = 13
"""The count whose counter's destructor traps."""

Step: TypeAlias = tuple[str, tuple[Any, ...], Any]
"""A function, its arguments, and what it returns; `REFUSED` where it is not called."""


def counter(number: int) -> ResourceRef:
    return ResourceRef(f"{API}.counter", number)


@dataclass
class HandleModel:
    """The counters that callers of one worker hold."""

    counts: dict[int, int] = field(default_factory=dict)
    last: int = 0

    def copy(self) -> HandleModel:
        return HandleModel(dict(self.counts), self.last)

    @property
    def resources(self) -> tuple[ResourceRef, ...]:
        return tuple(map(counter, sorted(self.counts)))

    def step(self, random: Random) -> Step:
        """One that a caller may take next, taken here."""
        steps: list[Callable[[Random], Step]] = [self._new, self._many]
        if self.counts:
            steps += [self._inc, self._inc, self._get, self._drop, self._sum, self._eat]
        if len(self.counts) > 1:
            steps.append(self._merge)
        if len(self.counts) < self.last:
            steps.append(self._closed)
        return random.choice(steps)(random)

    def _made(self, count: int) -> ResourceRef:
        self.last += 1
        self.counts[self.last] = count
        return counter(self.last)

    def _some(self, random: Random, least: int, most: int) -> list[int]:
        count = random.randint(least, min(most, len(self.counts)))
        return random.sample(sorted(self.counts), count)

    def _new(self, random: Random) -> Step:
        start = random.randrange(100, 1000)
        return "counter.new", (start,), self._made(start)

    def _many(self, random: Random) -> Step:
        count = random.randrange(4)
        return "many", (count,), [self._made(each) for each in range(count)]

    def _inc(self, random: Random) -> Step:
        (number,), by = self._some(random, 1, 1), random.randrange(20, 100)
        self.counts[number] += by
        return "counter.inc-by", (counter(number), by), self.counts[number]

    def _get(self, random: Random) -> Step:
        (number,) = self._some(random, 1, 1)
        return "counter.get", (counter(number),), self.counts[number]

    def _drop(self, random: Random) -> Step:
        (number,) = self._some(random, 1, 1)
        if self.counts[number] == UNDROPPABLE:
            return self._inc(random)
        del self.counts[number]
        return "counter.drop", (counter(number),), None

    def _sum(self, random: Random) -> Step:
        numbers = self._some(random, 0, 4)
        total = sum(self.counts[each] for each in numbers)
        return "sum", (list(map(counter, numbers)),), total

    def _eat(self, random: Random) -> Step:
        numbers = [each for each in self._some(random, 0, 3) if self.counts[each] != UNDROPPABLE]
        total = sum(self.counts.pop(each) for each in numbers)
        return "eat", (list(map(counter, numbers)),), total

    def _merge(self, random: Random) -> Step:
        one, other = self._some(random, 2, 2)
        if UNDROPPABLE in (self.counts[one], self.counts[other]):
            return self._inc(random)
        total = self.counts.pop(one) + self.counts.pop(other)
        return "counter.merge", (counter(one), counter(other)), self._made(total)

    def _closed(self, random: Random) -> Step:
        closed = sorted(set(range(1, self.last + 1)) - self.counts.keys())
        number = counter(random.choice(closed))
        function = random.choice(["counter.get", "counter.drop"])
        return function, (number,), REFUSED


def take(worker: Worker, step: Step, key: str | None = None) -> object:
    """What a worker answers to a step."""
    function, args, _ = step
    try:
        return worker.invoke(function, *args, idempotency_key=key)
    except InvalidRequestError:
        return REFUSED
