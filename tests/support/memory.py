"""How much memory this process holds, for tests that say it must not grow."""

from __future__ import annotations

import resource
from pathlib import Path


def resident_bytes() -> int:
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text("ascii").split()[1]) * resource.getpagesize()
    # Elsewhere only the peak can be had; a leak, or what is kept, raises that too.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
