"""Strategies: what guests are asked to do, and when the computer stops."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from tests.support.model.guest import Script, Step
from tests.support.model.machine import Stop
from tests.support.model.world import KINDS

OPERATIONS_MAX: Final = 40

STOP: Final = st.builds(Stop, st.integers(2, 16), st.booleans(), st.integers(0, 255))
STOPS: Final[st.SearchStrategy[Stop | None]] = st.none() | st.builds(
    Stop, st.integers(0, OPERATIONS_MAX), st.booleans(), st.integers(0, 255)
)

_TIMES: Final = st.sampled_from((1, 1, 1, 2, 2, 4))
"""Mostly fewer than there are attempts: a worker that has failed learns nothing more."""
_EFFECTS: Final = st.sampled_from(KINDS).map(lambda kind: ["do", kind])
_FLAKY: Final = st.builds(lambda kind, times: ["do", kind, times], st.sampled_from(KINDS), _TIMES)
_TRAPS: Final = _TIMES.map(lambda times: ["trap", times])
_POLICIES: Final = st.sampled_from((2, 3, 4, 4, 0)).map(lambda attempts: ["policy", attempts])
_PLAIN: Final[st.SearchStrategy[Step]] = st.one_of(_EFFECTS, _EFFECTS, _FLAKY, _TRAPS)
_BODIES: Final = st.lists(_PLAIN, min_size=1, max_size=2)
_BRACKETS: Final = st.builds(
    lambda name, body: [name, body],
    st.sampled_from(("region", "travel")),
    _BODIES | st.builds(lambda body, rest: [["region", body], *rest], _BODIES, _BODIES),
)
_ZONES: Final = st.one_of(_BODIES, _BODIES.map(lambda body: [["region", body]])).map(
    lambda body: ["zone", body]
)
_SINGLE: Final[st.SearchStrategy[Step]] = st.sampled_from(
    (["once"], ["wait"], ["make"], ["make"], ["commit"], ["key"])
).map(list)


def scripts(
    others: list[str], promises: list[tuple[str, int]], *, may_fork: bool
) -> st.SearchStrategy[Script]:
    """
    Args:
        others: Workers that may be operated on.
        promises: Owners and indexes of those that there are.
        may_fork: Whether there may be more workers.
    """
    steps: list[st.SearchStrategy[Any]] = [_EFFECTS, _PLAIN, _POLICIES, _BRACKETS, _ZONES, _SINGLE]
    if promises:
        steps.append(st.sampled_from(promises).map(lambda promise: ["complete", *promise]))
    if others:
        steps.append(_surgery(others))
    if may_fork:
        steps.append(st.just(["fork"]))
    return st.lists(st.one_of(steps), min_size=1, max_size=4)


def writes(others: list[str], promises: list[tuple[str, int]]) -> st.SearchStrategy[Script]:
    """Scripts of which it matters most where they are cut off; arguments as for `scripts`."""
    kinds = ("read-local", "write-remote", "write-remote-batched")
    steps: list[st.SearchStrategy[Any]] = [
        st.sampled_from(kinds).map(lambda kind: ["do", kind]),
        st.just(["once"]),
    ]
    if promises:
        steps.append(st.sampled_from(promises).map(lambda promise: ["complete", *promise]))
    if others:
        steps.append(_surgery(others))
    return st.lists(st.one_of(steps), min_size=2, max_size=4)


def _surgery(others: list[str]) -> st.SearchStrategy[Step]:
    """What a worker does to another one, by name."""
    modes = st.sampled_from(("automatic", "snapshot-based"))
    return st.sampled_from(others).map(lambda other: ["revert", other]) | st.tuples(
        st.sampled_from(others), st.integers(0, 2), modes
    ).map(lambda update: ["update", *update])
