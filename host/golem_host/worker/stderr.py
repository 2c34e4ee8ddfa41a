"""What a failed guest said about it: the end of its stderr, and the traceback in there."""

from __future__ import annotations

from collections import deque
from typing import Final

from golem_oplog.entries import Log, LogLevel
from golem_oplog.protocol import Oplog

ENTRIES_MAX: Final = 128
"""Source: spec 3.7."""

_TRACEBACK: Final = "Traceback (most recent call last):"


def stderr_since(oplog: Oplog, index: int) -> str:
    """The last pieces the guest wrote to stderr from an index on, as text."""
    pieces: deque[bytes] = deque(maxlen=ENTRIES_MAX)
    for _, entry in oplog.read(max(index, 1)):
        if isinstance(entry, Log) and entry.level == LogLevel.STDERR:
            pieces.append(entry.message)
    return b"".join(pieces).decode("utf-8", "replace")


def traceback_in(stderr: str) -> str:
    """The last Python traceback in a text, without what follows it; empty where there is none."""
    start = stderr.rfind(_TRACEBACK)
    if start < 0:
        return ""
    lines = stderr[start:].splitlines()
    # A traceback ends with the first line that is not indented: the exception itself.
    for at, line in enumerate(lines[1:], start=1):
        if line and not line.startswith(" "):
            return "\n".join(lines[: at + 1])
    return "\n".join(lines)


def exception_line(traceback: str) -> str:
    """The line of a traceback that names the exception."""
    return traceback.splitlines()[-1].strip() if traceback else ""
