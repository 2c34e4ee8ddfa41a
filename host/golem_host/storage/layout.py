"""
Where everything lies in a state directory.

``lock  control.sock  host.db  stores.db  workers/<component>/<worker>/  blobs/
components/<sha256>.wasm  components/<sha256>.file  scratch/``

A worker's or component's name may hold any character, so a directory is named by a readable,
percent-encoded prefix and 16 hex digits of the name's SHA-256; the manifest inside has the name.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from golem_oplog.lazy_dataclass import dataclass

NAME_PREFIX_BYTES_MAX: Final = 100
NAME_HASH_DIGITS: Final = 16
MANIFEST: Final = "manifest"


def default_state_dir() -> Path:
    """``GOLEM_HOST_STATE_DIR``, else ``golem-host`` in the XDG state directory."""
    if explicit := os.environ.get("GOLEM_HOST_STATE_DIR"):
        return Path(explicit)
    return _xdg("XDG_STATE_HOME", ".local/state") / "golem-host"


def default_cache_dir() -> Path:
    """``GOLEM_HOST_CACHE_DIR``, else ``golem-host`` in the XDG cache directory."""
    if explicit := os.environ.get("GOLEM_HOST_CACHE_DIR"):
        return Path(explicit)
    return _xdg("XDG_CACHE_HOME", ".cache") / "golem-host"


def _xdg(variable: str, fallback: str) -> Path:
    # The XDG rules say that a relative path in the variable is to be ignored.
    base = os.environ.get(variable, "")
    return Path(base) if base.startswith("/") else Path.home() / fallback


def directory_name(name: str) -> str:
    """The directory that stands for a name; two names never share one."""
    encoded = quote(name, safe="-_")
    digest = hashlib.sha256(name.encode()).hexdigest()[:NAME_HASH_DIGITS]
    prefix = encoded[:NAME_PREFIX_BYTES_MAX]
    # Never end in the middle of an escape.
    if len(encoded) > NAME_PREFIX_BYTES_MAX and "%" in prefix[-2:]:
        prefix = prefix[: prefix.rindex("%")]
    return f"{prefix}-{digest}"


@dataclass(frozen=True, slots=True)
class StateLayout:
    """The paths inside of one state directory; nothing here touches the disk but `worker_dirs`."""

    root: Path

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def control_socket(self) -> Path:
        return self.root / "control.sock"

    @property
    def database(self) -> Path:
        return self.root / "host.db"

    @property
    def stores(self) -> Path:
        """What guests keep for all workers; made when the first one does."""
        return self.root / "stores.db"

    @property
    def workers(self) -> Path:
        return self.root / "workers"

    @property
    def blobs(self) -> Path:
        return self.root / "blobs"

    @property
    def components(self) -> Path:
        return self.root / "components"

    @property
    def scratch(self) -> Path:
        """Files that no instance to come needs."""
        return self.root / "scratch"

    def component_file(self, sha256: str) -> Path:
        return self.components / f"{sha256}.wasm"

    def initial_file(self, sha256: str) -> Path:
        """The content of an initial file."""
        return self.components / f"{sha256}.file"

    def worker_key(self, component: str, worker: str) -> str:
        """The worker's directory, relative to `workers`."""
        return f"{directory_name(component)}/{directory_name(worker)}"

    def worker_dir(self, component: str, worker: str) -> Path:
        return self.workers / self.worker_key(component, worker)

    def has_worker(self, component: str, worker: str) -> bool:
        return (self.worker_dir(component, worker) / MANIFEST).is_file()

    def guess_worker(self, key: str) -> str:
        """
        The name of the worker whose directory this is, as far as the directory's own name tells.

        A long name is cut short in it; then the directory's name is returned as it is.
        """
        folder = key.rpartition("/")[2]
        name = unquote(folder[: -NAME_HASH_DIGITS - 1], errors="replace")
        return name if directory_name(name) == folder else folder

    def component_workers(self, component: str) -> Iterator[str]:
        """Keys of the directories of one component's workers, sorted."""
        folder = directory_name(component)
        yield from (f"{folder}/{name}" for name in _manifests(self.workers / folder))


def _manifests(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(entry.name for entry in folder.iterdir() if (entry / MANIFEST).is_file())
