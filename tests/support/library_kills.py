"""
A process that does not survive a program of `tests.support.library_programs`.

``python -m tests.support.library_kills STATE_DIR NUMBER`` kills itself with SIGKILL when the entry
of that number is about to be appended; a program that ends before is an error.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from tests.support.guests import python_guest
from tests.support.hosts import open_host
from tests.support.http_kills import config, play
from tests.support.library_programs import PROGRAMS
from tests.support.moments import dying_before
from tests.support.repository import ROOT

COMPONENT: Final = "http"


def set_up(state_dir: Path, name: str, url: str) -> None:
    """A worker that has not been asked to run its program yet."""
    with open_host(state_dir, config()) as host:
        wasm = python_guest(ROOT / "tests/support/library_guest")
        component = host.components.deploy(wasm, name=COMPONENT)
        host.workers.create(component, "main", args=["prog", PROGRAMS[name], url])


def main(state_dir: Path, number: int) -> None:
    with open_host(state_dir, config()) as host, dying_before(number):
        play(host)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
