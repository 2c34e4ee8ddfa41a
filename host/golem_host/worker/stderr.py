"""What a failed guest said about it: the end of its stderr, and the traceback in there."""

from __future__ import annotations

import re
from collections import deque
from typing import Final

from golem_oplog.entries import Log, LogLevel
from golem_oplog.protocol import Oplog

ENTRIES_MAX: Final = 128
"""Source: spec 3.7."""

# The first form opens a group; those of its members stand behind a bar and do not count.
_TRACEBACK: Final = re.compile(
    r"(?:^  \+ Exception Group |(?<!\| ))Traceback \(most recent call last\):$", re.MULTILINE
)
_IN_GROUP: Final = "  | "


def stderr_since(oplog: Oplog, index: int) -> str:
    """The last pieces the guest wrote to stderr from an index on, as text."""
    pieces: deque[bytes] = deque(maxlen=ENTRIES_MAX)
    for _, entry in oplog.read(max(index, 1)):
        if isinstance(entry, Log) and entry.level == LogLevel.STDERR:
            pieces.append(entry.message)
    return b"".join(pieces).decode("utf-8", "replace")


def traceback_in(stderr: str) -> str:
    """The last Python traceback in a text, without what follows it; empty where there is none."""
    starts = [match.start() for match in _TRACEBACK.finditer(stderr)]
    if not starts:
        return ""
    lines = stderr[starts[-1] :].splitlines()
    is_group = lines[0].startswith(" ")
    # It ends with the first line that is not indented: the exception itself, save for a group,
    # which is indented as a whole.
    for at, line in enumerate(lines[1:], start=1):
        if line and not line.startswith(" "):
            return "\n".join(lines[: at if is_group else at + 1])
    return "\n".join(lines)


def exception_line(traceback: str) -> str:
    """The line of a traceback that names the exception."""
    lines = traceback.splitlines()
    for line in lines:
        if line.startswith(_IN_GROUP) and not line.startswith(_IN_GROUP + " "):
            return line.removeprefix(_IN_GROUP)
    return lines[-1].strip() if lines else ""
