"""What the first bytes of a file tell."""

from __future__ import annotations

import wasmtime

from golem_host.engine.binary import FileKind, file_kind
from tests.support.components import component


def test_kinds_are_told_by_the_preamble() -> None:
    """Component, core module, neither."""
    kinds = [
        file_kind(wasm)
        for wasm in (component("(component)"), bytes(wasmtime.wat2wasm("(module)")), b"ELF", b"")
    ]

    assert [FileKind.COMPONENT, FileKind.CORE_MODULE, FileKind.OTHER, FileKind.OTHER] == kinds
