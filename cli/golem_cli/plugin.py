"""``golem-host plugin``: components that are given what others write to their logs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from golem_cli import options
from golem_cli.exits import ExitCode
from golem_cli.lazy import Group
from golem_cli.render import done, escaped, table

if TYPE_CHECKING:
    from golem_cli.session import AnyHost
    from golem_host.services.plugins import PluginState


@click.group(cls=Group)
def plugin() -> None:
    """
    Install, list, switch and uninstall plugins.

    A plugin is a component that exports golem:api/oplog-processor: it is given every committed entry
    of the workers that it is active for, in order, while some process owns the state directory.

    \b
    Example:
      golem-host plugin list
    """  # noqa: D301 - \b is click's mark for text that keeps its lines


@plugin.command()
@click.argument("name", metavar="NAME")
@click.argument("component", metavar="COMPONENT", shell_complete=options.complete_component)
@click.option(
    "--config",
    multiple=True,
    type=options.ENV,
    metavar="KEY=VALUE",
    help="A setting for its constructor; may be repeated.",
)
@click.option(
    "--scope",
    metavar="COMPONENT",
    shell_complete=options.complete_component,
    help="Only workers of this component.  [default: all but those of plugins]",
)
@options.json_output
@options.quiet
@options.state_dir
def install(
    name: str,
    component: str,
    config: tuple[tuple[str, str | None], ...],
    scope: str | None,
    json_output: bool,
    quiet: bool,
    state_dir: Path | None,
) -> None:
    """
    Give COMPONENT the entries of other workers, from now on; of those there are as well.

    \b
    Example:
      golem-host plugin install audit auditor --config level=all --scope counter
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import through_host

    def act(host: AnyHost) -> int:
        made = host.plugins.install(name, component, config=options.pairs(config), scope=scope)
        said = asdict(made) | {"config": dict(made.config)}
        done(f"plugin {name} is installed", said, json_output=json_output, quiet=quiet)
        return ExitCode.OK

    through_host(state_dir, act, quiet=quiet, work=False)


@plugin.command("list")
@options.json_output
@options.state_dir
def list_(json_output: bool, state_dir: Path | None) -> None:
    """
    List plugins, and what holds one up.

    \b
    Example:
      golem-host plugin list
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import open_host

    with open_host(state_dir, read_only=True) as host:
        found = list(host.plugins.states())
    if json_output:
        for state in found:
            click.echo(json.dumps(_document(state)))
        return
    rows = [
        (
            state.plugin.name,
            state.plugin.component,
            state.plugin.scope or "all",
            " ".join(f"{key}={value}" for key, value in state.plugin.config),
            escaped(state.problem),
        )
        for state in found
    ]
    for line in table(("plugin", "component", "scope", "config", "problem"), rows):
        click.echo(line)


def _document(state: PluginState) -> dict[str, object]:
    document: dict[str, object] = asdict(state.plugin)
    return document | {"config": dict(state.plugin.config), "problem": state.problem}


@plugin.command()
@click.argument("name", metavar="NAME")
@options.json_output
@options.quiet
@options.state_dir
def uninstall(name: str, json_output: bool, quiet: bool, state_dir: Path | None) -> None:
    """
    End a plugin for every worker.  What it has made of their entries stays.

    \b
    Example:
      golem-host plugin uninstall audit
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import through_host

    def act(host: AnyHost) -> int:
        host.plugins.uninstall(name)
        said = {"plugin": name, "uninstalled": True}
        done(f"plugin {name} is uninstalled", said, json_output=json_output, quiet=quiet)
        return ExitCode.OK

    through_host(state_dir, act, quiet=quiet, work=False)


@plugin.command()
@click.argument("name", metavar="NAME")
@click.argument("target", metavar="COMPONENT[/WORKER]")
@options.json_output
@options.quiet
@options.state_dir
def activate(
    name: str, target: str, json_output: bool, quiet: bool, state_dir: Path | None
) -> None:
    """
    Let a plugin see a worker, or all of a component, from now on.

    \b
    Example:
      golem-host plugin activate audit counter/alice
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    _switch(name, target, is_active=True, json_output=json_output, quiet=quiet, state_dir=state_dir)


@plugin.command()
@click.argument("name", metavar="NAME")
@click.argument("target", metavar="COMPONENT[/WORKER]")
@options.json_output
@options.quiet
@options.state_dir
def deactivate(
    name: str, target: str, json_output: bool, quiet: bool, state_dir: Path | None
) -> None:
    """
    End a plugin for a worker, or for all of a component; workers made later have it again.

    \b
    Example:
      golem-host plugin deactivate audit counter/alice
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    _switch(
        name, target, is_active=False, json_output=json_output, quiet=quiet, state_dir=state_dir
    )


def _switch(
    name: str,
    target: str,
    *,
    is_active: bool,
    json_output: bool,
    quiet: bool,
    state_dir: Path | None,
) -> None:
    from golem_cli.session import through_host

    component, _, worker = target.partition("/")

    def act(host: AnyHost) -> int:
        switch = host.plugins.activate if is_active else host.plugins.deactivate
        count = switch(name, component, worker or None)
        state = "active" if is_active else "inactive"
        text = f"plugin {name} is {state} for {count} more worker{'' if count == 1 else 's'}"
        said = {"plugin": name, "active": is_active, "changed": count}
        done(text, said, json_output=json_output, quiet=quiet)
        return ExitCode.OK

    through_host(state_dir, act, quiet=quiet, work=False)
