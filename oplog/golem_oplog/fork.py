"""
A second log that shares the past of a first one.

Sealed segments are shared by hard links.  Where the cut lies in a sealed segment, the fork's
manifest says how much of it belongs to the fork; where it lies in the open one, the chunks up to it
are copied, under the fork's own lineage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from golem_oplog.codec import encode_entry, split_rows
from golem_oplog.definitions import Definitions
from golem_oplog.entries import Create
from golem_oplog.errors import CorruptOplogError, NoSuchEntryError
from golem_oplog.files import CANNOT_LINK, Files
from golem_oplog.frame import build_chunk, checksum_seed
from golem_oplog.log import new_segment, publish
from golem_oplog.manifest import Manifest, SegmentInfo
from golem_oplog.reader import OplogReader
from golem_oplog.reading import Stored, open_segment
from golem_oplog.recovery import Place, Recovery, Tail
from golem_oplog.segment import READ_SIZE_BYTES, Chunk, ChunkScanner, segment_size_bytes
from golem_oplog.sequel import Sequel, sequel_entries
from golem_oplog.types import FunctionType


def copy_log(
    reader: OplogReader, place: Place, cut: int, create: Create, sequels: Sequence[Sequel] = ()
) -> Tail:
    """
    Make a log of the entries up to ``cut`` in an empty directory; durable on return.

    Behind them, and there from the beginning, are the ``sequels``: at most 128.

    Raises:
        NoSuchEntryError: The source does not reach up to ``cut``.
        OSError: The disk refused; there is no log then.
    """
    last_index = reader.last_index
    if not 1 <= cut <= last_index:
        raise NoSuchEntryError(index=cut, last_index=last_index)
    stored = reader.stored
    shared: list[SegmentInfo] = []
    first_index = 1
    for segment in stored.segments:
        if segment.last_index is None or segment.first_index > cut:
            continue
        _share(place.files, stored.path_of(segment.number), place.segment_path(segment.number))
        kept = min(segment.last_index, cut)
        shared.append(segment._replace(last_index=kept))
        first_index = kept + 1
    lineage = place.files.unique_id()
    opened = SegmentInfo(len(shared) + 1, lineage, first_index, None)
    last = cut + len(sequels)
    manifest = Manifest(lineage, create, promise=last, segments=(*shared, opened))
    definitions = reader.definitions()
    entries = sequel_entries(sequels, lambda function: _defined(definitions, function))
    writer = new_segment(place, manifest, definitions, segment_size_bytes(opened.number))
    if first_index <= cut:
        for chunk in _copied_chunks(stored, lineage, cut, create):
            writer.write(chunk)
    if entries:
        packed = [encode_entry(entry) for entry in entries]
        writer.write(build_chunk(checksum_seed(lineage), cut + 1, cut, packed))
    publish(place, writer, manifest)
    return Tail(manifest, writer, definitions, last, last, Recovery())


def _defined(definitions: Definitions, function: FunctionType) -> int:
    """The id of a function, which stands at the beginning of the segment."""
    number = definitions.intern(function)
    definitions.use(number)
    return number


def _share(files: Files, source: Path, target: Path) -> None:
    try:
        files.link(source, target)
    except OSError as error:
        if error.errno not in CANNOT_LINK:
            raise
        _copy_file(files, source, target)


def _copy_file(files: Files, source: Path, target: Path) -> None:
    reading = files.open(source)
    try:
        writing = files.create(target)
        try:
            offset = 0
            while block := reading.read_at(offset, READ_SIZE_BYTES):
                writing.write_at(offset, block)
                offset += len(block)
            writing.sync()
        finally:
            writing.close()
    finally:
        reading.close()


def _copied_chunks(stored: Stored, lineage: bytes, cut: int, create: Create) -> Iterator[bytes]:
    """The chunks of the source's open segment, as the fork has them."""
    segment = stored.segments[-1]
    seed = checksum_seed(lineage)
    with open_segment(stored, segment) as file:
        scanner = ChunkScanner(file, segment.lineage, segment.first_index)
        while scanner.next_index <= cut:
            chunk = scanner.step()
            if chunk is None:
                raise CorruptOplogError(
                    path=str(stored.path_of(segment.number)),
                    offset_bytes=scanner.offset,
                    reason=scanner.problem,
                    readable_to=scanner.next_index - 1,
                )
            if chunk.header.entries:
                yield _reframed(chunk, seed, cut, create)


def _reframed(chunk: Chunk, seed: int, cut: int, create: Create) -> bytes:
    """One chunk under another lineage, without what lies behind the cut."""
    _, header, body = chunk
    assert body is not None
    kept = min(header.entries, cut - header.first_index + 1)
    entries = split_rows(body, header.definitions + kept)[header.definitions :]
    if header.first_index == 1:
        entries[0] = encode_entry(create)
    # The definitions stand at the beginning of the segment already.  The promise is not copied: that
    # the source was synced says nothing about the copy, for which the manifest promises.
    return build_chunk(seed, header.first_index, 0, entries)
