"""
A disk in memory that fails like real ones, as a `golem_oplog.files.Files`.

What it may do, and why the log has to live with it:

===================  =============================================================================
fault                real cause
===================  =============================================================================
`after_power_failure`  the machine stops.  Of every file, what was written since its last successful
                     sync is kept or lost sector by sector, in any order, as a disk's cache and the
                     write-back of the kernel leave it; truncations likewise.  Of every directory,
                     each change of a name since its last sync is kept or lost; a rename as a whole.
``crash_at``         stops at a numbered operation with `PowerFailureError`: in the middle of a write,
                     before a sync has done anything, after everything else
``fail``             an operation raises an `OSError`: no space, an I/O error, a read-only disk.  A
                     write has then written a part.  A sync of a file has thrown away what it should
                     have written, while reads still see it: so Linux behaves, see "Can Applications
                     Recover from fsync Failures?", Rebello et al., 2020
===================  =============================================================================

It never invents bytes, loses what was synced, or reorders across a sync that succeeded: no log
could live with that, only report it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final, TypeAlias

from golem_oplog.files import UNIQUE_ID_BYTES

SECTOR_SIZE_BYTES: Final = 512
ROOT: Final = Path("/disk")

Keep: TypeAlias = Callable[[], bool]
"""Whether the next sector, truncation or change of a name survives."""


class PowerFailureError(BaseException):
    """The machine has stopped: nothing above may catch this and go on."""


@dataclass(eq=False)
class _Inode:
    """One file: what reads see, what is on the platter, and the writes in between."""

    seen: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Offset and bytes of a write; size and None of a truncation."""

    def sync(self) -> None:
        for change in self.pending:
            _apply(self.durable, change)
        self.pending.clear()

    def after_power_failure(self, keep: Keep) -> _Inode:
        content = bytearray(self.durable)
        for offset, data in self.pending:
            if data is None:
                if keep():
                    _apply(content, (offset, None))
                continue
            for start, piece in _sectors(offset, data):
                if keep():
                    _apply(content, (start, piece))
        return _Inode(bytearray(content), content)


def _apply(content: bytearray, change: tuple[int, bytes | None]) -> None:
    offset, data = change
    end = offset + len(data or b"")
    if data is None:
        del content[offset:]
    content.extend(bytes(max(end - len(content), 0)))
    if data is not None:
        content[offset:end] = data


def _sectors(offset: int, data: bytes) -> list[tuple[int, bytes]]:
    first = SECTOR_SIZE_BYTES - offset % SECTOR_SIZE_BYTES
    cuts = [0, *range(first, len(data), SECTOR_SIZE_BYTES), len(data)]
    return [(offset + start, data[start:end]) for start, end in pairwise(cuts) if start < end]


_Names: TypeAlias = dict[Path, _Inode | None]
"""Paths that exist; None for a directory."""


@dataclass(frozen=True)
class _NameChange:
    """One change in a directory: a name goes, another one comes, or both at once."""

    gone: Path | None
    come: Path | None
    inode: _Inode | None = None

    def apply(self, names: _Names) -> None:
        if self.gone is not None:
            names.pop(self.gone, None)
        if self.come is not None:
            names[self.come] = self.inode


@dataclass
class _Fault:
    operation: str
    name: str
    error: int
    after: int


class FaultyFiles:
    """The disk.  ``operations`` counts what could fail; a run with the same seed repeats itself."""

    def __init__(self, seed: int = 0, *, crash_at: int = 0) -> None:
        self.random = Random(seed)
        self.operations = 0
        self.log: list[str] = []
        """What was done, for a person who looks at a failing run."""
        self._crash_at = crash_at
        self._names: _Names = {ROOT: None}
        self._durable_names: _Names = {ROOT: None}
        self._name_changes: dict[Path, list[_NameChange]] = {}
        self._faults: list[_Fault] = []

    # -- faults -------------------------------------------------------------------------------

    def crash_at(self, operation: int) -> None:
        """Stop the machine at an operation, counted from the beginning; 0 for never."""
        self._crash_at = operation

    def fail(self, operation: str, error: int, *, name: str = "", after: int = 0) -> None:
        """Let the next such operation on a path that ends with ``name`` fail, once."""
        self._faults.append(_Fault(operation, name, error, after))

    def heal(self) -> None:
        """Forget all faults that have not come to pass."""
        self._faults.clear()
        self._crash_at = 0

    def after_power_failure(self, keep: Keep) -> FaultyFiles:
        """The disk as the machine finds it when it starts again."""
        names = dict(self._durable_names)
        for changes in self._name_changes.values():
            for change in changes:
                if keep():
                    change.apply(names)
        disk = FaultyFiles(self.random.getrandbits(32))
        inodes: dict[int, _Inode] = {}
        for path, inode in sorted(names.items()):
            # What lies in a directory that is not there is not there either.
            if path != ROOT and path.parent not in disk._names:
                continue
            if inode is not None:
                inode = inodes.setdefault(id(inode), inode.after_power_failure(keep))  # noqa: PLW2901
            disk._names[path] = inode
        disk._durable_names = dict(disk._names)
        return disk

    def _operate(self, operation: str, path: Path) -> None:
        """Count an operation; fail if it is its turn."""
        self.operations += 1
        self.log.append(f"{self.operations} {operation} {path.relative_to(ROOT)}")
        if self._crash_at and self.operations >= self._crash_at:
            raise PowerFailureError
        for fault in self._faults:
            if fault.operation == operation and str(path).endswith(fault.name):
                if fault.after:
                    fault.after -= 1
                    continue
                self._faults.remove(fault)
                raise OSError(fault.error, os.strerror(fault.error), str(path))

    # -- looking from outside -------------------------------------------------------------------

    def content(self, path: Path) -> bytes:
        return bytes(self._inode(path).seen)

    def damage(self, path: Path, offset: int, data: bytes) -> None:
        """Change bytes where they lie, as a failing medium does."""
        inode = self._inode(path)
        for content in (inode.seen, inode.durable):
            _apply(content, (offset, data))

    def truncate(self, path: Path, size_bytes: int) -> None:
        """Cut a file off where it lies."""
        inode = self._inode(path)
        for content in (inode.seen, inode.durable):
            _apply(content, (size_bytes, None))

    def lose(self, path: Path) -> None:
        del self._names[path]
        self._durable_names.pop(path, None)

    def paths(self) -> list[Path]:
        return sorted(path for path, inode in self._names.items() if inode is not None)

    def links(self, path: Path) -> int:
        inode = self._inode(path)
        return sum(other is inode for other in self._names.values())

    # -- Files ------------------------------------------------------------------------------------

    def open(self, path: Path, *, writable: bool = False) -> FaultyFile:
        self._operate("open for writing" if writable else "open", path)
        return FaultyFile(self, path, self._inode(path))

    def create(self, path: Path) -> FaultyFile:
        self._operate("create", path)
        self._directory(path.parent)
        inode = self._names.get(path)
        if inode is None:
            inode = _Inode()
            self._change(path.parent, _NameChange(None, path, inode))
        else:
            _apply(inode.seen, (0, None))
            inode.pending.append((0, None))
        return FaultyFile(self, path, inode)

    def rename(self, source: Path, target: Path) -> None:
        assert source.parent == target.parent
        self._operate("rename", target)
        self._change(target.parent, _NameChange(source, target, self._inode(source)))

    def link(self, source: Path, target: Path) -> None:
        self._operate("link", target)
        inode = self._inode(source)
        self._directory(target.parent)
        if target in self._names:
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        self._change(target.parent, _NameChange(None, target, inode))

    def remove(self, path: Path) -> None:
        self._operate("remove", path)
        self._inode(path)
        self._change(path.parent, _NameChange(path, None))

    def remove_dir(self, path: Path) -> None:
        self._operate("remove_dir", path)
        self._directory(path)
        if any(other.parent == path for other in self._names):
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(path))
        self._change(path.parent, _NameChange(path, None))

    def make_dir(self, path: Path) -> None:
        self._operate("make_dir", path)
        if path in self._names:
            self._directory(path)
            return
        self._directory(path.parent)
        self._change(path.parent, _NameChange(None, path))

    def list_dir(self, path: Path) -> list[tuple[str, bool]]:
        self._operate("list_dir", path)
        self._directory(path)
        return sorted(
            (other.name, inode is None)
            for other, inode in list(self._names.items())
            if other.parent == path and other != ROOT
        )

    def sync_dir(self, path: Path) -> None:
        if path == ROOT.parent:
            return
        self._operate("sync_dir", path)
        self._directory(path)
        for change in self._name_changes.pop(path, []):
            change.apply(self._durable_names)

    def unique_id(self) -> bytes:
        return self.random.randbytes(UNIQUE_ID_BYTES)

    def _change(self, directory: Path, change: _NameChange) -> None:
        change.apply(self._names)
        self._name_changes.setdefault(directory, []).append(change)

    def _inode(self, path: Path) -> _Inode:
        if path not in self._names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        inode = self._names[path]
        if inode is None:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        return inode

    def _directory(self, path: Path) -> None:
        if path not in self._names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        if self._names[path] is not None:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


class FaultyFile:
    """An open file of `FaultyFiles`."""

    def __init__(self, disk: FaultyFiles, path: Path, inode: _Inode) -> None:
        self._disk = disk
        self._path = path
        self._inode = inode

    def read_at(self, offset: int, size_bytes: int) -> bytes:
        self._disk._operate("read_at", self._path)
        return bytes(self._inode.seen[offset : offset + size_bytes])

    def write_at(self, offset: int, data: bytes) -> None:
        try:
            self._disk._operate("write_at", self._path)
        except (OSError, PowerFailureError):
            self._write(offset, data[: self._disk.random.randrange(len(data) + 1)])
            raise
        self._write(offset, data)

    def _write(self, offset: int, data: bytes) -> None:
        _apply(self._inode.seen, (offset, data))
        self._inode.pending.append((offset, data))

    def truncate(self, size_bytes: int) -> None:
        self._disk._operate("truncate", self._path)
        _apply(self._inode.seen, (size_bytes, None))
        self._inode.pending.append((size_bytes, None))

    def sync(self) -> None:
        try:
            self._disk._operate("sync", self._path)
        except OSError:
            # Truncations are the journal's: a disk that loses those takes no more writes at all.
            self._inode.pending = [change for change in self._inode.pending if change[1] is None]
            raise
        self._inode.sync()

    def size(self) -> int:
        self._disk._operate("size", self._path)
        return len(self._inode.seen)

    def close(self) -> None:
        pass
