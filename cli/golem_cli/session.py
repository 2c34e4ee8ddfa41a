"""The host behind a command, opened with what the command line says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from golem_cli.render import note

if TYPE_CHECKING:
    from golem_cli.options import WorkerName
    from golem_host import Host, Worker
    from golem_host.rest.remote import RemoteHost
    from golem_host.rest.remote_worker import RemoteWorker

T = TypeVar("T")

ANSWER_S: Final = 5.0
LOOK_S: Final = 0.05
LOOKS_MAX: Final = 100
"""How often a directory that is owned, and whose owner does not answer, is looked at again."""

AnyHost: TypeAlias = "Host | RemoteHost"
AnyWorker: TypeAlias = "Worker | RemoteWorker"


def open_host(
    state_dir: Path | None,
    *,
    read_only: bool = False,
    work: bool = True,
    interfaces: Sequence[str] = (),
) -> AnyHost:
    """
    The host on a state directory, the default one for None: ours, or that of its owner.

    Workers that others have left unfinished stay so: one command does one thing.

    Args:
        state_dir: As given with ``--state-dir``.
        read_only: Take no lock and run nothing, so that a state in use can be looked at.
        work: Whether guests run here; without it they go on when another command lets them.
        interfaces: As given with ``--interface``.

    Raises:
        click.UsageError: They cannot be lent.
    """
    from golem_host import Host, HostConfig, StateDirLockedError

    lent: tuple[object, ...] = ()
    if interfaces:
        from golem_cli.lending import load

        lent = load(interfaces)
    config = HostConfig(interfaces=lent) if work else HostConfig(threads_max=0)
    root = state_root(state_dir)
    for look in range(LOOKS_MAX + 1):
        try:
            return Host.open(root, config=config, read_only=read_only, revive=False)
        except StateDirLockedError:
            from golem_host.rest.remote import RemoteHost

            owner = RemoteHost.of_owner(root, wait_s=0)
            if owner is not None:
                if interfaces:
                    from golem_cli.lending import refuse_through_owner

                    refuse_through_owner(interfaces)
                return owner
            # An owner that begins or ends, or an embedder that wants no socket.
            if look == LOOKS_MAX:
                raise
            Event().wait(LOOK_S)
    raise AssertionError("unreachable")


def look_through_owner(state_dir: Path | None, look: Callable[[AnyHost], T]) -> T:
    """Look at what the owner of a state directory knows better than its files, if there is one."""
    from golem_host.rest.client import OwnerGoneError
    from golem_host.rest.remote import RemoteHost

    # One that does not answer is no reason not to look.
    owner = RemoteHost.of_owner(state_root(state_dir), wait_s=0, answer_s=ANSWER_S)
    if owner is not None:
        with suppress(OwnerGoneError), owner:
            return look(owner)
    with open_host(state_dir, read_only=True) as host:
        return look(host)


def through_host(
    state_dir: Path | None,
    act: Callable[[AnyHost], int],
    *,
    quiet: bool,
    work: bool = True,
    interfaces: Sequence[str] = (),
) -> int:
    """
    Act on the host of a state directory; if that is another process and it ends, act again.

    The next time the directory is free, or has another owner.
    """
    from golem_host import Host

    while True:
        with open_host(state_dir, work=work, interfaces=interfaces) as host:
            if isinstance(host, Host):
                return act(host)
            from golem_host.rest.client import OwnerGoneError

            try:
                return act(host)
            except OwnerGoneError:
                note("the owner of the state directory has ended; going on without it", quiet=quiet)


def state_root(state_dir: Path | None) -> Path:
    from golem_host.storage.layout import default_state_dir

    return state_dir or default_state_dir()


def find_worker(host: AnyHost, name: WorkerName) -> AnyWorker:
    return host.workers.get(name.component, name.worker)


def existing_worker(host: AnyHost, component: str, name: str) -> AnyWorker | None:
    from golem_host import WorkerNotFoundError

    try:
        return host.workers.get(component, name)
    except WorkerNotFoundError:
        return None
