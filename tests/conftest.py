"""Settings shared by all tests: how much of the long suites runs."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

PROFILE_VARIABLE = "GOLEM_HOST_TEST_PROFILE"
"""``sample`` (the default) is quick and draws the same examples every time; ``full`` is neither."""

settings.register_profile("sample", derandomize=True, max_examples=60, deadline=None)
settings.register_profile("full", max_examples=1000, deadline=None)
settings.load_profile("full" if os.environ.get(PROFILE_VARIABLE) == "full" else "sample")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what is marked ``long`` unless everything was asked for."""
    if os.environ.get(PROFILE_VARIABLE) == "full":
        return
    kept = [item for item in items if item.get_closest_marker("long") is None]
    if len(kept) != len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


def pytest_xdist_auto_num_workers() -> int:
    """Half as many processes again as there are cores: half of a test's time it waits for a child."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max((cores or 1) * 3 // 2, 2)
