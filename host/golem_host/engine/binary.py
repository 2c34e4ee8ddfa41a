"""
The outer shape of a wasm file: component or core module, and its sections.

Only section headers are read, so an 18 MB component takes microseconds.  Validation is the
engine's.

Source: the WebAssembly binary format, and ``Binary.md`` of the component model.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final

MAGIC: Final = b"\0asm"
_CORE_VERSION: Final = b"\x01\0\0\0"
_COMPONENT_LAYER: Final = b"\x01\0"
PREAMBLE_BYTES: Final = 8


class FileKind(Enum):
    """What the first eight bytes say."""

    COMPONENT = "component"
    CORE_MODULE = "core module"
    OTHER = "other"


class MalformedError(Exception):
    """The sections do not fit into the file."""


def file_kind(wasm: bytes) -> FileKind:
    if wasm[:4] != MAGIC or len(wasm) < PREAMBLE_BYTES:
        return FileKind.OTHER
    if wasm[4:8] == _CORE_VERSION:
        return FileKind.CORE_MODULE
    return FileKind.COMPONENT if wasm[6:8] == _COMPONENT_LAYER else FileKind.OTHER


def sections(content: memoryview) -> Iterator[tuple[int, memoryview]]:
    """
    The sections of a component or core module with their numbers.

    Raises:
        MalformedError: One reaches beyond the end.
    """
    position = PREAMBLE_BYTES
    while position < len(content):
        cursor = Cursor(content, position)
        section, size = cursor.byte(), cursor.number()
        position = cursor.position + size
        if position > len(content):
            message = "a section reaches beyond the end"
            raise MalformedError(message)
        yield section, content[cursor.position : position]


class Cursor:
    """Reads one thing after the other.  Raises `MalformedError` where they do not end."""

    __slots__ = ("_content", "position")

    def __init__(self, content: memoryview, position: int = 0) -> None:
        self._content = content
        self.position = position

    def byte(self) -> int:
        if self.position >= len(self._content):
            message = "a section ends too early"
            raise MalformedError(message)
        value = self._content[self.position]
        self.position += 1
        return value

    def number(self) -> int:
        """An unsigned LEB128 number of at most 64 bits."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        message = "a number does not end"
        raise MalformedError(message)

    def name(self) -> None:
        """Pass over a name."""
        size = self.number()
        self.position += size
