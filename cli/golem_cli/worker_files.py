"""``golem-host worker files``: what a worker keeps in its private root."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from dataclasses import asdict
from pathlib import Path

import click

from golem_cli import options
from golem_cli.options import WorkerName
from golem_cli.render import escaped, table


@click.command()
@click.argument("name", metavar="WORKER", type=options.WORKER)
@click.argument("path", default="/")
@click.option("--cat", is_flag=True, help="Print the content of the file PATH as it is.")
@options.json_output
@options.state_dir
def files(
    name: WorkerName, path: str, cat: bool, json_output: bool, state_dir: Path | None
) -> None:
    """
    List a directory of a worker's private files, or print one of them.

    The worker is not woken: its log is replayed up to its end.

    \b
    Example:
      golem-host worker files counter/alice /
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import find_worker, open_host

    with open_host(state_dir) as host:
        worker = find_worker(host, name)
        content = worker.read_file(path) if cat else None
        found = [] if cat else worker.list_files(path)
    if content is not None:
        if json_output:
            document = {"path": path, "data_base64": b64encode(content).decode()}
            click.echo(json.dumps(document))
        else:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        return
    if json_output:
        for each in found:
            click.echo(json.dumps(asdict(each)))
        return
    rows = [
        (
            escaped(each.name) + "/" * each.is_dir,
            "" if each.is_dir else str(each.size),
            "read-only" if each.read_only else "",
        )
        for each in found
    ]
    for line in table(("name", "bytes", "access"), rows):
        click.echo(line)
