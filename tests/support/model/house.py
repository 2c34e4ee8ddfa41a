"""
A host on a `machine`, whose workers run one after the other in the thread of the test.

It is made of the host's own parts; what is put in place of the others: the engine (scripted guests),
the pool of threads (`Turns`) and the thread that waits for times (`Appointments`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, cast
from unittest.mock import patch

from golem_host.component import Component
from golem_host.config import HostConfig
from golem_host.engine import LinkedComponent
from golem_host.services.local_peers import LocalPeers
from golem_host.services.output import OutputFlusher
from golem_host.services.promises import Promises
from golem_host.services.results import Results
from golem_host.services.scheduler import Scheduler
from golem_host.services.slots import RunSlots, Slot
from golem_host.services.unfinished import Unfinished, WorkerKey
from golem_host.services.workers import Workers
from golem_host.storage.layout import StateLayout
from golem_host.worker.parts import Shared
from golem_host.worker.retry import MS, RetryPolicy
from golem_host.worker.worker import Worker
from golem_oplog.entries import Entry, Error, ErrorKind
from tests.support.contexts import CREATE
from tests.support.faulty_files import ROOT
from tests.support.model.guest import Guests
from tests.support.model.machine import Machine, Stop
from tests.support.model.views import LogView
from tests.support.model.world import World
from tests.support.world import FrozenClock, ScriptedRandom

NAME = "model"
POLICY = RetryPolicy(2, 100 * MS, 250 * MS, 3.0, None)
_LAYOUT = StateLayout(ROOT)
_SLOTS = 1_000
AT_MOST_ONCE = "idempotence off"
EXISTS = "exists already"
OVER = "an earlier invocation of this worker failed"


class Turns(RunSlots):
    """Whoever wants a thread waits for its turn, and then gets that of the test."""

    def __init__(self) -> None:
        super().__init__(_SLOTS)
        self._ready: deque[Callable[[Slot], None]] = deque()

    def start(self, begin: Callable[[Slot], None]) -> None:
        self._ready.append(begin)

    def take_all(self) -> None:
        while self._ready:
            begin = self._ready.popleft()
            slot = self.slot(lambda: False)
            assert slot.take()
            with patch("threading.Thread", _InTurn):
                begin(slot)


class _InTurn:
    """A thread that is over when it has been started."""

    def __init__(
        self, *, target: Callable[..., None], args: tuple[Any, ...] = (), **_: Any
    ) -> None:
        self._target, self._args = target, args

    def start(self) -> None:
        self._target(*self._args)


class Appointments(Scheduler):
    """Times to act at, kept until the test says that they have come."""

    def at(self, key: Hashable, unix_ns: int) -> None:
        self._due[key] = unix_ns

    def next_ns(self) -> int | None:
        return min(self._due.values(), default=None)

    def keep(self) -> None:
        now = self._clock.unix_ns()
        for key in [key for key, due_ns in self._due.items() if due_ns <= now]:
            del self._due[key]
            self._act(key)


class _Layout:
    """Which workers there are, by what the store holds."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.worker_key = _LAYOUT.worker_key
        self.guess_worker = _LAYOUT.guess_worker

    def has_worker(self, component: str, worker: str) -> bool:
        return self.worker_key(component, worker) in set(self._machine.list())

    def component_workers(self, _component: str) -> list[str]:
        return list(self._machine.list())


class _Components:
    """The one component there is."""

    def __init__(self, guests: Guests) -> None:
        self.all = [
            Component(
                id=CREATE.component_id,
                name=NAME,
                version=version,
                sha256="",
                size_bytes=0,
                initial_memory_bytes=0,
                source=None,
                env=(),
                config_vars=(),
                ephemeral=False,
                load=lambda component: guests.versions[component.version].linked().component,
            )
            for version in range(len(guests.versions))
        ]

    def by_id(self, _component_id: str, version: int) -> Component:
        return self.all[version]

    def name_of(self, component_id: str) -> str | None:
        return NAME if component_id == CREATE.component_id else None


class Around:
    """What outlives every host."""

    def __init__(self) -> None:
        self.clock = FrozenClock()
        self.world = World()
        self.guests = Guests(self.world)
        self.config = HostConfig(
            clock=self.clock, random=ScriptedRandom(), idle_after_s=0, retry_policy=POLICY
        )


class House:
    """One life of the host."""

    def __init__(self, machine: Machine, around: Around) -> None:
        self.machine = machine
        self.around = around
        machine.on_append = self._appended
        machine.on_fork = around.world.woken_at
        around.world.view = self.view
        around.world.is_dead = False
        clock = around.clock
        components = self._components = _Components(around.guests)
        self._turns = Turns()
        self._appointments = Appointments(clock, self._due)
        self.promises = Promises(machine.database, clock)

        def link(component: Component) -> LinkedComponent:
            return around.guests.versions[component.version].linked()

        def share(workers: Workers) -> Shared:
            unfinished = Unfinished(machine.database, f"boot{machine.boot}")
            results = Results(unfinished, self._appointments)
            return Shared(
                config=around.config,
                slots=self._turns,
                scheduler=self._appointments,
                flusher=OutputFlusher(),
                unfinished=unfinished,
                results=results,
                promises=self.promises,
                hub=workers,
                peers=LocalPeers(workers, cast("Any", components), self.promises, results),
                find_component=components.by_id,
                all_components=lambda: components.all,
                link=link,
            )

        self.workers = Workers(
            store=cast("Any", machine),
            layout=cast("Any", _Layout(machine)),
            share=share,
            read_only=False,
        )
        self.workers.revive()

    # -- doing ----------------------------------------------------------------------------------

    def create(self, name: str) -> Worker:
        return self.workers.create(self._components.all[0], name)

    def run(self) -> None:
        """Let everybody do what can be done now."""
        self._appointments.keep()
        self._turns.take_all()

    def wait(self) -> bool:
        """Let time pass until something is due; False if nothing ever is."""
        due_ns = self._appointments.next_ns()
        if due_ns is None:
            return False
        self.around.clock.now_ns = max(self.around.clock.now_ns, due_ns)
        return True

    def stop_at(self, stop: Stop | None) -> None:
        self.machine.stop_at(stop)

    def after_stop(self) -> House:
        """The next life, on what the stop has left."""
        return House(self.machine.stop_now(), self.around)

    def _due(self, key: Hashable) -> None:
        self.workers.wake(key)

    # -- looking --------------------------------------------------------------------------------

    def names(self) -> list[str]:
        return sorted(self.machine.created(each).worker_name for each in self.machine.list())

    def worker(self, name: str) -> Worker:
        return self.workers.get(NAME, name)

    def view(self, name: str) -> LogView:
        """The worker's log; the worker is loaded for it."""
        self.workers.runner(WorkerKey(NAME, name))
        return self.machine.views[self.directory(name)]

    def directory(self, name: str) -> str:
        return _LAYOUT.worker_key(NAME, name)

    def _appended(self, directory: str, entry: Entry) -> None:
        if not isinstance(entry, Error) or entry.kind == ErrorKind.INVALID_REQUEST:
            return
        view = self.machine.views[directory]
        if entry.origin in view.zones():
            self.around.world.faults.append(f"{entry} counts for this attempt alone")
        due = view.delay_due(POLICY)
        given = None if entry.retry_at is None else entry.retry_at - entry.timestamp
        # What is in the log, or may not be repeated, would only fail again.
        is_hopeless = view.has_recorded_failure() or any(
            reason in entry.message for reason in (AT_MOST_ONCE, EXISTS, OVER)
        )
        if given is None and is_hopeless:
            return
        if given != due:
            self.around.world.faults.append(
                f"{entry} of {directory} is tried again after {given}, not {due}"
            )
