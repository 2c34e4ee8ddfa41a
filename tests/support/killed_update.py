"""
A process that dies in the middle of an update: started as ``python -m``, by ``kill_in_update``.

It kills itself with SIGKILL right before or right after the entry of success is appended, and so
before that entry is on disk.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from golem_host.status import Status
from golem_oplog.entries import Entry, SuccessfulUpdate
from golem_oplog.protocol import Oplog
from tests.support.hosts import open_host
from tests.support.repository import ROOT

GIVES_UP_S = 30.0


def kill_in_update(state_dir: Path, component: str, worker: str, mode: str, point: str) -> None:
    """Update a worker to version 1 in a process that dies ``before`` or ``after`` the entry."""
    command = [sys.executable, "-m", __name__, str(state_dir), component, worker, mode, point]
    ended = subprocess.run(command, cwd=ROOT, timeout=GIVES_UP_S, check=False)
    assert -signal.SIGKILL == ended.returncode


def main(state_dir: str, component: str, worker: str, mode: str, point: str) -> None:
    append = Status.append

    def dying(self: Status, oplog: Oplog, entry: Entry) -> int:
        if point == "before" and isinstance(entry, SuccessfulUpdate):
            os.kill(os.getpid(), signal.SIGKILL)
        index = append(self, oplog, entry)
        if point == "after" and isinstance(entry, SuccessfulUpdate):
            os.kill(os.getpid(), signal.SIGKILL)
        return index

    Status.append = dying  # type: ignore[method-assign]
    with open_host(Path(state_dir)) as host:
        host.workers.get(component, worker).update(1, mode)
        threading.Event().wait(GIVES_UP_S)


if __name__ == "__main__":
    main(*sys.argv[1:])
