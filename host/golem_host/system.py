"""The real clock and the real random source: the only module that asks the machine for either."""

from __future__ import annotations

import os
import random
import time
import uuid
from typing import Final

_CLOCK_RESOLUTION_NS: Final = max(1, round(time.get_clock_info("time").resolution * 1e9))


class SystemClock:
    """`time.time_ns`, bound once."""

    unix_ns = staticmethod(time.time_ns)

    def resolution_ns(self) -> int:
        return _CLOCK_RESOLUTION_NS


class SystemRandom:
    """The operating system's generator."""

    bytes = staticmethod(os.urandom)

    def __init__(self) -> None:
        self._generator = random.SystemRandom()

    def uniform(self) -> float:
        return self._generator.random()

    def uuid(self) -> str:
        return str(uuid.uuid4())
