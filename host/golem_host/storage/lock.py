"""
One owner per state directory: an advisory lock that the kernel releases whatever happens.

Source: ARCHITECTURE section 5.
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from golem_host.errors import StateDirError, StateDirLockedError, os_reason
from golem_oplog.closing import ClosesOnExit


class StateLock(ClosesOnExit):
    """Held from construction to `close`.  The file's text is the owner's process id."""

    def __init__(self, path: Path) -> None:
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateDirError(path=str(path.parent), reason=os_reason(error)) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            owner = _owner(self._fd)
            os.close(self._fd)
            if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
                raise StateDirLockedError(
                    path=str(path.parent), reason="in use", pid=owner
                ) from error
            raise StateDirError(path=str(path.parent), reason=os_reason(error)) from error

    def close(self) -> None:
        # The file stays: removing it would let two owners lock two files of the same name.
        os.close(self._fd)


def _owner(fd: int) -> int | None:
    text = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
    return int(text) if text.isascii() and text.isdigit() else None
