"""The real clock and the real random source: the only module that asks the machine for either."""

from __future__ import annotations

import os
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Final

_CLOCK_RESOLUTION_NS: Final = max(1, round(time.get_clock_info("time").resolution * 1e9))


monotonic_s: Final = time.monotonic
"""Seconds that only go forward: for callers' timeouts, never for anything that is recorded."""


thread_cpu_s: Final = time.thread_time
"""Seconds of computing that the calling thread has done: for decisions about speed, as above."""


THREAD_WAIT_S_MAX: Final = threading.TIMEOUT_MAX
"""How long a thread can wait at once, some 290 years: more is an OverflowError."""


class SystemClock:
    """`time.time_ns`, bound once."""

    unix_ns = staticmethod(time.time_ns)

    def resolution_ns(self) -> int:
        return _CLOCK_RESOLUTION_NS


class SystemRandom:
    """The operating system's generator."""

    bytes = staticmethod(os.urandom)

    def uniform(self) -> float:
        import random  # noqa: PLC0415 - start-up

        return random.SystemRandom().random()

    def uuid(self) -> str:
        return str(uuid.uuid4())


def boot_id() -> str:
    """What tells one run of this machine from the next; empty where that cannot be found out."""
    try:
        if sys.platform == "darwin":
            return _boot_session()
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _boot_session() -> str:
    from subprocess import run  # noqa: PLC0415 - slow to import, and only one system asks

    asked = ("/usr/sbin/sysctl", "-n", "kern.bootsessionuuid")
    return run(  # noqa: S603 - a constant
        asked, capture_output=True, text=True, check=False
    ).stdout.strip()
