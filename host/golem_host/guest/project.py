"""
A guest project as it lies in its folder: ``app.py``, ``wit/``, and what they need.

Everything is read once, into memory.  What is hashed is therefore what is built, also when a file
is edited meanwhile; and the toolchain, which writes beside the sources, never sees the folder.

=================  =======================================================================
``app.py``         the guest; other modules and data files may lie beside and below it
``wit/``           its world; packages that this host ships need not be copied to it
``vendor/``        packages of others (``pip install --target vendor NAME``)
``golem.toml``     with ``[guest] world = "NAME"`` where ``wit/`` has several worlds
=================  =======================================================================
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from golem_host.errors import GuestBuildError
from golem_host.guest import shipped, wit_files
from golem_oplog.lazy_dataclass import dataclass

SOURCES_SIZE_BYTES_MAX: Final = 256 << 20
"""A folder with more than this in it is not a guest's sources."""

WIT: Final = "wit"
APP: Final = "app"
VENDOR: Final = "vendor"
SDK: Final = "guest_sdk"

LAZY_MODULE: Final = "_golem_lazy_imports"
"""The module that the build adds to those of app, see `golem_host.guest.lazy_imports`."""
LEFT_OPEN: Final = "a socket was opened while importing, and is still open"
"""What it raises for that."""

_SETTINGS: Final = "golem.toml"
_SKIPPED_NAMES: Final = frozenset({"__pycache__", "node_modules", _SETTINGS})
_SKIPPED_SUFFIXES: Final = frozenset({".pyc", ".wasm", ".cwasm"})


@dataclass(frozen=True, slots=True)
class GuestProject:
    """All that a build depends on."""

    name: str
    world: str
    files: tuple[tuple[str, bytes], ...]
    """Path and content, sorted.  The first part of a path is one of WIT, APP, VENDOR, SDK."""

    def roots(self) -> list[str]:
        """The folders that modules are imported from, first come first served."""
        used = {path.split("/", 1)[0] for path, _ in self.files}
        return [root for root in (APP, VENDOR, SDK) if root in used]


def read_project(directory: Path) -> GuestProject:
    """
    Read a project folder.

    Raises:
        GuestBuildError: It is not one, or it does not say which world is meant.
    """
    name = directory.resolve().name
    if not (directory / "app.py").is_file():
        raise GuestBuildError(
            component=name,
            reason="no app.py in the project folder",
            advice="the guest is the module `app`; `golem-host new` makes a project to start from",
        )
    wit = {
        path: content.decode(errors="replace")
        for path, content in _read_tree(name, directory / WIT)
        if path.endswith(".wit")
    }
    if not wit:
        raise GuestBuildError(
            component=name,
            reason="no wit/ in the project folder",
            advice="describe what the guest imports and exports in wit/world.wit",
        )
    shipped_wit = shipped.wit_packages()
    _refuse_missing(name, wit, shipped_wit)
    files = {f"{WIT}/{path}": text.encode() for path, text in wit.items()}
    for package in wit_files.needed(wit.values(), shipped_wit):
        folder = package.replace(":", "-")
        files |= {
            f"{WIT}/deps/{folder}/{path}": text.encode()
            for path, text in shipped_wit[package].items()
        }
    files |= _sources(name, directory)
    if any(path.startswith(f"{SDK}/") for path in files):
        # A guest that calls others learns from it what their functions take.
        files |= {
            f"{SDK}/golem_guest/{path}": content
            for path, content in files.items()
            if path.startswith(f"{WIT}/")
        }
    return GuestProject(name, _world(name, directory, wit), tuple(sorted(files.items())))


def look(directory: Path) -> tuple[tuple[str, int, int], ...]:
    """
    What tells that a project was edited: path, time and size of each file that may belong to it.

    Raises:
        OSError: A file has gone meanwhile, as editors do when they save; look again.
    """
    found = []
    for folder, folders, files in os.walk(directory):
        below = Path(folder)
        folders[:] = sorted(entry for entry in folders if _is_taken(below / entry, set()))
        # The settings are no part of what is built, but decide on it.
        taken = (path for path in map(below.joinpath, files) if _is_watched(path))
        for path in taken:
            state = path.stat()
            found.append((str(path), state.st_mtime_ns, state.st_size))
    return tuple(sorted(found))


def _is_watched(path: Path) -> bool:
    return path.name == _SETTINGS or _is_taken(path, set())


def _sources(name: str, directory: Path) -> dict[str, bytes]:
    files = {
        f"{APP}/{path}": content
        for path, content in _read_tree(name, directory, except_for={WIT, VENDOR})
        # Editing what only people read is no reason to build again.
        if not path.startswith("README")
    }
    files |= {f"{VENDOR}/{path}": data for path, data in _read_tree(name, directory / VENDOR)}
    if any(b"golem_guest" in content for path, content in files.items() if path.endswith(".py")):
        sdk = shipped.folder(SDK)
        files |= {f"{SDK}/{path}": data for path, data in _read_tree(name, sdk)}
    return files


def _read_tree(
    name: str, top: Path, *, except_for: set[str] | None = None
) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder that may belong to a guest; nothing if there is no folder."""
    left_bytes = SOURCES_SIZE_BYTES_MAX
    for folder, folders, files in os.walk(top):
        below = Path(folder)
        skipped = except_for or set() if below == top else set()
        folders[:] = sorted(entry for entry in folders if _is_taken(below / entry, skipped))
        for entry in sorted(files):
            path = below / entry
            if not _is_taken(path, skipped) or not path.is_file():
                continue
            content = path.read_bytes()
            left_bytes -= len(content)
            if left_bytes < 0:
                raise GuestBuildError(
                    component=name,
                    reason=f"more than {SOURCES_SIZE_BYTES_MAX >> 20} MiB of sources in {top}",
                    advice="keep data that is not imported outside of the project folder",
                )
            yield path.relative_to(top).as_posix(), content


def _is_taken(path: Path, skipped: set[str]) -> bool:
    return not (
        path.name.startswith(".")
        or path.name in _SKIPPED_NAMES
        or path.name in skipped
        or path.suffix in _SKIPPED_SUFFIXES
        # A virtual environment under whatever name.
        or (path / "pyvenv.cfg").exists()
    )


def _world(name: str, directory: Path, wit: dict[str, str]) -> str:
    worlds = [
        world
        for path, text in wit.items()
        if "/" not in path
        for world in wit_files.scan(text).worlds
    ]
    chosen = _chosen_world(name, directory)
    if chosen is None and len(worlds) == 1:
        return worlds[0]
    if chosen in worlds:
        return str(chosen)
    listed = ", ".join(worlds)
    if not worlds:
        reason, advice = "no world in wit/", "add `world NAME { ... }` with its imports and exports"
    elif chosen is None:
        reason = f"several worlds in wit/: {listed}"
        advice = f'choose one in {_SETTINGS}: [guest] world = "{worlds[0]}"'
    else:
        reason, advice = f"no world {chosen!r} in wit/", f"{_SETTINGS} may name one of: {listed}"
    raise GuestBuildError(component=name, reason=reason, advice=advice)


def _chosen_world(name: str, directory: Path) -> str | None:
    path = directory / _SETTINGS
    if not path.is_file():
        return None
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GuestBuildError(component=name, reason=f"{_SETTINGS}: {error}") from error
    guest = settings.get("guest", {})
    if not isinstance(guest, dict) or guest.keys() - {"world"}:
        raise GuestBuildError(
            component=name,
            reason=f"{_SETTINGS}: [guest] has one setting, world",
        )
    world = guest.get("world")
    return None if world is None else str(world)


def _refuse_missing(name: str, wit: dict[str, str], shipped_wit: dict[str, dict[str, str]]) -> None:
    lacking = wit_files.missing(wit.values(), shipped_wit)
    if not lacking:
        return
    package = lacking[0]
    same = [known for known in shipped_wit if known.split("@")[0] == package.split("@")[0]]
    raise GuestBuildError(
        component=name,
        reason=f"wit/ refers to {package}, which is neither in wit/deps/ nor shipped",
        advice=f"use {same[0]}" if same else "copy its WIT to a folder below wit/deps/",
    )
