"""``golem-host promise``: what workers wait for, and anybody may complete."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from golem_cli import options
from golem_cli.exits import CommandError, ExitCode
from golem_cli.lazy import Group
from golem_cli.render import done, note, size_text, table, time_text

if TYPE_CHECKING:
    from golem_cli.session import AnyHost


@click.group(cls=Group)
def promise() -> None:
    """
    List, complete and delete promises.

    A promise is named COMPONENT-ID/WORKER/INDEX: the worker that made it, and where in its oplog.

    \b
    Example:
      golem-host promise list
    """  # noqa: D301 - \b is click's mark for text that keeps its lines


@promise.command("list")
@options.json_output
@options.state_dir
def list_(json_output: bool, state_dir: Path | None) -> None:
    """
    List promises, completed or not.

    \b
    Example:
      golem-host promise list
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import open_host

    with open_host(state_dir, read_only=True) as host:
        found = list(host.promises.list())
    if json_output:
        for item in found:
            document = {
                "id": str(item.id),
                "completed": item.completed,
                "size_bytes": item.size_bytes,
                "created_ns": item.created_ns,
            }
            click.echo(json.dumps(document))
        return
    rows = [
        (
            str(item.id),
            f"completed, {size_text(item.size_bytes)}" if item.completed else "open",
            time_text(item.created_ns),
        )
        for item in found
    ]
    for line in table(("promise", "state", "created"), rows):
        click.echo(line)


@promise.command()
@click.argument("name", metavar="PROMISE")
@options.json_output
@options.state_dir
def get(name: str, json_output: bool, state_dir: Path | None) -> int:
    """
    Print a promise's data, byte for byte; with code 1 while it is not completed.

    \b
    Example:
      golem-host promise get 0b4a6f7c-6c1d-4b52-9c5e-2f5f6f1f0c11/alice/4
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from base64 import b64encode

    from golem_cli.session import open_host
    from golem_host import PromiseId

    with open_host(state_dir, read_only=True) as host:
        data = host.promises.get(PromiseId.parse(name))
    if json_output:
        encoded = None if data is None else b64encode(data).decode()
        click.echo(json.dumps({"id": name, "completed": data is not None, "data_base64": encoded}))
    elif data is None:
        raise CommandError(f"promise {name} is not completed", ExitCode.GUEST_ERR)
    else:
        click.echo(data, nl=False)
    return ExitCode.OK if data is not None else ExitCode.GUEST_ERR


@promise.command()
@click.argument("name", metavar="PROMISE")
@click.argument("data", required=False)
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Take the data from a file, or from stdin for -.",
)
@options.json_output
@options.quiet
@options.state_dir
def complete(
    name: str,
    data: str | None,
    path: Path | None,
    json_output: bool,
    quiet: bool,
    state_dir: Path | None,
) -> int:
    """
    Complete a promise with DATA, once.  Whoever waits for it goes on.

    With no process at work on the waiting worker, it goes on when one is.

    \b
    Example:
      golem-host promise complete 0b4a6f7c-6c1d-4b52-9c5e-2f5f6f1f0c11/alice/4 yes
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import through_host
    from golem_host import PromiseId

    if data is not None and path is not None:
        raise click.UsageError("give DATA or --file, not both")
    content = (data or "").encode() if path is None else _content(path)
    target = PromiseId.parse(name)

    def act(host: AnyHost) -> int:
        was_first = host.promises.complete(target, content)
        if json_output:
            click.echo(json.dumps({"completed": was_first}))
            return ExitCode.OK if was_first else ExitCode.REFUSED
        if not was_first:
            raise CommandError(f"promise {name} was completed before", ExitCode.REFUSED)
        note(f"promise {name} is completed", quiet=quiet)
        return ExitCode.OK

    return through_host(state_dir, act, quiet=quiet, work=False)


def _content(path: Path) -> bytes:
    return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()


@promise.command()
@click.argument("name", metavar="PROMISE")
@options.json_output
@options.quiet
@options.state_dir
def delete(name: str, json_output: bool, quiet: bool, state_dir: Path | None) -> None:
    """
    Delete a promise.  A worker that still waits for it fails.

    \b
    Example:
      golem-host promise delete 0b4a6f7c-6c1d-4b52-9c5e-2f5f6f1f0c11/alice/4
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import through_host
    from golem_host import PromiseId

    target = PromiseId.parse(name)

    def act(host: AnyHost) -> int:
        host.promises.delete(target)
        said = {"promise": name, "deleted": True}
        done(f"promise {name} is deleted", said, json_output=json_output, quiet=quiet)
        return ExitCode.OK

    through_host(state_dir, act, quiet=quiet, work=False)
