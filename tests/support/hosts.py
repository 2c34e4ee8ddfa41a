"""Hosts for tests: compiled code is kept in the tree between runs, everything else is new."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from golem_host import Host, HostConfig
from golem_oplog.protocol import SyncLevel
from tests.support.repository import ROOT

CACHE_DIR: Final = ROOT / ".build"

QUICK: Final = HostConfig(cache_dir=CACHE_DIR, sync_level=SyncLevel.PROCESS)
"""Nothing here loses power, so nothing waits for the disk."""


def open_host(state_dir: Path, config: HostConfig = QUICK) -> Host:
    return Host.open(state_dir, replace(config, cache_dir=CACHE_DIR))
