"""
``docs/oplog-format.md`` against the bytes.

The decoder below is written from that page alone: it uses msgpack, CBOR and a checksum, and nothing
of the library.
"""

from __future__ import annotations

import re
from pathlib import Path
from struct import unpack_from
from typing import Any

import cbor2
import google_crc32c
import msgpack
import pytest

from golem_oplog import Create, FunctionType, ImportedFunctionInvoked, NoOp, Prim
from golem_oplog.entries import KINDS
from golem_oplog.frame import BODY_SIZE_BYTES_MAX, ENTRIES_MAX
from golem_oplog.log import ENTRY_SIZE_BYTES_MAX
from golem_oplog.protocol import PAYLOAD_INLINE_BYTES_MAX
from golem_oplog.segment import SEGMENT_SIZE_BYTES_MAX, SEGMENT_SIZE_BYTES_MIN
from tests.support.faulty_files import ROOT, FaultyFiles
from tests.support.oplogs import open_store
from tests.support.repository import ROOT as REPOSITORY

PAGE = (REPOSITORY / "docs" / "oplog-format.md").read_text("utf-8")
LINEAGE = bytes(range(16))


class KnownLineage(FaultyFiles):
    """A disk whose next unique id is that of the example."""

    def unique_id(self) -> bytes:
        return LINEAGE


def example() -> bytes:
    """The bytes of the page's example; each line must say its offset right."""
    content = b""
    (block,) = re.findall(r"```hex\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines():
        offset, digits = line.partition(";")[0].split("  ", 1)
        assert int(offset, 16) == len(content), line
        content += bytes.fromhex(digits)
    return content


def decode_page(content: bytes) -> tuple[list[Any], list[Any]]:
    """Definitions and entries of a segment, as the page says that they lie there."""
    magic, version, checksum_kind, lineage, next_index, checksum = unpack_from(
        "<8sHH16sQI", content
    )
    assert (bytes.fromhex("894f504c4f470d0a"), 1, 1) == (magic, version, checksum_kind)
    assert checksum == google_crc32c.value(content[:36])
    definitions, entries, offset = [], [], 40
    while offset < len(content):
        header = content[offset : offset + 36]
        magic, length, first, promise, count, defined, of_body, of_header = unpack_from(
            "<4sIQQHHII", header
        )
        body = content[offset + 36 : offset + 36 + length]
        assert bytes.fromhex("f0476f43") == magic
        assert of_header == google_crc32c.value(lineage + header[:32])
        assert of_body == google_crc32c.value(body)
        assert first == next_index
        assert promise < first
        rows = msgpack.unpackb(body)
        assert count + defined == len(rows)
        definitions += rows[:defined]
        entries += rows[defined:]
        next_index += count
        offset += 36 + length
    return definitions, entries


def test_the_example_decodes_to_what_the_page_says() -> None:
    """Whoever follows the page gets the three entries and the one definition."""
    definitions, entries = decode_page(example())

    ((number, form),) = definitions
    assert (0, ["func", "a:b/c.{d}", [["x", "u8"]], "string"]) == (number, cbor2.loads(form))
    create, call, no_op = entries
    assert [22, 0, "c", "w", 0, [], [], [], 0, 0, "", "", None, [], ""] == create
    assert [21, 1, 0, msgpack.packb([7]), msgpack.packb("hi"), 0, None, None] == call
    assert [3, 2] == no_op


def test_the_example_is_what_the_library_writes() -> None:
    """The same log, written today, has the same bytes."""
    files = KnownLineage()
    with open_store(files, ROOT).create("a", Create(0, "c", "w", 0, (), (), (), 0, 0)) as log:
        function = FunctionType("a:b/c.{d}", (("x", Prim.U8),), Prim.STRING)
        request, response = msgpack.packb([7]), msgpack.packb("hi")
        log.append(ImportedFunctionInvoked(1, log.define(function), request, response, 0))
        log.append(NoOp(2))
        log.commit()

    content = files.content(ROOT / "workers" / "a" / "0001.oplog")
    assert example() == content[: len(example())]
    assert not content[len(example()) :].strip(b"\0")


@pytest.mark.parametrize(
    "path",
    sorted((REPOSITORY / "tests/golden/v1").rglob("*.oplog")),
    ids=lambda path: path.parent.name,
)
def test_the_golden_files_are_as_the_page_says(path: Path) -> None:
    """The page describes files with every kind of entry, not the example alone."""
    _, entries = decode_page(path.read_bytes())

    known = {kind.tag: len(kind.cls._fields) for kind in KINDS}
    for tag, *fields in entries:
        assert known[tag] == len(fields)


def test_the_manifest_is_as_the_page_says() -> None:
    """A manifest follows its table, and lists what there is."""
    content = (REPOSITORY / "tests/golden/v1/workers/fork/manifest").read_bytes()
    magic, version, length, checksum = unpack_from("<8sHII", content)

    assert (bytes.fromhex("894f504d414e0d0a"), 1, len(content) - 18) == (magic, version, length)
    assert checksum == google_crc32c.value(content[:14] + content[18:])
    lineage, create, promise, segments = msgpack.unpackb(content[18:])
    assert ("fork", 30) == (msgpack.unpackb(create)[3], promise)
    (first, shared, *span), (second, own, *rest) = segments
    assert ([1, 30], [31, None], 1, 2) == (span, rest, first, second)
    assert own == lineage != shared


def test_the_limits_are_those_of_the_code() -> None:
    """Each number of the page's table stands for a constant."""
    assert (128, 64 << 20, 32 << 20) == (ENTRIES_MAX, BODY_SIZE_BYTES_MAX, ENTRY_SIZE_BYTES_MAX)
    assert (64 << 10, 16 << 20) == (SEGMENT_SIZE_BYTES_MIN, SEGMENT_SIZE_BYTES_MAX)
    assert PAYLOAD_INLINE_BYTES_MAX == 64 << 10
    for text in ("| 128 |", "| 64 MiB |", "| 32 MiB |", "| 64 KiB |", "| 65,536 |", "16 MiB;"):
        assert text in PAGE
