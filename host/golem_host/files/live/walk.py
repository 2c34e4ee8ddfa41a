"""
What a path means below a directory of the host, found name by name.

Every name is opened by itself, below the descriptor of the one before and never through a symbolic
link; links and ``..`` are followed here, by what they say.  So whoever renames, links or replaces
something meanwhile gains an error at most: nothing outside of the base is ever opened.  Which error
where is as in `golem_host.files.tree`, which is as in wasmtime's WASI.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from golem_host.files import paths
from golem_host.files.errors import FileError
from golem_host.files.live.errors import in_codes

DEPTH_MAX: Final = 256
"""How many directories deep one path may lead: each has a descriptor while it is walked."""

_HERE: Final = paths.HERE.encode()
_ABOVE: Final = paths.ABOVE.encode()
# Enough to go on from, and where the system has it no right to read is needed.
_THROUGH: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

PSEUDO: Final = frozenset(
    (
        "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs",
        "efivarfs", "fusectl", "mqueue", "nsfs", "proc", "pstore", "securityfs", "selinuxfs",
        "sysfs", "tracefs",
    )
)  # fmt: skip
"""File systems that are the system's own doors: behind ``/proc/self`` lies this very process."""


class Place(NamedTuple):
    """Where a path leads."""

    directory: int
    """A descriptor, open as long as the walk."""
    name: bytes
    """In the directory; empty where the path ends with ``.`` or ``..`` or a slash."""
    status: os.stat_result | None
    """None where there is nothing of the name."""
    trail: tuple[bytes, ...]
    """The names from the base to what was found, without links."""

    @property
    def is_named(self) -> bool:
        return bool(self.name)

    @property
    def there(self) -> os.stat_result:
        if self.status is None:
            raise FileError("no-entry")
        return self.status


class Walk:
    """Paths below one descriptor; use `walking`."""

    def __init__(self, base: int) -> None:
        self._base = base
        self._opened: list[int] = []

    def close(self) -> None:
        while self._opened:
            os.close(self._opened.pop())

    def find(self, path: str, *, follow: bool) -> Place:
        """
        Args:
            path: What the guest says.
            follow: Whether a symbolic link at the very end stands for what it points to.

        Raises:
            FileError: It leads nowhere, or out of the base.
        """
        paths.check(path)
        with in_codes():
            return self._find([part.encode() for part in paths.parts(path)], follow=follow)

    def _find(self, left: list[bytes], *, follow: bool) -> Place:
        stack, trail = [self._base], list[bytes]()
        links = 0
        while left:
            part = left.pop()
            if part == _HERE:
                continue
            if part == _ABOVE:
                if not trail:
                    raise FileError("not-permitted")
                stack.pop()
                trail.pop()
                continue
            status = _look(part, stack[-1])
            if status is None:
                if left:
                    raise FileError("no-entry")
                return Place(stack[-1], part, None, (*trail, part))
            if stat.S_ISLNK(status.st_mode) and (left or follow):
                links += 1
                if links > paths.LINKS_MAX:
                    raise FileError("loop")
                left += _linked(part, stack[-1])
                continue
            if not left:
                return Place(stack[-1], part, status, (*trail, part))
            if not stat.S_ISDIR(status.st_mode):
                raise FileError("not-directory")
            stack.append(self._enter(part, stack[-1]))
            trail.append(part)
        return Place(stack[-1], b"", os.fstat(stack[-1]), tuple(trail))

    def _enter(self, name: bytes, directory: int) -> int:
        if len(self._opened) >= DEPTH_MAX:
            raise FileError("name-too-long")
        self._opened.append(os.open(name, _THROUGH, dir_fd=directory))
        refuse_pseudo(os.fstat(self._opened[-1]))
        return self._opened[-1]

    def follow_trail(self, trail: tuple[bytes, ...]) -> Place:
        """Where a trail leads that was found before."""
        with in_codes():
            return self._find(list(reversed(trail)), follow=False)


@contextmanager
def walking(base: int) -> Iterator[Walk]:
    """Walks whose places can be used until the block ends."""
    walk = Walk(base)
    try:
        yield walk
    finally:
        walk.close()


def _look(name: bytes, directory: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _linked(name: bytes, directory: int) -> list[bytes]:
    target = os.readlink(name, dir_fd=directory)
    if target.startswith(b"/"):
        raise FileError("not-permitted")
    # Bytes that are no text mean themselves.
    found = paths.parts(target.decode("utf-8", "surrogateescape"))
    return [part.encode("utf-8", "surrogateescape") for part in found]


def refuse_pseudo(status: os.stat_result) -> None:
    """
    Raises:
        FileError: It lies in one of the file systems of `PSEUDO`.
    """
    if _is_pseudo(status.st_dev):
        raise FileError("not-permitted")


@cache
def _is_pseudo(device: int) -> bool:
    return _kind_of(device) in PSEUDO


def _kind_of(device: int) -> str:
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
    except OSError:
        # Not Linux: there devices are all that is dangerous, and these are refused one by one.
        return ""
    for line in mounts.splitlines():
        about, _, kind = line.partition(" - ")
        if about.split()[2:3] == [wanted]:
            return kind.partition(" ")[0]
    return ""
