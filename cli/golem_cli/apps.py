"""What APP may be: a component file, a guest project's folder, or the name of what is deployed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from golem_cli.exits import CommandError, ExitCode
from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_cli.progress import Report
    from golem_cli.session import AnyHost
    from golem_host import Component
    from golem_host.services.component_files import GivenFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a version of a component has beside its bytes."""

    env: Mapping[str, str] = field(default_factory=dict)
    config_vars: Mapping[str, str] = field(default_factory=dict)
    ephemeral: bool = False
    files: Sequence[GivenFile] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """An APP that lies on this machine: what is deployed, and under which name."""

    path: Path
    """Absolute: the file, or the project's folder."""
    name: str

    def build(self, report: Report) -> Path:
        """The component file, made first (or found in the cache) where this is a project."""
        if not self.path.is_dir():
            return self.path
        return build_project(self.path, None, report)

    def deploy(self, host: AnyHost, report: Report, settings: Settings | None = None) -> Component:
        """Deploy it; without settings, with those of the version that is there."""
        if settings is None:
            settings = self._latest_settings(host)
        return host.components.deploy(
            self.build(report),
            name=self.name,
            source=str(self.path),
            files=settings.files,
            env=settings.env,
            config_vars=settings.config_vars,
            ephemeral=settings.ephemeral,
            progress=report,
        )

    def _latest_settings(self, host: AnyHost) -> Settings:
        from golem_host import ComponentNotFoundError

        try:
            latest = host.components.get(self.name)
        except ComponentNotFoundError:
            return Settings()
        return Settings(
            env=dict(latest.env),
            config_vars=dict(latest.config_vars),
            ephemeral=latest.ephemeral,
            files=latest.files,
        )


def build_project(folder: Path, output: Path | None, report: Report) -> Path:
    """Build a guest project to `output`, or where that is None into the cache."""
    from golem_host.guest import build_guest
    from golem_host.storage.layout import default_cache_dir

    cache_dir = default_cache_dir() / "guests"
    return build_guest(folder, output=output, cache_dir=cache_dir, progress=report).wasm


def find_source(app: str, name: str | None) -> Source | None:
    """The source that `app` names; None where it can only be a deployed component."""
    path = Path(app).absolute()
    if path.is_dir():
        return Source(path, name or path.resolve().name)
    if path.exists():
        return Source(path, name or path.stem)
    if app.endswith(".wasm") or "/" in app:
        raise CommandError(f"{app}: no such file or folder", ExitCode.NOT_FOUND)
    if name is not None:
        raise click.UsageError(f"--name is for files and folders, and {app!r} is neither")
    return None


def is_app(word: str, rest: Sequence[str]) -> bool:
    """Whether `word`, standing where a command should, is something that can be run."""
    if word.endswith(".wasm") or "/" in word or Path(word).exists():
        return True
    return _is_deployed(word, _state_dir(rest))


def _is_deployed(name: str, state_dir: Path | None) -> bool:
    from golem_cli.session import open_host
    from golem_host.errors import HostError
    from golem_oplog.errors import OplogError

    try:
        with open_host(state_dir, read_only=True) as host:
            host.components.get(name)
    except (HostError, OplogError, OSError):
        # A state that cannot be read has nothing deployed, as far as guessing goes.
        return False
    return True


def _state_dir(args: Sequence[str]) -> Path | None:
    # The command is not known yet, so its options are not parsed yet.
    for position, arg in enumerate(args):
        option, equals, value = arg.partition("=")
        if option == "--state-dir":
            return Path(value if equals else "".join(args[position + 1 : position + 2]))
    return None
