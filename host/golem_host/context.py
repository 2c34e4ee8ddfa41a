"""
One instance's view of its host: what a live action may use, and where what it did is appended.

An `InstanceContext` lives exactly as long as one instance.  Everything in it belongs to the one
thread that runs the guest, except `kill`, `wake` and the log itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import field
from sys import maxsize
from typing import TYPE_CHECKING, Final, Protocol, Self, TypeVar, cast, runtime_checkable

import msgpack

from golem_host.declare import Recorded
from golem_host.engine import StoreContext
from golem_host.errors import OplogLimitError
from golem_host.files.settings import FilesSettings
from golem_host.net.access import NetAccess
from golem_host.net.grants import Grants
from golem_host.net.http.client import HttpClient
from golem_host.replay import Replay
from golem_host.resources import ResourceTable
from golem_host.services.console import Console
from golem_host.services.shown import shown
from golem_host.services.stores.stores import Stores
from golem_host.services.world import Clock, Random
from golem_host.status import Status
from golem_host.wake import Wake, Watched
from golem_host.wire import Wire
from golem_host.worker.retry import RetryPolicy
from golem_oplog.entries import (
    HINT_CLASSES,
    ChangePersistenceLevel,
    CreateResource,
    DropResource,
    EndRemoteWrite,
    Entry,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    FinishSpan,
    ImportedFunctionInvoked,
    Jump,
    Log,
    LogLevel,
    Pairs,
    PersistenceLevel,
)
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.protocol import Oplog

if TYPE_CHECKING:
    from uuid import UUID

    from golem_host.services.peers import Peers

WAIT_COMMIT_NS: Final = 10_000_000
"""A wait at least this long commits first: whoever kills the host then loses nothing."""
NEVER_NS: Final = 1 << 62
"""146 years: a threshold that no wait reaches."""
WAIT_NS_MAX: Final = 24 * 3600 * 1_000_000_000
"""A longer wait is taken in pieces: a guest may name any u64, and no lock waits for 584 years."""

STDERR_PIECES_MAX: Final = 128
OUTPUT_BURST_NS: Final = 1_000_000_000
"""A guest may write as much at once as the rate allows for so long."""

_NEVER_REFUSED: Final = frozenset(
    (
        *(ImportedFunctionInvoked, EndRemoteWrite, Jump, ExportedFunctionCompleted, FinishSpan),
        *(CreateResource, DropResource),
    )
)
"""What has happened is recorded, however large the log: the next thing to begin is refused."""


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
    created_ns: int = 0
    is_fork: bool = False


class OutputSink(Protocol):
    """Takes what the guest wrote, after its entry is appended and before it is durable."""

    def push(self, index: int, level: LogLevel, data: bytes) -> None: ...


class RunSlot(Protocol):
    """The right to run guest code; given back while the host waits."""

    def released(self) -> AbstractContextManager[None]: ...

    def is_crowded(self) -> bool:
        """Whether so many threads wait already that this one had better give up its instance."""
        ...


def _tell_nobody(_text: str) -> None:
    """Nobody watches."""


@dataclass(slots=True)
class Services:
    """What live actions receive."""

    clock: Clock
    random: Random
    identity: Identity
    output: OutputSink
    slot: RunSlot
    suspend_after_ns: int
    """A wait that only timers can end gives up the instance from this length on."""
    park_after_ns: int
    """How long a wait for a promise keeps the instance."""
    peers: Peers
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)
    """For a guest that has set none."""
    console: Console = field(default_factory=Console)
    """Standard input, where a process lends one."""

    @property
    def may_suspend(self) -> bool:
        """Whether the worker can be rebuilt: an ephemeral one cannot (R47)."""
        return self.park_after_ns < NEVER_NS

    oplog_bytes_max: int = maxsize
    output_bytes_per_s: int = maxsize
    files: FilesSettings = field(default_factory=FilesSettings)
    http: HttpClient = field(default_factory=HttpClient)
    net: NetAccess = field(default_factory=NetAccess)
    stores: Stores = field(default_factory=Stores)
    """What all workers share."""
    notify: Callable[[str], None] = _tell_nobody
    """A line for whoever watches the worker."""

    @property
    def grants(self) -> Grants:
        """What the guest may do on the network."""
        return self.net.grants


class Part(Protocol):
    """What the interfaces of one package keep for an instance: its files, its sockets."""

    @classmethod
    def begin(cls, context: InstanceContext) -> Self:
        """Made when it is first asked for, live or on replay."""
        ...

    def close(self) -> None:
        """The instance has ended, by whatever: give back what the host lent it."""
        ...


@runtime_checkable
class Pinning(Protocol):
    """A `Part` that can hold what no replay brings back: a connection, say."""

    def is_pinned(self) -> bool:
        """Whether it does, so that the instance had better be kept for a while."""
        ...


P = TypeVar("P", bound=Part)


def _retries_remain() -> bool:
    return False


class InstanceContext(StoreContext):
    """The engine's context of one store, with everything the dispatcher needs within reach."""

    __slots__ = (
        "_effect_anchor",
        "_effects",
        "_function_ids",
        "_instant_ns",
        "_is_unrecorded",
        "_oplog_bytes_max",
        "_paced_ns",
        "_pack",
        "_paid_until_ns",
        "_parts",
        "_unrecorded_output",
        "clock_ns",
        "idempotent",
        "invoked",
        "is_last_attempt",
        "key",
        "oplog",
        "persistence_level",
        "pinned_by",
        "replay",
        "resources",
        "retry_policy",
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
        # What guests set, and set again while they are replayed (spec 0.3).
        self.idempotent = True
        self.persistence_level = PersistenceLevel.SMART
        self.retry_policy: RetryPolicy | None = None
        self.key = ""
        """The idempotency key of the invocation that runs; empty during instantiation."""
        self.invoked: ExportedFunctionInvoked | None = None
        """The entry of that invocation."""
        self._is_unrecorded = False
        self._unrecorded_output: deque[bytes] = deque(maxlen=STDERR_PIECES_MAX)
        self._effect_anchor = 0
        self._effects = 0
        self.is_last_attempt: Callable[[], bool] = _retries_remain
        """Whether a failure here and now would be the last one: nothing is left to heal it."""
        self.wake = Wake()
        """Set to end a host wait early; the waiter looks at `kill` then."""
        self.pinned_by: list[Callable[[], bool]] = []
        """Each says whether there is something that giving up the instance would lose."""
        # No instant is earlier than anything in the log, even if the clock was set back since.
        self._instant_ns = status.last_timestamp
        self._oplog_bytes_max = services.oplog_bytes_max
        self._paced_ns = self._paid_until_ns = 0
        self._parts: dict[type[Part], Part] = {}
        self._function_ids: dict[Recorded, int] = {}
        # A packer keeps a buffer, so every instance has its own.
        self._pack: Callable[[Wire], bytes] = msgpack.Packer(autoreset=True).pack

    def part(self, kind: type[P]) -> P:
        """The instance's own of a kind."""
        found = self._parts.get(kind)
        if found is None:
            found = self._parts[kind] = kind.begin(self)
        return cast("P", found)

    def is_pinned(self) -> bool:
        """Whether something would be lost with the instance."""
        return any(isinstance(p, Pinning) and p.is_pinned() for p in self._parts.values())

    def existing(self, kind: type[P]) -> P | None:
        """The instance's own of a kind, if it was ever asked for."""
        return cast("P | None", self._parts.get(kind))

    def close(self) -> None:
        """The instance is gone; so is everything that it had of the host's."""
        while self._parts:
            self._parts.popitem()[1].close()
        self.wake.close()

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
        if self._is_unrecorded:
            return self.status.last_index
        if entry.__class__ not in _NEVER_REFUSED and not self._leaves_zone(entry):
            self.refuse_growth()
        index = self.status.append(self.oplog, entry)
        tail = self.replay.tail_logs
        if tail and entry.__class__ not in HINT_CLASSES:
            tail.clear()
        return index

    def _leaves_zone(self, entry: Entry) -> bool:
        """Whether what was done at persist-nothing can have its outcome recorded from here on."""
        return (
            isinstance(entry, ChangePersistenceLevel)
            and self.persistence_level is PersistenceLevel.PERSIST_NOTHING
        )

    def record_call(self, function: int, request: bytes, response: bytes, kind: int) -> None:
        """
        `append` for the hot path: a host call that neither brackets anything nor failed.

        `append_call` checks no types.  They are right: the packer gives bytes, `function_id` what
        the log defined, `HostConfig` looks at the clock.
        """
        if self._is_unrecorded:
            return
        now, status, oplog = self.clock_ns(), self.status, self.oplog
        if oplog.size_bytes > self._oplog_bytes_max:
            self.refuse_growth()
        status.last_replayed_index = oplog.append_call(now, function, request, response, kind)
        # The next instance in this process starts its instants here.
        if now > status.last_timestamp:  # noqa: PLR1730 - `max` costs four times as much
            status.last_timestamp = now
        if self.replay.tail_logs:
            self.replay.tail_logs.clear()

    def emit(self, level: LogLevel, data: bytes, context: str = "") -> None:
        """
        Record guest output once, and hand it on to be shown once it is durable.

        Args:
            level: A standard output, or how grave a line of ``wasi:logging`` is.
            data: As the guest wrote it.
            context: Which part of the guest speaks; of a line only.
        """
        log = Log(self.clock_ns(), level, context, data)
        stream, visible = shown(log)
        if self._is_unrecorded:
            self._unrecorded_output.append(visible)
            return
        if not visible or self.replay.output_was_recorded(log):
            return
        self.refuse_growth()
        self._pace_output(log.timestamp, len(visible))
        index = self.oplog.append(log)
        self.services.output.push(index, stream, visible)

    @contextmanager
    def unrecorded(self) -> Iterator[deque[bytes]]:
        """
        While the guest saves or loads a snapshot: calls are performed and leave no trace.

        Yields the last pieces of output, for whoever has to explain a failure.
        """
        replay, self.replay = self.replay, Replay.of_nothing()
        self._unrecorded_output.clear()
        self._is_unrecorded = True
        try:
            yield self._unrecorded_output
        finally:
            self._is_unrecorded = False
            self.replay = replay

    @property
    def is_in_region(self) -> bool:
        """Whether a new instance would begin something again that is under way: see `Status.origin`."""
        status = self.status
        return status.in_zone or status.is_in_operation

    @property
    def is_unrecorded(self) -> bool:
        """Whether a snapshot is being saved or loaded: nothing that happens is remembered."""
        return self._is_unrecorded

    @property
    def is_passed_over(self) -> bool:
        """
        Whether no replay meets what is done now: a snapshot is being saved or loaded, or the guest
        wants nothing persisted.  What outlives it must be as if it had not happened.
        """
        return self._is_unrecorded or self.persistence_level is PersistenceLevel.PERSIST_NOTHING

    @property
    def agreed_index(self) -> int:
        """The last entry that a replay consumes: the same index live and on replay."""
        replay = self.replay
        return self.status.last_replayed_index if replay.live else replay.last_index

    # -- names of effects ----------------------------------------------------------------------

    def derive_key(self, index: int) -> UUID:
        """The idempotency key of what happens behind entry ``index`` (spec 2.8)."""
        from golem_host.keys import derive_key  # noqa: PLC0415 - few guests ask, and uuid is slow

        who = self.services.identity
        # While the guest is instantiated no invocation has a key to derive it from.
        base = self.key or f"{who.component_id}/{who.worker_name}/{who.created_ns}"
        return derive_key(base, index, who.worker_name if who.is_fork else "")

    def effect_token(self) -> str:
        """
        A name for the effect inside of this host that is performed next.

        The same again when the call is repeated after a crash, because it is made of where the
        repetition starts: the last replayed entry, or the outermost open region and the effect's
        number in it.  Another one once a revert has taken the worker back, or its guest has gone back
        by itself.
        """
        status, identity = self.status, self.services.identity
        anchor = status.origin
        if anchor != self._effect_anchor:
            self._effect_anchor, self._effects = anchor, 0
        self._effects += 1
        reverted = status.deleted.regions
        back = f"{reverted[-1].end if reverted else 0}"
        if status.went_back_at:
            back = f"{back}+{status.went_back_at}"
        return (
            f"{identity.component_id}/{identity.worker_name}/{identity.created_ns}"
            f"/{back}/{anchor}/{self._effects}"
        )

    # -- bounds --------------------------------------------------------------------------------

    def refuse_growth(self) -> None:
        """
        Raises:
            OplogLimitError: The log is as large as this worker's may be.
        """
        size_bytes = self.oplog.size_bytes
        if size_bytes > self._oplog_bytes_max:
            raise OplogLimitError(size_bytes=size_bytes, size_bytes_max=self._oplog_bytes_max)

    def _pace_output(self, now: int, size_bytes: int) -> None:
        """Wait while the guest has written more than the rate allows for the last second."""
        if now < self._paced_ns:
            # The clock was set back: nobody waits until it is where it was.
            self._paid_until_ns = now
        begins_ns = self._paid_until_ns - OUTPUT_BURST_NS
        cost_ns = size_bytes * 1_000_000_000 // self.services.output_bytes_per_s
        self._paid_until_ns = max(self._paid_until_ns, now) + cost_ns
        self._paced_ns = now
        while now <= (time := self.clock_ns()) < begins_ns:
            self.wait_until(begins_ns)
            now = time

    # -- waiting ------------------------------------------------------------------------------

    def check_kill(self) -> None:
        """Raise what another thread has asked this instance to end with."""
        if self.kill is not None:
            raise self.kill

    def wait_until(self, deadline_ns: int | None, watched: Sequence[Watched] = ()) -> None:
        """
        Wait in memory until a Unix time, until `wake` is set, or until one of the watched
        descriptors can be used; may return early.

        Raises whatever `kill` holds.  The run slot is free for others meanwhile.
        """
        self.check_kill()
        timeout_ns = None if deadline_ns is None else max(deadline_ns - self.clock_ns(), 0)
        if timeout_ns is None or timeout_ns >= WAIT_COMMIT_NS:
            self.oplog.commit()
        if timeout_ns is not None:
            timeout_ns = min(timeout_ns, WAIT_NS_MAX)
        with self.services.slot.released(), self.wake.waiting_until(deadline_ns):
            self.wake.wait_with(watched, None if timeout_ns is None else timeout_ns / 1e9)
        self.wake.clear()
        self.check_kill()
