"""What an embedder may set, with its default."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path

from golem_host.files.live.grants import parse_dirs
from golem_host.files.settings import BYTES_MAX, ENTRIES_MAX
from golem_host.net.grants import Grants
from golem_host.services.stores.limits import STORES_BYTES_MAX
from golem_host.services.world import Clock, Random
from golem_host.system import SystemClock, SystemRandom
from golem_host.worker.retry import RetryPolicy
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.protocol import SyncLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class HostConfig:
    """Settings of one `Host`; none of them is stored in the state directory."""

    sync_level: SyncLevel = SyncLevel.POWER
    """Which crash a commit survives."""
    suspend_after_s: float = 10.0
    """A wait that only timers can end gives up the instance from this length on."""
    idle_after_s: float = 1.0
    """
    How long an idle worker keeps its thread and instance; ten times as long for each second of
    computing that a replay would take to bring the instance back, and at most sixty times.
    """
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)
    """For workers whose guest has not set its own."""
    memory_bytes_max: int = 4 << 30
    """
    Linear memory per instance; a guest that wants more sees its allocation fail.

    Nearly every component has one memory.  Several divide this evenly, except for what one cannot
    use by its own declared maximum; one that would start with more is refused at load.
    """
    oplog_bytes_max: int = 16 << 30
    """
    How large a worker's log may become, the payloads kept beside it included.

    A guest that records calls or writes output without end fails with `OplogLimitError`, for good.
    What is accepted from callers is not refused for it.
    """
    pending_max: int = 10_000
    """How many calls may wait for one worker, scheduled ones too; more are `QueueFullError`."""
    output_bytes_per_s: int = 8 << 20
    """
    How fast a guest may write to its standard outputs, in the mean of a second or two.

    One that writes faster waits, so that it leaves the disk to others.
    """
    files_bytes_max: int = BYTES_MAX
    """
    What the contents of a worker's private files may take; more gives the guest ``quota``.

    A worker keeps what was in force when its guest asked for its directories.
    """
    files_entries_max: int = ENTRIES_MAX
    """How many names a worker's private directories may have; as `files_bytes_max`."""
    stores_bytes_max: int = STORES_BYTES_MAX
    """
    What all keys and objects together may take of the disk (``wasi:keyvalue``, ``wasi:blobstore``).

    Beyond that guests are given an error when they store something; removing goes on.
    """
    threads_max: int = field(default_factory=lambda: (os.cpu_count() or 1) + 4)
    """
    Threads that run guest code at the same time; waits of the host do not count.

    With 0 requests are accepted and kept, and nothing runs: the next host goes on with it.
    """
    compare_requests: bool = True
    """Whether a replayed host call must have the recorded arguments (spec 6.2, P)."""
    net: tuple[str, ...] = ()
    """
    What guests may do on the network: patterns as `golem_host.net.grants` explains them.

    Nothing by default.  Connections with both ends in one guest need no pattern.
    """
    tls_ca_file: Path | None = None
    """Certificates in PEM that TLS of ``wasi:http`` trusts besides those of the system."""
    dirs: tuple[str, ...] = ()
    """
    Directories of this machine that every guest may use: ``HOST::GUEST``, both absolute, and with
    ``::ro`` behind only for reading.

    None by default.  A worker may have more of its own; see `Workers.create`.
    """
    interfaces: Sequence[object] = ()
    """
    What guests may import besides what this host offers: instances of classes under `interface` or
    `resource`.  Their methods are called in the threads of workers, several at the same time.
    """
    cache_dir: Path | None = None
    """Compiled code; None for the user's cache directory."""
    control_socket: bool = True
    """Whether other processes of the same user may use this host through ``control.sock``."""
    clock: Clock = field(default_factory=SystemClock)
    """What gives the time to guests, entries and timers."""
    random: Random = field(default_factory=SystemRandom)
    """What gives random numbers to guests, and keys."""

    def __post_init__(self) -> None:
        if not isinstance(self.interfaces, list | tuple):
            message = "interfaces must be a list or a tuple of instances"
            raise TypeError(message)
        Grants.parse(self.net)
        parse_dirs(self.dirs)
        for name in (
            "memory_bytes_max",
            "oplog_bytes_max",
            "output_bytes_per_s",
            "pending_max",
            "files_bytes_max",
            "files_entries_max",
            "stores_bytes_max",
        ):
            if getattr(self, name) <= 0:
                message = f"{name} must be positive"
                raise ValueError(message)
        if self.threads_max < 0:
            message = "threads_max must not be negative"
            raise ValueError(message)
        # Every entry carries its time, and most are written without a look at its type.
        now: object = self.clock.unix_ns()
        if type(now) is not int or not 0 <= now < 1 << 63:
            message = f"clock.unix_ns() must return nanoseconds since 1970 as an int, not {now!r}"
            raise ValueError(message)
