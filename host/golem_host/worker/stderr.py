"""What a failed guest said about it: the end of its stderr, and the traceback in there."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final

from golem_oplog.entries import Log, LogLevel
from golem_oplog.protocol import Oplog

ENTRIES_MAX: Final = 128
"""Source: spec 3.7."""
SEARCHED_BYTES_MAX: Final = 1 << 20
"""Of the end of a guest's stderr: a traceback is looked for in there, however many pieces it has."""
TRACEBACK_CHARS_MAX: Final = 32_000
"""Of a longer one its first lines and its last ones are kept, each as an exception's own line."""
HEAD_CHARS: Final = 8_000
MESSAGE_CHARS_MAX: Final = 2_000
"""Of the line that names an exception; a longer one is cut."""

# The first form opens a group; those of its members stand behind a bar and do not count.
# Patterns are compiled when they are first looked for: most processes see no traceback.
_TRACEBACK: Final = r"(?m)(?:^  \+ Exception Group |(?<!\| ))Traceback \(most recent call last\):$"
_IN_GROUP: Final = "  | "
_CHAINED: Final = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
# What the runtime of a guest in Python says next when an exception has left an export.
_PANIC: Final = r"(?m)^thread '[^'\n]*' (?:\(\d+\) )?panicked at "


def stderr_since(oplog: Oplog, index: int) -> str:
    """The last pieces the guest wrote to stderr from an index on, as text."""
    return _text(deque(_pieces(oplog, index), maxlen=ENTRIES_MAX))


def searched_since(oplog: Oplog, index: int) -> str:
    """As `stderr_since`, as much as a traceback may be looked for in."""
    kept: deque[bytes] = deque()
    size_bytes = 0
    for piece in _pieces(oplog, index):
        kept.append(piece)
        size_bytes += len(piece)
        while size_bytes > SEARCHED_BYTES_MAX and len(kept) > 1:
            size_bytes -= len(kept.popleft())
    return _text(kept)


def _pieces(oplog: Oplog, index: int) -> Iterator[bytes]:
    for _, entry in oplog.read(max(index, 1)):
        if isinstance(entry, Log) and entry.level == LogLevel.STDERR:
            yield entry.message


def _text(pieces: Iterable[bytes]) -> str:
    return b"".join(pieces).decode("utf-8", "replace")


def traceback_in(stderr: str) -> str:
    """
    The last Python traceback in a text, with those of its causes and without what follows it; empty
    where there is none.
    """
    starts = [match.start() for match in re.finditer(_TRACEBACK, stderr)]
    if not starts:
        return ""
    last = starts.pop()
    end = _end(stderr, last)
    first = last
    while starts and stderr[: first - 1].rstrip().endswith(_CHAINED):
        first = starts.pop()
    return _shortened(stderr[first:end].rstrip("\n"))


def _end(stderr: str, start: int) -> int:
    """Where the traceback that begins there is over."""
    panic = re.compile(_PANIC).search(stderr, start)
    if panic is not None:
        # A message of several lines, and notes, are the exception's own.
        return panic.start()
    lines = stderr[start:].splitlines(keepends=True)
    is_group = lines[0].startswith(" ")
    end = start + len(lines[0])
    # It ends with the first line that is not indented: the exception itself, save for a group,
    # which is indented as a whole.
    for line in lines[1:]:
        if line.strip() and not line.startswith(" "):
            return end if is_group else end + len(line)
        end += len(line)
    return end


def _shortened(traceback: str) -> str:
    if len(traceback) <= TRACEBACK_CHARS_MAX:
        return traceback
    lines = [_message(line) for line in traceback.splitlines()]
    sizes = list(accumulate(len(line) + 1 for line in lines))
    if sizes[-1] <= TRACEBACK_CHARS_MAX:
        return "\n".join(lines)
    head = bisect_right(sizes, HEAD_CHARS)
    tail = bisect_left(sizes, sizes[-1] - (TRACEBACK_CHARS_MAX - HEAD_CHARS)) + 1
    mark = f"  ... {tail - head} lines are left out here ..."
    return "\n".join([*lines[:head], mark, *lines[tail:]])


def exception_line(traceback: str) -> str:
    """The line of a traceback that names the exception, or the last one of a chain."""
    starts = [match.start() for match in re.finditer(_TRACEBACK, traceback)]
    lines = traceback[starts[-1] if starts else 0 :].splitlines()
    for line in lines:
        if line.startswith(_IN_GROUP) and not line.startswith(_IN_GROUP + " "):
            return _message(line.removeprefix(_IN_GROUP))
    for line in lines[1:]:
        if line.strip() and not line.startswith(" "):
            return _message(line)
    return _message(lines[-1].strip()) if lines else ""


def _message(line: str) -> str:
    return line if len(line) <= MESSAGE_CHARS_MAX else f"{line[:MESSAGE_CHARS_MAX]}..."
