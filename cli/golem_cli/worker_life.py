"""``golem-host worker``: stopping a worker, and ending it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from golem_cli import options
from golem_cli.exits import ExitCode
from golem_cli.options import WorkerName
from golem_cli.render import note, size_text

if TYPE_CHECKING:
    from golem_cli.session import AnyHost, AnyWorker


@click.command()
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


@click.command()
@click.argument("name", metavar="WORKER", type=options.WORKER)
@click.argument("key")
@options.quiet
@options.state_dir
def cancel(name: WorkerName, key: str, quiet: bool, state_dir: Path | None) -> None:
    """
    Take the invocation with this idempotency key out of a worker's queue.

    \b
    Example:
      golem-host worker cancel counter/alice order-42
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import find_worker, through_host

    def act(host: AnyHost) -> int:
        was_queued = find_worker(host, name).cancel(key)
        done = "is canceled" if was_queued else "has its result already"
        note(f"invocation {key} {done}", quiet=quiet)
        return ExitCode.OK

    through_host(state_dir, act, quiet=quiet, work=False)


@click.command("simulate-crash")
@click.argument("name", metavar="WORKER", type=options.WORKER)
@options.quiet
@options.state_dir
def simulate_crash(name: WorkerName, quiet: bool, state_dir: Path | None) -> None:
    """
    Throw a worker's instance away, and have it rebuilt by replay.

    \b
    Example:
      golem-host worker simulate-crash counter/alice
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import find_worker, through_host

    def act(host: AnyHost) -> int:
        find_worker(host, name).simulate_crash()
        note(f"the instance of worker {name} is gone, what it did is not", quiet=quiet)
        return ExitCode.OK

    through_host(state_dir, act, quiet=quiet, work=False)


@click.command()
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


COMMANDS: Final = (interrupt, cancel, simulate_crash, delete)
