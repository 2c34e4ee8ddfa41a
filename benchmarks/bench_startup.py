"""
What a person waits for: ``--help``, a run of a cached small component, a warm call.

Each process is timed from outside, in turns with ``python -c "import click"``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import wasmtime

from benchmarks.harness import Report, Row, in_turns, ratio
from golem_host import Host, HostConfig, SyncLevel

CALLS = 300

GUEST = """(component
  (core module $M
    (global $n (mut i64) (i64.const 0))
    (func (export "add") (param i64) (result i64)
      (global.set $n (i64.add (global.get $n) (local.get 0)))
      (global.get $n)))
  (core instance $m (instantiate $M))
  (func (export "add") (param "by" u64) (result u64) (canon lift (core func $m "add"))))"""


def run(*command: str, env: dict[str, str] | None = None) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=env)


def processes(report: Report, folder: Path) -> None:
    wasm = folder / "add.wasm"
    wasm.write_bytes(wasmtime.wat2wasm(GUEST))
    env = {
        **os.environ,
        "GOLEM_HOST_STATE_DIR": str(folder / "state"),
        "GOLEM_HOST_CACHE_DIR": str(folder / "cache"),
    }
    # An installed program has its bytecode; here the warm-up writes it.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    command = str(Path(sys.executable).parent / "golem-host")
    timings = in_turns(
        {
            "import click": lambda: run(sys.executable, "-c", "import click", env=env),
            "--help": lambda: run(command, "--help", env=env),
            "run": lambda: run(command, "run", str(wasm), "--invoke", "add(1)", env=env),
        },
        operations=1,
    )
    for name, timing in timings.items():
        report.add(Row(f"{name}, process", timing.median_ns / 1e6, "ms"))
    report.ratio("golem-host --help / import click", ratio(timings, "--help", "import click"), 1.5)
    report.ratio("golem-host run, cached / import click", ratio(timings, "run", "import click"), 4)


def warm_call(report: Report, folder: Path) -> None:
    """A call of a resident worker, with the sync left out: that is the disk's time."""
    config = HostConfig(cache_dir=folder / "cache", sync_level=SyncLevel.PROCESS)
    with Host.open(folder / "warm", config) as host:
        component = host.components.deploy(bytes(wasmtime.wat2wasm(GUEST)), name="bench")
        worker = host.workers.create(component, "warm")

        def calls() -> None:
            for _ in range(CALLS):
                worker.invoke("add", 1)

        timings = in_turns({"warm call": calls}, CALLS)
    best = timings["warm call"].min_ns / 1e6
    report.add(Row("warm call of a resident worker, without the sync", best, "ms", bound=0.3))


def main() -> int:
    report = Report("start-up and warm calls")
    with tempfile.TemporaryDirectory() as folder:
        processes(report, Path(folder))
        warm_call(report, Path(folder))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
