"""
What stands around one instance, without an engine: a log in memory, services, a context.

`new_log` begins a log, `crashed` is what a crash leaves of one, `context_on` makes the context of a
new instance on it, as `golem_host.worker.session` does.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from sys import maxsize
from typing import cast

from golem_host.context import Identity, InstanceContext, Services
from golem_host.replay import Replay
from golem_host.services.peers import Peers
from golem_host.services.world import Clock
from golem_host.status import fold
from golem_oplog.entries import Create, Entry, LogLevel
from golem_oplog.memory import MemoryOplog
from tests.support.world import EPOCH_NS, FrozenClock, ScriptedRandom

CREATE = Create(
    timestamp=EPOCH_NS,
    component_id="11111111-2222-4333-8444-555555555555",
    worker_name="alice",
    component_version=0,
    args=(),
    env=(),
    config_vars=(),
    component_size_bytes=1000,
    initial_memory_bytes=65536,
)

SUSPEND_AFTER_NS = 10_000_000_000


@dataclass
class KeptOutput:
    """An `OutputSink` that keeps what it is given."""

    pieces: list[tuple[int, LogLevel, bytes]] = field(default_factory=list)

    def push(self, index: int, level: LogLevel, data: bytes) -> None:
        self.pieces.append((index, level, data))


class FreeSlot:
    """A `RunSlot` that is never contended for."""

    def released(self) -> AbstractContextManager[None]:
        return nullcontext()

    def is_crowded(self) -> bool:
        return False


def services(clock: Clock | None = None, peers: Peers | None = None) -> Services:
    return Services(
        clock=clock or FrozenClock(),
        random=ScriptedRandom(),
        identity=Identity(CREATE.component_id, 0, CREATE.worker_name, (), (), ()),
        output=KeptOutput(),
        slot=FreeSlot(),
        suspend_after_ns=SUSPEND_AFTER_NS,
        park_after_ns=0,
        peers=cast("Peers", None) if peers is None else peers,
    )


def new_log(*entries: Entry) -> MemoryOplog:
    """A committed log with `CREATE` and these entries."""
    oplog = MemoryOplog(CREATE)
    for entry in entries:
        oplog.append(entry)
    oplog.commit()
    return oplog


def crashed(oplog: MemoryOplog, last_index: int) -> MemoryOplog:
    """What is left of a log when nothing after this index has reached the disk."""
    return oplog.copy(last_index, CREATE)


def entries_of(oplog: MemoryOplog, first: int = 2) -> list[Entry]:
    return [entry for _, entry in oplog.read(first)]


def context_on(
    oplog: MemoryOplog,
    clock: Clock | None = None,
    *,
    peers: Peers | None = None,
    oplog_bytes_max: int = maxsize,
    output_bytes_per_s: int = maxsize,
) -> InstanceContext:
    """The context of a new instance that is about to replay this log."""
    status = fold(oplog.skim)
    target = oplog.last_index
    replay = Replay(
        oplog.read(2, target),
        regions=status.skipped,
        target=target,
        open_begins=frozenset(status.open_begins),
        same_function=lambda a, b: oplog.function(a).name == oplog.function(b).name,
    )
    offered = services(clock, peers)
    offered.oplog_bytes_max = oplog_bytes_max
    offered.output_bytes_per_s = output_bytes_per_s
    return InstanceContext(oplog=oplog, replay=replay, status=status, services=offered)
