"""
Real processes killed with SIGKILL, at named points of their file system and at random moments.

The process (`tests.support.crash_child`) works through a plan of invocations and says what it has
accepted, returned and shown.  It is killed, looked at, started again, until it gets to the end.

Faults: the process ends before, after or in the middle of any write, and before or after any
create, sync, rename, new directory and sync of a directory; while the log is made, while it grows,
while it is recovered; and wherever the parent's signal happens to reach it.

Invariants, after every process:

- what was acknowledged once, by a result or by an accepted call, is in the log and is what every
  later process returns under that key;
- what the log held before is there still, byte by byte, and indexes have no gap;
- what was shown is in the log, in its order, and nothing was shown twice by all processes together;

and once the plan is done:

- log and results are those of a process that nobody disturbed, but for times and random numbers;
- the status that followed the log is what a fresh fold says (the process itself compares them).

``GOLEM_HOST_TEST_SEED`` sets the seed of all that is drawn; a failure names it, and every kill.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import pytest

from tests.support.crash_child import LAST, PLAN
from tests.support.crash_trial import Kill, Moment, Trial, skeleton, sums
from tests.support.killing_files import OPERATIONS, Point

SEED: Final = int(os.environ.get("GOLEM_HOST_TEST_SEED", "1"))
ENDINGS: Final = ("fail", "leave")
STEPS: Final = [
    (operation, when)
    for operation in OPERATIONS
    for when in ("before", "torn", "after")
    if when != "torn" or operation == "write"
]

DELAY_NS_MAX: Final = 4_000_000
RECOVERING_MAX: Final = 4
"""Operations of one kind that a process makes before it is past what the last one left."""


class Undisturbed(NamedTuple):
    """A run that nobody kills."""

    log: tuple[list[object], list[str]]
    sums: dict[str, object]
    counts: dict[str, int]
    lines: int


@cache
def undisturbed(ending: str) -> Undisturbed:
    with TemporaryDirectory() as root:
        trial = Trial(Path(root), ending)
        trial.run()
        assert trial.counts is not None
        return Undisturbed(
            skeleton(trial.state_dir), sums(trial.outcomes), trial.counts, trial.lines
        )


def points(ending: str, operation: str, when: str) -> list[Point]:
    """Every point of a kind that an undisturbed process passes."""
    count = undisturbed(ending).counts[operation]
    return [Point(operation, when, number) for number in range(1, count + 1)]


def drawn(*about: object) -> Random:
    """Numbers that depend on the seed and on what they are for."""
    return Random(f"{SEED} {about}")


def check(root: Path, ending: str, *kills: Kill) -> Trial:
    """Kill one process after another, let the last one finish, and compare with a quiet run."""
    trial = Trial(root, ending, SEED)
    for kill in kills:
        if trial.counts is None:
            trial.run(kill)
    trial.finish()
    with trial.explained():
        expected = undisturbed(ending)
        log, accepted = skeleton(trial.state_dir)
        assert expected.log[0] == log
        assert expected.log[1] == accepted
        assert expected.sums == sums(trial.outcomes)
    return trial


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_plan_does_what_the_kills_are_measured_against(ending: str, tmp_path: Path) -> None:
    """Undisturbed, everything is shown, the log has a second segment, and each key its outcome."""
    trial = Trial(tmp_path, ending)
    trial.run()

    assert trial.counts is not None
    assert [] == [name for name in OPERATIONS if not trial.counts[name]]
    assert trial.output == trial.shown
    assert [*(key for key, _, _ in PLAN), LAST] == sorted(trial.outcomes)
    assert [6, 9, 24, 27, 28, 38] == list(sums(trial.outcomes).values())[: len(PLAN)]
    assert 1 < len(list(trial.state_dir.rglob("*.oplog")))


@pytest.mark.parametrize(("operation", "when"), STEPS)
def test_a_kill_at_a_point_changes_nothing(operation: str, when: str, tmp_path: Path) -> None:
    """One point of each kind: the next process goes on where the log ends."""
    pick = drawn(operation, when)
    ending = pick.choice(ENDINGS)

    check(tmp_path, ending, pick.choice(points(ending, operation, when)))


@pytest.mark.parametrize("number", range(6))
def test_a_kill_during_recovery_changes_nothing(number: int, tmp_path: Path) -> None:
    """A second process dies over what the first one left, and maybe a third."""
    pick = drawn("recovery", number)
    ending = pick.choice(ENDINGS)
    first = pick.choice(points(ending, *pick.choice(STEPS)))
    later = [
        Point(*pick.choice([s for s in STEPS if s[0] in {"write", "sync"}]), pick.randint(1, n))
        for n in (1, RECOVERING_MAX)
    ]

    check(tmp_path, ending, first, *later)


def moments(pick: Random, ending: str) -> Iterator[Moment]:
    for _ in range(pick.randint(1, 4)):
        reports = pick.randint(1, undisturbed(ending).lines)
        # Half of them at once: what is not on its way to the disk by then is lost.
        yield Moment(reports, pick.choice((0, pick.randrange(DELAY_NS_MAX))))


@pytest.mark.parametrize("number", range(6))
def test_kills_at_any_moment_change_nothing(number: int, tmp_path: Path) -> None:
    """Up to four processes, each killed some time after one of its lines."""
    pick = drawn("moment", number)
    ending = pick.choice(ENDINGS)

    check(tmp_path, ending, *moments(pick, ending))


@pytest.mark.long
@pytest.mark.parametrize("number", range(6, 60))
def test_more_kills_during_recovery(number: int, tmp_path: Path) -> None:
    """As the short test, with other draws."""
    test_a_kill_during_recovery_changes_nothing(number, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("number", range(6, 60))
def test_more_kills_at_any_moment(number: int, tmp_path: Path) -> None:
    """As the short test, with other draws."""
    test_kills_at_any_moment_change_nothing(number, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(("operation", "when"), STEPS)
def test_a_kill_at_every_point_changes_nothing(operation: str, when: str, tmp_path: Path) -> None:
    """All of them, one after the other; the last writes and syncs may come together at times."""
    trials = []
    for point in points("fail", operation, when):
        root = tmp_path / str(point.number)
        root.mkdir()
        trials.append(check(root, "fail", point))

    assert 0.8 * len(trials) <= sum(len(trial.history) > 1 for trial in trials)
