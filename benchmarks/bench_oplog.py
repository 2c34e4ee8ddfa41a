"""
The log by itself: appending, scanning, durable appends against the disk's own pace.

```
python -m benchmarks.bench_oplog [--json]
```

Not shown: cold reads (the page cache is warm), and disks slower or faster than this one at syncs.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import msgpack

from benchmarks.harness import Report, in_turns, ratio
from golem_oplog import (
    BlobStore,
    Create,
    FunctionType,
    ImportedFunctionInvoked,
    Oplog,
    OplogStore,
    OsFiles,
    Prim,
    SyncLevel,
)
from golem_oplog.codec import encode_entry
from golem_oplog.frame import HEADER_SIZE_BYTES

ENTRIES = 5_000
ROUNDS = 40
SYNCS = 200
WORKERS = 16
FUNCTION = FunctionType("bench:shop/stock.{look-up}", (("item", Prim.STRING),), Prim.STRING)
CREATE = Create(0, "00000000-0000-0000-0000-000000000001", "bench", 0, (), (), (), 0, 0)

# 300 bytes when packed, like a small database row that was asked for and returned.
ENTRY = ImportedFunctionInvoked(1_700_000_000_000_000_000, 0, b"q" * 120, b"r" * 159, 0)


class Logs:
    """A store in a scratch directory, and a fresh log whenever one is asked for."""

    def __init__(self, root: Path, sync_level: SyncLevel = SyncLevel.POWER) -> None:
        files = OsFiles()
        self.store = OplogStore(root, files, sync_level, BlobStore(root, files, sync_level))
        self._numbers = count()

    def create(self) -> Oplog:
        log = self.store.create(f"log{next(self._numbers)}", CREATE)
        log.define(FUNCTION)
        return log


def measure_append(report: Report, logs: Logs) -> None:
    log = logs.create()

    def append() -> None:
        for _ in range(ENTRIES):
            log.append(ENTRY)

    def append_call() -> None:
        timestamp, function, request, response, kind, _, _ = ENTRY
        assert isinstance(request, bytes)
        assert isinstance(response, bytes)
        for _ in range(ENTRIES):
            log.append_call(timestamp, function, request, response, kind)

    def packb() -> None:
        for _ in range(ENTRIES):
            msgpack.packb(ENTRY)

    timings = in_turns(
        {"append": append, "append_call": append_call, "packb": packb}, ENTRIES, ROUNDS
    )
    for name, timing in timings.items():
        report.timing(name, timing)
    report.ratio("append / packb", ratio(timings, "append", "packb"), 4)
    report.ratio("append_call / packb", ratio(timings, "append_call", "packb"), 4)


def measure_scan(report: Report, logs: Logs) -> None:
    log = logs.create()
    entries = [
        ENTRY._replace(timestamp=at, request=at.to_bytes(8, "big") * 15) for at in range(ENTRIES)
    ]
    for entry in entries:
        log.append(entry)
    log.commit()
    # As many different entries as the log has: a single one would never leave the first cache.
    packed = [encode_entry(entry) for entry in entries]

    def scan() -> None:
        for _ in log.read():
            pass

    def unpackb() -> None:
        for one in packed:
            msgpack.unpackb(one)

    timings = in_turns({"scan": scan, "unpackb": unpackb}, ENTRIES, ROUNDS)
    for name, timing in timings.items():
        report.timing(name, timing)
    report.ratio("scan with all checks / unpackb", ratio(timings, "scan", "unpackb"), 3)


def measure_durable(report: Report, logs: Logs, root: Path) -> None:
    log = logs.create()
    chunk = bytes(HEADER_SIZE_BYTES + len(encode_entry(ENTRY)))
    raw = os.open(root / "raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def durable() -> None:
        for _ in range(SYNCS):
            log.append(ENTRY)
            log.commit()

    def fdatasync() -> None:
        for _ in range(SYNCS):
            os.write(raw, chunk)
            os.fdatasync(raw)

    timings = in_turns({"durable append": durable, "write + fdatasync": fdatasync}, SYNCS)
    for name, timing in timings.items():
        report.timing(name, timing)
    rate = ratio(timings, "write + fdatasync", "durable append")
    report.ratio("rate of durable appends / raw", rate, 0.7, at_least=True)
    os.close(raw)


def measure_many(report: Report, logs: Logs) -> None:
    many = [logs.create() for _ in range(WORKERS)]
    each = SYNCS * 4 // WORKERS

    def commits(log: Oplog, times: int) -> None:
        for _ in range(times):
            log.append(ENTRY)
            log.commit()

    with ThreadPoolExecutor(WORKERS) as pool:

        def together() -> None:
            for future in [pool.submit(commits, log, each) for log in many]:
                future.result()

        sides: dict[str, Callable[[], object]] = {
            "durable append, one worker": lambda: commits(many[0], each * WORKERS),
            "durable append, sixteen workers": together,
        }
        timings = in_turns(sides, each * WORKERS)
    for name, timing in timings.items():
        report.timing(name, timing)
    one, sixteen = sides
    report.ratio("total rate of sixteen / one", ratio(timings, one, sixteen), 1, at_least=True)


def main() -> int:
    report = Report("oplog")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        logs = Logs(root)
        measure_append(report, logs)
        measure_scan(report, logs)
        measure_durable(report, logs, root)
        measure_many(report, logs)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
