"""``golem-host worker``: a worker's beginning, its stops, and its end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from golem_cli import options
from golem_cli.exits import ExitCode
from golem_cli.options import WorkerName
from golem_cli.render import done, note, size_text
from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_cli.session import AnyHost, AnyWorker


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """The command line of `worker new`."""

    name: WorkerName
    args: tuple[str, ...]
    env: tuple[tuple[str, str | None], ...]
    config_var: tuple[tuple[str, str | None], ...]
    json_output: bool
    quiet: bool
    state_dir: Path | None


@click.command()
@click.argument("name", metavar="WORKER", type=options.WORKER)
@click.argument("args", nargs=-1)
@options.env
@options.config_var
@options.json_output
@options.quiet
@options.state_dir
@options.bundled(NewRequest)
def new(request: NewRequest) -> int:
    """
    Make a worker; it does nothing until it is called.

    ARGS are the guest's own; those that look like options stand behind `--`.

    \b
    Example:
      golem-host worker new counter/bob --env LEVEL=debug
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import through_host

    def act(host: AnyHost) -> int:
        component = host.components.get(request.name.component)
        host.workers.create(
            component,
            request.name.worker,
            args=request.args,
            env=options.pairs(request.env),
            config_vars=options.pairs(request.config_var),
        )
        said = {"worker": str(request.name), "version": component.version}
        text = f"worker {request.name} is made, on version {component.version}"
        done(text, said, json_output=request.json_output, quiet=request.quiet)
        return ExitCode.OK

    return through_host(request.state_dir, act, quiet=request.quiet, work=False)


@click.command()
@click.argument("name", metavar="WORKER", type=options.WORKER)
@options.json_output
@options.quiet
@options.state_dir
def interrupt(name: WorkerName, json_output: bool, quiet: bool, state_dir: Path | None) -> None:
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
        status = target.metadata().status
        said = {"worker": str(name), "status": status}
        done(f"worker {name} is {status}", said, json_output=json_output, quiet=quiet)
        return ExitCode.OK

    # The owner may have been there for this worker only, and end with it.
    through_host(state_dir, act, quiet=True)


@click.command()
@click.argument("name", metavar="WORKER", type=options.WORKER)
@click.argument("key")
@options.json_output
@options.quiet
@options.state_dir
def cancel(
    name: WorkerName, key: str, json_output: bool, quiet: bool, state_dir: Path | None
) -> None:
    """
    Take the invocation with this idempotency key out of a worker's queue.

    \b
    Example:
      golem-host worker cancel counter/alice order-42
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import find_worker, through_host

    def act(host: AnyHost) -> int:
        was_queued = find_worker(host, name).cancel(key)
        outcome = "is canceled" if was_queued else "has its result already"
        said = {"worker": str(name), "key": key, "canceled": was_queued}
        done(f"invocation {key} {outcome}", said, json_output=json_output, quiet=quiet)
        return ExitCode.OK

    through_host(state_dir, act, quiet=quiet, work=False)


@click.command("simulate-crash")
@click.argument("name", metavar="WORKER", type=options.WORKER)
@options.json_output
@options.quiet
@options.state_dir
def simulate_crash(
    name: WorkerName, json_output: bool, quiet: bool, state_dir: Path | None
) -> None:
    """
    Throw a worker's instance away, and have it rebuilt by replay.

    \b
    Example:
      golem-host worker simulate-crash counter/alice
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import find_worker, through_host

    def act(host: AnyHost) -> int:
        find_worker(host, name).simulate_crash()
        text = f"the instance of worker {name} is gone, what it did is not"
        done(text, {"worker": str(name)}, json_output=json_output, quiet=quiet)
        return ExitCode.OK

    through_host(state_dir, act, quiet=quiet, work=False)


@click.command()
@click.argument("names", metavar="[WORKER]...", nargs=-1, type=options.WORKER)
@click.option("--all", "all_", is_flag=True, help="Delete every worker.")
@click.option(
    "--component",
    metavar="NAME",
    shell_complete=options.complete_component,
    help="With --all: only those of this component.",
)
@options.json_output
@options.quiet
@options.state_dir
def delete(
    names: tuple[WorkerName, ...],
    all_: bool,
    component: str | None,
    json_output: bool,
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
            said = {"worker": label, "deleted": True}
            done(f"worker {label} is deleted", said, json_output=json_output, quiet=quiet)
        if all_:
            after = disk_use(state_root(state_dir))
            sizes = f"{size_text(before.total_bytes)} before, {size_text(after.total_bytes)} after"
            note(f"disk use: {sizes}", quiet=quiet)


def _all(host: AnyHost, component: str | None) -> list[tuple[str, AnyWorker]]:
    if component is not None:
        host.components.get(component)
    workers = host.workers.list(component)
    return [(f"{item.component_name}/{item.name}", item) for item in workers]


COMMANDS: Final = (new, interrupt, cancel, simulate_crash, delete)
