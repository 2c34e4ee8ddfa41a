"""``golem-host build``: a guest project to a component."""

from __future__ import annotations

import json
from pathlib import Path

import click

from golem_cli import options
from golem_cli.render import size_text


@click.command()
@click.argument(
    "folder",
    metavar="[DIR]",
    default=".",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to put the component.  [default: DIR's name with .wasm, here]",
)
@options.json_output
@options.quiet
def build(folder: Path, output: Path | None, json_output: bool, quiet: bool) -> None:
    """
    Build a guest project into a component.

    DIR holds app.py and wit/.  Nothing is written into it; the same project is built once, then
    copied from the cache.

    \b
    Example:
      golem-host build counter -o counter.wasm
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.apps import build_project
    from golem_cli.progress import progress

    target = output or Path(f"{folder.resolve().name}.wasm")
    with progress(quiet=quiet) as report:
        wasm = build_project(folder, target, report)
    size_bytes = wasm.stat().st_size
    if json_output:
        click.echo(json.dumps({"component": str(wasm), "size_bytes": size_bytes}))
    elif not quiet:
        click.echo(f"{wasm}  {size_text(size_bytes)}", err=True)
