"""
The outer shape of a wasm file: component or core module, and the memory it starts with.

Only section headers are read, so an 18 MB component takes microseconds.  Validation is the
engine's; what is read here is read from bytes that it has accepted.

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
PAGE_BYTES: Final = 65_536

_CORE_MEMORY_SECTION: Final = 5
_CORE_MODULE_SECTION: Final = 1
_COMPONENT_SECTION: Final = 4

_LIMITS_HAVE_MAX: Final = 0x01
_LIMITS_HAVE_PAGE_SIZE: Final = 0x08


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


def initial_memory_bytes(component: bytes) -> int:
    """
    The linear memory that the component's core modules define, at its initial size.

    Each module counts once, however often it is instantiated: toolchains instantiate once.
    """
    total = 0
    waiting = [(memoryview(component), True)]
    while waiting:
        content, is_component = waiting.pop()
        for section, payload in _sections(content):
            if not is_component:
                total += _memories(payload) if section == _CORE_MEMORY_SECTION else 0
            elif section in {_CORE_MODULE_SECTION, _COMPONENT_SECTION}:
                waiting.append((payload, section == _COMPONENT_SECTION))
    return total


def _sections(content: memoryview) -> Iterator[tuple[int, memoryview]]:
    position = PREAMBLE_BYTES
    while position < len(content):
        section = content[position]
        size, start = _number(content, position + 1)
        position = start + size
        if position > len(content):
            message = "a section reaches beyond the end"
            raise MalformedError(message)
        yield section, content[start:position]


def _memories(payload: memoryview) -> int:
    count, position = _number(payload, 0)
    total = 0
    for _ in range(count):
        flags, position = _number(payload, position)
        pages, position = _number(payload, position)
        page_bytes = PAGE_BYTES
        if flags & _LIMITS_HAVE_MAX:
            _, position = _number(payload, position)
        if flags & _LIMITS_HAVE_PAGE_SIZE:
            exponent, position = _number(payload, position)
            page_bytes = 1 << min(exponent, 16)
        total += pages * page_bytes
    return total


def _number(content: memoryview, position: int) -> tuple[int, int]:
    """An unsigned LEB128 number of at most 64 bits, and the position behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(content):
            break
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    message = "a number does not end"
    raise MalformedError(message)
