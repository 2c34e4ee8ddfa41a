"""``golem-host component``: what is deployed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from golem_cli import options
from golem_cli.apps import Settings
from golem_cli.lazy import Group
from golem_cli.render import done, fields, size_text, table
from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_host import Component, DeployedFile
    from golem_host.files.mapping import Mapping
    from golem_host.interfaces.described import Served


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    """The command line of `component deploy`."""

    app: str
    name: str | None
    env: tuple[tuple[str, str | None], ...]
    config_var: tuple[tuple[str, str | None], ...]
    ephemeral: bool
    file: tuple[Mapping, ...]
    interface: tuple[str, ...]
    json_output: bool
    quiet: bool
    state_dir: Path | None

    @property
    def settings(self) -> Settings:
        from golem_host import InitialFile

        return Settings(
            env=options.pairs(self.env),
            config_vars=options.pairs(self.config_var),
            ephemeral=self.ephemeral,
            files=[InitialFile(Path(each.host), each.guest, each.read_only) for each in self.file],
        )


@click.group(cls=Group)
def component() -> None:
    """
    Deploy and list components.

    \b
    Example:
      golem-host component list
    """  # noqa: D301 - \b is click's mark for text that keeps its lines


@component.command()
@click.argument("app", shell_complete=options.complete_app)
@click.option("--name", metavar="NAME", help="[default: name of file or folder]")
@options.env
@options.config_var
@click.option("--ephemeral", is_flag=True, help="Each call of its workers has a fresh instance.")
@click.option(
    "--file",
    multiple=True,
    type=options.MAPPING,
    metavar="HOST::GUEST[::ro]",
    help="A file that each worker finds at an absolute path when it begins, read-only with `::ro`; "
    "may be repeated.",
)
@options.interface
@options.json_output
@options.quiet
@options.state_dir
@options.bundled(DeployRequest)
def deploy(request: DeployRequest) -> None:
    """
    Deploy a component, or a new version of one.

    APP is a component file or the folder of a guest project.  Other bytes or settings under the
    same name are its next version; workers stay on the version that they have.

    \b
    Example:
      golem-host component deploy counter.wasm --name shop
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.apps import find_source
    from golem_cli.exits import CommandError, ExitCode
    from golem_cli.progress import progress
    from golem_cli.session import open_host

    source = find_source(request.app, request.name)
    if source is None:
        raise CommandError(f"{request.app}: no such file or folder", ExitCode.NOT_FOUND)
    opened = open_host(request.state_dir, interfaces=request.interface)
    with opened as host, progress(quiet=request.quiet) as report:
        deployed = source.deploy(host, report, request.settings)
    text = f"component {deployed.name} is deployed, version {deployed.version}"
    done(text, _summary(deployed), json_output=request.json_output, quiet=request.quiet)


@component.command("list")
@options.json_output
@options.state_dir
def list_(json_output: bool, state_dir: Path | None) -> None:
    """
    List components, each with its latest version.

    \b
    Example:
      golem-host component list
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import open_host

    with open_host(state_dir, read_only=True) as host:
        # Sorted by version, so the latest one of a name is the one that stays.
        latest = {item.name: item for item in host.components.all()}
    if json_output:
        for item in latest.values():
            click.echo(json.dumps(_summary(item)))
        return
    rows = [
        (item.name, str(item.version), size_text(item.size_bytes), item.source or "")
        for item in latest.values()
    ]
    for line in table(("name", "version", "size", "source"), rows):
        click.echo(line)


@component.command()
@click.argument("name", shell_complete=options.complete_component)
@click.option("--version", type=click.IntRange(0), metavar="N", help="[default: the latest]")
@options.json_output
@options.state_dir
def get(name: str, version: int | None, json_output: bool, state_dir: Path | None) -> None:
    """
    Show one component: where it is from, what it exports and imports.

    Behind each import stands how its calls are answered: `recorded`, with the durable function
    type, `re-executed` on replay, `refused`, or `lent`: by whoever runs its workers.

    \b
    Example:
      golem-host component get counter
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import open_host
    from golem_host.interfaces.described import served_imports
    from golem_oplog.wittext import format_function

    with open_host(state_dir, read_only=True) as host:
        found = host.components.get(name, version=version)
        exports = [format_function(function) for function in found.exports.values()]
        imports = [format_function(function) for function in found.imports.values()]
        served = list(served_imports(found).values())
    if json_output:
        how = [each._asdict() for each in served]
        functions = {"exports": exports, "imports": imports, "served": how}
        click.echo(json.dumps(_summary(found) | functions))
        return
    pairs = [
        ("name", found.name),
        ("version", str(found.version)),
        ("id", found.id),
        ("sha256", found.sha256),
        ("size", size_text(found.size_bytes)),
        ("memory at start", size_text(found.initial_memory_bytes)),
        ("source", found.source or "bytes"),
        *(("file", _file_text(file)) for file in found.files),
        *(("export", signature) for signature in exports),
        *(
            ("import", f"{signature}  // {_served_text(how)}")
            for signature, how in zip(imports, served, strict=True)
        ),
    ]
    for line in fields(pairs):
        click.echo(line)


@component.command()
@click.argument("name", shell_complete=options.complete_component)
@click.option("--version", type=click.IntRange(0), metavar="N", help="[default: the latest]")
@options.json_output
@options.state_dir
def wit(name: str, version: int | None, json_output: bool, state_dir: Path | None) -> None:
    """
    Print a component's world as WIT.

    \b
    Example:
      golem-host component wit counter
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import open_host

    with open_host(state_dir, read_only=True) as host:
        found = host.components.get(name, version=version)
        text = found.wit()
    if json_output:
        click.echo(json.dumps({"name": found.name, "version": found.version, "wit": text}))
    else:
        click.echo(text.rstrip("\n"))


@component.command()
@click.argument("name", shell_complete=options.complete_component)
@options.json_output
@options.quiet
@options.state_dir
def delete(name: str, json_output: bool, quiet: bool, state_dir: Path | None) -> None:
    """
    Delete a component with all its versions; refused while it has workers.

    \b
    Example:
      golem-host component delete counter
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import open_host

    with open_host(state_dir) as host:
        host.components.delete(name)
    said = {"component": name, "deleted": True}
    done(f"component {name} is deleted", said, json_output=json_output, quiet=quiet)


def _file_text(file: DeployedFile) -> str:
    access = ", read-only" if file.read_only else ""
    return f"{file.path} ({size_text(file.size_bytes)}{access})"


def _served_text(served: Served) -> str:
    return f"{served.how}, {served.kind}" if served.kind else served.how


def _summary(item: Component) -> dict[str, object]:
    return {
        "id": item.id,
        "name": item.name,
        "version": item.version,
        "sha256": item.sha256,
        "size_bytes": item.size_bytes,
        "initial_memory_bytes": item.initial_memory_bytes,
        "source": item.source,
        "env": dict(item.env),
        "config_vars": dict(item.config_vars),
        "ephemeral": item.ephemeral,
        "files": [asdict(each) for each in item.files],
    }
