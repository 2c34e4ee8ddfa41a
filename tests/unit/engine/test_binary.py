"""What the first bytes and the section headers of a file tell."""

from __future__ import annotations

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

from golem_host.engine.binary import (
    PAGE_BYTES,
    FileKind,
    MalformedError,
    file_kind,
    initial_memory_bytes,
)
from tests.support.components import component


def test_kinds_are_told_by_the_preamble() -> None:
    """Component, core module, neither."""
    kinds = [
        file_kind(wasm)
        for wasm in (component("(component)"), bytes(wasmtime.wat2wasm("(module)")), b"ELF", b"")
    ]

    assert [FileKind.COMPONENT, FileKind.CORE_MODULE, FileKind.OTHER, FileKind.OTHER] == kinds


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("(component)", 0),
        ("(component (core module (memory 3)))", 3 * PAGE_BYTES),
        ("(component (core module (memory 200 300)))", 200 * PAGE_BYTES),
        ('(component (core module (import "m" "m" (memory 9))))', 0),
        (
            "(component (core module (memory 1)) (component (core module (memory 2 2))))",
            3 * PAGE_BYTES,
        ),
        ("(component (core module (memory i64 5)))", 5 * PAGE_BYTES),
        ("(component (core module (memory 7 (pagesize 1))))", 7),
        ("(component (core module (memory 2 9 (pagesize 65536))))", 2 * PAGE_BYTES),
    ],
)
def test_initial_memory_is_the_sum_of_what_modules_define(text: str, size_bytes: int) -> None:
    """Nested components count, imported memories do not; limits of every form are read."""
    assert size_bytes == initial_memory_bytes(component(text))


@given(st.binary(max_size=60))
def test_arbitrary_bytes_give_a_number_or_one_error(junk: bytes) -> None:
    """Whatever follows the preamble, nothing else is raised and nothing runs for ever."""
    try:
        size = initial_memory_bytes(component("(component)")[:8] + junk)
    except MalformedError:
        size = 0

    assert size >= 0
