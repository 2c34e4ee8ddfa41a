"""
Oplog processors as plugins: which are installed, for which workers, and how far each has come.

A plugin is a component that exports ``golem:api/oplog-processor``.  Installed, it is given the
committed entries of every worker in its scope; `golem_host.services.deliveries` does that.  Which
workers it is active for is in their logs; installations and positions are in ``host.db``.

Source: spec 1.8 and appendix A.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from golem_host.errors import (
    ConflictError,
    HostClosedError,
    HostError,
    InvalidRequestError,
    PluginNotFoundError,
    WorkerNotFoundError,
)
from golem_host.services.activations import Activations
from golem_host.services.unfinished import WorkerKey
from golem_host.services.world import Clock, Random
from golem_host.storage.database import Database
from golem_oplog.entries import ActivatePlugin, DeactivatePlugin, Pairs
from golem_oplog.errors import OplogError
from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_host.services.components import Components
    from golem_host.services.workers import Workers
    from golem_host.worker.parts import Parts

_LOG: Final = logging.getLogger(__name__)

INSTALLED_MAX: Final = 32
"""Each may have a thread of its own."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class Plugin:
    """One installation."""

    id: str
    """UUID: what entries name it by."""
    name: str
    component: str
    """Name of the component that processes."""
    config: Pairs
    scope: str | None
    """Name of the component whose workers it sees; None: all but those of plugins."""
    created_ns: int


class PluginState(NamedTuple):
    """An installation, and whether it goes on."""

    plugin: Plugin
    problem: str
    """Why it does not, at present; empty if it does."""


class Plugins:
    """``host.plugins``."""

    def __init__(
        self,
        database: Database,
        components: Components,
        clock: Clock,
        random: Random,
    ) -> None:
        self._database = database
        self._components = components
        self._clock = clock
        self._random = random
        self._lock = threading.RLock()
        self._making = threading.RLock()
        """Held while a worker is made, and while a plugin is: one of them is first."""
        self._activations = Activations(database)
        self._known: tuple[Plugin, ...] | None = None
        self.workers: Workers | None = None
        """Set once there are some; None in a host that only looks."""
        self.on_active: Callable[[WorkerKey], None] = lambda _key: None
        """Called when a worker may have entries for a plugin."""
        self.on_uninstalled: Callable[[Plugin], None] = lambda _plugin: None
        self.problem_of: Callable[[Plugin], str] = lambda _plugin: ""
        """Why a plugin does not go on; empty if it does."""

    def install(
        self,
        name: str,
        component: str,
        *,
        config: Mapping[str, str] | None = None,
        scope: str | None = None,
    ) -> Plugin:
        """
        Give a component the entries of other workers from now on, of those there are as well.

        Args:
            name: Lower-case letters, digits and dashes; nobody else's.
            component: What processes them; it exports ``golem:api/oplog-processor``.
            config: Given to its constructor.
            scope: Only workers of this component.

        Raises:
            InvalidRequestError: It is no processor, or would see a processor's own entries.
            ConflictError: The name is taken, and not by this very installation, left unfinished.
            ComponentNotFoundError: There is no such component.
        """
        self._writing()
        if not _NAME.match(name):
            raise InvalidRequestError(
                reason=f"a plugin's name is 1 to 64 of a-z, 0-9 and '-', not first: {name[:80]!r}"
            )
        from golem_host.worker.processor import processor_exports  # noqa: PLC0415 - start-up

        found = self._components.get(component)
        processor_exports(found)
        if found.ephemeral:
            raise InvalidRequestError(
                reason=f"{component} is no plugin: an ephemeral component remembers nothing"
            )
        if scope is not None:
            scope = self._components.get(scope).name
        pairs = tuple((config or {}).items())
        with self._making, self._lock:
            plugin = self._recorded(name, found.name, pairs, scope)
        # Workers that are made meanwhile have it from their first entry on.
        self.finish(plugin)
        return plugin

    def _recorded(self, name: str, component: str, config: Pairs, scope: str | None) -> Plugin:
        known = self.list()
        for each in known:
            if each.name == name:
                is_same = (each.component, each.config, each.scope) == (component, config, scope)
                if is_same and self._activations.has(each.id):
                    return each
                raise ConflictError(reason=f"there is a plugin {name} already")
        if len(known) >= INSTALLED_MAX:
            raise InvalidRequestError(reason=f"{INSTALLED_MAX} plugins are installed")
        processors = {component, *(each.component for each in known)}
        watched = {scope, *(each.scope for each in known)} & processors
        if watched:
            raise InvalidRequestError(
                reason=f"{watched.pop()} processes entries: what it does is not processed"
            )
        plugin = Plugin(self._random.uuid(), name, component, config, scope, self._clock.unix_ns())
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO plugin VALUES (?, ?, ?, ?, ?, ?)",
                (plugin.id, name, component, json.dumps(config), scope, plugin.created_ns),
            )
            self._activations.mark(connection, plugin.id)
        self._known = None
        self._activations.begin(plugin.id)
        return plugin

    def finish(self, plugin: Plugin, is_over: Callable[[], bool] = lambda: False) -> None:
        """
        Activate a plugin for the workers that its installation has not reached yet, if it is
        unfinished; those that cannot be written are left, and tried again later.

        ``is_over`` is asked before each: the rest is then left to the next host.
        """
        if not self._activations.has(plugin.id):
            return
        left: dict[WorkerKey, str] = {}
        for key in self._in_scope(plugin):
            if is_over():
                return
            try:
                self._writing().on_parts(key, partial(self.tell, plugin))
            except HostClosedError:
                raise
            except WorkerNotFoundError:
                continue
            except (OplogError, HostError) as error:
                _warn(key, error)
                left[key] = str(error)
        self._activations.settle(plugin.id, left)

    def tell(self, plugin: Plugin, parts: Parts) -> None:
        """Activate an unfinished plugin for a worker, unless its log knows it already."""
        if not self._activations.has(plugin.id):
            return
        with parts.status.lock:
            # One that was uninstalled meanwhile would stay active for ever.
            is_new = self._is_to_be_told(plugin, parts) and self.by_id(plugin.id) is not None
            if is_new:
                self._write(parts, plugin, ActivatePlugin)
        if is_new:
            self._commit(parts)
        self._activations.told(plugin.id, parts.key)

    def list(self) -> tuple[Plugin, ...]:
        """All of them, the oldest first."""
        with self._lock:
            if self._known is None or self.workers is None:
                with self._database.reading() as connection:
                    rows = connection.execute(
                        "SELECT * FROM plugin ORDER BY created_ns, name"
                    ).fetchall()
                self._known = tuple(
                    Plugin(
                        plugin,
                        name,
                        component,
                        tuple((key, value) for key, value in json.loads(config)),
                        scope,
                        created_ns,
                    )
                    for plugin, name, component, config, scope, created_ns in rows
                )
            return self._known

    def states(self) -> Iterator[PluginState]:
        """As `list`, with what each is held up by."""
        for plugin in self.list():
            problem = self.problem_of(plugin) or self._activations.problem(plugin.id)
            yield PluginState(plugin, problem)

    def get(self, name: str) -> Plugin:
        """
        Raises:
            PluginNotFoundError: None of this name is installed.
        """
        for plugin in self.list():
            if plugin.name == name:
                return plugin
        raise PluginNotFoundError(plugin=name)

    def uninstall(self, name: str) -> None:
        """
        End it for every worker; what its processor has made of their entries so far stays.

        Raises:
            PluginNotFoundError: None of this name is installed.
        """
        self._writing()
        plugin = self.get(name)
        with self._lock:
            with self._database.transaction() as connection:
                connection.execute("DELETE FROM plugin WHERE id = ?", (plugin.id,))
            self._known = None
        self._activations.forget(plugin.id)
        self.on_uninstalled(plugin)
        for key in self._in_scope(plugin):
            self._append(plugin, key, is_active=False)

    def activate(self, name: str, component: str, worker: str | None = None) -> int:
        """
        Let a plugin see the entries of one worker, or of all of a component, from now on.

        Returns:
            For how many that is a change.

        Raises:
            PluginNotFoundError: None of this name is installed.
            InvalidRequestError: Its scope is another one.
            WorkerNotFoundError: There is no such worker.
        """
        return self._switch(name, component, worker, is_active=True)

    def deactivate(self, name: str, component: str, worker: str | None = None) -> int:
        """As `activate`, the other way: the entry that says so is the last one that it sees."""
        return self._switch(name, component, worker, is_active=False)

    # -- for the workers ----------------------------------------------------------------------

    @contextmanager
    def ids_for(self, component: str) -> Iterator[tuple[str, ...]]:
        """
        What a new worker of a component has from its first entry on.

        The worker is made inside of the block: until then no plugin is installed, so that each
        finds every worker that does not have it from the start.
        """
        with self._making:
            yield tuple([plugin.id for plugin in self.list() if self.sees(plugin, component)])

    @property
    def is_unfinished(self) -> bool:
        """Whether one may have to be activated yet for a worker that was there before it."""
        return self._activations.is_any

    def by_id(self, plugin_id: str) -> Plugin | None:
        return next((each for each in self.list() if each.id == plugin_id), None)

    def workers_of(self, plugin: Plugin) -> Iterator[WorkerKey]:
        """Every worker in a plugin's scope, whether the plugin is active for it or not."""
        return self._in_scope(plugin)

    # -- positions ----------------------------------------------------------------------------

    def position(self, plugin: Plugin, key: WorkerKey, born_ns: int) -> int:
        """The first entry that was not processed yet; 1 for a worker that is not known."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT next_index FROM plugin_position "
                "WHERE plugin = ? AND component = ? AND worker = ? AND born_ns = ?",
                (plugin.id, *key, born_ns),
            ).fetchone()
        return 1 if row is None else int(row[0])

    def advance(self, plugin: Plugin, key: WorkerKey, born_ns: int, next_index: int) -> None:
        """
        Everything before an entry is processed.

        Not synced: should it be lost, the processor knows what it has done by its keys.
        """
        with self._database.transaction(durable=False) as connection:
            connection.execute(
                "INSERT INTO plugin_position SELECT ?, ?, ?, ?, ? "
                "WHERE EXISTS (SELECT 1 FROM plugin WHERE id = ?) ON CONFLICT DO UPDATE "
                "SET born_ns = excluded.born_ns, next_index = excluded.next_index",
                (plugin.id, *key, born_ns, next_index, plugin.id),
            )

    def forget(self, key: WorkerKey) -> None:
        """A worker was deleted."""
        self._activations.gone(key)
        if self.list():
            with self._database.transaction(durable=False) as connection:
                connection.execute(
                    "DELETE FROM plugin_position WHERE component = ? AND worker = ?", tuple(key)
                )

    # -- within -------------------------------------------------------------------------------

    def _writing(self) -> Workers:
        if self.workers is None:
            raise InvalidRequestError(reason="this host was opened for reading only")
        return self.workers

    def sees(self, plugin: Plugin, component: str) -> bool:
        """Whether workers of a component are in a plugin's scope."""
        if plugin.scope is not None:
            return plugin.scope == component
        # Else each batch of entries would make the entries of the next one.
        return all(each.component != component for each in self.list())

    def _in_scope(self, plugin: Plugin) -> Iterator[WorkerKey]:
        for component in sorted({each.name for each in self._components.all()}):
            if self.sees(plugin, component):
                for worker in self._writing().list(component):
                    yield WorkerKey(component, worker.name)

    def _switch(self, name: str, component: str, worker: str | None, *, is_active: bool) -> int:
        workers, plugin = self._writing(), self.get(name)
        if not self.sees(plugin, component):
            raise InvalidRequestError(
                reason=f"plugin {name} sees workers of {plugin.scope or 'what is no plugin'}, "
                f"not of {component}"
            )
        if worker is not None:
            workers.get(component, worker)
            return self._append(plugin, WorkerKey(component, worker), is_active=is_active)
        keys = [WorkerKey(component, each.name) for each in workers.list(component)]
        return sum([self._append(plugin, key, is_active=is_active) for key in keys])

    def _append(self, plugin: Plugin, key: WorkerKey, *, is_active: bool) -> int:
        def append(parts: Parts) -> int:
            status = parts.status
            with status.lock:
                if status.plugins.is_active(plugin.id) == is_active:
                    if is_active or not self._is_to_be_told(plugin, parts):
                        return 0
                    # Else its installation would activate it after all.
                    self._write(parts, plugin, ActivatePlugin)
                self._write(parts, plugin, ActivatePlugin if is_active else DeactivatePlugin)
            self._commit(parts)
            return 1

        try:
            return self._writing().on_parts(key, append)
        except HostClosedError:
            raise
        except (OplogError, HostError) as error:
            # Its log is damaged, or it is gone: that is no matter of the others.
            _warn(key, error)
            return 0

    def _is_to_be_told(self, plugin: Plugin, parts: Parts) -> bool:
        has_mark = self._activations.has(plugin.id)
        return has_mark and plugin.id not in parts.status.plugins.spans

    def _write(
        self, parts: Parts, plugin: Plugin, kind: type[ActivatePlugin | DeactivatePlugin]
    ) -> None:
        parts.status.append(parts.oplog, kind(self._clock.unix_ns(), plugin.id))

    def _commit(self, parts: Parts) -> None:
        parts.watch_commits(self.on_active)
        parts.oplog.commit()


def _warn(key: WorkerKey, error: Exception) -> None:
    _LOG.warning("a plugin is not told of a worker", extra={"worker": key, "error": error})
