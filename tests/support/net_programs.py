"""
Python programs on the network, run as durable workers, and once more from their logs alone.

A program runs in `tests/support/net_guest`: everything it may use is imported there, its further
arguments are in ``args``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

from golem_host.context import InstanceContext
from golem_host.interfaces.wasi.sockets import ip_name_lookup
from golem_host.net import sockets as os_side
from golem_oplog.entries import LogLevel
from tests.support.guests import python_guest
from tests.support.repository import ROOT
from tests.support.wasi_hosts import Seen, ours, replayed


def net_guest() -> Path:
    return python_guest(ROOT / "tests/support/net_guest")


def live(program: str, net: tuple[str, ...], state_dir: Path, *args: object) -> Seen:
    return ours(net_guest(), ["prog", program, *map(str, args)], {}, state_dir, net=net)


def replay_agrees(state_dir: Path, seen: Seen) -> None:
    """
    The guest is told the same and says the same, without a grant, a socket or a look-up.

    Nothing is appended.
    """
    said: list[bytes] = []
    emit = InstanceContext.emit

    def listening(context: InstanceContext, level: LogLevel, data: bytes) -> None:
        said.append(data)
        emit(context, level, data)

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("a replay does not go to the network")

    with (
        patch.object(InstanceContext, "emit", listening),
        patch.object(os_side, "open_socket", refuse),
        patch.object(ip_name_lookup, "Lookup", refuse),
    ):
        assert (Seen(seen.exit_code, b"", b""), 0) == replayed(state_dir)
    assert seen.stdout + seen.stderr == b"".join(said)


def runs_alike(
    program: str, net: tuple[str, ...], state_dir: Path, *args: object
) -> tuple[int, str]:
    """Exit code and what it printed, live; a replay has been seen to agree."""
    seen = live(program, net, state_dir, *args)
    replay_agrees(state_dir, seen)
    return seen.exit_code, (seen.stdout + seen.stderr).decode()
