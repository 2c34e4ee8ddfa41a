"""
The process that `tests/crash/test_processes.py` kills: a host that works through a fixed plan.

``python -m tests.support.crash_child STATE_DIR ENDING`` with ``CRASH_AT`` in the environment, a
`Point`, or empty.  Writes one JSON document per line to stdout, each with a single ``write``, so
that a kill leaves whole lines:

``{"accepted": key}``           `enqueue` has returned
``{"ack": key, "outcome": …}``  a result, or the class and text of an error, has been returned
``{"shown": [stream, text]}``   a watcher was given this output
``{"done": counts}``            everything is finished; how often each operation was counted
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from golem_host import HostConfig, HostError
from golem_host import host as host_module
from golem_host.status import fold
from golem_host.worker.request import Call
from golem_host.worker.retry import RetryPolicy
from golem_host.worker.worker import Worker
from golem_oplog.protocol import SyncLevel
from tests.support.crash_guests import crash_guest
from tests.support.hosts import open_host
from tests.support.killing_files import Killer, KillingFiles, Point

WORKER: Final = "alice"
ENQUEUED: Final = True
INVOKED: Final = False

PLAN: Final = (
    ("k1", INVOKED, 3),
    ("k2", ENQUEUED, 2),
    ("k3", ENQUEUED, 5),
    ("k4", INVOKED, 2),
    ("k5", ENQUEUED, 1),
    ("k6", INVOKED, 4),
)
"""Key, how it is asked for, and the steps of ``work``; in this order the guest sees them."""
LAST: Final = "k7"

CONFIG: Final = HostConfig(
    sync_level=SyncLevel.POWER,
    retry_policy=RetryPolicy(
        max_attempts=2, min_delay_ns=1_000_000, max_delay_ns=2_000_000, max_jitter_factor=None
    ),
)


def main(state_dir: Path, ending: str, crash_at: str) -> None:
    """Work through the plan; asking again for what is done already returns what it returned."""
    killer = Killer(Point.parse(crash_at) if crash_at else None)
    with (
        patch.object(host_module, "OsFiles", lambda: KillingFiles(killer)),
        open_host(state_dir, CONFIG) as host,
    ):
        component = host.components.deploy(crash_guest(), name="crash")
        worker = host.workers.get_or_create(component, WORKER)
        with worker.attach(_shown, lambda _: None):
            _work(worker)
            _acknowledge(LAST, lambda: worker.invoke(ending, idempotency_key=LAST))
            _ask_again(worker, ending)
            _compare_status(worker)
    _tell({"done": dict(killer.counts)})


def _work(worker: Worker) -> None:
    calls: list[tuple[str, Call]] = []
    for key, is_enqueued, steps in PLAN:
        if is_enqueued:
            calls.append((key, worker.enqueue("work", steps, idempotency_key=key)))
            _tell({"accepted": key})
        else:
            outcome = worker.invoke("work", steps, idempotency_key=key)
            # Whatever was queued before it is done, too.
            for earlier, call in calls:
                _tell({"ack": earlier, "outcome": call.result(0)})
            calls.clear()
            _tell({"ack": key, "outcome": outcome})


def _ask_again(worker: Worker, ending: str) -> None:
    """What was returned once is returned ever after, also by a worker that has ended."""
    for key, _, steps in PLAN:
        _acknowledge(key, lambda key=key, steps=steps: _again(worker, key, "work", steps))
    _acknowledge(LAST, lambda: _again(worker, LAST, ending))


def _again(worker: Worker, key: str, function: str, *args: int) -> object:
    return worker.invoke(function, *args, idempotency_key=key)


def _acknowledge(key: str, call: Any) -> None:
    try:
        outcome = call()
    except HostError as error:
        outcome = f"{type(error).__name__}: {error}"
    _tell({"ack": key, "outcome": outcome})


def _compare_status(worker: Worker) -> None:
    """The status that followed the log by one entry at a time is what the whole log says."""
    parts = worker._access.runner().parts
    fresh = fold(parts.oplog.read)
    assert fresh == parts.status, f"{fresh}\n{parts.status}"


def _shown(stream: str, data: bytes) -> None:
    _tell({"shown": [stream, data.decode()]})


def _tell(document: object) -> None:
    line = f"{json.dumps(document)}\n".encode()
    # Longer ones could be cut in two by a kill.
    assert len(line) <= 4096
    os.write(1, line)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], os.environ.get("CRASH_AT", ""))
