"""What people see of an entry of guest output, and where."""

from __future__ import annotations

from typing import Final

from golem_oplog.entries import Log, LogLevel, label

_AS_IT_IS: Final = frozenset((LogLevel.STDOUT, LogLevel.STDERR))


def shown(log: Log) -> tuple[LogLevel, bytes]:
    """
    The standard output that an entry is shown on, and the bytes.

    What was written to one of them is shown there as it is.  A message of ``wasi:logging`` is a line
    of its own on standard error, ``[warn] context: message``.
    """
    if log.level in _AS_IT_IS:
        return LogLevel(log.level), log.message
    context = f"{log.context}: " if log.context else ""
    end = b"" if log.message.endswith(b"\n") else b"\n"
    head = f"[{label(LogLevel, log.level)}] {context}".encode()
    return LogLevel.STDERR, b"".join((head, log.message, end))
