"""
Every interface of ``wit/``: offered here, or standing in `PLANNED`.

A component that imports a planned interface is refused at load, by name.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from golem_host.declare import READ_LOCAL, READ_REMOTE, WRITE_REMOTE, Registry
from golem_host.interfaces.golem.api import identity, promises, search
from golem_host.interfaces.golem.api.host import HOST
from golem_host.interfaces.golem.rpc.types import RPC
from golem_host.interfaces.wasi.cli.environment import Environment
from golem_host.interfaces.wasi.cli.exit import Exit
from golem_host.interfaces.wasi.cli.stdio import Stderr, Stdin, Stdout
from golem_host.interfaces.wasi.cli.terminal import (
    TerminalInputResource,
    TerminalOutputResource,
    TerminalStderr,
    TerminalStdin,
    TerminalStdout,
)
from golem_host.interfaces.wasi.clocks.monotonic_clock import MonotonicClock
from golem_host.interfaces.wasi.clocks.wall_clock import WallClock
from golem_host.interfaces.wasi.filesystem.refused import FILESYSTEM
from golem_host.interfaces.wasi.io.error import ErrorResource
from golem_host.interfaces.wasi.io.poll import Poll, PollableResource
from golem_host.interfaces.wasi.io.streams import InputStreamResource, OutputStreamResource
from golem_host.interfaces.wasi.random.random import Insecure, InsecureSeed, Random
from golem_host.interfaces.wasi.sockets.refused import SOCKETS
from golem_oplog.entries import FunctionKind

DECLARING: Final = (
    ErrorResource(),
    Poll(),
    PollableResource(),
    InputStreamResource(),
    OutputStreamResource(),
    MonotonicClock(),
    WallClock(),
    Random(),
    Insecure(),
    InsecureSeed(),
    Environment(),
    Exit(),
    Stdin(),
    Stdout(),
    Stderr(),
    TerminalInputResource(),
    TerminalOutputResource(),
    TerminalStdin(),
    TerminalStdout(),
    TerminalStderr(),
    *FILESYSTEM,
    *SOCKETS,
    *HOST,
    *RPC,
)

PLANNED: Final = frozenset(
    {
        "golem:api/context",
        "golem:api/oplog",
        "golem:durability/durability",
        "wasi:blobstore/blobstore",
        "wasi:blobstore/container",
        "wasi:blobstore/types",
        "wasi:config/store",
        "wasi:http/outgoing-handler",
        "wasi:http/types",
        "wasi:keyvalue/atomic",
        "wasi:keyvalue/eventual",
        "wasi:keyvalue/eventual-batch",
        "wasi:keyvalue/types",
        "wasi:keyvalue/wasi-keyvalue-error",
        "wasi:logging/logging",
    }
)
"""Imports that this version names but does not answer yet."""

EXPORTED_BY_GUESTS: Final = frozenset(
    {
        "golem:api/load-snapshot",
        "golem:api/oplog-processor",
        "golem:api/save-snapshot",
        "wasi:cli/run",
        "wasi:http/incoming-handler",
    }
)


class Inside(NamedTuple):
    """A recorded call that a re-executed function makes on its own."""

    kind: FunctionKind
    record: str


RECORDED_INSIDE: Final = {
    "golem:api/host.{[method]get-agents.get-next}": Inside(READ_REMOTE, search.RECORD),
    "golem:api/host.{[method]get-promise-result.get}": Inside(READ_REMOTE, promises.POLL_RECORD),
    "golem:api/host.{[method]get-workers.get-next}": Inside(READ_REMOTE, search.RECORD),
    "golem:api/host.{await-promise}": Inside(READ_REMOTE, promises.AWAIT_RECORD),
    "golem:api/host.{get-agent-metadata}": Inside(READ_REMOTE, identity.OTHER_RECORD),
    "golem:api/host.{get-self-metadata}": Inside(READ_REMOTE, identity.SELF_RECORD),
    "golem:api/host.{get-worker-metadata}": Inside(READ_REMOTE, identity.OTHER_RECORD),
    "golem:api/host.{resolve-agent-id}": Inside(WRITE_REMOTE, identity.RESOLVE_RECORD),
    "golem:api/host.{resolve-worker-id}": Inside(WRITE_REMOTE, identity.RESOLVE_RECORD),
    "wasi:clocks/monotonic-clock.{subscribe-duration}": Inside(READ_LOCAL, "monotonic_clock::now"),
    "wasi:io/poll.{[method]pollable.block}": Inside(READ_LOCAL, "golem io::poll::poll"),
}
"""Functions that run again on replay, but for one call inside of them that is recorded."""

MARKERS: Final = {
    "golem:api/host.{get-oplog-index}": "no-op",
    "golem:api/host.{mark-begin-operation}": "begin-atomic-region",
    "golem:api/host.{mark-end-operation}": "end-atomic-region",
    "golem:api/host.{set-oplog-index}": "jump",
    "golem:api/host.{set-oplog-persistence-level}": "change-persistence-level",
    "golem:api/host.{set-retry-policy}": "change-retry-policy",
}
"""Functions that leave an entry of a kind of their own."""


def registry() -> Registry:
    return Registry(DECLARING)
