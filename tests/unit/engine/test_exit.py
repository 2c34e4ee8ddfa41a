"""A process may end with everything open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from golem_host.engine import Engine
from golem_host.engine.raw import Owned
from tests.support.components import clock_component
from tests.support.engines import Guest

LEFT_OPEN = """
import gc, sys
from pathlib import Path
from golem_host.engine import Engine, EngineConfig, StoreContext

gc.disable()  # so that what is left goes last, when modules are gone
engine = Engine(EngineConfig(cache_dir=Path(sys.argv[1])))
component = engine.load(Path(sys.argv[2]), name="clock")
linked = component.link(lambda _: lambda _: 5, lambda _: None)
instance = linked.instantiate(StoreContext())
export = next(export for export in component.exports if export.name == "now")
cycle = [engine, component, linked, instance]
cycle.append(cycle)
print(instance.call(export, []))
"""


def test_a_process_ends_quietly_with_instances_open(tmp_path: Path) -> None:
    """Nobody has closed anything, and still nothing is printed and nothing crashes."""
    wasm = tmp_path / "clock.wasm"
    wasm.write_bytes(clock_component())
    command = [sys.executable, "-c", LEFT_OPEN, str(tmp_path / "cache"), str(wasm)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (0, "5\n", "") == (done.returncode, done.stdout, done.stderr)


def test_nothing_is_freed_while_the_interpreter_goes() -> None:
    """The functions that wasmtime would call back may be gone by then."""
    freed: list[int] = []
    owned = Owned(7, freed.append)
    owned.__del__(lambda: True)
    while_exiting = list(freed)
    owned.__del__(lambda: False)

    assert [] == while_exiting
    assert [7] == freed


def test_neither_are_instances(engine: Engine) -> None:
    """As above."""
    guest = Guest(engine, clock_component(), lambda _: 0)
    guest.instance.__del__(lambda: True)
    alive = not guest.instance.is_dead
    guest.instance.__del__(lambda: False)

    assert alive
    assert guest.instance.is_dead
