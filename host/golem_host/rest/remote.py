"""
The host of another process, with the methods of `golem_host.Host`: same names, values and errors.

What takes a `Worker` or a `Component` of ours can be given one of these.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from golem_host.component import Component
from golem_host.engine import ExportedFunction, ImportedFunction
from golem_host.errors import ComponentError, WorkerExistsError, os_reason
from golem_host.files.initial import DeployedFile, InitialFile
from golem_host.files.mapping import Mapping as Mapped
from golem_host.rest.bodies import (
    ComponentDetails,
    ComponentForm,
    PromiseForm,
    PromisePage,
    PromiseValue,
    StoredFile,
    WorkerPage,
)
from golem_host.rest.client import OWNER_S, Client, path_of
from golem_host.rest.exchange import BYTES, WASM
from golem_host.rest.remote_plugins import RemotePlugins
from golem_host.rest.remote_worker import RemoteWorker, remote_metadata
from golem_host.rest.reports import CollectedForm, collected_of
from golem_host.rest.shapes import read
from golem_host.rest.times import time_of
from golem_host.rest.typed import function_of
from golem_host.services.collect import Collected
from golem_host.services.component_files import GivenFile, read_source
from golem_host.services.promises import PromiseId, PromiseInfo
from golem_host.storage.layout import directory_name
from golem_host.worker.metadata import WorkerMetadata
from golem_oplog.closing import ClosesOnExit
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import FunctionType

if TYPE_CHECKING:
    from golem_host.engine import Component as Compiled


class RemoteHost(ClosesOnExit):
    """The owner of a state directory, from another process."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.components = RemoteComponents(client)
        self.workers = RemoteWorkers(client, self.components)
        self.promises = RemotePromises(client)
        self.plugins = RemotePlugins(client)

    @classmethod
    def of_owner(
        cls, state_dir: Path, wait_s: float = OWNER_S, answer_s: float | None = None
    ) -> RemoteHost | None:
        """As `Client.of_owner`."""
        client = Client.of_owner(state_dir, wait_s, answer_s)
        return None if client is None else cls(client)

    def collect(self, *, dry_run: bool = False) -> Collected:
        query = [("dry-run", "true" if dry_run else "false")]
        found = self._client.ask("POST", path_of("gc"), query=query)
        return collected_of(read(CollectedForm, found, "answer"))

    def close(self) -> None:
        """Nothing is held between two requests."""


@dataclass(frozen=True)
class _RemoteCompiled:
    """What can be asked of a compiled component without having it."""

    client: Client
    reference: str
    version: int

    @cached_property
    def _details(self) -> ComponentDetails:
        query = [("version", str(self.version))]
        found = self.client.ask("GET", path_of("components", self.reference), query=query)
        return read(ComponentDetails, found, "answer")

    @property
    def exports(self) -> tuple[ExportedFunction, ...]:
        named = [_named(each.value) for each in self._details.exports]
        return tuple(ExportedFunction(*each) for each in named)

    @property
    def imports(self) -> tuple[ImportedFunction, ...]:
        named = [_named(each.value) for each in self._details.imports]
        return tuple(ImportedFunction(*each) for each in named)

    def wit(self) -> str:
        query = [("version", str(self.version))]
        found = self.client.ask("GET", path_of("components", self.reference, "wit"), query=query)
        assert isinstance(found, bytes)
        return found.decode()


def _named(document: object) -> tuple[str, str, FunctionType]:
    assert isinstance(document, dict)
    return str(document["interface"]), str(document["function"]), function_of(document)


class RemoteComponents:
    """See `golem_host.services.components.Components`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def deploy(  # noqa: PLR0913 - as in `Components`
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
        if progress is not None:
            progress(f"deploying {name} through the owner of the state directory")
        query = [("name", name), ("ephemeral", "true" if ephemeral else "false")]
        if source is not None:
            query.append(("source", source))
        query += [("env", f"{n}={v}") for n, v in (env or {}).items()]
        query += [("config-var", f"{n}={v}") for n, v in (config_vars or {}).items()]
        query += [("file", self._reference(each)) for each in files]
        found = self._client.ask(
            "POST",
            path_of("components"),
            query=query,
            content=_bytes(wasm),
            headers={"content-type": WASM},
        )
        return self._component(read(ComponentForm, found, "answer"))

    def store_file(self, content: bytes) -> DeployedFile:
        found = self._client.ask(
            "POST", path_of("files"), content=content, headers={"content-type": BYTES}
        )
        stored = read(StoredFile, found, "answer")
        return DeployedFile("", stored.sha256, stored.size_bytes)

    def _reference(self, file: GivenFile) -> str:
        if isinstance(file, InitialFile):
            sha256 = self.store_file(read_source(file)).sha256
        else:
            sha256 = file.sha256
        return str(Mapped(sha256, file.path, file.read_only))

    def get(self, name: str, *, version: int | None = None) -> Component:
        query = [] if version is None else [("version", str(version))]
        found = self._client.ask("GET", path_of("components", name), query=query)
        return self._component(read(ComponentDetails, found, "answer").component)

    def all(self) -> list[Component]:
        found = self._client.ask("GET", path_of("components"), query=[("all-versions", "true")])
        assert isinstance(found, list)
        return [self._component(read(ComponentForm, each, "answer")) for each in found]

    def delete(self, name: str) -> None:
        self._client.ask("DELETE", path_of("components", name))

    def _component(self, form: ComponentForm) -> Component:
        def load(component: Component) -> Compiled:
            found = _RemoteCompiled(self._client, component.id, component.version)
            return cast("Compiled", found)

        return Component(
            id=form.component_id,
            name=form.name,
            version=form.version,
            sha256=form.sha256,
            size_bytes=form.size_bytes,
            initial_memory_bytes=form.initial_memory_bytes,
            source=form.source,
            env=tuple(form.env.items()),
            config_vars=tuple(form.config_vars.items()),
            ephemeral=form.ephemeral,
            load=load,
            files=tuple(
                DeployedFile(each.path, each.sha256, each.size_bytes, each.read_only)
                for each in form.files
            ),
        )


def _bytes(wasm: Path | str | bytes) -> bytes:
    if not isinstance(wasm, str | Path):
        return bytes(wasm)
    try:
        return Path(wasm).read_bytes()
    except OSError as error:
        raise ComponentError(component=str(wasm), reason=os_reason(error)) from error


class RemoteWorkers:
    """See `golem_host.services.workers.Workers`."""

    def __init__(self, client: Client, components: RemoteComponents) -> None:
        self._client = client
        self._components = components

    def create(
        self,
        component: Component,
        name: str,
        *,
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        config_vars: Mapping[str, str] | None = None,
        dirs: Sequence[str] = (),
    ) -> RemoteWorker:
        body = {
            "name": name,
            "args": list(args),
            "env": dict(env or {}),
            "configVars": dict(config_vars or {}),
            "dirs": list(dirs),
        }
        self._client.ask("POST", path_of("components", component.name, "workers"), body=body)
        return self._worker(component.name, name)

    def get_or_create(
        self,
        component: Component,
        name: str,
        *,
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        config_vars: Mapping[str, str] | None = None,
    ) -> RemoteWorker:
        try:
            return self.create(component, name, args=args, env=env, config_vars=config_vars)
        except WorkerExistsError:
            return self._worker(component.name, name)

    def get(self, component: Component | str, name: str) -> RemoteWorker:
        component_name = component if isinstance(component, str) else component.name
        worker = self._worker(component_name, name)
        worker.metadata()
        return worker

    def take_in(
        self, component: Component, name: str, file: BinaryIO, label: str = "the file"
    ) -> RemoteWorker:
        """As `Workers.take_in`; the file must fit what the owner takes at once."""
        del label
        path = path_of("components", component.name, "workers", name, "import")
        self._client.ask("POST", path, content=file.read(), headers={"content-type": BYTES})
        return self._worker(component.name, name)

    def list(
        self,
        component: Component | str | None = None,
        filter: Callable[[WorkerMetadata], bool] | None = None,  # noqa: A002 - as in `Workers`
    ) -> Iterator[RemoteWorker]:
        """As `Workers.list`."""
        if component is None:
            names = sorted({each.name for each in self._components.all()})
        else:
            names = [component if isinstance(component, str) else component.name]
        for component_name in names:
            for name, metadata in self._listed(component_name):
                worker = self._worker(component_name, name)
                # That of a damaged one cannot be had: asking for it says why.
                if filter is None or filter(metadata or worker.metadata()):
                    yield worker

    def _listed(self, component: str) -> Iterator[tuple[str, WorkerMetadata | None]]:
        """Names, in the order of `Workers.list`, with what is known of each."""
        cursor: str | None = ""
        while cursor is not None:
            query = [("cursor", cursor)] if cursor else []
            path = path_of("components", component, "workers")
            page = read(WorkerPage, self._client.ask("GET", path, query=query), "answer")
            found: dict[str, WorkerMetadata | None] = {
                form.worker_id.worker_name: remote_metadata(form) for form in page.workers
            }
            found |= {form.worker_id.worker_name: None for form in page.damaged}
            yield from sorted(found.items(), key=lambda each: directory_name(each[0]))
            cursor = page.cursor

    def _worker(self, component: str, name: str) -> RemoteWorker:
        return RemoteWorker(self._client, component, name, self._components.get)


class RemotePromises:
    """See `golem_host.services.promises.Promises`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def complete(self, promise: PromiseId, data: bytes) -> bool:
        body = {"oplogIdx": promise.oplog_index, "dataBase64": b64encode(data).decode()}
        path = path_of("components", promise.component_id, "workers", promise.worker_name)
        return self._client.ask("POST", f"{path}/complete", body=body) is True

    def get(self, promise: PromiseId) -> bytes | None:
        found = read(PromiseValue, self._client.ask("GET", _path(promise)), "answer")
        return None if found.data_base64 is None else b64decode(found.data_base64)

    def delete(self, promise: PromiseId) -> None:
        self._client.ask("DELETE", _path(promise))

    def list(
        self, component_id: str | None = None, worker_name: str | None = None
    ) -> Iterator[PromiseInfo]:
        path = path_of("promises")
        if component_id is not None and worker_name is not None:
            path = path_of("components", component_id, "workers", worker_name, "promises")
        cursor: str | None = ""
        while cursor is not None:
            query = [("cursor", cursor)] if cursor else []
            page = read(PromisePage, self._client.ask("GET", path, query=query), "answer")
            for form in page.promises:
                info = _info(form)
                if component_id in {None, info.id.component_id}:
                    yield info
            cursor = page.cursor


def _path(promise: PromiseId) -> str:
    names = (promise.component_id, "workers", promise.worker_name, "promises")
    return path_of("components", *names, str(promise.oplog_index))


def _info(form: PromiseForm) -> PromiseInfo:
    worker = form.worker_id
    return PromiseInfo(
        id=PromiseId(worker.component_id, worker.worker_name, form.oplog_idx),
        completed=form.completed,
        size_bytes=form.size_bytes,
        created_ns=time_of(form.created_at),
    )
