"""This process's own standard input, for a guest to read."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from golem_host.services.console import InputSource


@cache
def standard_input() -> InputSource | None:
    """
    None where there is none, or where it is no descriptor.

    One object for this process: it knows what was read on behalf of one owner of the state
    directory when the next one asks.
    """
    from golem_host.services.console import InputSource

    try:
        descriptor = sys.stdin.fileno()
        os.fstat(descriptor)
    except (AttributeError, OSError, ValueError):
        return None
    return InputSource(descriptor)
