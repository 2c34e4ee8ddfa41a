"""
A plugin that processes what a worker writes, and a host that is killed at random moments.

Fault: SIGKILL, some time after the n-th call of the worker was acknowledged: between a commit and its
batch, while a batch is processed, between that and the position that says so.

Invariants, once the next host has had the time: every committed entry was processed, in order, and
what the processor keeps has each of them once.

``GOLEM_HOST_TEST_SEED`` sets the seed of all that is drawn.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Final

from golem_host import Host
from golem_host.services.plugins import Plugin
from tests.support.hosts import open_host
from tests.support.plugin_child import opened
from tests.support.repository import ROOT
from tests.support.waiting import until

SEED: Final = int(os.environ.get("GOLEM_HOST_TEST_SEED", "1"))
KILLS: Final = 30 if os.environ.get("GOLEM_HOST_TEST_PROFILE") == "full" else 4
PER_LIFE_MAX: Final = 10
DELAY_S_MAX: Final = 0.02
DEADLINE_S: Final = 60.0


def kill(state_dir: Path, acknowledged: int, delay_s: float) -> None:
    """Start a process, and kill it so long after so many calls."""
    command = [sys.executable, "-m", "tests.support.plugin_child", str(state_dir)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        descriptor, said = process.stdout.fileno(), b""
        try:
            while said.count(b"\n") < acknowledged:
                assert select.select([descriptor], [], [], DEADLINE_S)[0], said
                piece = os.read(descriptor, 65536)
                assert piece, "the process has ended by itself"
                said += piece
            # Not to wait for anything: the moment of the kill is drawn.
            select.select([], [], [], delay_s)
        finally:
            process.kill()


def indexes(host: Host, plugin: Plugin) -> list[int]:
    """Of the entries that were processed, in order."""
    return [
        index
        for worker in host.workers.list("plugin")
        if plugin.id in worker.name
        for _, _, first, count in worker.invoke("batches")
        for index in range(first, first + count)
    ]


def await_entry(host: Host, plugin: Plugin, index: int) -> None:
    until(lambda: index in indexes(host, plugin))


def test_every_entry_is_processed_once(tmp_path: Path) -> None:
    """However often the host is killed in the middle of that."""
    random = Random(SEED)
    for life in range(KILLS):
        kill(tmp_path, random.randint(1, PER_LIFE_MAX), random.uniform(0, DELAY_S_MAX))
        if life % 2 == 0 and life != KILLS - 1:
            # The next process goes on with what this one has left.
            continue
        with open_host(tmp_path) as host:
            plugin, worker = opened(host)
            worker.invoke("sum", [])
            last = worker.metadata().oplog_index
            await_entry(host, plugin, last)

            assert list(range(1, last + 1)) == indexes(host, plugin), f"seed {SEED}, life {life}"
