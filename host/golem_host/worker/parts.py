"""What a runner is made of, and what it shares with the other workers of its host."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from golem_host.component import Component
from golem_host.config import HostConfig
from golem_host.context import NEVER_NS, Identity, RunSlot, Services
from golem_host.engine import LinkedComponent
from golem_host.files.initial import DeployedFile
from golem_host.files.live.grants import joined, parse_dirs
from golem_host.files.mapping import Mapping
from golem_host.files.settings import FilesSettings, Quota, nowhere
from golem_host.net.access import NetAccess, WorkerGrants
from golem_host.net.http.client import HttpClient
from golem_host.services.calls import CallRef
from golem_host.services.console import Console
from golem_host.services.output import OutputFlusher, WorkerOutput
from golem_host.services.peers import WorkerRef
from golem_host.services.scheduler import Scheduler
from golem_host.services.slots import RunSlots
from golem_host.services.stores.stores import Stores
from golem_host.services.unfinished import Unfinished, WorkerKey
from golem_host.status import Status
from golem_oplog.entries import Create, Pairs
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.protocol import Oplog, ReadableOplog

if TYPE_CHECKING:
    from golem_host.services.peers import Peers
    from golem_host.services.plugins import Plugins
    from golem_host.services.promises import Promises
    from golem_host.services.results import Results
    from golem_host.services.worker_dirs import WorkerDirs

FindComponent: TypeAlias = Callable[[str, int], Component]
Link: TypeAlias = Callable[[Component], LinkedComponent]

NS_PER_S: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Shared:
    """One per host."""

    config: HostConfig
    slots: RunSlots
    scheduler: Scheduler
    flusher: OutputFlusher
    unfinished: Unfinished
    promises: Promises
    results: Results
    """Who waits for what other workers answer."""
    find_component: FindComponent
    all_components: Callable[[], list[Component]]
    link: Link
    hub: Hub
    peers: Peers
    grants: WorkerGrants = field(default_factory=WorkerGrants)
    """What each worker may do on the network."""
    locate_file: Callable[[DeployedFile], Path] = nowhere
    """Where the content of an initial file lies."""
    dirs: WorkerDirs | None = None
    """Which directories of the host each worker was granted; None where nobody grants any."""
    scratch: Path | None = None
    """Where files lie that nobody needs once an instance has ended; None for the system's place."""
    http: HttpClient = field(default_factory=HttpClient)
    stores: Stores = field(default_factory=Stores)
    plugins: Plugins | None = None
    """Who sees what the workers write; None where nobody can."""


class Hub(Protocol):
    """Whoever keeps the workers of a host."""

    def retire(self, key: WorkerKey) -> None:
        """A worker is suspended: put it away, unless somebody waits for it."""
        ...


class View(Protocol):
    """What can be known of a worker without running it: its log, and what the log says."""

    @property
    def component_name(self) -> str: ...

    @property
    def worker_name(self) -> str: ...

    @property
    def oplog(self) -> ReadableOplog: ...

    @property
    def status(self) -> Status: ...

    @property
    def shared(self) -> Shared: ...

    def component(self) -> Component:
        """The version that the worker runs."""
        ...


@dataclass(slots=True)
class Looked:
    """The `View` of a process that does not own the worker."""

    component_name: str
    worker_name: str
    oplog: ReadableOplog
    status: Status
    shared: Shared

    def component(self) -> Component:
        return _component(self.shared, self.status)


@dataclass(slots=True)
class Parts:
    """One worker's own, in the process that owns it; a `View` too."""

    component_name: str
    worker_name: str
    oplog: Oplog
    status: Status
    output: WorkerOutput
    shared: Shared
    console: Console = field(default_factory=Console)
    net: NetAccess = field(default_factory=NetAccess)

    @property
    def label(self) -> str:
        return f"{self.component_name}/{self.worker_name}"

    @property
    def key(self) -> WorkerKey:
        return WorkerKey(self.component_name, self.worker_name)

    @property
    def ref(self) -> WorkerRef:
        """As guests name it."""
        assert self.status.create is not None
        return WorkerRef(self.status.create.component_id, self.worker_name)

    def component(self) -> Component:
        return _component(self.shared, self.status)

    @property
    def is_ephemeral(self) -> bool:
        return self.component().ephemeral

    def watch_commits(self, note: Callable[[WorkerKey], None]) -> None:
        """Let a plugin's host know of what is committed from now on."""
        self.oplog.on_commit = partial(note, self.key)

    def component_of(self, version: int) -> Component:
        """Another version of the worker's component."""
        assert self.status.create is not None
        return self.shared.find_component(self.status.create.component_id, version)

    def grant_net(self, patterns: Sequence[str]) -> bool:
        """
        For the instances built from now on; whether that is a change.

        Raises:
            ValueError: One is no pattern.
        """
        before = self.net.grants
        self.shared.grants.give(self.key, patterns)
        self.net.grants = self.shared.grants.of(self.key)
        return before.patterns != self.net.grants.patterns

    def services(self, component: Component, slot: RunSlot) -> Services:
        config = self.shared.config
        # R47: an ephemeral worker cannot be rebuilt, so it waits where it is.
        suspend_after_s = math.inf if component.ephemeral else config.suspend_after_s
        park_after_s = math.inf if component.ephemeral else config.idle_after_s
        return Services(
            clock=config.clock,
            random=config.random,
            identity=self._identity(component),
            output=self.output,
            slot=slot,
            suspend_after_ns=_ns(suspend_after_s),
            park_after_ns=_ns(park_after_s),
            peers=self.shared.peers,
            retry_policy=config.retry_policy,
            console=self.console,
            oplog_bytes_max=config.oplog_bytes_max,
            output_bytes_per_s=config.output_bytes_per_s,
            http=self.shared.http,
            net=self.net,
            stores=self.shared.stores,
            notify=self.output.notify,
            files=self._files_settings(),
        )

    def _files_settings(self) -> FilesSettings:
        config, snapshot, create = self.shared.config, self.status.snapshot, self.status.create
        assert create is not None
        return FilesSettings(
            quota=Quota(config.files_bytes_max, config.files_entries_max),
            scratch=self.shared.scratch,
            # Updates that are met on the way change them (spec 2.9.1).
            version=create.component_version if snapshot is None else snapshot.version,
            initial=lambda version: self.component_of(version).files,
            locate=self.shared.locate_file,
            dirs=joined(self.dirs, parse_dirs(config.dirs)),
        )

    @property
    def dirs(self) -> tuple[Mapping, ...]:
        """The directories of the host that this worker was granted for itself."""
        return () if self.shared.dirs is None else self.shared.dirs.of(self.key)

    def _identity(self, component: Component) -> Identity:
        create = self.status.create
        assert create is not None
        given = dict(create.env)
        env = {**given, **{n: v for n, v in component.env if n not in given}}
        # Always ours, whatever the creator said (spec 4.2).
        env["GOLEM_WORKER_NAME"] = create.worker_name
        env["GOLEM_COMPONENT_ID"] = create.component_id
        env["GOLEM_COMPONENT_VERSION"] = str(component.version)
        return Identity(
            component_id=create.component_id,
            component_version=component.version,
            worker_name=create.worker_name,
            args=create.args,
            env=tuple(env.items()),
            config_vars=create.config_vars,
            created_ns=create.timestamp,
            is_fork=forked_from(create) is not None,
        )


def forked_from(create: Create) -> str | None:
    """The name of the worker that this one is a fork of; one that called it into being is none."""
    if create.parent is None or CallRef.parse(create.token) is not None:
        return None
    return create.parent[1]


def first_entry(
    shared: Shared,
    component: Component,
    name: str,
    args: Sequence[str] = (),
    env: Pairs = (),
    config_vars: Pairs = (),
    called: tuple[WorkerRef, CallRef] | None = None,
) -> Create:
    """
    What the log of a new worker begins with; ``config_vars`` go before the component's own.

    ``called`` are the worker that calls it into being, and the call.
    """
    return Create(
        timestamp=shared.config.clock.unix_ns(),
        component_id=component.id,
        worker_name=name,
        component_version=component.version,
        args=tuple(args),
        env=env,
        config_vars=tuple(sorted({**dict(component.config_vars), **dict(config_vars)}.items())),
        component_size_bytes=component.size_bytes,
        initial_memory_bytes=component.initial_memory_bytes,
        parent=None if called is None else (called[0].component_id, called[0].worker_name),
        token="" if called is None else str(called[1]),
    )


def _ns(seconds: float) -> int:
    return int(min(seconds * NS_PER_S, NEVER_NS))


def _component(shared: Shared, status: Status) -> Component:
    assert status.create is not None
    return shared.find_component(status.create.component_id, status.component_version)
