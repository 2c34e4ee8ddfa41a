"""``golem-host worker``: workers that exist, by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from golem_cli import options
from golem_cli.exits import ExitCode
from golem_cli.lazy import Group
from golem_cli.options import WorkerName
from golem_cli.render import fields, note, size_text, table, time_text
from golem_cli.worker_past import COMMANDS
from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_cli.invoking import Manner
    from golem_cli.session import AnyHost, AnyWorker
    from golem_host import WorkerMetadata


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeRequest:
    """The command line of `worker invoke`."""

    name: WorkerName
    call: str
    idempotency_key: str | None
    timeout: float | None
    json_output: bool
    quiet: bool
    state_dir: Path | None

    @property
    def manner(self) -> Manner:
        from golem_cli.invoking import Manner

        return Manner(json_output=self.json_output, quiet=self.quiet, timeout_s=self.timeout)


@click.group(cls=Group)
def worker() -> None:
    """
    Call, list and manage workers.

    A worker is named COMPONENT/NAME; COMPONENT alone means COMPONENT/main.

    \b
    Example:
      golem-host worker list
    """  # noqa: D301 - \b is click's mark for text that keeps its lines


@worker.command("list")
@click.option("--component", metavar="NAME", help="Only the workers of this component.")
@options.json_output
@options.state_dir
def list_(component: str | None, json_output: bool, state_dir: Path | None) -> None:
    """
    List workers with their status, and why it is so.

    One whose log cannot be read is listed as damaged, with what can be done about it.

    \b
    Example:
      golem-host worker list --component counter
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import open_host

    with open_host(state_dir, read_only=True) as host:
        if component is not None:
            host.components.get(component)
        found = [_looked_at(item) for item in host.workers.list(component)]
    if json_output:
        for item in found:
            click.echo(json.dumps(_document(item)))
        return
    heads = ("worker", "status", "version", "pending", "entries", "created", "reason")
    for line in table(heads, [_row(item) for item in found]):
        click.echo(line)


@worker.command()
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
        found = find_worker(host, name).metadata()
    if json_output:
        click.echo(json.dumps(_document(found)))
        return
    for line in fields(_described(found)):
        click.echo(line)


@worker.command()
@click.argument("name", metavar="WORKER", type=options.WORKER)
@click.argument("call")
@click.option(
    "-i",
    "--idempotency-key",
    metavar="KEY",
    help="The same key with the same call gives the first one's result.",
)
@click.option(
    "--timeout",
    type=options.DURATION,
    metavar="TIME",
    help="Interrupt the invocation, durably, after so long: 5, 500ms, 2m.",
)
@options.json_output
@options.quiet
@options.state_dir
@options.bundled(InvokeRequest)
def invoke(request: InvokeRequest) -> int:
    """
    Call an exported function of a worker.

    The worker is made when there is none of this name.  CALL has its arguments in WAVE.

    \b
    Example:
      golem-host worker invoke counter/alice 'add(1)'
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.invoking import Batch, calling, read_invocations
    from golem_cli.session import existing_worker, through_host

    batch = Batch([request.idempotency_key] if request.idempotency_key else ())

    def act(host: AnyHost) -> int:
        component = host.components.get(request.name.component)
        existing = existing_worker(host, *request.name)
        # A mistake in the call makes no worker.
        callee = component if existing is None else existing.component
        invocations = read_invocations(callee, [request.call])
        target = existing or host.workers.create(component, request.name.worker)
        keys = batch.planned(invocations, ())
        with calling(target, request.manner) as calls:
            return calls.invoke_all(invocations, keys, batch)

    return through_host(request.state_dir, act, retry=True, quiet=request.quiet)


@worker.command()
@click.argument("name", metavar="WORKER", type=options.WORKER)
@options.json_output
@options.quiet
@options.state_dir
def resume(name: WorkerName, json_output: bool, quiet: bool, state_dir: Path | None) -> int:
    """
    Continue what a worker has left unfinished, and wait for it.

    \b
    Example:
      golem-host worker resume counter/alice
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.invoking import Batch, Invocation, Manner, calling
    from golem_cli.session import find_worker, through_host

    manner = Manner(json_output=json_output, quiet=quiet, timeout_s=None)
    batch = Batch()

    def act(host: AnyHost) -> int:
        target = find_worker(host, name)
        left = target.unfinished()
        if not left and not batch.keys:
            note(f"worker {name} has nothing to continue", quiet=quiet)
        with calling(target, manner) as calls:
            target.resume()
            invocations = [Invocation(target.resolve(item.function), item.args) for item in left]
            batch.keys = [item.key for item in left]
            return calls.invoke_all(invocations, batch.keys)

    return through_host(state_dir, act, retry=True, quiet=quiet)


@worker.command()
@click.argument("name", metavar="WORKER", type=options.WORKER)
@options.quiet
@options.state_dir
def interrupt(name: WorkerName, quiet: bool, state_dir: Path | None) -> None:
    """
    Stop a worker: what it has begun waits until `worker resume`.

    \b
    Example:
      golem-host worker interrupt counter/alice
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import find_worker, through_host

    def act(host: AnyHost) -> int:
        target = find_worker(host, name)
        target.interrupt()
        note(f"worker {name} is {target.metadata().status}", quiet=quiet)
        return ExitCode.OK

    # The owner may have been there for this worker only, and end with it.
    through_host(state_dir, act, retry=True, quiet=True)


@worker.command()
@click.argument("names", metavar="[WORKER]...", nargs=-1, type=options.WORKER)
@click.option("--all", "all_", is_flag=True, help="Delete every worker.")
@click.option("--component", metavar="NAME", help="With --all: only those of this component.")
@options.quiet
@options.state_dir
def delete(
    names: tuple[WorkerName, ...],
    all_: bool,
    component: str | None,
    quiet: bool,
    state_dir: Path | None,
) -> None:
    """
    Delete workers with their logs, damaged or not.  What they did outside stays done.

    \b
    Example:
      golem-host worker delete counter/alice
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import find_worker, open_host, state_root
    from golem_host.storage.disk import disk_use

    if all_ == bool(names) or (component and not all_):
        raise click.UsageError("give the workers to delete, or --all with or without --component")
    with open_host(state_dir, work=False) as host:
        before = disk_use(state_root(state_dir))
        # All of them are found before any is deleted.
        targets = [(str(name), find_worker(host, name)) for name in names]
        for label, target in targets or _all(host, component):
            target.delete()
            note(f"worker {label} is deleted", quiet=quiet)
        if all_:
            after = disk_use(state_root(state_dir))
            sizes = f"{size_text(before.total_bytes)} before, {size_text(after.total_bytes)} after"
            note(f"disk use: {sizes}", quiet=quiet)


def _all(host: AnyHost, component: str | None) -> list[tuple[str, AnyWorker]]:
    if component is not None:
        host.components.get(component)
    workers = host.workers.list(component)
    return [(f"{item.component_name}/{item.name}", item) for item in workers]


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


for command in COMMANDS:
    worker.add_command(command)
