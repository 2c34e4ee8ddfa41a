"""Workers on their way from one state directory to another, as one file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, Final

from golem_host.component import Component
from golem_host.errors import ConflictError, WorkerExistsError
from golem_host.files.initial import DeployedFile
from golem_host.services.loaded import LoadedWorkers
from golem_host.services.unfinished import NOW, WorkerKey
from golem_host.storage.layout import StateLayout
from golem_host.worker.parts import Shared, View
from golem_oplog.adopt import open_export
from golem_oplog.errors import OplogExistsError
from golem_oplog.export import export_log
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.store import OplogStore

if TYPE_CHECKING:
    from golem_oplog.adopt import Exported

HASH_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class _About:
    """What an exported file says of its worker, beyond its log."""

    component: str
    worker: str
    version: int
    """The component version that it runs."""
    sha256: str
    """Of that version's bytes."""
    is_updated: bool
    """Whether its log names other versions than that."""
    files: str = ""
    """What tells that version's initial files from others; empty for none."""

    def encode(self) -> bytes:
        fields = ("component", "worker", "version", "sha256", "is_updated", "files")
        return json.dumps({name: getattr(self, name) for name in fields}).encode()


class Transfers:
    """Exports and imports the workers of one state directory."""

    def __init__(
        self, *, store: OplogStore, layout: StateLayout, shared: Shared, loaded: LoadedWorkers
    ) -> None:
        self._store = store
        self._layout = layout
        self._shared = shared
        self._loaded = loaded

    def export(self, key: WorkerKey, view: View) -> Iterator[bytes]:
        """See `golem_host.worker.worker.Worker.export`."""
        status, component = view.status, view.component()
        assert status.create is not None
        about = _About(
            component=key.component,
            worker=key.worker,
            version=component.version,
            sha256=component.sha256,
            is_updated=status.create.component_version != component.version,
            files=_told_apart(component.files),
        )
        with self._store.reader(self._layout.worker_key(*key)) as reader:
            yield from export_log(reader, about.encode())

    def take_in(self, component: Component, key: WorkerKey, file: BinaryIO, label: str) -> None:
        """See `golem_host.services.workers.Workers.take_in`; it does not go on yet."""
        exported = open_export(file, label)
        about = _read_about(exported)
        version = self._version_here(component, about)
        create = exported.manifest.create._replace(
            component_id=component.id,
            component_version=version,
            worker_name=key.worker,
            parent=None,
            token="",
        )
        # First, so that no crash leaves a worker that nobody would set going.
        self._shared.unfinished.mark(key, NOW)
        try:
            with self._loaded.locked(key):
                self._store.adopt(exported, self._layout.worker_key(*key), create).close()
        except OplogExistsError:
            raise WorkerExistsError(component=key.component, worker=key.worker) from None
        except BaseException:
            self._shared.unfinished.clear(key)
            raise

    def _version_here(self, component: Component, about: _About) -> int:
        """The version to begin with: the number may be another one where no entry names it."""
        here = [each for each in self._shared.all_components() if each.id == component.id]
        alike = [
            each.version
            for each in here
            if (each.sha256, _told_apart(each.files)) == (about.sha256, about.files)
        ]
        if about.version in alike or (alike and not about.is_updated):
            return about.version if about.version in alike else alike[-1]
        raise ConflictError(
            reason=f"{about.component}/{about.worker} runs version {about.version} of its "
            f"component (SHA-256 {about.sha256[:HASH_DIGITS]}...)"
            f"{' with initial files' if about.files else ''}, which component "
            f"{component.name} does not have here; deploy it first"
        )


def _told_apart(files: Sequence[DeployedFile]) -> str:
    listed = [[each.path, each.sha256, each.read_only] for each in files]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest() if listed else ""


def _read_about(exported: Exported) -> _About:
    try:
        document = json.loads(exported.about)
    except ValueError:
        document = None
    match document:
        case {
            "component": str(component),
            "worker": str(worker),
            "version": int(version),
            "sha256": str(digest),
            "is_updated": bool(is_updated),
            **more,
        }:
            files = more.get("files", "")
            return _About(component, worker, version, digest, is_updated, str(files))
    raise exported.records.bad("it does not say which worker it is of")
