"""A worker without a state directory: its parts, around a log in memory and a scripted guest."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from golem_host.component import Component
from golem_host.config import HostConfig
from golem_host.engine import Component as Compiled
from golem_host.engine import LinkedComponent
from golem_host.services.output import OutputFlusher, WorkerOutput
from golem_host.services.peers import Peers
from golem_host.services.promises import Promises
from golem_host.services.results import Results
from golem_host.services.scheduler import Scheduler
from golem_host.services.slots import RunSlots
from golem_host.services.unfinished import Unfinished, WorkerKey
from golem_host.status import fold
from golem_host.storage.database import Database
from golem_host.worker.parts import Parts, Shared
from golem_oplog.memory import MemoryOplog
from tests.support.contexts import CREATE
from tests.support.scripted_guest import ScriptedGuest
from tests.support.world import FrozenClock, ScriptedRandom


def config(clock: FrozenClock | None = None) -> HostConfig:
    return HostConfig(clock=clock or FrozenClock(), random=ScriptedRandom(), threads_max=4)


class StubHub:
    """Keeps what a runner asks of its host, and wakes no one."""

    def __init__(self) -> None:
        self.retired: list[WorkerKey] = []
        self.due: list[object] = []

    def retire(self, key: WorkerKey) -> None:
        self.retired.append(key)


def shared(guest: ScriptedGuest, settings: HostConfig | None = None) -> Shared:
    """What the workers of a host share, for a host with one component."""
    settings = settings or config()

    def load(_: Component) -> Compiled:
        return guest.linked().component

    component = Component(
        id=CREATE.component_id,
        name="scripted",
        version=0,
        sha256="",
        size_bytes=0,
        initial_memory_bytes=0,
        source=None,
        env=(),
        config_vars=(),
        ephemeral=False,
        load=load,
    )

    def find(_component_id: str, _version: int) -> Component:
        return component

    def link(_: Component) -> LinkedComponent:
        return guest.linked()

    database = Database(Path(":memory:"))
    hub = StubHub()
    scheduler = Scheduler(settings.clock, hub.due.append)
    unfinished = Unfinished(database, "boot")
    return Shared(
        config=settings,
        slots=RunSlots(settings.threads_max),
        scheduler=scheduler,
        flusher=OutputFlusher(),
        unfinished=unfinished,
        promises=Promises(database, settings.clock),
        results=Results(unfinished, scheduler),
        hub=hub,
        peers=cast("Peers", None),
        find_component=find,
        all_components=lambda: [component],
        link=link,
    )


def parts(
    oplog: MemoryOplog, guest: ScriptedGuest | None = None, settings: HostConfig | None = None
) -> Parts:
    """The parts of the worker whose log this is."""
    of_host = shared(guest or ScriptedGuest({}), settings)
    return Parts(
        component_name="scripted",
        worker_name=CREATE.worker_name,
        oplog=oplog,
        status=fold(oplog.skim),
        output=WorkerOutput(oplog, of_host.flusher),
        shared=of_host,
    )
