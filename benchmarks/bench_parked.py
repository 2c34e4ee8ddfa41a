"""
What a worker costs that waits for a promise, and what it takes to finish ten thousand of them.

Memory is that of a host process with so many parked workers minus that of the same process before
they were made; every worker is in the middle of an invocation, and all are finished in the end.
"""

from __future__ import annotations

import gc
import os
import tempfile
import time
from pathlib import Path

import wasmtime

from benchmarks.harness import Report, Row
from golem_host import Host, HostConfig, PromiseId, SyncLevel

WORKERS = 10_000
WARM_UP = 200
PER_WORKER_BYTES_MAX = 2048
GRACE_S = 0.01

GUEST = """(component
  (import "golem:rpc/types@0.2.2" (instance $rpc
    (type $u0 (record (field "high-bits" u64) (field "low-bits" u64)))
    (export "uuid" (type $u (eq $u0)))
    (type $c0 (record (field "uuid" $u))) (export "component-id" (type $c (eq $c0)))
    (type $w0 (record (field "component-id" $c) (field "worker-name" string)))
    (export "worker-id" (type $w (eq $w0)))))
  (alias export $rpc "worker-id" (type $worker-id))
  (import "golem:api/host@1.1.7" (instance $host
    (alias outer 1 $worker-id (type $w0)) (export "worker-id" (type $w (eq $w0)))
    (type $p0 (record (field "worker-id" $w) (field "oplog-idx" u64)))
    (export "promise-id" (type $p (eq $p0)))
    (export "create-promise" (func (result $p)))
    (export "await-promise" (func (param "promise-id" $p) (result (list u8))))))
  (core module $Memory
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $memory (instantiate $Memory))
  (core func $create (canon lower (func $host "create-promise")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $await (canon lower (func $host "await-promise")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core module $Main
    (import "host" "create" (func $create (param i32)))
    (import "host" "await" (func $await (param i64 i64 i32 i32 i64 i32)))
    (import "memory" "memory" (memory 1))
    (func (export "make") (result i64)
      (call $create (i32.const 16))
      (i64.load (i32.const 40)))
    (func (export "wait") (result i32)
      (call $await (i64.load (i32.const 16)) (i64.load (i32.const 24))
        (i32.load (i32.const 32)) (i32.load (i32.const 36)) (i64.load (i32.const 40))
        (i32.const 64))
      (i32.load (i32.const 68))))
  (core instance $main (instantiate $Main
    (with "host" (instance (export "create" (func $create)) (export "await" (func $await))))
    (with "memory" (instance $memory))))
  (func $make (result u64) (canon lift (core func $main "make")))
  (func $wait (result u32) (canon lift (core func $main "wait")))
  (instance $api (export "make" (func $make)) (export "wait" (func $wait)))
  (export "bench:parked/api" (instance $api)))"""
"""``make() -> u64``: makes a promise, gives its index.  ``wait() -> u32``: the size it is filled with."""


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def park(host: Host, component: str, names: range) -> list[PromiseId]:
    """Workers of these numbers, each waiting for its own promise."""
    deployed = host.components.get(component)
    promises = []
    for number in names:
        worker = host.workers.create(deployed, f"w{number}")
        index = worker.invoke("make")
        assert isinstance(index, int)
        promises.append(PromiseId(deployed.id, worker.name, index))
        worker.enqueue("wait", idempotency_key="wait")
    return promises


def until(condition: object, seconds: float = 600.0) -> None:
    """Return when a condition holds."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the workers do not get there"
        time.sleep(0.05)


def parked(host: Host, count: int) -> bool:
    unfinished = host.workers._shared.unfinished.all()
    return sum(1 for each in unfinished if each.promise) == count and not len(host.workers._loaded)


def main() -> int:
    report = Report("workers parked on promises")
    with tempfile.TemporaryDirectory() as folder:
        config = HostConfig(
            sync_level=SyncLevel.PROCESS, cache_dir=Path(folder) / "cache", idle_after_s=GRACE_S
        )
        with Host.open(Path(folder) / "state", config) as host:
            host.components.deploy(bytes(wasmtime.wat2wasm(GUEST)), name="parked")
            promises = park(host, "parked", range(WARM_UP))
            until(lambda: parked(host, WARM_UP))
            gc.collect()
            before = resident_bytes()
            started = time.perf_counter()
            promises += park(host, "parked", range(WARM_UP, WARM_UP + WORKERS))
            until(lambda: parked(host, WARM_UP + WORKERS))
            made_s = time.perf_counter() - started
            gc.collect()
            each = (resident_bytes() - before) / WORKERS
            started = time.perf_counter()
            for promise in promises:
                host.promises.complete(promise, b"done")
            until(lambda: not host.workers._shared.unfinished.all())
            finished_s = time.perf_counter() - started
            for worker in host.workers.list("parked"):
                call = worker.call("wait")
                assert call is not None
                assert len(b"done") == call.result(60)
    report.add(Row("memory of a parked worker", each, "bytes", PER_WORKER_BYTES_MAX))
    report.add(Row("made and parked", WORKERS / made_s, "workers/s"))
    report.add(Row("completed, woken and finished", len(promises) / finished_s, "workers/s"))
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
