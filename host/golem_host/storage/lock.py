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
    """
    Held from construction to `close`.

    The file's first line is the owner's process id, the second one the path of its control
    socket, if that is not where it would be looked for.
    """

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

    def tell_socket(self, path: Path) -> None:
        """Write down where the control socket is."""
        os.pwrite(self._fd, b"%d\n%b\n" % (os.getpid(), os.fsencode(path)), 0)

    def close(self) -> None:
        # The file stays: removing it would let two owners lock two files of the same name.
        os.close(self._fd)


def told_socket(path: Path) -> Path | None:
    """What `StateLock.tell_socket` wrote into the lock file at a path; None for nothing."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return None
    return Path(os.fsdecode(lines[1])) if len(lines) > 1 and lines[1] else None


def _owner(fd: int) -> int | None:
    text = os.pread(fd, 32, 0).partition(b"\n")[0].decode("ascii", "replace").strip()
    return int(text) if text.isascii() and text.isdigit() else None
