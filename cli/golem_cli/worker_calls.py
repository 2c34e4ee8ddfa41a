"""``golem-host worker invocations``: what a worker has accepted, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from golem_cli import options
from golem_cli.exits import CommandError, ExitCode
from golem_cli.options import WorkerName
from golem_cli.render import shortened, table

if TYPE_CHECKING:
    from golem_cli.session import AnyHost, AnyWorker
    from golem_host import Unfinished

ARGS_CHARS_MAX: Final = 60


@click.command()
@click.argument("name", metavar="WORKER", type=options.WORKER)
@click.argument("key", required=False)
@click.option(
    "--wait", type=options.DURATION, metavar="TIME", help="With KEY: wait so long for its outcome."
)
@options.interface
@options.json_output
@options.quiet
@options.state_dir
def invocations(
    name: WorkerName,
    key: str | None,
    wait: float | None,
    interface: tuple[str, ...],
    json_output: bool,
    quiet: bool,
    state_dir: Path | None,
) -> int:
    """
    List the calls that a worker has accepted and not completed, or print the result of one.

    With KEY its result is printed as `worker invoke` would have done.  Without --wait one that has
    none yet is an error with code 124, and nothing is done to have it sooner.

    \b
    Example:
      golem-host worker invocations counter/alice order-42 --wait 10s
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import find_worker, through_host

    if key is None and wait is not None:
        raise click.UsageError("--wait is for one invocation: give its KEY")

    def act(host: AnyHost) -> int:
        target = find_worker(host, name)
        if key is None:
            _list(target, json_output=json_output)
            return ExitCode.OK
        return _result(target, name, key, wait, json_output=json_output)

    return through_host(state_dir, act, quiet=quiet, work=wait is not None, interfaces=interface)


def _list(target: AnyWorker, *, json_output: bool) -> None:
    left = target.unfinished()
    if not json_output:
        rows = [
            (item.key, "running" if item.running else "queued", _call(target, item))
            for item in left
        ]
        for line in table(("key", "state", "call"), rows):
            click.echo(line)
        return
    for item in left:
        document = {
            "key": item.key,
            "function": item.function,
            "running": item.running,
            "call": _call(target, item, None),
        }
        click.echo(json.dumps(document))


def _call(target: AnyWorker, item: Unfinished, chars_max: int | None = ARGS_CHARS_MAX) -> str:
    return f"{item.function}({shortened(', '.join(_args(target, item)), chars_max)})"


def _args(target: AnyWorker, item: Unfinished) -> Iterator[str]:
    from golem_oplog.wave import render_value

    for (_, ty), arg in zip(target.resolve(item.function).params, item.args, strict=True):
        yield render_value(arg, ty)


def _result(
    target: AnyWorker, name: WorkerName, key: str, wait_s: float | None, *, json_output: bool
) -> ExitCode:
    from golem_cli.invoking import shown
    from golem_oplog.values import Err

    call = target.call(key)
    if call is None:
        raise CommandError(f"worker {name} has accepted nothing under {key}", ExitCode.NOT_FOUND)
    try:
        value = call.result(wait_s or 0)
    except TimeoutError:
        raise CommandError(f"invocation {key} is not done yet", ExitCode.TIMEOUT) from None
    click.echo(shown(call.function, key, value, json_output=json_output))
    return ExitCode.GUEST_ERR if isinstance(value, Err) else ExitCode.OK
