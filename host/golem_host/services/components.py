"""Deployed components: what is stored of them, and their compiled, linked form."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from golem_host.component import Component
from golem_host.dispatch import Dispatcher
from golem_host.engine import Component as Compiled
from golem_host.engine import Engine, LinkedComponent
from golem_host.errors import (
    ComponentError,
    ComponentNotFoundError,
    ConflictError,
    InvalidRequestError,
    UnlinkableComponentError,
    os_reason,
)
from golem_host.files.initial import DeployedFile
from golem_host.interfaces.offered import HOMES
from golem_host.services.component_files import ComponentFiles, GivenFile
from golem_host.services.world import Clock, Random
from golem_host.storage.database import Database
from golem_host.storage.layout import StateLayout
from golem_oplog.files import TEMPORARY_SUFFIX, Files, size_of, write_durably
from golem_oplog.lazy_dataclass import dataclass

NAME_BYTES_MAX: Final = 512
KNOWN_MAX: Final = 1_000
"""Versions that are remembered as they were deployed: every call of a worker asks for one."""
LOADED_MAX: Final = 16
"""Compiled components kept in memory; others are loaded from the cache again in milliseconds."""

_COLUMNS: Final = """
    component.id, component.name, component_version.version, component_version.sha256,
    component_version.size_bytes, component_version.initial_memory_bytes, component.source,
    component_version.env, component_version.config_vars, component_version.ephemeral
    FROM component JOIN component_version ON component_version.component_id = component.id
"""


LEND_IT: Final = (
    "what is neither wasi nor golem an embedder lends: HostConfig(interfaces=...), or "
    "`--interface MODULE:CLASS` (`golem-host wit --python` prints a class to begin with)"
)


@dataclass(slots=True)
class _Loaded:
    """A component in memory; linked when an instance is first made of it."""

    compiled: Compiled
    linked: LinkedComponent | None = None


_Row: TypeAlias = tuple[str, str, int, str, int, int, str | None, str, str, int]


class Components:
    """``host.components``."""

    def __init__(
        self,
        *,
        database: Database,
        layout: StateLayout,
        files: Files,
        engine: Callable[[], Engine],
        dispatcher: Dispatcher,
        clock: Clock,
        random: Random,
    ) -> None:
        self._database = database
        self._layout = layout
        self._files = files
        self._engine = engine
        self._dispatcher = dispatcher
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self._storing = threading.Lock()
        """Held from a component's file to its row: between the two nothing refers to the file."""
        self._loaded: OrderedDict[str, _Loaded] = OrderedDict()
        self._known: dict[tuple[str, int], Component] = {}
        """By id and version: a row never changes, and goes only with its component."""
        self._initial = ComponentFiles(layout, files)
        self.locate_file = self._initial.locate
        """Where the content of an initial file lies."""

    def deploy(  # noqa: PLR0913 - what a version consists of
        self,
        wasm: Path | str | bytes,
        *,
        name: str,
        source: str | None = None,
        files: Sequence[GivenFile] = (),
        env: Mapping[str, str] | None = None,
        config_vars: Mapping[str, str] | None = None,
        ephemeral: bool = False,
        progress: Callable[[str], None] | None = None,
    ) -> Component:
        """
        Make a component available under a name; the version is on disk when this returns.

        The same bytes and settings again give the version that is there; other bytes give
        version + 1.  The first version is 0.

        ``files`` are what each worker finds in its private root when it begins; they are kept with
        the version.  Those of another version are given as they stand in `Component.files`.

        Raises:
            ComponentError: Not a component that can be hosted; nothing is stored.
            InvalidRequestError: The files cannot be.
            ConflictError: The name belongs to a component from another ``source``.
        """
        _check_name(name)
        data = _read(Path(wasm)) if isinstance(wasm, str | Path) else bytes(wasm)
        compiled = self._engine().load(data, name=name, progress=progress)
        linked = self._link(compiled)
        self._keep(compiled).linked = linked
        settings = (
            json.dumps(sorted((env or {}).items())),
            json.dumps(sorted((config_vars or {}).items())),
            int(ephemeral),
        )
        latest = self._find(name, None)
        if latest is not None:
            _check_source(latest, source)
        with self._storing:
            kept = self._initial.take(files)
            if latest is not None and (
                (latest.sha256, latest.files) == (compiled.sha256, kept)
                and settings == _settings(latest)
            ):
                return latest
            version = 0 if latest is None else latest.version + 1
            component_id = self._random.uuid() if latest is None else latest.id
            write_durably(self._files, self._layout.component_file(compiled.sha256), data)
            self._insert(compiled, component_id, name, version, source, settings, kept)
        return self.get(name, version=version)

    def store_file(self, content: bytes) -> DeployedFile:
        """
        Keep the content of an initial file, for `deploy` to refer to by its hash; has no path yet.

        Raises:
            InvalidRequestError: It is too large.
        """
        with self._storing:
            return DeployedFile("", *self._initial.store(content))

    def _insert(
        self,
        compiled: Compiled,
        component_id: str,
        name: str,
        version: int,
        source: str | None,
        settings: tuple[str, str, int],
        files: Sequence[DeployedFile],
    ) -> None:
        now = self._clock.unix_ns()
        env_text, config_text, is_ephemeral = settings
        with self._database.transaction() as connection:
            if version == 0:
                connection.execute(
                    "INSERT INTO component VALUES (?, ?, ?, ?)", (component_id, name, source, now)
                )
            connection.execute(
                "INSERT INTO component_version VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    component_id,
                    version,
                    compiled.sha256,
                    compiled.size_bytes,
                    compiled.initial_memory_bytes,
                    is_ephemeral,
                    env_text,
                    config_text,
                    now,
                ),
            )
            self._initial.insert(connection, component_id, version, files)

    def get(self, name: str, *, version: int | None = None) -> Component:
        """
        A deployed component, by default its latest version.

        Raises:
            ComponentNotFoundError: The name or version is unknown.
        """
        found = self._find(name, version)
        if found is None:
            known = version is None or self._find(name, None) is None
            raise ComponentNotFoundError(component=name, version=None if known else version)
        return found

    def by_id(self, component_id: str, version: int) -> Component:
        """As `get`, by what an oplog says of its worker."""
        known = self._known.get((component_id, version))
        if known is not None:
            return known
        # Looked up and kept in one step: `delete` forgets what was kept before it.
        with self._lock:
            rows = self._select(
                "WHERE component.id = ? AND component_version.version = ?", (component_id, version)
            )
            if not rows:
                raise ComponentNotFoundError(component=component_id, version=version)
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            self._known[component_id, version] = rows[0]
        return rows[0]

    def name_of(self, component_id: str) -> str | None:
        """The name of the component with this id."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT name FROM component WHERE id = ?", (component_id,)
            ).fetchone()
        return None if row is None else str(row[0])

    def id_of(self, name: str) -> str | None:
        """The id of the component with this name."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT id FROM component WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def all(self) -> list[Component]:
        """Every version of every component, sorted by name and version."""
        return self._select("", ())

    def delete(self, name: str) -> None:
        """
        Forget a component and all of its versions.

        Raises:
            ConflictError: It still has workers.
        """
        component = self.get(name)
        if any(True for _ in self._layout.component_workers(name)):
            raise ConflictError(
                reason=f"component {name!r} still has workers; "
                f"delete them first (`golem-host worker list --component {name}`)"
            )
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM component WHERE id = ?", (component.id,))
        with self._lock:
            self._known.clear()

    def collect_files(self, *, dry_run: bool) -> tuple[int, int]:
        """Remove files that no deployed version has; how many there are, and their bytes."""
        with self._storing:
            deployed = self.all()
            kept = {self._layout.component_file(each.sha256) for each in deployed}
            kept |= {self._initial.locate(file) for each in deployed for file in each.files}
            folder = self._layout.components
            found = [folder / name for name, is_dir in self._files.list_dir(folder) if not is_dir]
            lost = [path for path in found if path not in kept and _is_ours(path)]
            sizes = [size_of(self._files, path) for path in lost]
            for path in () if dry_run else lost:
                self._files.remove(path)
        return len(lost), sum(sizes)

    def linked(self, component: Component) -> LinkedComponent:
        """
        The component compiled and linked: what instances are made from.

        Raises:
            UnlinkableComponentError: What it was deployed with is not offered here, or has another
                type.
            DeclarationError: What an embedder lends does not fit its imports.
        """
        loaded = self._load(component)
        if loaded.linked is None:
            loaded.linked = self._link(loaded.compiled)
        return loaded.linked

    def _load(self, component: Component) -> _Loaded:
        with self._lock:
            cached = self._loaded.get(component.sha256)
            if cached is not None:
                self._loaded.move_to_end(component.sha256)
                return cached
        path = self._layout.component_file(component.sha256)
        return self._keep(self._engine().load(path, name=component.name))

    def _keep(self, compiled: Compiled) -> _Loaded:
        loaded = _Loaded(compiled)
        with self._lock:
            self._loaded[compiled.sha256] = loaded
            while len(self._loaded) > LOADED_MAX:
                self._loaded.popitem(last=False)
        return loaded

    def _link(self, compiled: Compiled) -> LinkedComponent:
        dispatcher = self._dispatcher
        try:
            return compiled.link(dispatcher.resolve, dispatcher.drop, dispatcher.misfit)
        except UnlinkableComponentError as error:
            if any(_can_be_lent(name) for name in error.missing):
                error.reason = f"{error.reason}; {LEND_IT}"
            raise

    def _find(self, name: str, version: int | None) -> Component | None:
        if version is None:
            order = "ORDER BY component_version.version DESC LIMIT 1"
            rows = self._select(f"WHERE component.name = ? {order}", (name,))
        else:
            where = "WHERE component.name = ? AND component_version.version = ?"
            rows = self._select(where, (name, version))
        return rows[0] if rows else None

    def _select(self, where: str, parameters: tuple[str | int, ...]) -> list[Component]:
        order = "" if "ORDER BY" in where else " ORDER BY component.name, component_version.version"
        with self._database.reading() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} {where}{order}", parameters).fetchall()
            found = [(row, self._initial.select(connection, row[0], row[2])) for row in rows]
        return [self._component(row, files) for row, files in found]

    def _component(self, row: _Row, files: tuple[DeployedFile, ...]) -> Component:
        component_id, name, version, sha256, size, memory, source, env, config, ephemeral = row
        return Component(
            id=component_id,
            name=name,
            version=version,
            sha256=sha256,
            size_bytes=size,
            initial_memory_bytes=memory,
            source=source,
            env=_pairs(env),
            config_vars=_pairs(config),
            ephemeral=bool(ephemeral),
            load=lambda component: self._load(component).compiled,
            files=files,
        )


def _can_be_lent(missing: str) -> bool:
    """Whether what is missing, ``ns:pkg/api.{f}`` or ``resource ns:pkg/api.r``, is none of ours."""
    return missing.removeprefix("resource ").partition("/")[0] not in HOMES


def _is_ours(path: Path) -> bool:
    """Whether it is a component's or an initial file, or what a crash left of one."""
    name = path.name.removesuffix(TEMPORARY_SUFFIX)
    return name.endswith((".wasm", ".file"))


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in json.loads(text))


def _settings(component: Component) -> tuple[str, str, int]:
    return (
        json.dumps(list(component.env)),
        json.dumps(list(component.config_vars)),
        int(component.ephemeral),
    )


def _check_name(name: str) -> None:
    if not name or len(name.encode(errors="replace")) > NAME_BYTES_MAX or not name.isprintable():
        raise InvalidRequestError(
            reason=f"a component name is 1 to {NAME_BYTES_MAX} bytes of printable text: {name!r}"
        )


def _check_source(latest: Component, source: str | None) -> None:
    if source is not None and latest.source is not None and source != latest.source:
        raise ConflictError(
            reason=f"component {latest.name!r} was deployed from {latest.source}; "
            f"give {source} another name with --name"
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ComponentError(component=str(path), reason=os_reason(error)) from error
