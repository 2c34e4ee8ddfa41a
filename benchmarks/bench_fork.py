"""
How long a fork of a large log takes, beside one of a small log.

```
python -m benchmarks.bench_fork [--json]
```

The source is open and has just been written to, as that of a worker that forks itself: its open
segment is sealed, the others are linked.  The time ends when the fork is durable.

Not shown: a source on another file system than its fork, whose segments are copied.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from benchmarks.harness import Report, Row
from golem_oplog import (
    BlobStore,
    Create,
    FunctionType,
    ImportedFunctionInvoked,
    OplogStore,
    OsFiles,
    Prim,
    SyncLevel,
)
from golem_oplog.sequel import Sequel

ENTRIES = 1_000_000
SMALL_ENTRIES = 1_000
ROUNDS = 15
MORE_ENTRIES = 5_000
"""Appended before each fork: enough for the open segment to be too large to be copied."""
FORK_MS_MAX = 50
LOOK_UP = FunctionType("bench:shop/stock.{look-up}", (("item", Prim.STRING),), Prim.STRING)
FORK = FunctionType("golem::api::fork", (("name", Prim.STRING),), Prim.U32)


def create_entry(name: str) -> Create:
    return Create(0, "00000000-0000-0000-0000-000000000001", name, 0, (), (), (), 0, 0)


def answer(number: int) -> ImportedFunctionInvoked:
    return ImportedFunctionInvoked(0, number, b"", b"\x01", 3)


def measure(report: Report, store: OplogStore, entries: int, bound: float | None) -> None:
    """Fork a log of so many entries again and again: at its end, and in its middle."""
    names = (f"{entries}-{number}" for number in count())
    source = next(names)
    with store.create(source, create_entry(source)) as log:
        function = log.define(LOOK_UP)

        def append(more: int) -> None:
            for _ in range(more):
                log.append_call(0, function, b"q" * 40, b"r" * 40, 0)

        append(entries - 1)
        more = min(MORE_ENTRIES, entries)
        for place, share in (("end", 1.0), ("middle", 0.5)):
            took = []
            for _ in range(ROUNDS):
                append(more)
                log.commit()
                cut, target = max(int(log.last_index * share), 1), next(names)
                began = time.perf_counter_ns()
                log.seal()
                store.fork(
                    source, target, cut, create_entry(target), [Sequel(FORK, answer)]
                ).close()
                took.append((time.perf_counter_ns() - began) / 1e6)
                store.delete(target)
            note = f"{min(took):.1f} to {max(took):.1f}"
            name = f"fork of {entries:,} entries at its {place}"
            report.add(Row(name, statistics.median(took), "ms", bound, note=note))


def main() -> int:
    report = Report("fork")
    with tempfile.TemporaryDirectory() as folder:
        root, files = Path(folder), OsFiles()
        level = SyncLevel.POWER
        store = OplogStore(root, files, level, BlobStore(root, files, level))
        measure(report, store, SMALL_ENTRIES, None)
        measure(report, store, ENTRIES, FORK_MS_MAX)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
