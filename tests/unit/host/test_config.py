"""What an embedder may set, and what is refused before it does harm."""

from __future__ import annotations

from dataclasses import replace

import pytest

from golem_host.config import HostConfig
from tests.support.world import FrozenClock


class Told(FrozenClock):
    """A clock that answers whatever it was told."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self._answer = answer

    def unix_ns(self) -> int:
        return self._answer  # type: ignore[return-value] # that is the point


@pytest.mark.parametrize("name", ["memory_bytes_max", "oplog_bytes_max", "output_bytes_per_s"])
def test_a_bound_of_nothing_is_refused(name: str) -> None:
    """A host that can do nothing is a mistake."""
    with pytest.raises(ValueError, match=f"{name} must be positive"):
        replace(HostConfig(), **{name: 0})  # type: ignore[arg-type] # a name by its text


def test_a_host_may_run_nothing_but_not_less() -> None:
    """For commands that leave the work to others."""
    assert 0 == replace(HostConfig(), threads_max=0).threads_max
    with pytest.raises(ValueError, match="threads_max must not be negative"):
        replace(HostConfig(), threads_max=-1)


@pytest.mark.parametrize("answer", [1.7e18, -1, 1 << 63, None, True])
def test_a_clock_that_would_spoil_the_log_is_refused(answer: object) -> None:
    """Entries are written without a look at the type of their time."""
    with pytest.raises(ValueError, match=r"clock\.unix_ns\(\) must return nanoseconds"):
        HostConfig(clock=Told(answer))


def test_interfaces_are_several() -> None:
    """A single one is easily forgotten to be put into a list."""
    with pytest.raises(TypeError, match="interfaces must be a list or a tuple of instances"):
        HostConfig(interfaces=object())  # type: ignore[arg-type]
