"""``golem-host worker stream``: what a worker has written."""

from __future__ import annotations

import json
from pathlib import Path

import click

from golem_cli import options
from golem_cli.options import WorkerName


@click.command()
@click.argument("name", metavar="WORKER", type=options.WORKER)
@options.json_output
@options.state_dir
def stream(name: WorkerName, json_output: bool, state_dir: Path | None) -> None:
    """
    Print what a worker has written to stdout and stderr, each to ours.

    \b
    Example:
      golem-host worker stream counter/alice
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import find_worker, open_host

    with open_host(state_dir, read_only=True) as host:
        for line in find_worker(host, name).output():
            if json_output:
                document = {"index": line.index, "stream": line.stream, "text": line.text}
                click.echo(json.dumps(document))
            else:
                click.echo(line.data, nl=False, err=line.stream == "stderr")
