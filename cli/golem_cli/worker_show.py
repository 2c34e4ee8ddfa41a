"""``golem-host worker``: which workers there are, and what can be said of one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from golem_cli import options
from golem_cli.options import WorkerName
from golem_cli.render import escaped, fields, indented, table, time_text
from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_cli.session import AnyWorker
    from golem_host import WorkerMetadata


HANDLES_SHOWN_MAX: Final = 20


@click.command("list")
@click.option(
    "--component",
    metavar="NAME",
    shell_complete=options.complete_component,
    help="Only the workers of this component.",
)
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="CONDITION",
    help="Only those of which it is true, such as 'status = idle', 'version >= 2', 'name like al', "
    "'env.LEVEL = debug'; may be repeated, and all must hold.",
)
@click.option(
    "-m", "--max-count", type=click.IntRange(1), metavar="N", help="No more than so many."
)
@options.json_output
@options.state_dir
def list_(
    component: str | None,
    filters: tuple[str, ...],
    max_count: int | None,
    json_output: bool,
    state_dir: Path | None,
) -> None:
    """
    List workers with their status, and why it is so.

    One whose log cannot be read is listed as damaged, with what can be done about it; no filter
    applies to it.

    \b
    Example:
      golem-host worker list --component counter
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import open_host
    from golem_host.worker.filter_text import parse_filters

    wanted = parse_filters(filters)
    with open_host(state_dir, read_only=True) as host:
        if component is not None:
            host.components.get(component)
        looked_at = map(_looked_at, host.workers.list(component))
        listed = (item for item in looked_at if isinstance(item, Damaged) or wanted(item))
        found = list(islice(listed, max_count))
    if json_output:
        for item in found:
            click.echo(json.dumps(_document(item)))
        return
    heads = ("worker", "status", "version", "pending", "entries", "created", "reason")
    for line in table(heads, [_row(item) for item in found]):
        click.echo(line)


@click.command()
@click.argument("name", metavar="WORKER", type=options.WORKER)
@options.json_output
@options.state_dir
def get(name: WorkerName, json_output: bool, state_dir: Path | None) -> None:
    """
    Show one worker.

    \b
    Example:
      golem-host worker get counter/alice
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import find_worker, open_host

    with open_host(state_dir, read_only=True) as host:
        worker = find_worker(host, name)
        found, dirs = worker.metadata(), worker.dirs
    if json_output:
        click.echo(json.dumps(_document(found) | {"dirs": dirs}))
        return
    for line in fields([*_described(found), *(("directory", each) for each in dirs)]):
        click.echo(line)
    for line in indented(found.last_traceback):
        click.echo(line)


@click.command()
@click.argument("name", metavar="WORKER", type=options.WORKER)
@options.json_output
@options.state_dir
def explain(name: WorkerName, json_output: bool, state_dir: Path | None) -> None:
    """
    Say in one sentence why a worker does not go on, since when, and what would free it.

    \b
    Example:
      golem-host worker explain counter/alice
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import find_worker, look_through_owner

    found = look_through_owner(state_dir, lambda host: find_worker(host, name).explain())
    click.echo(json.dumps(asdict(found)) if json_output else escaped(found.sentence))


@dataclass(frozen=True, slots=True)
class Damaged:
    """All that is known of a worker whose log cannot be read."""

    component: str
    name: str
    reason: str
    status: str = "damaged"


def _looked_at(worker: AnyWorker) -> WorkerMetadata | Damaged:
    from golem_oplog.errors import OplogError

    try:
        return worker.metadata()
    except OplogError as error:
        label = f"{worker.component_name}/{worker.name}"
        advice = f"`golem-host worker delete {label}` removes it"
        return Damaged(worker.component_name, worker.name, f"{error}; {advice}")


def _row(found: WorkerMetadata | Damaged) -> tuple[str, ...]:
    label = f"{found.component}/{found.name}"
    if isinstance(found, Damaged):
        return (label, found.status, "", "", "", "", found.reason)
    return (
        label,
        found.status,
        str(found.component_version),
        str(found.pending),
        str(found.oplog_index),
        time_text(found.created_ns),
        found.reason,
    )


def _document(found: WorkerMetadata | Damaged) -> dict[str, object]:
    if isinstance(found, Damaged):
        return asdict(found)
    document: dict[str, object] = asdict(found)
    return document | {"env": dict(found.env), "config_vars": dict(found.config_vars)}


def _described(found: WorkerMetadata) -> Iterator[tuple[str, str]]:
    yield "worker", f"{found.component}/{found.name}"
    yield "status", found.status
    if found.reason:
        yield "reason", found.reason
    yield "version", str(found.component_version)
    yield "pending", str(found.pending)
    yield "retries", str(found.retry_count)
    if found.last_error:
        yield "last error", found.last_error
    yield "entries", str(found.oplog_index)
    yield "created", time_text(found.created_ns)
    for arg in found.args:
        yield "argument", arg
    for name, value in found.env:
        yield "environment", f"{name}={value}"
    for name, value in found.config_vars:
        yield "configuration", f"{name}={value}"
    for update in found.updates:
        details = f": {update.details}" if update.details else ""
        yield "update", f"to version {update.target_version}, {update.state}{details}"
    for plugin in found.plugins:
        yield "plugin", plugin
    for each in found.resources[:HANDLES_SHOWN_MAX]:
        interface, _, label = each.resource.rpartition(".")
        yield "handle", f"{label}({each.handle}){interface and f' of {interface}'}"
    if len(found.resources) > HANDLES_SHOWN_MAX:
        yield "handle", f"and {len(found.resources) - HANDLES_SHOWN_MAX} more; --json lists all"


COMMANDS: Final = (list_, get, explain)
