"""Waiting for what another thread does and tells nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from golem_host.system import monotonic_s

PATIENCE_S: Final = 20.0


def until(holds: Callable[[], object]) -> None:
    """Return as soon as it holds; fail where it does not come to."""
    ends = monotonic_s() + PATIENCE_S
    while not holds():
        assert monotonic_s() < ends, "it did not come to hold"
        threading.Event().wait(0.005)
