"""
A log opened for reading only: it never writes, and needs no lock.

The log may have a writer, in this process or another.  Each `OplogReader.read` looks again how far
the log reaches, so that reading on from where one stopped follows a log that grows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Never, TypeVar

from golem_oplog.blobs import Blobs
from golem_oplog.closing import ClosesOnExit
from golem_oplog.codec import decode_entries, skim_entries
from golem_oplog.definitions import Definitions
from golem_oplog.entries import BlobRef, Create, Entry, Payload
from golem_oplog.errors import (
    CorruptOplogError,
    MissingBlobError,
    NoSuchEntryError,
    OplogNotFoundError,
    OplogReadError,
    UnsupportedFormatError,
)
from golem_oplog.files import File, Files, OsFiles
from golem_oplog.manifest import MANIFEST_NAME, SegmentInfo, load_manifest
from golem_oplog.reading import Decode, Stored, check_segment, missing_segment, read_batches
from golem_oplog.recovery import TailScan, scan_tail
from golem_oplog.segment import (
    SEGMENT_MAGIC,
    SEGMENT_SUFFIX,
    ChunkScanner,
    SegmentHeader,
    read_segment_header,
    segment_name,
)
from golem_oplog.types import FunctionType

E = TypeVar("E")


class OplogReader(ClosesOnExit):
    """`ReadableOplog` over files, as far as the entries have reached the operating system."""

    def __init__(self, look: Callable[[], Stored], blobs: Blobs | None) -> None:
        """``look`` says what there is to read; it is asked again before each read."""
        self._look = look
        self._blobs = blobs
        self._lock = Lock()
        self._definitions = Definitions()
        self._stored = look()
        self._open: tuple[SegmentInfo, File, ChunkScanner] | None = None
        self._tail = self._scan()

    @property
    def stored(self) -> Stored:
        """The segments, as of the last look."""
        return self._stored

    @property
    def has_blobs(self) -> bool:
        """Whether large payloads can be loaded at all."""
        return self._blobs is not None

    @property
    def first_index(self) -> int:
        """1, but for a reader of a single segment."""
        return self._stored.segments[0].first_index

    @property
    def last_index(self) -> int:
        return self.look_again().next_index - 1

    def look_again(self) -> TailScan:
        """Find out how far the log reaches now, and how it ends."""
        with self._lock:
            self._stored = self._look()
            self._tail = self._scan()
            return self._tail

    def _scan(self) -> TailScan:
        segment = self._stored.segments[-1]
        path = self._stored.path_of(segment.number)
        try:
            if self._open is None or self._open[0] != segment:
                self._close()
                self._open = self._opened(segment, path)
            _, file, scanner = self._open
            scanner.forget()
            return scan_tail(scanner, file, self._stored, self._definitions.learn)
        except FileNotFoundError as error:
            raise missing_segment(path, segment) from error
        except OSError as error:
            raise OplogReadError(path=str(path), cause=str(error)) from error

    def _opened(self, segment: SegmentInfo, path: Path) -> tuple[SegmentInfo, File, ChunkScanner]:
        file = self._stored.files.open(path)
        try:
            check_segment(file, path, segment)
        except BaseException:
            file.close()
            raise
        return segment, file, ChunkScanner(file, segment.lineage, segment.first_index)

    def definitions(self) -> Definitions:
        """A copy of all that the log defines."""
        with self._lock:
            return self._definitions.copy()

    def function(self, number: int) -> FunctionType:
        return self._definitions.function(number)

    def entry(self, index: int) -> Entry:
        for _, entry in self.read(index, index):
            return entry
        raise NoSuchEntryError(index=index, last_index=self._tail.next_index - 1)

    def read(self, first: int = 1, last: int | None = None) -> Iterator[tuple[int, Entry]]:
        """As `ReadableOplog.read`; a reader of a single segment begins at its first index."""
        return self._read(first, last, decode_entries)

    def skim(self, first: int = 1, last: int | None = None) -> Iterator[tuple[int, Entry | int]]:
        return self._read(first, last, skim_entries)

    def _read(
        self, first: int, last: int | None, decode: Decode[E]
    ) -> Iterator[tuple[int, E | Create]]:
        tail = self.look_again()
        if first < 1:
            raise NoSuchEntryError(index=first, last_index=tail.next_index - 1)
        end = tail.next_index - 1 if last is None else min(last, tail.next_index - 1)
        span = range(max(first, self.first_index), end + 1)
        damage = tail.damage if last is None or last >= tail.next_index else None
        batches = read_batches(self._stored, span, self.learn, decode)
        return chain(chain.from_iterable(batches), _raise(damage))

    def learn(self, rows: Iterable[object]) -> None:
        """Take over definitions that a caller met in the segments."""
        with self._lock:
            self._definitions.learn(rows)

    def load(self, payload: Payload) -> bytes:
        if not isinstance(payload, BlobRef):
            return payload
        if self._blobs is None:
            raise MissingBlobError(sha256=payload.sha256.hex(), reason="no blob store was given")
        return self._blobs.get(payload)

    def close(self) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None


def _raise(damage: CorruptOplogError | None) -> Iterator[Never]:
    """The end of an iteration that ends with damage."""
    if damage is not None:
        raise damage
    yield from ()


def open_directory(files: Files, directory: Path, blobs: Blobs | None = None) -> OplogReader:
    """
    Read the log in a directory.

    Raises:
        OplogNotFoundError: There is none.
    """

    def look() -> Stored:
        manifest = load_manifest(files, directory)
        return Stored(
            files,
            lambda number: directory / segment_name(number),
            manifest.segments,
            manifest.promise,
            manifest.create,
        )

    return OplogReader(look, blobs)


def open_segments(files: Files, directory: Path, blobs: Blobs | None = None) -> OplogReader:
    """
    Read a log whose manifest is lost, by the headers of its segments.

    A fork shows the first entry of the log it came from.

    Raises:
        OplogNotFoundError: There are no segments.
        CorruptOplogError: A header is damaged.
    """
    numbers = []
    infos: list[SegmentInfo] = []
    try:
        for name, is_dir in files.list_dir(directory):
            stem = name.removesuffix(SEGMENT_SUFFIX)
            if not is_dir and stem != name and stem.isdecimal():
                numbers.append(int(stem))
        for number in sorted(numbers):
            path = directory / segment_name(number)
            header = _header(files, path)
            if infos:
                infos[-1] = infos[-1]._replace(last_index=header.first_index - 1)
            infos.append(SegmentInfo(number, header.lineage, header.first_index, None))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise OplogNotFoundError(path=str(directory)) from error
    except OSError as error:
        raise OplogReadError(path=str(directory), cause=str(error)) from error
    if not infos:
        raise OplogNotFoundError(path=str(directory))
    stored = Stored(
        files=files,
        path_of=lambda number: directory / segment_name(number),
        segments=tuple(infos),
        promise=infos[-1].first_index - 1,
        create=None,
    )
    return OplogReader(lambda: stored, blobs)


def _header(files: Files, path: Path) -> SegmentHeader:
    file = files.open(path)
    try:
        if file.read_at(0, len(SEGMENT_MAGIC)) != SEGMENT_MAGIC:
            raise UnsupportedFormatError(
                path=str(path), found="no oplog", supported="a log's directory or a segment"
            )
        return read_segment_header(file, path)
    finally:
        file.close()


def open_file(path: Path, files: Files | None = None, blobs: Blobs | None = None) -> OplogReader:
    """
    Read a log by its path: a worker's directory, its manifest, or a single segment.

    Raises:
        OplogNotFoundError: There is nothing at the path.
        UnsupportedFormatError: It is something else.
    """
    files = OsFiles() if files is None else files
    if path.name == MANIFEST_NAME:
        path = path.parent
    try:
        header = _header(files, path)
    except IsADirectoryError:
        return open_directory(files, path, blobs)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise OplogNotFoundError(path=str(path)) from error
    except OSError as error:
        raise OplogReadError(path=str(path), cause=str(error)) from error
    segment = SegmentInfo(1, header.lineage, header.first_index, None)
    promise = header.first_index - 1
    stored = Stored(files, lambda _: path, (segment,), promise, create=None)
    return OplogReader(lambda: stored, blobs)
