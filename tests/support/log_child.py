"""
A process that plays `tests.support.log_guest` and does not survive it.

``python -m tests.support.log_child STATE_DIR NUMBER`` kills itself with SIGKILL when the entry of
that number is about to be appended, counted over all logs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.hosts import open_host
from tests.support.log_guest import config, play
from tests.support.moments import dying_before


def main(state_dir: Path, number: int) -> None:
    with open_host(state_dir, config()) as host, dying_before(number):
        play(host)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
