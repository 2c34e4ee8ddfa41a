"""
``wasi:cli/run`` components under wasmtime's own WASI, in a process of their own.

``python -m tests.support.stock_wasi`` reads one JSON document per line,
``{"wasm": path, "args": [...], "env": {...}, "stdout": path, "stderr": path, "root": path or null}``,
runs the guest with an empty standard input and ``root`` as its ``/``, and answers with a line that
holds its exit code: the guest's own, 1 where ``run`` returned ``err``, or 134 where the guest
trapped.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any, Final

from wasmtime import Engine, ExitTrap, Store, WasiConfig, WasmtimeError
from wasmtime.component import Component, Linker

from tests.support.guests import GUESTS_DIR

TRAPPED: Final = 134


def run(engine: Engine, request: dict[str, Any]) -> int:
    component = _compiled(engine, Path(request["wasm"]))
    linker = Linker(engine)
    linker.add_wasip2()
    linker.add_wasi_http()
    store = Store(engine)
    wasi = WasiConfig()
    wasi.argv = request["args"]
    wasi.env = list(request["env"].items())
    wasi.stdin_file = os.devnull
    wasi.stdout_file = request["stdout"]
    wasi.stderr_file = request["stderr"]
    if request["root"] is not None:
        wasi.preopen_dir(request["root"], "/")
    store.set_wasi(wasi)
    store.set_wasi_http()
    try:
        instance = linker.instantiate(store, component)
        (name,) = (n for n in component.type.exports(engine) if n.startswith("wasi:cli/run"))
        interface = instance.get_export_index(store, name)
        export = instance.get_export_index(store, "run", interface)
        assert export is not None
        function = instance.get_func(store, export)
        assert function is not None
        result = function(store)
    except ExitTrap as exited:
        return exited.code
    except WasmtimeError:
        return TRAPPED
    return 0 if result.tag == "ok" else 1


def _compiled(engine: Engine, wasm: Path) -> Component:
    """Compiled once, whichever process does it: a Python guest takes seconds."""
    content = wasm.read_bytes()
    kept = GUESTS_DIR / "stock" / f"{hashlib.sha256(content).hexdigest()}.cwasm"
    if kept.exists():
        return Component.deserialize_file(engine, str(kept))
    component = Component(engine, content)
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_suffix(f".{os.getpid()}")
    partial.write_bytes(component.serialize())
    partial.rename(kept)
    return component


if __name__ == "__main__":
    shared_engine = Engine()
    for line in sys.stdin:
        sys.stdout.write(f"{run(shared_engine, json.loads(line))}\n")
        sys.stdout.flush()
