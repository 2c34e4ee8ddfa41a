"""This process's own standard input, as a descriptor that a guest may read."""

from __future__ import annotations

import os
import stat
import sys


def standard_input() -> int | None:
    """None where there is none, or where it is no descriptor."""
    try:
        descriptor = sys.stdin.fileno()
        os.fstat(descriptor)
    except (AttributeError, OSError, ValueError):
        return None
    return descriptor


def has_input() -> bool:
    """Whether something was put there on purpose: a pipe, or a file that is not empty."""
    descriptor = standard_input()
    if descriptor is None:
        return False
    found = os.fstat(descriptor)
    return stat.S_ISFIFO(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_size > 0)
