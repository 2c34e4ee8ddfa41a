"""
The process that `tests/crash/test_plugin_kills.py` kills: a host whose plugin processes what a worker
writes, while that goes on.

``python -m tests.support.plugin_child STATE_DIR`` calls the worker without end, and writes a line for
each call that has returned.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from golem_host import Host
from golem_host.services.plugins import Plugin
from golem_host.worker.worker import Worker
from tests.support.handle_guests import handle_guest
from tests.support.hosts import open_host
from tests.support.plugin_guests import plugin_guest

NAME: Final = "audit"


def opened(host: Host) -> tuple[Plugin, Worker]:
    """The plugin and the worker that it watches, made the first time."""
    if not host.components.all():
        host.components.deploy(plugin_guest(), name="plugin")
        host.components.deploy(handle_guest(), name="watched")
    if len(host.components.all()) < 2 or not host.plugins.list():
        host.plugins.install(NAME, "plugin")
    worker = host.workers.get_or_create(host.components.get("watched"), "a")
    return host.plugins.get(NAME), worker


def main(state_dir: Path) -> None:
    with open_host(state_dir) as host:
        _, worker = opened(host)
        while True:
            made = worker.invoke("counter.new", 1)
            worker.invoke("counter.drop", made)
            sys.stdout.write(".\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
