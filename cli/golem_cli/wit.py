"""``golem-host wit``: what a component imports and exports, as WIT or as classes in Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from golem_cli import options

if TYPE_CHECKING:
    from golem_host.engine import Component as Compiled


@click.command()
@click.argument("target", default=".", shell_complete=options.complete_app)
@click.option(
    "--python",
    is_flag=True,
    help="Print classes in Python for what it imports and this host does not offer.",
)
@click.option(
    "--interface",
    multiple=True,
    metavar="NAME",
    help="With --python: only this interface of it, such as acme:pay/api.  May be repeated.",
)
@options.json_output
@options.state_dir
def wit(
    target: str,
    python: bool,
    interface: tuple[str, ...],
    json_output: bool,
    state_dir: Path | None,
) -> None:
    """
    Print a component's world as WIT, or Python classes to lend to it.

    TARGET is a component file or the name of a deployed component; with --python also a WIT file,
    a folder of WIT, or that of a guest project, which is not built for it.

    Fill the classes in, and lend them to its workers with `run --interface MODULE:lent`.

    \b
    Example:
      golem-host wit counter.wasm
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    path = Path(target)
    is_text = path.is_dir() or path.suffix == ".wit"
    if interface and not python:
        raise click.UsageError("--interface is for --python")
    if is_text and not python:
        raise click.UsageError(f"{target} is WIT, or its source: give --python for Python classes")
    if is_text:
        from golem_host.lending.wanted import of_wit

        text = of_wit(path, interface)
    else:
        text = _of_component(target, interface, state_dir, python=python)
    if json_output:
        click.echo(json.dumps({"name": target, "python" if python else "wit": text}))
    else:
        click.echo(text.rstrip("\n"))


def _of_component(
    target: str, interface: tuple[str, ...], state_dir: Path | None, *, python: bool
) -> str:
    from golem_cli.apps import find_source
    from golem_cli.session import open_host

    source = find_source(target, None)
    if source is not None:
        return _printed(_loaded(source.path), source.name, interface, python=python)
    with open_host(state_dir, read_only=True) as host:
        found = host.components.get(target)
        return _printed(found.load(found), found.name, interface, python=python)


def _loaded(path: Path) -> Compiled:
    """A component file that is not deployed, and need not be."""
    from golem_host.engine import Engine, EngineConfig
    from golem_host.storage.layout import default_cache_dir

    engine = Engine(EngineConfig(cache_dir=default_cache_dir() / "compiled"))
    try:
        return engine.load(path, name=path.name)
    finally:
        engine.close()


def _printed(found: Compiled, name: str, interface: tuple[str, ...], *, python: bool) -> str:
    if not python:
        return found.wit()
    from golem_host.lending.wanted import of_component

    return of_component(name, found.description, interface)
