"""
One scenario, crashed at every entry of every log, must come out as if nothing had happened.

It is played once undisturbed, then from its beginning for each point: the host stops before the
entry is appended, when what it records has happened and is not written down, or after it, and goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Generic, Literal, TypeVar

from golem_host.testing.crashes import CrashPoint, Moment
from golem_host.testing.harness import Harness
from golem_oplog.lazy_dataclass import dataclass

T = TypeVar("T")

BOTH: Final[tuple[Moment, ...]] = ("before", "after")
POINTS_MAX: Final = 10_000
"""Of one scenario; one with more entries is to be sampled."""


@dataclass(frozen=True, slots=True)
class Crashed(Generic[T]):
    """What `crash_everywhere` found."""

    result: T
    """Of every run."""
    stdout: dict[str, str]
    """What each worker has printed, by ``component/name``."""
    points: tuple[CrashPoint, ...]
    """Where it was crashed."""


class CrashDifferenceError(AssertionError):
    """After a crash something else came out."""


def crash_everywhere(
    make: Callable[[], Harness],
    scenario: Callable[[Harness], T],
    *,
    moments: Sequence[Moment] = BOTH,
    keeps: Literal["appended", "committed"] = "appended",
    every: int = 1,
    check: Callable[[Harness, T], None] | None = None,
) -> Crashed[T]:
    """
    Play a scenario with a crash at every entry of every worker's log.

    After each run its result and the workers' output must be those of the undisturbed one, and
    every worker must replay.  So what a scenario returns should not depend on random numbers drawn
    in the middle of it: one that a crash took away is drawn anew.

    Args:
        make: A new harness for each run, with a clock, random source and script of its own.
        scenario: What is done; returns what is compared.
        moments: Before the entries, after them, or both.
        keeps: What survives a crash; see `CrashPoint`.
        every: Only every so many of the points, the first among them.
        check: Called after each run, the undisturbed one included; raises `AssertionError`.

    Raises:
        CrashDifferenceError: Something else came out; the message says for which point.
        ValueError: There are more than `POINTS_MAX` points.
    """
    with make() as harness:
        result = scenario(harness)
        stdout = _look(harness, result, check)
        points = list(_points(harness, moments, keeps))[::every]
    if len(points) > POINTS_MAX:
        raise ValueError(f"{len(points)} points; take fewer with every=, or a shorter scenario")
    for point in points:
        try:
            _crash(make, scenario, point, check, (result, stdout))
        except BaseException as error:
            error.add_note(f"with a crash {point}")
            raise
    return Crashed(result, stdout, tuple(points))


def _crash(
    make: Callable[[], Harness],
    scenario: Callable[[Harness], T],
    point: CrashPoint,
    check: Callable[[Harness, T], None] | None,
    expected: tuple[T, dict[str, str]],
) -> None:
    with make() as harness:
        harness.crash_at(point)
        result = scenario(harness)
        harness.crash_at(None)
        stdout = _look(harness, result, check)
        for what, found, wanted in (
            ("the result", result, expected[0]),
            ("the output", stdout, expected[1]),
        ):
            if found != wanted:
                logs = "\n".join(str(worker.log) for worker in harness.workers())
                raise CrashDifferenceError(f"{what} is {found!r}, not {wanted!r}\n{logs}")


def _look(
    harness: Harness, result: T, check: Callable[[Harness, T], None] | None
) -> dict[str, str]:
    if check is not None:
        check(harness, result)
    for worker in harness.workers():
        worker.assert_replays()
    return {f"{w.component_name}/{w.name}": w.stdout for w in harness.workers()}


def _points(
    harness: Harness, moments: Sequence[Moment], keeps: Literal["appended", "committed"]
) -> Iterator[CrashPoint]:
    for worker in harness.workers():
        for index in range(2, worker.metadata.oplog_index + 1):
            for moment in moments:
                yield CrashPoint(worker.component_name, worker.name, index, moment, keeps)
