"""A log as one file makes the same log elsewhere; a damaged or foreign file makes none."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO

import google_crc32c
import msgpack
import pytest

from golem_oplog import (
    BlobStore,
    CorruptOplogError,
    Create,
    Entry,
    ImportedFunctionInvoked,
    MalformedExportError,
    MissingBlobError,
    NoOp,
    OplogExistsError,
    OplogMismatchError,
    OplogStore,
    SyncLevel,
    UnsupportedFormatError,
    check,
    export_log,
    open_export,
    open_file,
)
from golem_oplog.adopt import Exported
from golem_oplog.codec import encode_entry
from golem_oplog.export import (
    ABOUT,
    BLOB,
    CHECKSUM,
    DONE,
    EXPORT_MAGIC,
    EXPORT_VERSION,
    HEAD,
    MANIFEST,
    SEGMENT,
    decode_head,
    encode_head,
)
from golem_oplog.frame import build_chunk, checksum_seed
from golem_oplog.manifest import Manifest, SegmentInfo, encode_manifest
from golem_oplog.segment import build_segment_header
from tests.support.faulty_files import ROOT, FaultyFiles
from tests.support.oplogs import call_entry, create_entry, open_store

THERE = ROOT / "there"
LARGE = 100_000


def filled(files: FaultyFiles, name: str = "a", entries: int = 300) -> OplogStore:
    """A log of several segments with large payloads, some of them equal."""
    store = open_store(files, ROOT)
    with store.create(name, create_entry()) as log:
        for number in range(entries):
            is_large = number % 100 == 3
            log.append(call_entry(log, *((3, LARGE) if is_large else (number, 1_000))))
            if number % 7 == 0:
                log.commit()
    return store


def exported(store: OplogStore, name: str = "a", about: bytes = b"about") -> bytes:
    with store.reader(name) as reader:
        return b"".join(export_log(reader, about))


def opened(data: bytes) -> Exported:
    return open_export(BytesIO(data), "x.export")


def store_there(files: FaultyFiles) -> OplogStore:
    with suppress(FileExistsError):
        files.make_dir(THERE)
    return open_store(files, THERE)


def adopted(data: bytes, files: FaultyFiles, name: str = "b") -> OplogStore:
    """A store elsewhere with the log that a file makes."""
    found = opened(data)
    store = store_there(files)
    store.adopt(found, name, found.manifest.create._replace(worker_name="bob")).close()
    return store


def records(data: bytes) -> list[tuple[bytes, int, int]]:
    """Kind, offset and size with head and checksum of each record."""
    found, offset = [], 10
    while offset < len(data):
        head = decode_head(data[offset : offset + 16])
        assert head is not None
        size_bytes = 16 + head.size_bytes + 4
        found.append((head.kind, offset, size_bytes))
        offset += size_bytes
    return found


def test_an_exported_log_is_the_same_elsewhere() -> None:
    """Entry by entry with their payloads, under another name; it can be written to."""
    files = FaultyFiles()
    store = filled(files)
    found = opened(data := exported(store))
    there = adopted(data, files)

    with store.reader("a") as old, there.reader("b") as new:
        assert (b"about", old.last_index) == (found.about, found.last_index)
        entries = list(new.read())
        assert create_entry("bob") == entries[0][1]
        assert list(old.read(2)) == entries[1:]
        assert check(new).is_intact
    with there.open("b") as log:
        log.append(NoOp(1))
        log.append(call_entry(log, 5, LARGE))
        assert found.last_index + 2 == log.last_index
    with there.reader("b") as new:
        assert check(new).is_intact
        assert found.last_index + 2 == new.last_index


def test_chunks_keep_their_bytes() -> None:
    """The segments of the new log begin with the bytes of the old ones."""
    files = FaultyFiles()
    store = filled(files)
    there = adopted(exported(store), files)

    with store.reader("a") as old, there.reader("b") as new:
        old_segments, new_segments = old.stored.segments, new.stored.segments
    assert len(old_segments) > 2
    assert len(old_segments) + 1 == len(new_segments)
    for segment in old_segments:
        name = f"{segment.number:04}.oplog"
        before = files.open(ROOT / "workers/a" / name)
        after = files.open(THERE / "workers/b" / name)
        assert before.read_at(0, after.size()) == after.read_at(0, after.size())


def test_a_payload_is_in_the_file_once() -> None:
    """However many entries refer to it."""
    kinds = [kind for kind, _, _ in records(exported(filled(FaultyFiles())))]

    assert 1 == kinds.count(MANIFEST)
    assert kinds.count(SEGMENT) > 2
    assert 1 == kinds.count(BLOB)
    assert DONE == kinds[-1]


def test_a_log_with_a_writer_ends_where_it_was() -> None:
    """Entries that are written while it is exported are left out."""
    files = FaultyFiles()
    store = filled(files)
    with store.open("a") as log, store.reader("a") as reader:
        last = log.last_index
        pieces = export_log(reader)
        data = next(pieces)
        for number in range(200):
            log.append(call_entry(log, number, 1_000))
        log.commit()
        data += b"".join(pieces)

    with adopted(data, files).reader("b") as new:
        assert last == new.last_index


def test_a_fork_is_exported_with_its_own_beginning() -> None:
    """Although the segment that it shares has another one, and entries behind the cut."""
    files = FaultyFiles()
    store = filled(files)
    store.fork("a", "f", 120, create_entry("forked")).close()
    found = opened(data := exported(store, "f"))
    there = adopted(data, files)

    assert "forked" == found.manifest.create.worker_name
    with store.reader("a") as old, there.reader("b") as new:
        assert 120 == new.last_index
        assert list(old.read(2, 120)) == list(new.read(2))


def test_an_adopted_log_is_exported_again() -> None:
    """Also before anything was appended to it."""
    files = FaultyFiles()
    there = adopted(exported(filled(files)), files)
    again = exported(there, "b")
    found = opened(again)
    there.adopt(found, "c", found.manifest.create).close()

    with there.reader("b") as old, there.reader("c") as new:
        assert list(old.read()) == list(new.read())
        assert check(new).is_intact


@pytest.mark.parametrize("place", ["segment", "blob"])
def test_what_is_damaged_is_not_exported(place: str) -> None:
    """A file that looks whole must be whole."""
    files = FaultyFiles()
    store = filled(files)
    if place == "segment":
        file = files.open(ROOT / "workers/a/0001.oplog", writable=True)
        file.write_at(200, b"\xff")
        with store.reader("a") as reader, pytest.raises(CorruptOplogError):
            list(export_log(reader))
        return
    store_without = OplogStore(
        ROOT / "workers", files, SyncLevel.POWER, BlobStore(THERE, files, SyncLevel.POWER)
    )
    with store_without.reader("a") as reader, pytest.raises(MissingBlobError):
        list(export_log(reader))


def test_a_single_segment_is_not_exported() -> None:
    """What went before is not in it."""
    files = FaultyFiles()
    filled(files)
    path = ROOT / "workers/a/0002.oplog"
    with open_file(path, files) as reader, pytest.raises(OplogMismatchError):
        list(export_log(reader))


def test_any_byte_that_is_changed_is_noticed() -> None:
    """Nothing is made of the file, and the name is free."""
    data = exported(filled(FaultyFiles(), entries=20))
    for offset in range(0, len(data), 101):
        files = FaultyFiles()
        changed = bytearray(data)
        changed[offset] ^= 0x01
        with pytest.raises((MalformedExportError, UnsupportedFormatError)):
            adopted(bytes(changed), files)
        assert [] == list(store_there(files).list())


def test_a_file_that_is_cut_off_is_noticed() -> None:
    """Wherever it ends; one byte more is noticed too."""
    data = exported(filled(FaultyFiles(), entries=20))
    borders = {offset for _, offset, _ in records(data)}
    for size_bytes in {*range(0, len(data), 997), *borders, len(data) - 1}:
        files = FaultyFiles()
        with pytest.raises((MalformedExportError, UnsupportedFormatError)):
            adopted(data[:size_bytes], files)
        assert [] == list(store_there(files).list())
    with pytest.raises(MalformedExportError, match="goes on behind"):
        adopted(data + b"x", FaultyFiles())


def test_records_in_another_order_are_refused() -> None:
    """None may be left out, doubled or moved, whatever its checksums say."""
    data = exported(filled(FaultyFiles()))
    found = records(data)
    for position, (_, offset, size_bytes) in enumerate(found):
        without = data[:offset] + data[offset + size_bytes :]
        doubled = data[: offset + size_bytes] + data[offset:]
        for changed in (without, doubled):
            with pytest.raises(MalformedExportError):
                adopted(changed, FaultyFiles())
        if position:
            _, before, size_before = found[position - 1]
            swapped = data[offset : offset + size_bytes] + data[before : before + size_before]
            if found[position][0] != found[position - 1][0]:
                with pytest.raises(MalformedExportError):
                    adopted(data[:before] + swapped + data[offset + size_bytes :], FaultyFiles())


@pytest.mark.parametrize(
    "data", [b"", b"\0asm\1\0\0\0\0\0\0\0", b"\x89OPLOG\r\n\1\0", b"text", b"\x89OPEXP\r\n\2\0"]
)
def test_other_files_are_told_apart(data: bytes) -> None:
    """By their first bytes; a newer version is named."""
    with pytest.raises((UnsupportedFormatError, MalformedExportError)) as refused:
        opened(data)

    if data:
        assert "version 1 of exported oplogs" in str(refused.value)


def test_a_record_cannot_be_larger_than_it_may() -> None:
    """Before any memory is taken for it."""
    data = exported(filled(FaultyFiles(), entries=3))
    _, offset, _ = records(data)[0]
    with pytest.raises(MalformedExportError, match="more than one can have"):
        opened(data[:offset] + encode_head(b"abou", 1 << 62))


def test_a_taken_name_is_refused() -> None:
    """And the log that has it is as it was."""
    files = FaultyFiles()
    data = exported(filled(files))
    there = adopted(data, files)
    found = opened(data)

    with pytest.raises(OplogExistsError):
        there.adopt(found, "b", found.manifest.create)
    with there.reader("b") as reader:
        assert check(reader).is_intact
        assert isinstance(reader.entry(1), Create)


# -- files that were put together by hand ----------------------------------------------------------


def record(kind: bytes, body: bytes) -> bytes:
    return encode_head(kind, len(body)) + body + CHECKSUM.pack(google_crc32c.value(body))


def made(manifest: Manifest | bytes, *segments: bytes) -> bytes:
    """A file whose every record is whole, whatever it says."""
    raw = manifest if isinstance(manifest, bytes) else encode_manifest(manifest)
    return b"".join(
        (
            HEAD.pack(EXPORT_MAGIC, EXPORT_VERSION),
            record(ABOUT, b""),
            record(MANIFEST, raw),
            *(record(SEGMENT, segment) for segment in segments),
            record(DONE, b""),
        )
    )


LINEAGE = b"l" * 16
FIRST = SegmentInfo(1, LINEAGE, 1, None)
UNDEFINED = ImportedFunctionInvoked(1, 7, b"", b"", 0)


def segment_of(*entries: Entry) -> bytes:
    packed = [encode_entry(entry) for entry in entries]
    return build_segment_header(LINEAGE, 1) + build_chunk(checksum_seed(LINEAGE), 1, 0, packed)


def manifest_of(promise: int, *segments: SegmentInfo) -> Manifest:
    return Manifest(LINEAGE, create_entry(), promise, segments or (FIRST,))


CREATED = segment_of(create_entry(), NoOp(1))
LIARS = {
    "a manifest that is none": (made(b"x" * 80), "x.export"),
    "nothing is promised": (made(manifest_of(0)), "promises nothing"),
    "it ends elsewhere": (
        made(manifest_of(2, FIRST._replace(last_index=1)), CREATED),
        "manifest makes no sense",
    ),
    "other numbers": (
        made(manifest_of(2, FIRST._replace(number=5)), CREATED),
        "not numbered from 1",
    ),
    "fewer entries": (made(manifest_of(3), CREATED), "entry 3: no valid chunk header"),
    "another log's segment": (
        made(manifest_of(2, FIRST._replace(lineage=b"m" * 16)), CREATED),
        "of another log",
    ),
    "two first entries": (
        made(manifest_of(2), segment_of(create_entry(), create_entry())),
        "entry 2 is not of a kind that it can be",
    ),
    "a function that nobody defined": (
        made(manifest_of(2), segment_of(create_entry(), UNDEFINED)),
        "entry 2: ",
    ),
}


def test_a_file_made_by_hand_is_taken_if_it_is_right() -> None:
    """So that what the others lack is what they are refused for."""
    there = adopted(made(manifest_of(2), CREATED), FaultyFiles())
    with there.reader("b") as new:
        assert 2 == new.last_index


@pytest.mark.parametrize("name", LIARS)
def test_a_file_that_contradicts_itself_makes_no_log(name: str) -> None:
    """Every checksum agrees; what is said does not."""
    data, reason = LIARS[name]
    files = FaultyFiles()
    with pytest.raises(MalformedExportError, match=reason):
        adopted(data, files)

    assert [] == list(store_there(files).list())


def test_the_head_of_a_record_is_whole_or_none() -> None:
    """A file may end in the middle of one."""
    assert decode_head(encode_head(DONE, 0)[:-1]) is None


def test_a_file_with_entries_of_a_newer_kind_is_newer() -> None:
    """It is refused as that, and not as damaged."""
    packed = [encode_entry(create_entry()), msgpack.packb((9_999, 1))]
    segment = build_segment_header(LINEAGE, 1) + build_chunk(checksum_seed(LINEAGE), 1, 0, packed)
    with pytest.raises(UnsupportedFormatError, match=r"x\.export"):
        adopted(made(manifest_of(2), segment), FaultyFiles())
