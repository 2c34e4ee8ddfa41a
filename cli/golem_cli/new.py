"""``golem-host new``: a guest project to start from."""

from __future__ import annotations

import json
from pathlib import Path

import click

from golem_cli import options

TEMPLATES = ("counter", "workflow", "agent", "http")


@click.command()
@click.argument("folder", metavar="NAME", type=click.Path(path_type=Path))
@click.option(
    "--template",
    type=click.Choice(TEMPLATES),
    default="counter",
    show_default=True,
    help="What it does: keep a number; take steps back and ask a person; ask a model, and fork; "
    "answer HTTP.",
)
@options.json_output
@options.quiet
def new(folder: Path, template: str, json_output: bool, quiet: bool) -> None:
    """
    Make a guest project in Python that builds and runs at once.

    NAME is its folder, and how it is called.

    \b
    Example:
      golem-host new cart
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_host.guest.new import new_project

    made = new_project(folder, template)
    if json_output:
        said = {"folder": str(made.folder), "files": made.files, "command": made.command}
        if made.before:
            said["before"] = made.before
        click.echo(json.dumps(said))
        return
    if not quiet:
        click.echo(f"golem-host: {folder} has {', '.join(made.files)}; now run", err=True)
        for line in filter(None, (made.before, made.command)):
            click.echo(f"  {line}", err=True)
