"""Entries out of segment files: the one loop that every reader of a log runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
from golem_oplog.manifest import SegmentInfo
from golem_oplog.segment import Chunk, ChunkScanner, read_segment_header

E = TypeVar("E")

Learn = Callable[[Iterable[object]], None]


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


def decode_chunk(chunk: Chunk, path: Path, learn: Learn, decode: Callable[[object], E]) -> list[E]:
    """
    The entries of a chunk whose checksum agreed; its definitions are handed to ``learn``.

    ``decode`` is `decode_entry` or `skim_entry`.

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
        return [decode(row) for row in rows]
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


def read_entries(
    stored: Stored, span: range, learn: Learn, decode: Callable[[object], E]
) -> Iterator[tuple[int, E | Create]]:
    """
    The entries with the indexes of ``span``, all of which should be in the segments.

    Raises:
        CorruptOplogError: At the first one that is not there or cannot be read.
    """
    for segment in stored.segments:
        last = span[-1] if segment.last_index is None else min(segment.last_index, span[-1])
        first = max(segment.first_index, span[0])
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
                if chunk.body is None:
                    continue
                index = chunk.header.first_index
                for entry in decode_chunk(chunk, path, learn, decode):
                    if first <= index <= last:
                        yield index, (entry if index > 1 or not stored.create else stored.create)
                    index += 1
