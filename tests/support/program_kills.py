"""
Programs of guests that are killed, whatever the guest: begun, gone on with, looked at.

A program may have a server on loopback, whose port is its first argument.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from golem_host import Host, InvocationFailedError
from golem_oplog.values import Ok
from tests.support.hosts import open_host
from tests.support.loopback import Handle, Server
from tests.support.moments import COMPONENTS, Moment, packed, unpack, watched
from tests.support.net_programs import net_guest, replay_agrees
from tests.support.wasi_hosts import ONE_ATTEMPT, RUN, Seen

SEED: Final = int(os.environ.get("GOLEM_HOST_TEST_SEED", "1"))


class Case(NamedTuple):
    """A program with its server on port ``args[0]``."""

    program: str
    handle: Handle
    printed: str
    """A regular expression."""
    guest: Callable[[], Path] = net_guest


@contextmanager
def opened(state_dir: Path, server: Server) -> Iterator[Host]:
    config = replace(ONE_ATTEMPT, net=(f"127.0.0.1:{server.port}",), control_socket=False)
    with open_host(state_dir, config) as host:
        yield host


def begin(case: Case, server: Server, state_dir: Path) -> None:
    """Its worker, which has done nothing yet."""
    with opened(state_dir, server) as host:
        component = host.components.deploy(case.guest(), name="command")
        host.workers.create(component, "main", args=["prog", case.program, str(server.port)])


def finish(host: Host) -> Seen:
    """What comes of the worker: all that it has written in its life."""
    worker = host.workers.get("command", "main")
    try:
        exit_code = 0 if worker.invoke(RUN, idempotency_key="run") == Ok(None) else 1
    except InvocationFailedError:
        exit_code = 134
    return Seen(exit_code, "".join(line.text for line in worker.output()).encode(), b"")


def check(case: Case, seen: Seen, kills: int) -> None:
    found = re.fullmatch(case.printed, seen.stdout.decode())
    assert found, seen
    if found.groups():
        assert 0 == seen.exit_code
        assert int(found[1]) <= kills
    else:
        assert ("Traceback" in found[0]) == (seen.exit_code == 134)


def goes_on(case: Case, server: Server, begun: Path, moment: Moment) -> None:
    """On what a kill has left, to the end; and then from the log alone."""
    with TemporaryDirectory() as folder:
        state_dir = unpack(moment.files, Path(folder) / "state")
        shutil.copytree(begun / COMPONENTS, state_dir / COMPONENTS, copy_function=os.link)
        try:
            with opened(state_dir, server) as host:
                seen = finish(host)
            check(case, seen, 1)
            replay_agrees(state_dir, seen)
        except BaseException as error:
            error.add_note(f"killed {moment.label} by seed {SEED}")
            raise


def moments_of(case: Case, server: Server, begun: Path, *, flushing: bool) -> list[Moment]:
    with TemporaryDirectory() as folder:
        state_dir = unpack(packed(begun, components=False), Path(folder) / "state")
        shutil.copytree(begun / COMPONENTS, state_dir / COMPONENTS, copy_function=os.link)
        with (
            opened(state_dir, server) as host,
            watched(host, state_dir, flushing=flushing, components=False) as moments,
        ):
            check(case, finish(host), 0)
    return moments


def drawn(*about: object) -> Random:
    return Random(f"{SEED} {about}")
