"""
A recorded host call: recorded live, and answered on replay from a cold open of the log.

*Stock* is wasmtime-py's own linker with a Python function of the same signature that records
nothing, called from the same compiled guest in the same process.  *Recorded* is
``monotonic-clock.now``: appended, no sync waited for.
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import wasmtime
from wasmtime import component as wc

from benchmarks.harness import ROUNDS, Report, Row, in_turns, ratio
from golem_host import Host, HostConfig

if TYPE_CHECKING:
    from golem_host import Worker

CALLS = 100_000
COLD = "replayed from a cold open"
CLOCK = "wasi:clocks/monotonic-clock@0.2.9"

GUEST = f"""(component
  (import "{CLOCK}" (instance $clock (export "now" (func (result u64)))))
  (alias export $clock "now" (func $now))
  (core func $now_core (canon lower (func $now)))
  (core module $M
    (import "host" "now" (func $now (result i64)))
    (func (export "loop") (param i32) (result i64) (local $last i64)
      (loop $again
        (local.set $last (call $now))
        (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (local.get $last)))
  (core instance $m (instantiate $M (with "host" (instance (export "now" (func $now_core))))))
  (func (export "loop") (param "calls" u32) (result u64) (canon lift (core func $m "loop"))))"""


class Stock:
    """The guest under wasmtime-py's own linker."""

    def __init__(self, wasm: bytes) -> None:
        engine = wasmtime.Engine(wasmtime.Config())
        linker = wc.Linker(engine)
        with linker.root() as root, root.add_instance(CLOCK) as clock:
            clock.add_func("now", lambda _store: 7)
        self._store = wasmtime.Store(engine)
        self._component = wc.Component(engine, wasm)
        self._instance = linker.instantiate(self._store, self._component)
        self._loop = self._instance.get_func(self._store, "loop")

    def __call__(self) -> None:
        assert self._loop is not None
        self._loop(self._store, CALLS)


def replay(state_dir: Path, cache_dir: Path) -> None:
    """Open a copy of the log cold, and bring the worker to where it was."""
    with Host.open(state_dir, HostConfig(cache_dir=cache_dir)) as host:
        host.workers.get("bench", "replayed").invoke("loop", 1)


def measure(report: Report, folder: Path) -> None:
    wasm = bytes(wasmtime.wat2wasm(GUEST))
    cache_dir, state_dir = folder / "cache", folder / "state"
    with Host.open(state_dir, HostConfig(cache_dir=cache_dir)) as host:
        component = host.components.deploy(wasm, name="bench")
        host.workers.create(component, "replayed").invoke("loop", CALLS)
    # A replay leaves the log longer than it was, so each has a copy of its own.
    copies = [folder / f"copy{number}" for number in range(ROUNDS + 2)]
    for copy in copies:
        shutil.copytree(state_dir, copy)
    left = iter(copies)

    def replayed() -> None:
        replay(next(left), cache_dir)

    # The other sides take longer than an idle worker keeps its instance: a worker that is put away
    # between two rounds would replay its whole log in the next.
    resident_config = HostConfig(cache_dir=cache_dir, idle_after_s=3600)
    with Host.open(state_dir, resident_config) as host:
        worker: Worker = host.workers.create(component, "recorded")

        def recorded() -> None:
            worker.invoke("loop", CALLS)

        recorded()
        resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        replayed()
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident
        timings = in_turns({"stock": Stock(wasm), "recorded": recorded, COLD: replayed}, CALLS)
    for name, timing in timings.items():
        report.timing(f"{name}, per call", timing)
    report.ratio("recorded / stock", ratio(timings, "recorded", "stock"), 0.5)
    report.ratio(f"{COLD} / stock", ratio(timings, COLD, "stock"), 0.7)
    report.add(Row(f"{COLD} / recorded", ratio(timings, COLD, "recorded"), "x"))
    report.add(Row("resident memory added by replaying", grown / 1024, "MiB", bound=16.0))


def main() -> int:
    report = Report("recorded and replayed host calls")
    with tempfile.TemporaryDirectory() as folder:
        measure(report, Path(folder))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
