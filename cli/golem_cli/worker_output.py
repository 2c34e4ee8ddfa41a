"""``golem-host worker stream``: what a worker has written, and what it writes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

import click

from golem_cli import options
from golem_cli.exits import ExitCode
from golem_cli.options import WorkerName

if TYPE_CHECKING:
    from golem_cli.session import AnyWorker

LOOK_S: Final = 0.1
"""How often a worker that is followed is looked at again."""
BUSY: Final = frozenset({"running", "suspended", "retrying"})
"""Whose call is not over, so that more may come."""


@click.command()
@click.argument("name", metavar="WORKER", type=options.WORKER)
@click.option(
    "--from", "first", type=click.IntRange(1), default=1, metavar="N", help="First index."
)
@click.option(
    "-f", "--follow", is_flag=True, help="Go on with what it writes until it has nothing to do."
)
@options.json_output
@options.state_dir
def stream(
    name: WorkerName, first: int, follow: bool, json_output: bool, state_dir: Path | None
) -> int:
    """
    Print what a worker has written to stdout and stderr, each to ours.

    \b
    Example:
      golem-host worker stream counter/alice --follow
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import find_worker, open_host

    # From the log, whoever writes it: a slow terminal holds up nobody.
    with open_host(state_dir, read_only=True) as host:
        worker = find_worker(host, name)
        try:
            while True:
                # Asked first: what it wrote before it came to rest is printed then.
                is_busy = follow and _is_busy(worker)
                first = _print(worker, first, json_output=json_output)
                if not is_busy:
                    return ExitCode.OK
                Event().wait(LOOK_S)
        except KeyboardInterrupt:
            # The usual end of following: nothing to be said about it.
            return ExitCode.INTERRUPTED


def _is_busy(worker: AnyWorker) -> bool:
    found = worker.metadata()
    return found.status in BUSY or found.pending > 0


def _print(worker: AnyWorker, first: int, *, json_output: bool) -> int:
    """Print what it has written from an index on; the index to go on at."""
    for line in worker.output(first):
        if json_output:
            document = {"index": line.index, "stream": line.stream, "text": line.text}
            click.echo(json.dumps(document))
        else:
            click.echo(line.data, nl=False, err=line.stream == "stderr")
        first = line.index + 1
    sys.stdout.flush()
    return first
