"""
An open file or directory of the host.

The same operations as `golem_host.files.descriptor` has for private files, on the host's own, with
the same errors.  Only regular files and directories are ever opened: a device or a pipe could act or
wait when it is.
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from typing import Final, NamedTuple

from golem_host.files import paths
from golem_host.files.descriptor import (
    DIRECTORY,
    READ_BYTES_MAX,
    REGULAR_FILE,
    SYMBOLIC_LINK,
    Facts,
    Flags,
    Times,
    flags_opened,
    refuse_how,
)
from golem_host.files.errors import FileError
from golem_host.files.live.errors import in_codes
from golem_host.files.live.walk import Place, refuse_pseudo, walking
from golem_host.files.mapping import Mapping
from golem_host.files.pages import SIZE_MAX

LIST_MAX: Final = 100_000
"""Entries of the largest directory that can be read."""

_KINDS: Final = {
    stat.S_IFBLK: "block-device",
    stat.S_IFCHR: "character-device",
    stat.S_IFDIR: DIRECTORY,
    stat.S_IFIFO: "fifo",
    stat.S_IFLNK: SYMBOLIC_LINK,
    stat.S_IFREG: REGULAR_FILE,
    stat.S_IFSOCK: "socket",
}
# Waits for nobody and takes no terminal, should something else have come in between.
_ALWAYS: Final = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class Known(NamedTuple):
    """What ``stat`` tells."""

    facts: Facts
    accessed_ns: int
    modified_ns: int
    identity: tuple[int, int]


def _known(status: os.stat_result) -> Known:
    facts = Facts(_kind(status), status.st_nlink, status.st_size)
    # There is no time before 1970 in WASI.
    times = max(status.st_atime_ns, 0), max(status.st_mtime_ns, 0)
    return Known(facts, *times, (status.st_ino, status.st_dev))


def _kind(status: os.stat_result) -> str:
    return _KINDS.get(stat.S_IFMT(status.st_mode), "unknown")


class LiveNode:
    """
    Behind one descriptor of the host's.

    Attributes:
        flags: How it was opened.
        trail: The names that lead to it from the directory where it was opened.
    """

    def __init__(
        self, descriptor: int, kind: str, flags: frozenset[str], trail: tuple[bytes, ...]
    ) -> None:
        self._descriptor = descriptor
        self.type = kind
        self.flags = flags
        self.trail = trail

    @classmethod
    def of_grant(cls, grant: Mapping) -> LiveNode:
        """Raises `FileError`."""
        with in_codes():
            descriptor = os.open(grant.host, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            node = cls(descriptor, DIRECTORY, frozenset(("read",)), ())
        try:
            refuse_pseudo(os.fstat(descriptor))
        except BaseException:
            node.close()
            raise
        return node

    def again(self, trail: tuple[bytes, ...], flags: frozenset[str]) -> LiveNode:
        """
        What was opened before, by the names that led to it.

        Raises:
            FileError: It is not there, or cannot be opened.
        """
        with walking(self._descriptor) as walk:
            place = walk.follow_trail(trail)
            place.there  # noqa: B018 - refuses
            return self._opened(place, flags, trail)

    def close(self) -> None:
        os.close(self._descriptor)

    def known(self) -> Known:
        with in_codes():
            return _known(os.fstat(self._descriptor))

    # -- files ----------------------------------------------------------------------------------

    def read(self, offset: int, size: int) -> bytes:
        size = min(size, READ_BYTES_MAX)
        if offset + size > SIZE_MAX:
            raise FileError("invalid")
        with in_codes():
            return os.pread(self._descriptor, size, offset)

    def write(self, offset: int, data: bytes) -> None:
        if offset + len(data) > SIZE_MAX:
            raise FileError("invalid")
        view = memoryview(data)
        with in_codes():
            while view:
                written = os.pwrite(self._descriptor, view, offset)
                offset += written
                view = view[written:]

    def resize(self, size: int) -> None:
        if size > SIZE_MAX:
            raise FileError("invalid")
        with in_codes():
            os.ftruncate(self._descriptor, size)

    def set_times(self, times: Times) -> None:
        with in_codes():
            os.utime(self._descriptor, ns=_both(times, os.fstat(self._descriptor)))

    def sync(self) -> None:
        with in_codes():
            os.fsync(self._descriptor)  # noqa: TID251 - of the guest's own files, as it asks

    # -- directories ----------------------------------------------------------------------------

    def entries(self) -> list[tuple[str, str | None]]:
        """Types and names, sorted; None for a name that is no Unicode."""
        found: list[tuple[str, str | None]] = []
        with in_codes(), os.scandir(self._descriptor) as scanned:
            for each in scanned:
                if len(found) == LIST_MAX:
                    raise FileError("overflow")
                name = None if _is_no_text(each.name) else each.name
                found.append((_kind_of_entry(each), name))
        return sorted(found, key=lambda each: each[1] or "")

    def known_at(self, path: str, *, follow: bool) -> Known:
        with walking(self._descriptor) as walk:
            return _known(walk.find(path, follow=follow).there)

    def set_times_at(self, path: str, times: Times, *, follow: bool) -> None:
        with walking(self._descriptor) as walk:
            place = walk.find(path, follow=follow)
            both = _both(times, place.there)
            with in_codes():
                if not place.is_named:
                    os.utime(b".", ns=both, dir_fd=place.directory)
                else:
                    os.utime(place.name, ns=both, dir_fd=place.directory, follow_symlinks=False)

    def open_at(self, path: str, how: Flags, flags: Flags, *, follow: bool) -> LiveNode:
        refuse_how(how, flags)
        with walking(self._descriptor) as walk:
            if "create" in how:
                exclusive = "exclusive" in how
                paths.check(path)
                bare, is_slashed = paths.unslashed(path)
                place = walk.find(bare, follow=follow and not exclusive and not is_slashed)
                if is_slashed and place.is_named:
                    raise FileError("is-directory")
                if place.status is not None and exclusive:
                    raise FileError("exist")
            else:
                place = walk.find(path, follow=follow)
                place.there  # noqa: B018 - refuses
            kind = REGULAR_FILE if place.status is None else _kind(place.status)
            opened = flags_opened(kind, how, flags)
            node = self._opened(place, opened, place.trail)
        if "truncate" in how:
            with ExitStack() as stack:
                stack.callback(node.close)
                node.resize(0)
                stack.pop_all()
        return node

    def _opened(self, place: Place, flags: frozenset[str], trail: tuple[bytes, ...]) -> LiveNode:
        """What is at a place; where nothing is, a new file."""
        if place.status is not None:
            _refuse_special(place.status)
        access = _access(flags)
        if place.status is None:
            access |= os.O_CREAT | os.O_EXCL
        with in_codes():
            name = place.name or b"."
            descriptor = os.open(name, access | _ALWAYS, 0o666, dir_fd=place.directory)
        node = LiveNode(descriptor, "", flags, trail)
        try:
            # What was there a moment ago may be something else now.
            status = os.fstat(descriptor)
            _refuse_special(status)
            refuse_pseudo(status)
        except BaseException:
            node.close()
            raise
        node.type = _kind(status)
        return node

    def make_directory_at(self, path: str) -> None:
        paths.check(path)
        with walking(self._descriptor) as walk:
            place = walk.find(paths.unslashed(path)[0], follow=False)
            if place.status is not None:
                raise FileError("exist")
            with in_codes():
                os.mkdir(place.name, dir_fd=place.directory)

    def remove_directory_at(self, path: str) -> None:
        with walking(self._descriptor) as walk:
            place = walk.find(path, follow=False)
            kind = _kind(place.there)
            if not place.is_named:
                raise FileError("invalid")
            if kind != DIRECTORY:
                raise FileError("not-directory")
            with in_codes():
                os.rmdir(place.name, dir_fd=place.directory)

    def unlink_at(self, path: str) -> None:
        with walking(self._descriptor) as walk:
            place = walk.find(path, follow=False)
            if _kind(place.there) == DIRECTORY:
                raise FileError("is-directory")
            with in_codes():
                os.unlink(place.name, dir_fd=place.directory)

    def readlink_at(self, path: str) -> str:
        with walking(self._descriptor) as walk:
            place = walk.find(path, follow=False)
            if _kind(place.there) != SYMBOLIC_LINK:
                raise FileError("invalid")
            with in_codes():
                target = os.readlink(place.name, dir_fd=place.directory)
        if target.startswith(b"/"):
            raise FileError("not-permitted")
        try:
            return target.decode()
        except UnicodeDecodeError:
            raise FileError("illegal-byte-sequence") from None

    def symlink_at(self, target: str, path: str) -> None:
        if target.startswith("/"):
            raise FileError("not-permitted")
        paths.check(target)
        with walking(self._descriptor) as walk:
            place = walk.find(path, follow=False)
            if place.status is not None:
                raise FileError("exist")
            with in_codes():
                os.symlink(target.encode(), place.name, dir_fd=place.directory)

    def link_at(self, path: str, other: LiveNode, new_path: str) -> None:
        with walking(self._descriptor) as walk, walking(other._descriptor) as new_walk:
            old = walk.find(path, follow=False)
            kind = _kind(old.there)
            new = new_walk.find(new_path, follow=False)
            if new.status is not None:
                raise FileError("exist")
            if kind == DIRECTORY:
                raise FileError("not-permitted")
            with in_codes():
                os.link(
                    old.name,
                    new.name,
                    src_dir_fd=old.directory,
                    dst_dir_fd=new.directory,
                    follow_symlinks=False,
                )

    def rename_at(
        self, path: str, other: LiveNode, new_path: str
    ) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        """The names that led to it, from here, and those that do now, from the other directory."""
        paths.check(path)
        paths.check(new_path)
        bare, is_slashed = paths.unslashed(path)
        new_bare, is_new_slashed = paths.unslashed(new_path)
        with walking(self._descriptor) as walk, walking(other._descriptor) as new_walk:
            old = walk.find(bare, follow=False)
            new = new_walk.find(new_bare, follow=False)
            if not old.is_named or not new.is_named:
                raise FileError("busy")
            if _kind(old.there) != DIRECTORY and (is_slashed or is_new_slashed):
                raise FileError("not-directory")
            with in_codes():
                os.rename(  # noqa: TID251 - the guest's own files, as it asks
                    old.name, new.name, src_dir_fd=old.directory, dst_dir_fd=new.directory
                )
            return old.trail, new.trail


def _refuse_special(status: os.stat_result) -> None:
    """Refuse what is neither a file nor a directory, nor a link, which nothing here opens."""
    if _kind(status) not in (REGULAR_FILE, DIRECTORY, SYMBOLIC_LINK):
        raise FileError("not-permitted")


def _access(flags: frozenset[str]) -> int:
    if "write" not in flags:
        return os.O_RDONLY
    return os.O_RDWR if "read" in flags else os.O_WRONLY


def _both(times: Times, status: os.stat_result) -> tuple[int, int]:
    accessed, modified = times
    return (
        status.st_atime_ns if accessed is None else accessed,
        status.st_mtime_ns if modified is None else modified,
    )


def _is_no_text(name: str) -> bool:
    # Bytes that are no UTF-8 come as halves of surrogate pairs.
    return not name.isascii() and any("\ud800" <= each <= "\udfff" for each in name)


def _kind_of_entry(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return SYMBOLIC_LINK
    if entry.is_dir(follow_symlinks=False):
        return DIRECTORY
    if entry.is_file(follow_symlinks=False):
        return REGULAR_FILE
    return _kind(entry.stat(follow_symlinks=False))
