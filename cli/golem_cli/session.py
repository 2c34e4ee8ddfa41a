"""The host behind a command, opened with what the command line says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from golem_cli.options import WorkerName
    from golem_host import Host, Worker


def open_host(state_dir: Path | None, *, read_only: bool = False, retry: bool = True) -> Host:
    """
    The host on a state directory, the default one for None.

    Args:
        state_dir: As given with ``--state-dir``.
        read_only: Take no lock and run nothing, so that a state in use can be looked at.
        retry: Whether an invocation that trapped is attempted again.
    """
    from golem_host import Host, HostConfig, RetryPolicy

    config = HostConfig() if retry else HostConfig(retry_policy=RetryPolicy(max_attempts=0))
    return Host.open(state_root(state_dir), config=config, read_only=read_only)


def state_root(state_dir: Path | None) -> Path:
    from golem_host.storage.layout import default_state_dir

    return state_dir or default_state_dir()


def find_worker(host: Host, name: WorkerName) -> Worker:
    return host.workers.get(name.component, name.worker)


def existing_worker(host: Host, component: str, name: str) -> Worker | None:
    from golem_host import WorkerNotFoundError

    try:
        return host.workers.get(component, name)
    except WorkerNotFoundError:
        return None
