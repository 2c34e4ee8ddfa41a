"""Entries out of segment files: the one loop that every reader of a log runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from golem_oplog.codec import unpack_rows
from golem_oplog.entries import Create
from golem_oplog.errors import (
    CorruptOplogError,
    MalformedEntryError,
    OplogMismatchError,
    OplogReadError,
    UnsupportedFormatError,
)
from golem_oplog.files import File, Files
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.manifest import SegmentInfo
from golem_oplog.segment import Chunk, ChunkScanner, read_segment_header

E = TypeVar("E")

Learn = Callable[[Iterable[object]], None]
Decode = Callable[[Sequence[object]], Sequence[E]]


@dataclass(frozen=True, slots=True)
class Stored:
    """What there is to read of a log, and where."""

    files: Files
    path_of: Callable[[int], Path]
    """The file of a segment, by its number."""
    segments: tuple[SegmentInfo, ...]
    promise: int
    """What the manifest says is durable."""
    create: Create | None
    """The log's own first entry, read in place of the one in a segment that a fork shares."""


@contextmanager
def open_segment(stored: Stored, segment: SegmentInfo) -> Iterator[File]:
    """
    Open a segment for reading, and check that it is the one that is meant.

    What the disk reports while it is open becomes an `OplogReadError`.
    """
    path = stored.path_of(segment.number)
    try:
        file = stored.files.open(path)
        try:
            check_segment(file, path, segment)
            yield file
        finally:
            file.close()
    except FileNotFoundError as error:
        raise missing_segment(path, segment) from error
    except OSError as error:
        raise OplogReadError(path=str(path), cause=str(error)) from error


def missing_segment(path: Path, segment: SegmentInfo) -> CorruptOplogError:
    return CorruptOplogError(
        path=str(path),
        offset_bytes=0,
        reason="segment is missing",
        readable_to=segment.first_index - 1,
    )


def check_segment(file: File, path: Path, segment: SegmentInfo) -> None:
    try:
        header = read_segment_header(file, path)
    except CorruptOplogError as error:
        error.readable_to = segment.first_index - 1
        raise
    if (header.lineage, header.first_index) != (segment.lineage, segment.first_index):
        raise OplogMismatchError(path=str(path), reason="the segment is of another log")


def decode_chunk(chunk: Chunk, path: Path, learn: Learn, decode: Decode[E]) -> Sequence[E]:
    """
    The entries of a chunk whose checksum agreed; its definitions are handed to ``learn``.

    ``decode`` is `decode_entries` or `skim_entries`.

    Raises:
        CorruptOplogError: Something in it is malformed; no entry of the chunk is readable.
        UnsupportedFormatError: An entry is of a kind that a newer version wrote.
    """
    _, header, body = chunk
    assert body is not None
    try:
        rows = unpack_rows(body, header.definitions + header.entries)
        if header.definitions:
            learn(rows[: header.definitions])
            rows = rows[header.definitions :]
        return decode(rows)
    except MalformedEntryError as error:
        raise CorruptOplogError(
            path=str(path),
            offset_bytes=chunk.offset,
            reason=str(error),
            readable_to=header.first_index - 1,
        ) from error
    except UnsupportedFormatError as error:
        raise UnsupportedFormatError(
            path=str(path), found=error.found, supported=error.supported
        ) from error


def read_batches(
    stored: Stored, wanted: range, learn: Learn, decode: Decode[E]
) -> Iterator[Iterable[tuple[int, E | Create]]]:
    """
    The entries with the indexes ``wanted``, all of which should be in the segments.

    They come by chunks, so that whoever chains these runs no Python code between two entries.

    Raises:
        CorruptOplogError: At the first one that is not there or cannot be read.
    """
    for segment in stored.segments if wanted else ():
        last = wanted[-1] if segment.last_index is None else min(segment.last_index, wanted[-1])
        first = max(segment.first_index, wanted[0])
        if first > last:
            continue
        path = stored.path_of(segment.number)
        with open_segment(stored, segment) as file:
            scanner = ChunkScanner(file, segment.lineage, segment.first_index)
            while scanner.next_index <= last:
                chunk = scanner.step(first)
                if chunk is None:
                    raise CorruptOplogError(
                        path=str(path),
                        offset_bytes=scanner.offset,
                        reason=scanner.problem,
                        readable_to=scanner.next_index - 1,
                    )
                if chunk.body is not None:
                    # Not given a name: what was handed out goes before the next chunk comes.
                    span = range(first, last + 1)
                    yield _batch(chunk, path, span, learn, decode, create=stored.create)


def _batch(
    chunk: Chunk, path: Path, span: range, learn: Learn, decode: Decode[E], *, create: Create | None
) -> Iterable[tuple[int, E | Create]]:
    """A chunk's entries with their indexes, those outside of ``span`` left out."""
    begin = chunk.header.first_index
    entries: Sequence[E | Create] = decode_chunk(chunk, path, learn, decode)
    if begin == 1 and create is not None and entries:
        # A fork shares its first segment, but not its own first entry.
        entries = [create, *entries[1:]]
    if begin < span.start or span.stop < begin + len(entries):
        entries = entries[max(span.start - begin, 0) : max(span.stop - begin, 0)]
    return enumerate(entries, max(begin, span.start))
