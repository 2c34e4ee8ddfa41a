"""
A process that plays a script of `tests.support.host_api_scripts` and does not survive it.

``python -m tests.support.host_api_child STATE_DIR SCRIPT NUMBER`` kills itself with SIGKILL when
the entry of that number is about to be appended, counted over all logs; a script that ends before
is an error.  ``STATE_DIR parked 0`` lets alice wait for a promise without an instance, writes the
promise's id and does nothing until it is killed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from golem_host import PromiseId
from tests.support.host_api_scripts import COMPONENT, SCRIPTS, Play, config, play_to_the_end
from tests.support.hosts import open_host
from tests.support.moments import dying_before

PARKED: Final = "parked"


def main(state_dir: Path, script: str, number: int) -> None:
    with open_host(state_dir, config()) as host:
        if script == PARKED:
            _park(Play(host))
            return
        with dying_before(number):
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
