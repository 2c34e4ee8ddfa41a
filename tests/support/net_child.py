"""
A process that runs the worker of `tests.crash.test_net_kills`, and may not survive it.

``python -m tests.support.net_child STATE_DIR PORT NUMBER`` kills itself with SIGKILL when the entry
of that number is about to be appended.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from tests.support.hosts import open_host
from tests.support.moments import dying_before
from tests.support.wasi_hosts import ONE_ATTEMPT, RUN


def main(state_dir: Path, port: int, number: int) -> None:
    config = replace(ONE_ATTEMPT, net=(f"127.0.0.1:{port}",), control_socket=False)
    with open_host(state_dir, config) as host, dying_before(number):
        host.workers.get("command", "main").invoke(RUN, idempotency_key="run")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
