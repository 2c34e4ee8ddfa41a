"""What cannot be hosted is refused at load, in one line that says why."""

from __future__ import annotations

from pathlib import Path

import pytest
import wasmtime
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from golem_host.engine import Engine
from golem_host.errors import ComponentError
from tests.support.components import clock_component, component

ASYNC = "WASI 0.3 and async components cannot be hosted; build it for WASI 0.2"


def _import(interface: str) -> str:
    return f'(component (import "{interface}" (instance (export "f" (func)))))'


def _binary(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


REFUSED = {
    "empty": (b"", "the file is empty"),
    "text": (b"hello, world", "not a WebAssembly component"),
    "short": (b"\0asm", "not a WebAssembly component"),
    "other layer": (b"\0asm\x0d\0\x02\0", "not a WebAssembly component"),
    "core module": (_binary("(module)"), "a core module, not a component; turn it into one"),
    "preview 1": (
        _binary('(module (import "wasi_snapshot_preview1" "fd_write" (func)))'),
        "(it uses WASI preview 1)",
    ),
    "old layer": (b"\0asm\x0a\0\x01\0", "damaged or invalid"),
    "truncated": (clock_component()[:-3], "damaged or invalid: a section reaches beyond the end"),
    "no end": (b"\0asm\x0d\0\x01\0\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "number"),
    "stream": (_binary('(component (import "f" (func (param "a" (stream u8)))))'), ASYNC),
    "future": (_binary('(component (import "f" (func (result (future u8)))))'), ASYNC),
    "error-context": (_binary('(component (import "f" (func (param "a" error-context))))'), ASYNC),
    "async function": (_binary('(component (import "f" (func async)))'), ASYNC),
    "module import": (
        _binary('(component (import "m" (core module)))'),
        "m is neither a function nor a type",
    ),
    "release candidate": (
        component(_import("wasi:cli/environment@0.2.0-rc-2023-12-05")),
        "imports wasi:cli/environment@0.2.0-rc-2023-12-05, a release candidate",
    ),
    "wasi 0.3": (
        component(_import("wasi:cli/environment@0.3.0")),
        "imports wasi:cli/environment@0.3.0; this host offers WASI 0.2",
    ),
    "wasi 0.3 candidate": (
        component(_import("wasi:io/poll@0.3.0-rc-2025-09-16")),
        "this host offers WASI 0.2",
    ),
    "exported 0.3": (
        component('(component (instance $i) (export "wasi:http/handler@0.3.0" (instance $i)))'),
        "exports wasi:http/handler@0.3.0",
    ),
    "time zone": (
        component(_import("wasi:clocks/timezone@0.2.3")),
        "imports wasi:clocks/timezone@0.2.3, which this host does not offer",
    ),
    "cache": (
        component(_import("wasi:keyvalue/cache@0.2.0-draft")),
        "imports wasi:keyvalue/cache@0.2.0-draft, which this host does not offer",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_each_refusal_says_why_in_one_line(engine: Engine, name: str) -> None:
    """`ComponentError`, naming the component, without a line break."""
    wasm, reason = REFUSED[name]
    with pytest.raises(ComponentError) as caught:
        engine.load(wasm, name="app.wasm")

    assert reason in caught.value.reason
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("app.wasm: ")


@pytest.mark.parametrize(
    "interface",
    [
        "wasi:keyvalue/store@0.2.0-draft",
        "wasi:config/store@0.2.0-rc.1",
        "wasi:io/poll@0.2.99",
        "my:own/api@0.3.0",
    ],
)
def test_what_looks_alike_is_loaded(engine: Engine, interface: str) -> None:
    """Proposals have drafts for versions; whether they are offered is asked when linking."""
    loaded = engine.load(component(_import(interface)), name="app.wasm")

    assert [interface] == [function.interface for function in loaded.imports]


def test_a_file_that_is_not_there_is_refused(engine: Engine, tmp_path: Path) -> None:
    """Reading is part of loading."""
    with pytest.raises(ComponentError) as caught:
        engine.load(tmp_path / "none.wasm", name="none.wasm")

    assert "cannot be read" in caught.value.reason


def test_a_file_is_loaded_like_its_bytes(engine: Engine, tmp_path: Path) -> None:
    """A path and the bytes at it are the same component."""
    path = tmp_path / "clock.wasm"
    path.write_bytes(clock_component())
    one, other = engine.load(path, name="a"), engine.load(clock_component(), name="b")

    assert one.sha256 == other.sha256
    assert one.exports == other.exports
    assert len(clock_component()) == one.size_bytes


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_bytes_load_or_are_refused(engine: Engine, data: st.DataObject) -> None:
    """Whatever happened to a component's bytes, loading ends in a component or a `ComponentError`."""
    wasm = bytearray(clock_component())
    for _ in range(data.draw(st.integers(1, 4))):
        wasm[data.draw(st.integers(0, len(wasm) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(wasm)) | st.just(len(wasm)))
    try:
        told = engine.load(bytes(wasm[:cut]), name="mutant").name
    except ComponentError as error:
        told = str(error)

    assert told.startswith("mutant")
    assert "\n" not in told
