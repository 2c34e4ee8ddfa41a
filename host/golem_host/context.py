"""
One instance's view of its host: what a live action may use, and where what it did is appended.

An `InstanceContext` lives exactly as long as one instance.  Everything in it belongs to the one
thread that runs the guest, except `kill`, `wake` and the log itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

import msgpack

from golem_host.declare import Recorded
from golem_host.engine import StoreContext
from golem_host.replay import Replay
from golem_host.resources import ResourceTable
from golem_host.services.world import Clock, Random
from golem_host.status import Status
from golem_host.wire import Wire
from golem_oplog.entries import HINT_CLASSES, Entry, Log, LogLevel, Pairs
from golem_oplog.protocol import Oplog

WAIT_COMMIT_NS: Final = 10_000_000
"""A wait at least this long commits first: whoever kills the host then loses nothing."""
WAIT_NS_MAX: Final = 24 * 3600 * 1_000_000_000
"""A longer wait is taken in pieces: a guest may name any u64, and no lock waits for 584 years."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the worker is, as its guest may ask."""

    component_id: str
    component_version: int
    worker_name: str
    args: tuple[str, ...]
    env: Pairs
    """Effective: what was given at creation, the component's defaults, and our own three."""
    config_vars: Pairs


class OutputSink(Protocol):
    """Takes what the guest wrote, after its entry is appended and before it is durable."""

    def push(self, index: int, level: LogLevel, data: bytes) -> None: ...


class RunSlot(Protocol):
    """The right to run guest code; given back while the host waits."""

    def released(self) -> AbstractContextManager[None]: ...


@dataclass(slots=True)
class Services:
    """What live actions receive."""

    clock: Clock
    random: Random
    identity: Identity
    output: OutputSink
    slot: RunSlot
    suspend_after_ns: int


def _retries_remain() -> bool:
    return False


class InstanceContext(StoreContext):
    """The engine's context of one store, with everything the dispatcher needs within reach."""

    __slots__ = (
        "_function_ids",
        "_instant_ns",
        "_pack",
        "clock_ns",
        "idempotent",
        "is_last_attempt",
        "oplog",
        "replay",
        "resources",
        "services",
        "status",
        "wake",
    )

    def __init__(self, *, oplog: Oplog, replay: Replay, status: Status, services: Services) -> None:
        super().__init__()
        self.oplog = oplog
        self.replay = replay
        self.status = status
        self.services = services
        self.resources = ResourceTable()
        self.clock_ns: Callable[[], int] = services.clock.unix_ns
        self.idempotent = True
        self.is_last_attempt: Callable[[], bool] = _retries_remain
        """Whether a failure here and now would be the last one: nothing is left to heal it."""
        self.wake = threading.Event()
        """Set to end a host wait early; the waiter looks at `kill` then."""
        # No instant is earlier than anything in the log, even if the clock was set back since.
        self._instant_ns = status.last_timestamp
        self._function_ids: dict[Recorded, int] = {}
        # A packer keeps a buffer, so every instance has its own.
        self._pack: Callable[[Wire], bytes] = msgpack.Packer(autoreset=True).pack

    def monotonic_ns(self) -> int:
        """Unix nanoseconds that never go back."""
        now = self.clock_ns()
        if now < self._instant_ns:
            return self._instant_ns
        self._instant_ns = now
        return now

    # -- the log ------------------------------------------------------------------------------

    def function_id(self, recorded: Recorded) -> int:
        """The definition id of a recorded function in this worker's log."""
        found = self._function_ids.get(recorded)
        if found is None:
            found = self._function_ids[recorded] = self.oplog.define(recorded.type)
        return found

    def pack(self, wire: Wire) -> bytes:
        return self._pack(wire)

    def append(self, entry: Entry) -> int:
        """Append an entry that the guest's progress caused, and follow it in the status."""
        index = self.status.append(self.oplog, entry)
        tail = self.replay.tail_logs
        if tail and entry.__class__ not in HINT_CLASSES:
            tail.clear()
        return index

    def record_call(self, function: int, request: bytes, response: bytes, kind: int) -> None:
        """
        `append` for the hot path: a host call that neither brackets anything nor failed.

        `append_call` checks no types.  They are right: the packer gives bytes, `function_id` what
        the log defined, `HostConfig` looks at the clock.
        """
        now, status = self.clock_ns(), self.status
        status.last_replayed_index = self.oplog.append_call(now, function, request, response, kind)
        # The next instance in this process starts its instants here.
        if now > status.last_timestamp:  # noqa: PLR1730 - `max` costs four times as much
            status.last_timestamp = now
        if self.replay.tail_logs:
            self.replay.tail_logs.clear()

    def emit(self, level: LogLevel, data: bytes) -> None:
        """Record guest output once, and hand it on to be shown once it is durable."""
        log = Log(self.clock_ns(), level, "", data)
        if not data or self.replay.output_was_recorded(log):
            return
        index = self.oplog.append(log)
        self.services.output.push(index, level, data)

    # -- waiting ------------------------------------------------------------------------------

    def check_kill(self) -> None:
        """Raise what another thread has asked this instance to end with."""
        if self.kill is not None:
            raise self.kill

    def wait_until(self, deadline_ns: int | None) -> None:
        """
        Wait in memory until a Unix time, or until `wake` is set; may return early.

        Raises whatever `kill` holds.  The run slot is free for others meanwhile.
        """
        self.check_kill()
        timeout_ns = None if deadline_ns is None else max(deadline_ns - self.clock_ns(), 0)
        if timeout_ns is None or timeout_ns >= WAIT_COMMIT_NS:
            self.oplog.commit()
        if timeout_ns is not None:
            timeout_ns = min(timeout_ns, WAIT_NS_MAX)
        with self.services.slot.released():
            self.wake.wait(None if timeout_ns is None else timeout_ns / 1e9)
        self.wake.clear()
        self.check_kill()
