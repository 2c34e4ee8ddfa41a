"""A host that can be stopped at an entry, and that says when time alone would move something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import ClassVar

from golem_host.engine import Engine, EngineConfig
from golem_host.host import Host
from golem_host.net.http.client import HttpClient
from golem_host.testing.crashes import Crashes
from golem_host.testing.engines import shared_engine
from golem_host.testing.scripted_http import HttpScript, ScriptedHttpClient
from golem_oplog.store import MakeLog


class StoppableHost(Host):
    """One of a harness's; each has a class of its own, made by `stoppable`."""

    stop: ClassVar[Crashes]
    script: ClassVar[HttpScript | None]

    def look_again(self) -> None:
        """The clock was set: whatever waits for a time looks whether that has come."""
        self._scheduler.look_again()
        for row in self._unfinished.all():
            runner = self.workers.find_runner(row.key)
            if runner is not None:
                runner.look_again()

    def next_due_ns(self) -> int | None:
        """Unix time at which a worker goes on by itself; None where none does, or one is at work."""
        due_ns = []
        for row in self._unfinished.all():
            at = row.due_ns
            # The time of one that was woken stays in its row while it is at work.
            if at is not None and at <= self._config.clock.unix_ns():
                runner = self.workers.find_runner(row.key)
                at = None if runner is None else runner.waits_until_ns
                if at is None:
                    return None
            if at is not None:
                due_ns.append(at)
        return min(due_ns, default=None)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """While this lasts no database is written; logs are."""
        with ExitStack() as stack:
            for each in self._databases:
                stack.enter_context(each.held())
            yield

    def _http_client(self) -> HttpClient:
        if self.script is None:
            return super()._http_client()
        return ScriptedHttpClient(self.script, lambda: self.stop.is_down)

    def _log_maker(self) -> MakeLog:
        return self.stop.make_log

    def _make_engine(self, config: EngineConfig) -> Engine:
        # What an embedder lends is another host's each time.
        lent = getattr(self._config, "interfaces", ())
        return shared_engine(config, keeps_links=not lent)


def stoppable(stop: Crashes, script: HttpScript | None) -> type[StoppableHost]:
    """A class of hosts that stop when they are told to, and ask the script for HTTP if there is one."""
    made = {"stop": stop, "script": script}
    return type("StoppableHost", (StoppableHost,), made)
