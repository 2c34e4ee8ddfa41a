"""
A process that plays a script of `tests.support.host_api_scripts` and does not survive it.

``python -m tests.support.host_api_child STATE_DIR SCRIPT NUMBER`` kills itself with SIGKILL when
the entry of that number is about to be appended, counted over all logs; a script that ends before
is an error.  ``STATE_DIR parked 0`` lets alice wait for a promise without an instance, writes the
promise's id and does nothing until it is killed.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from golem_host import PromiseId
from golem_oplog.log import SegmentedOplog
from tests.support.host_api_scripts import COMPONENT, SCRIPTS, Play, config, play_to_the_end
from tests.support.hosts import open_host

PARKED: Final = "parked"


def main(state_dir: Path, script: str, number: int) -> None:
    with open_host(state_dir, config()) as host:
        if script == PARKED:
            _park(Play(host))
            return
        passed = count(1)

        def killing(method: Any) -> Any:
            def append(*args: Any) -> Any:
                if next(passed) == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                return method(*args)

            return append

        with (
            patch.object(SegmentedOplog, "append", killing(SegmentedOplog.append)),
            patch.object(SegmentedOplog, "append_call", killing(SegmentedOplog.append_call)),
            patch.object(
                SegmentedOplog, "append_together", killing(SegmentedOplog.append_together)
            ),
        ):
            play_to_the_end(host, SCRIPTS[script])


def _park(play: Play) -> None:
    promise = play("create-promise")
    play.waits_for(promise)
    component_id = play.host.components.get(COMPONENT).id
    sys.stdout.write(f"{PromiseId(component_id, 'alice', promise['oplog-idx'])}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
