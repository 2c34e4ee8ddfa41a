"""``golem-host worker``: workers that exist, by name."""

from __future__ import annotations

import click

from golem_cli import worker_invoke, worker_life, worker_past, worker_show
from golem_cli.lazy import Group
from golem_cli.worker_calls import invocations
from golem_cli.worker_files import files
from golem_cli.worker_output import stream


@click.group(cls=Group, aliases={"cancel-invocation": "cancel"})
def worker() -> None:
    """
    Call, list and manage workers.

    A worker is named COMPONENT/NAME; COMPONENT alone means COMPONENT/main.

    \b
    Example:
      golem-host worker list
    """  # noqa: D301 - \b is click's mark for text that keeps its lines


for command in (
    *worker_show.COMMANDS,
    *worker_invoke.COMMANDS,
    *worker_life.COMMANDS,
    *worker_past.COMMANDS,
    invocations,
    stream,
    files,
):
    worker.add_command(command)
