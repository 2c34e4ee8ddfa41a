"""
The file system as the log uses it, and the only module here that calls ``os``.

The log relies on five things and no more.  A rename within a directory is atomic.  What was
written before a `File.sync` that returned is there after a power failure; what was written later is
there in part, in any order.  A name is as durable as the last `Files.sync_dir` of its directory.  A
sync that failed may have thrown data away, and a later one that succeeds says nothing about it.  A
read sees what this machine wrote last, durable or not.

Every method raises `OSError` and nothing else.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import RLock
from typing import Final, Protocol

OPEN_FILES_MAX: Final = 256
UNIQUE_ID_BYTES: Final = 16
TEMPORARY_SUFFIX: Final = ".tmp"

# What `link` fails with where a copy would do: too many links, another file system, no links here.
CANNOT_LINK: Final = frozenset(
    {
        errno.EMLINK,
        errno.EXDEV,
        errno.EPERM,
        errno.ENOTSUP,
        errno.EOPNOTSUPP,
    }
)


class File(Protocol):
    """One open file.  Its methods may be called from several threads."""

    def read_at(self, offset: int, size_bytes: int) -> bytes:
        """Read up to the size asked for, less only at the end of the file."""
        ...

    def write_at(self, offset: int, data: bytes) -> None:
        """Write all of it; where it raises, any part may have been written."""
        ...

    def truncate(self, size_bytes: int) -> None:
        """Cut the file off, or extend it by zeros."""
        ...

    def sync(self) -> None:
        """Return when all that was written, and the size, would survive a power failure."""
        ...

    def size(self) -> int: ...

    def close(self) -> None:
        """Let go of the file without syncing it."""
        ...


class Files(Protocol):
    """A file system.  Paths are absolute, or relative to the working directory."""

    def open(self, path: Path, *, writable: bool = False) -> File: ...

    def create(self, path: Path) -> File:
        """Create an empty file, in place of one that is there."""
        ...

    def rename(self, source: Path, target: Path) -> None:
        """Rename within a directory, in place of a file that is there."""
        ...

    def link(self, source: Path, target: Path) -> None: ...

    def remove(self, path: Path) -> None: ...

    def remove_dir(self, path: Path) -> None:
        """Remove an empty directory."""
        ...

    def make_dir(self, path: Path) -> None:
        """Create a directory, unless it is there; its parent must be."""
        ...

    def list_dir(self, path: Path) -> list[tuple[str, bool]]:
        """Names in a directory, sorted, each with whether it is a directory."""
        ...

    def sync_dir(self, path: Path) -> None: ...

    def unique_id(self) -> bytes:
        """Sixteen bytes that nobody had before."""
        ...


def write_durably(files: Files, path: Path, data: bytes) -> None:
    """
    Put a whole file in place: after a crash there is the old one or the new one.

    The one way in which the log creates a file that must not be found half written.
    """
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    file = files.create(temporary)
    try:
        file.write_at(0, data)
        file.sync()
    finally:
        file.close()
    files.rename(temporary, path)
    files.sync_dir(path.parent)


def read_whole(files: Files, path: Path) -> bytes:
    file = files.open(path)
    try:
        return file.read_at(0, file.size())
    finally:
        file.close()


def size_of(files: Files, path: Path) -> int:
    file = files.open(path)
    try:
        return file.size()
    finally:
        file.close()


def exists(files: Files, path: Path) -> bool:
    try:
        files.open(path).close()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def make_dirs_durably(files: Files, root: Path, path: Path) -> None:
    """
    Create a directory below ``root``, and whatever is missing above it.

    Those that are there are synced as well: whoever made them may have been killed before.
    """
    for directory in reversed([path, *path.parents][: len(path.relative_to(root).parts) + 1]):
        files.make_dir(directory)
        files.sync_dir(directory.parent)


def pick_sync(platform: str) -> Callable[[int], object]:
    """
    The call after which file data survives a power failure.

    On macOS ``fsync`` leaves the data in the drive's cache; only this fcntl waits for the drive.
    """
    if platform == "darwin":
        full_sync: int = getattr(fcntl, "F_FULLFSYNC", 51)
        return lambda fd: fcntl.fcntl(fd, full_sync)
    return os.fdatasync


class _Descriptors:
    """
    At most so many open descriptors, the least recently used closed first.

    A file with writes that were not synced keeps its descriptor for as long as another can be
    closed instead: an error of the write-back is reported to descriptors that are open.  If all
    have such writes, the oldest is synced before it is closed.
    """

    def __init__(self, open_max: int) -> None:
        self._open_max = open_max
        # Taken again by the thread that has it: a reader that was given up in the middle is closed
        # by the garbage collector, wherever the thread is then.
        self._lock = RLock()
        self._open: OrderedDict[OsFile, None] = OrderedDict()

    def borrow(self, file: OsFile) -> int:
        with self._lock:
            if file.closed:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF), str(file.path))
            if file.fd is None:
                self._make_room()
                file.fd = os.open(file.path, file.flags | os.O_CLOEXEC, 0o600)
                # Whoever creates a file creates it once; from now on it is there.
                file.flags &= ~(os.O_CREAT | os.O_TRUNC)
            self._open[file] = None
            self._open.move_to_end(file)
            file.users += 1
            return file.fd

    def give_back(self, file: OsFile) -> None:
        with self._lock:
            file.users -= 1
            if file.closed and not file.users:
                self._close(file)

    def close(self, file: OsFile) -> None:
        with self._lock:
            file.closed = True
            if not file.users:
                self._close(file)

    def _make_room(self) -> None:
        while len(self._open) >= self._open_max:
            # Of a copy: see above.
            idle = [file for file in list(self._open) if not file.users]
            if not idle:
                return  # All are in use at this moment: go over the limit rather than wait.
            victim = next((file for file in idle if not file.dirty), idle[0])
            if victim.dirty:
                victim.sync_before_eviction()
            self._close(victim)

    def _close(self, file: OsFile) -> None:
        fd, file.fd = file.fd, None
        self._open.pop(file, None)
        if fd is not None:
            os.close(fd)


class OsFile:
    """A `File` whose descriptor comes and goes."""

    __slots__ = (
        "_descriptors",
        "_sync",
        "closed",
        "dirty",
        "failure",
        "fd",
        "flags",
        "path",
        "users",
    )

    def __init__(
        self, path: Path, flags: int, descriptors: _Descriptors, sync: Callable[[int], object]
    ) -> None:
        self.path = path
        self.flags = flags
        self.fd: int | None = None
        self.users = 0
        self.closed = False
        self.dirty = False
        self.failure: OSError | None = None
        self._descriptors = descriptors
        self._sync = sync

    def read_at(self, offset: int, size_bytes: int) -> bytes:
        fd = self._descriptors.borrow(self)
        try:
            data = os.pread(fd, size_bytes, offset)
            if len(data) == size_bytes or not data:
                return data
            pieces = [data]
            offset += len(data)
            size_bytes -= len(data)
            while size_bytes and (piece := os.pread(fd, size_bytes, offset)):
                pieces.append(piece)
                offset += len(piece)
                size_bytes -= len(piece)
            return b"".join(pieces)
        finally:
            self._descriptors.give_back(self)

    def write_at(self, offset: int, data: bytes) -> None:
        fd = self._descriptors.borrow(self)
        try:
            self.dirty = True
            written = os.pwrite(fd, data, offset)
            while written < len(data):
                written += os.pwrite(fd, data[written:], offset + written)
        finally:
            self._descriptors.give_back(self)

    def truncate(self, size_bytes: int) -> None:
        fd = self._descriptors.borrow(self)
        try:
            self.dirty = True
            os.ftruncate(fd, size_bytes)
        finally:
            self._descriptors.give_back(self)

    def sync(self) -> None:
        fd = self._descriptors.borrow(self)
        try:
            if self.failure is not None:
                raise self.failure
            # Cleared before: what another thread writes meanwhile is not covered.
            self.dirty = False
            self._sync(fd)
        finally:
            self._descriptors.give_back(self)

    def sync_before_eviction(self) -> None:
        """Sync from within the table of descriptors; a failure is kept for the next `sync`."""
        assert self.fd is not None
        try:
            self._sync(self.fd)
        except OSError as error:
            self.failure = error
        self.dirty = False

    def size(self) -> int:
        fd = self._descriptors.borrow(self)
        try:
            return os.fstat(fd).st_size
        finally:
            self._descriptors.give_back(self)

    def close(self) -> None:
        self._descriptors.close(self)


class OsFiles:
    """The real file system."""

    def __init__(self, open_files_max: int = OPEN_FILES_MAX, platform: str = sys.platform) -> None:
        self._descriptors = _Descriptors(open_files_max)
        self._sync = pick_sync(platform)

    def open(self, path: Path, *, writable: bool = False) -> File:
        return self._opened(path, os.O_RDWR if writable else os.O_RDONLY)

    def create(self, path: Path) -> File:
        return self._opened(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)

    def _opened(self, path: Path, flags: int) -> OsFile:
        file = OsFile(path, flags, self._descriptors, self._sync)
        # Open it now, so that what is missing or forbidden is reported here.
        self._descriptors.borrow(file)
        self._descriptors.give_back(file)
        return file

    def rename(self, source: Path, target: Path) -> None:
        os.replace(source, target)

    def link(self, source: Path, target: Path) -> None:
        os.link(source, target)

    def remove(self, path: Path) -> None:
        os.unlink(path)

    def remove_dir(self, path: Path) -> None:
        os.rmdir(path)

    def make_dir(self, path: Path) -> None:
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            if not os.path.isdir(path):
                raise

    def list_dir(self, path: Path) -> list[tuple[str, bool]]:
        with os.scandir(path) as entries:
            return sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)

    def sync_dir(self, path: Path) -> None:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def unique_id(self) -> bytes:
        return os.urandom(UNIQUE_ID_BYTES)
