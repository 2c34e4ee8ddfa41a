"""The delay before the next attempt."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_host.worker.retry import DELAY_NS_MAX, MS, RetryPolicy

U64_MAX = 2**64 - 1


def delays_ms(policy: RetryPolicy, uniform: float = 0.0, attempts: int = 12) -> list[float | None]:
    """Delays after the first, second, ... failure, in milliseconds."""
    delays = [policy.delay_ns(failures, uniform) for failures in range(attempts)]
    return [None if delay is None else delay / MS for delay in delays]


def plain(attempts: int, shortest_ms: int, longest_ms: int, multiplier: float) -> RetryPolicy:
    return RetryPolicy(attempts, shortest_ms * MS, longest_ms * MS, multiplier, None)


@pytest.mark.parametrize(
    ("policy", "delays"),
    [
        (plain(3, 100, 1000, 3.0), [100, 100, 300]),
        (plain(5, 100, 2000, 2.0), [100, 100, 200, 400, 800]),
        (plain(6, 100, 1000, 1.5), [100, 100, 150, 225, 337.5, 506.25]),
        (
            plain(2**32 - 1, 100, 5000, 2.0),
            [100, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000, 5000],
        ),
    ],
    ids=["default", "doubling", "real-valued", "out of memory"],
)
def test_the_delays_of_the_specification(policy: RetryPolicy, delays: list[float]) -> None:
    """Spec B.7, with the real-valued multiplier of R13; then there is no further attempt."""
    none_left = [None] * (12 - len(delays))

    assert [*delays, *none_left] == delays_ms(policy)


def test_the_default_policy() -> None:
    """Appendix A: three retries between 100 ms and 1 s, tripled, with up to 15 % of jitter."""
    assert RetryPolicy(3, 100 * MS, 1000 * MS, 3.0, 0.15) == RetryPolicy()
    assert [115, 115, 345, None] == delays_ms(RetryPolicy(), uniform=1.0, attempts=4)


def test_jitter_only_ever_adds() -> None:
    """A share of the delay, drawn evenly."""
    policy = RetryPolicy(max_jitter_factor=0.5)

    assert [100, 125, 150] == [policy.delay_ns(0, u / 2) / MS for u in (0, 1, 2)]  # type: ignore[operator]


@pytest.mark.parametrize("factor", [None, 0.0])
def test_no_jitter_is_no_error(factor: float | None) -> None:
    """A factor of 0 is as good as none (R13)."""
    assert [100] == delays_ms(RetryPolicy(max_jitter_factor=factor), uniform=0.9, attempts=1)


def test_the_longest_delay_holds_after_jitter() -> None:
    """It is what an operator relies on."""
    policy = RetryPolicy(max_attempts=9, max_jitter_factor=1.0)

    assert 1000 == delays_ms(policy, uniform=0.999, attempts=9)[-1]


def test_no_attempts_means_none() -> None:
    """The first failure is the last."""
    assert RetryPolicy(max_attempts=0).delay_ns(0, 0.0) is None


def test_a_multiplier_of_nothing_waits_for_nothing() -> None:
    """From the third attempt on: the first two wait the shortest delay whatever it is."""
    assert [100, 100, 0, 0] == delays_ms(plain(4, 100, 1000, 0.0), attempts=4)


@pytest.mark.parametrize(
    ("multiplier", "factor", "failures"),
    [
        (math.nan, None, 2),
        (math.inf, None, 2),
        (-2.0, None, 2),
        (2.0, math.nan, 2),
        (2.0, -9.0, 2),
        (1e300, None, 50),
    ],
)
def test_numbers_that_mean_nothing_give_the_longest_delay(
    multiplier: float, factor: float | None, failures: int
) -> None:
    """A guest may set any policy, and must not end up retrying without a pause."""
    policy = RetryPolicy(99, 100 * MS, 1000 * MS, multiplier, factor)

    assert 1000 * MS == policy.delay_ns(failures, 0.5)


@given(
    policy=st.builds(
        RetryPolicy,
        st.integers(0, 2**32 - 1),
        st.integers(0, U64_MAX),
        st.integers(0, U64_MAX),
        st.floats(),
        st.none() | st.floats(),
    ),
    failures=st.integers(0, 2**32),
    uniform=st.floats(0, 1, exclude_max=True),
)
def test_every_policy_gives_a_delay_that_can_be_stored(
    policy: RetryPolicy, failures: int, uniform: float
) -> None:
    """Whatever numbers it holds: none exactly when no attempt is left, else within both bounds."""
    delay = policy.delay_ns(failures, uniform)

    assert (delay is None) is (failures >= policy.max_attempts)
    assert delay is None or 0 <= delay <= min(policy.max_delay_ns, DELAY_NS_MAX)
