"""
The process that `tests/conformance/test_worker_revival.py` kills: a host whose workers have all
come to where they wait.

``python -m tests.support.revival_child STATE_DIR`` writes one line when they are there, and then
does nothing until it is killed.  All are workers of the component ``cli``
(`tests.support.cli_guest`), each named for what it is doing:

=============  ==================================================================================
``running``    ``spin()``, in the only run slot
``slot``       ``add(1)``, which waits for that slot
``sleeping``   ``nap`` until `AFTER_S` from now, without an instance
``queue``      the same, and ``add(2)`` behind it
``retrying``   ``fail()``, to be tried again in `AFTER_S`
``scheduled``  ``add(3)``, not to begin before `AFTER_S` from now
``stopped``    ``nap``, interrupted in its sleep
``idle``       nothing: it has finished ``add(4)``
=============  ==================================================================================

The key of an invocation is the name of its function.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from golem_host import Host, HostConfig
from golem_host.system import SystemClock
from golem_host.worker.retry import RetryPolicy
from golem_host.worker.worker import Worker
from golem_oplog.protocol import SyncLevel
from tests.support.cli_guest import cli_guest
from tests.support.hosts import open_host
from tests.support.waiting import until

COMPONENT: Final = "cli"
AFTER_S: Final = 3600
AFTER_NS: Final = AFTER_S * 1_000_000_000

CONFIG: Final = HostConfig(
    sync_level=SyncLevel.PROCESS,
    suspend_after_s=0,
    idle_after_s=0,
    retry_policy=RetryPolicy(9, AFTER_NS, AFTER_NS, 1.0, None),
    threads_max=1,
)


def main(state_dir: Path) -> None:
    with open_host(state_dir, CONFIG) as host:
        host.components.deploy(cli_guest(), name=COMPONENT)
        _put_to_rest(host)
        _call(host, "running", "spin")
        until(lambda: host.workers.get(COMPONENT, "running")._access.runner().is_active)
        _call(host, "slot", "add", 1)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()


def _put_to_rest(host: Host) -> None:
    """Everything that needs no slot any more."""
    for name in ("sleeping", "queue", "stopped"):
        _call(host, name, "nap", AFTER_S * 1000)
    _call(host, "queue", "add", 2)
    _call(host, "retrying", "fail")
    scheduled = host.workers.create(host.components.get(COMPONENT), "scheduled")
    due_s = SystemClock().unix_ns() / 1e9 + AFTER_S
    scheduled.enqueue("add", 3, idempotency_key="add", at=due_s)
    _call(host, "idle", "add", 4)
    expected = {
        "sleeping": "suspended",
        "queue": "suspended",
        "stopped": "suspended",
        "retrying": "retrying",
        "scheduled": "idle",
        "idle": "idle",
    }
    until(lambda: all(_is_at_rest(host.workers.get(COMPONENT, n), s) for n, s in expected.items()))
    host.workers.get(COMPONENT, "stopped").interrupt()


def _call(host: Host, name: str, function: str, *args: int) -> None:
    worker = host.workers.get_or_create(host.components.get(COMPONENT), name)
    worker.enqueue(function, *args, idempotency_key=function)


def _is_at_rest(worker: Worker, status: str) -> bool:
    return worker.metadata().status == status and not worker._access.runner().is_active


if __name__ == "__main__":
    main(Path(sys.argv[1]))
