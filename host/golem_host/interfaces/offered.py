"""
Every interface of ``wit/``: offered here, or standing in `PLANNED`.

A component that imports a planned interface is refused at load, by name.
"""

from __future__ import annotations

from typing import Final

from golem_host.declare import Registry
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
)

PLANNED: Final = frozenset(
    {
        "golem:api/context",
        "golem:api/host",
        "golem:api/oplog",
        "golem:durability/durability",
        "golem:rpc/types",
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

RECORDED_INSIDE: Final = {
    "wasi:clocks/monotonic-clock.{subscribe-duration}": "monotonic_clock::now",
    "wasi:io/poll.{[method]pollable.block}": "golem io::poll::poll",
}
"""Functions that run again on replay, but for one call inside of them that is recorded: its name."""


def registry() -> Registry:
    return Registry(DECLARING)
