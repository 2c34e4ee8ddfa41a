"""
A guest project to a component, by way of a cache that is addressed by content.

A build takes ten seconds and a gigabyte, so each distinct project is built once per machine, and
at most `BUILDS_MAX` at a time.  The cache holds whole files only: they are written elsewhere and renamed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

from golem_host.guest import failures, toolchain
from golem_host.guest.project import GuestProject, read_project
from golem_oplog.files import OsFiles, write_durably
from golem_oplog.lazy_dataclass import dataclass

CACHE_SIZE_BYTES_MAX: Final = 2 << 30
"""Beyond this the builds not used for longest are removed."""

BUILDS_MAX: Final = 4
"""Of different projects, by as many processes."""

# Part of every cache key: raise it when the same project would come out differently.
_BUILD_VERSION: Final = "2"

Progress = Callable[[str], None]


class Componentize(Protocol):
    """The step that takes the time: a folder of sources to a component."""

    def __call__(
        self, stage: Path, *, world: str, roots: Sequence[str], output: Path
    ) -> toolchain.ToolOutput: ...


@dataclass(frozen=True, slots=True)
class BuiltGuest:
    """A component that lies on disk."""

    wasm: Path
    world: str
    cached: bool
    """It had been built before."""


def build_guest(
    project_dir: Path,
    *,
    output: Path | None = None,
    cache_dir: Path,
    progress: Progress | None = None,
    componentize: Componentize | None = None,
) -> BuiltGuest:
    """
    Build the project in a folder, unless just this was built before.

    Nothing is written to the folder.  The component lies at ``output``, or where that is not
    given in the cache; there it stays until newer builds push it out.  One that is new is tried once:
    an instance of it is made.

    Raises:
        GuestBuildError: With the reason, an advice, and what the guest or the tool said.
    """
    say = progress or _say_nothing
    project = read_project(project_dir)
    cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    cached = cache_dir / f"{_key(project)}.wasm"
    is_cached = _use(cached)
    if not is_cached:
        lock = lock_file(cache_dir, project.name)
        with _one_at_a_time(lock, lambda: say(f"{project.name}: waiting for another build")):
            # Whoever was waited for may have built the same.
            is_cached = _use(cached)
            if not is_cached:
                _build(project, cached, say, componentize)
                _prune(cache_dir, keep=cached)
    if output is not None:
        write_durably(OsFiles(), output, cached.read_bytes())
    return BuiltGuest(output or cached, project.world, is_cached)


def _use(cached: Path) -> bool:
    """Whether it is there; if so, its time says that it is still wanted."""
    try:
        os.utime(cached)
    except FileNotFoundError:
        return False
    return True


def _build(
    project: GuestProject, target: Path, say: Progress, componentize: Componentize | None
) -> None:
    # What is cached needs neither a parser nor an engine.
    from golem_host.guest import lazy_imports, trial  # noqa: PLC0415

    say(f"building {project.name} (world {project.world}), about 10 s")
    roots = project.roots()
    with tempfile.TemporaryDirectory(prefix="golem-host-build-") as name:
        stage = Path(name)
        for path, content in lazy_imports.with_lazy_imports(project.files, roots):
            (stage / path).parent.mkdir(parents=True, exist_ok=True)
            (stage / path).write_bytes(content)
        wasm = stage / "component.wasm"
        step = componentize or toolchain.componentize
        output = step(stage, world=project.world, roots=roots, output=wasm)
        if output.returncode != 0 or not wasm.is_file():
            raise failures.explain(project.name, output, roots)
        if componentize is None:
            # Compiled for that, and kept for who runs it.
            trial.try_out(wasm, project.name, cache_dir=target.parent.parent, progress=say)
        write_durably(OsFiles(), target, wasm.read_bytes())
    say(f"built {project.name}, {target.stat().st_size / 1e6:.1f} MB")


def _key(project: GuestProject) -> str:
    """All that decides what comes out, in one name."""
    digest = hashlib.sha256()
    versions = (_BUILD_VERSION, toolchain.version(), platform.python_version(), project.world)
    parts = [version.encode() for version in versions]
    parts += [part for path, content in project.files for part in (path.encode(), content)]
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def lock_file(cache_dir: Path, project_name: str) -> Path:
    """What is locked while a project is built: always the same for one project."""
    return cache_dir / f"build-{zlib.crc32(project_name.encode()) % BUILDS_MAX}.lock"


@contextmanager
def _one_at_a_time(lock: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold a lock; the kernel takes it back when this process dies."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _prune(cache_dir: Path, *, keep: Path) -> None:
    builds = []
    for path in cache_dir.glob("*.wasm"):
        # Others prune as well.
        with suppress(FileNotFoundError):
            builds.append((path.stat(), path))
    builds.sort(key=lambda build: build[0].st_mtime_ns, reverse=True)
    total_bytes = 0
    for status, path in builds:
        total_bytes += status.st_size
        if total_bytes > CACHE_SIZE_BYTES_MAX and path != keep:
            path.unlink(missing_ok=True)


def _say_nothing(_line: str) -> None:
    pass
