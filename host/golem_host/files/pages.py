"""
The contents of all files of one instance, in pages of one nameless file of the host.

The file is made at the first write and has no name that anybody could open: when the instance ends,
by whatever, it is gone.  A page that was never written takes no place.
"""

from __future__ import annotations

import errno
import heapq
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, Protocol

from golem_host.errors import os_reason
from golem_host.files.errors import DiskFullError, FileError, PagesError

PAGE_BYTES: Final = 4096
SIZE_MAX: Final = (1 << 63) - 1
"""The largest size that a file may say it has, as on Linux."""

_FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


class Backing(Protocol):
    """A file of the host, read and written at positions."""

    def read(self, position: int, size: int) -> bytes: ...

    def write(self, position: int, data: bytes) -> None: ...

    def close(self) -> None: ...


class TemporaryBacking:
    """A file without a name; raises `PagesError`."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None

    def read(self, position: int, size: int) -> bytes:
        descriptor = self._descriptor()
        data = b""
        try:
            while len(data) < size:
                piece = os.pread(descriptor, size - len(data), position + len(data))
                if not piece:
                    break
                data += piece
        except OSError as error:
            raise _refused(error) from error
        return data

    def write(self, position: int, data: bytes) -> None:
        descriptor = self._descriptor()
        view = memoryview(data)
        try:
            while view:
                written = os.pwrite(descriptor, view, position)
                position += written
                view = view[written:]
        except OSError as error:
            raise _refused(error) from error

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _descriptor(self) -> int:
        if self._file is None:
            import tempfile  # noqa: PLC0415 - slow to import, and few guests write

            try:
                # Closed with the instance.
                self._file = tempfile.TemporaryFile(  # noqa: SIM115
                    buffering=0, dir=self._folder
                )
            except OSError as error:
                raise _refused(error) from error
        return self._file.fileno()


def _refused(error: OSError) -> PagesError:
    if error.errno in _FULL:
        return DiskFullError(f"no space for the worker's files: {os_reason(error)}")
    return PagesError(f"the worker's files cannot be kept: {os_reason(error)}")


class Pages:
    """
    Places for pages, numbered from 0; the lowest free one is given out first.

    Attributes:
        bytes_max: What all contents may take together.
    """

    def __init__(self, backing: Backing, bytes_max: int) -> None:
        self.backing = backing
        self.bytes_max = bytes_max
        self._free: list[int] = []
        self._end = 0

    @property
    def used_bytes(self) -> int:
        return (self._end - len(self._free)) * PAGE_BYTES

    def refuse_beyond(self, count: int) -> None:
        """
        Raises:
            FileError: So many more pages are too many.
        """
        if self.used_bytes + count * PAGE_BYTES > self.bytes_max:
            raise FileError("quota")

    def take(self) -> int:
        if self._free:
            return heapq.heappop(self._free)
        self._end += 1
        return self._end - 1

    def give(self, place: int) -> None:
        heapq.heappush(self._free, place)


class Initial(Protocol):
    """What a file holds before it is first written: read where it lies."""

    @property
    def size(self) -> int: ...

    def read(self, position: int, size: int) -> bytes: ...


class Content:
    """
    The bytes of one file.

    Behind its end every page holds zeroes.
    """

    __slots__ = ("_initial", "_initial_size", "_pages", "_places", "size")

    def __init__(self, pages: Pages, initial: Initial | None = None) -> None:
        self._pages = pages
        self._places: dict[int, int] = {}
        self._initial = initial
        self.size = self._initial_size = 0 if initial is None else initial.size

    def read(self, offset: int, size: int) -> bytes:
        end = min(offset + size, self.size)
        if offset >= end:
            return b""
        return b"".join(self._read_run(*run) for run in self._runs(offset, end))

    def _runs(self, offset: int, end: int) -> Iterator[tuple[int | None, int, int]]:
        """Pieces that lie together: their place in the backing file or None, offset, size."""
        start, place = offset, self._position(offset)
        at = offset
        while at < end:
            following = min(end, (at // PAGE_BYTES + 1) * PAGE_BYTES)
            position = self._position(following) if following < end else -1
            expected = None if place is None else place + following - start
            if position != expected:
                yield place, start, following - start
                start, place = following, position
            at = following

    def _position(self, offset: int) -> int | None:
        page, within = divmod(offset, PAGE_BYTES)
        place = self._places.get(page)
        return None if place is None else place * PAGE_BYTES + within

    def _read_run(self, position: int | None, offset: int, size: int) -> bytes:
        if position is not None:
            data = self._pages.backing.read(position, size)
        else:
            data = self._read_initial(offset, size)
        return data.ljust(size, b"\0")

    def _read_initial(self, offset: int, size: int) -> bytes:
        known = min(size, self._initial_size - offset)
        return b"" if self._initial is None or known <= 0 else self._initial.read(offset, known)

    def write(self, offset: int, data: bytes) -> None:
        """
        Raises:
            FileError: The quota does not allow it; nothing was written.
        """
        end = offset + len(data)
        pages = range(offset // PAGE_BYTES, -(-end // PAGE_BYTES))
        self._pages.refuse_beyond(sum(page not in self._places for page in pages))
        position, run = -1, bytearray()
        for page in pages:
            first = page * PAGE_BYTES
            low, high = max(offset, first), min(end, first + PAGE_BYTES)
            piece = memoryview(data)[low - offset : high - offset]
            place = self._places.get(page)
            if place is None:
                place = self._places[page] = self._pages.take()
                if len(piece) < PAGE_BYTES:
                    whole = bytearray(
                        self._read_initial(first, PAGE_BYTES).ljust(PAGE_BYTES, b"\0")
                    )
                    whole[low - first : high - first] = piece
                    piece, low = memoryview(whole), first
            target = place * PAGE_BYTES + low - first
            if target != position + len(run):
                self._flush(position, run)
                position, run = target, bytearray()
            run += piece
        self._flush(position, run)
        self.size = max(self.size, end)

    def _flush(self, position: int, run: bytearray) -> None:
        if run:
            self._pages.backing.write(position, bytes(run))

    def resize(self, size: int) -> None:
        if size < self.size:
            kept = -(-size // PAGE_BYTES)
            for page in [page for page in self._places if page >= kept]:
                self._pages.give(self._places.pop(page))
            place = self._places.get(size // PAGE_BYTES)
            within = size % PAGE_BYTES
            if place is not None and within:
                # What is behind the end now must not be there again when the file grows.
                zeroes = bytes(PAGE_BYTES - within)
                self._pages.backing.write(place * PAGE_BYTES + within, zeroes)
            self._initial_size = min(self._initial_size, size)
        self.size = size

    def free(self) -> None:
        """Nobody can read it any more."""
        for place in self._places.values():
            self._pages.give(place)
        self._places.clear()
        self.size = self._initial_size = 0
