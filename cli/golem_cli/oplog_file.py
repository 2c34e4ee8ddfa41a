"""``golem-host oplog export`` and ``import``: a worker as one file."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

import click

from golem_cli import options
from golem_cli.exits import CommandError, ExitCode
from golem_cli.options import WorkerName
from golem_cli.render import done, size_text

STREAM: Final = "-"
PARTIAL_SUFFIX: Final = ".part"


@click.command("export")
@click.argument("name", metavar="WORKER", type=options.WORKER)
@click.argument("target", metavar="FILE", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--force", is_flag=True, help="Overwrite FILE.")
@options.json_output
@options.quiet
@options.state_dir
def export(
    name: WorkerName,
    target: str,
    force: bool,
    json_output: bool,
    quiet: bool,
    state_dir: Path | None,
) -> None:
    """
    Write a worker's oplog, with its large payloads, to one file; `-` is stdout.

    The worker may run meanwhile.  FILE is there only when it is whole.  Promises, files outside and
    the component are not in it.

    \b
    Example:
      golem-host oplog export counter/alice alice.export
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import find_worker, open_host

    with open_host(state_dir, read_only=True) as host:
        pieces = find_worker(host, name).export()
        if target == STREAM:
            for piece in pieces:
                sys.stdout.buffer.write(piece)
            return
        path = Path(target)
        if path.exists() and not force:
            raise CommandError(f"{target}: exists already; give --force", ExitCode.REFUSED)
        partial = path.with_name(f"{path.name}{PARTIAL_SUFFIX}")
        try:
            with partial.open("wb") as file:
                for piece in pieces:
                    file.write(piece)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    size_bytes = path.stat().st_size
    said = {"worker": str(name), "file": target, "size_bytes": size_bytes}
    text = f"worker {name} is in {target}, {size_text(size_bytes)}"
    done(text, said, json_output=json_output, quiet=quiet)


@click.command("import")
@click.argument("source", metavar="FILE", type=click.Path(dir_okay=False, allow_dash=True))
@click.argument("name", metavar="WORKER", type=options.WORKER)
@options.json_output
@options.quiet
@options.state_dir
def import_(
    source: str, name: WorkerName, json_output: bool, quiet: bool, state_dir: Path | None
) -> int:
    """
    Make a worker of a file that `oplog export` has written; `-` is stdin.

    Its component must be deployed here, in the version that the worker runs.

    \b
    Example:
      golem-host oplog import alice.export counter/bob
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import open_host

    with ExitStack() as stack:
        file = _opened(source, stack)
        with open_host(state_dir, work=False) as host:
            component = host.components.get(name.component)
            worker = host.workers.take_in(component, name.worker, file, source)
            found = worker.metadata()
    said = {"worker": str(name), "status": found.status, "oplog_index": found.oplog_index}
    text = f"worker {name} is {found.status}, with {found.oplog_index} entries"
    done(text, said, json_output=json_output, quiet=quiet)
    return ExitCode.OK


def _opened(source: str, stack: ExitStack) -> BinaryIO:
    if source == STREAM:
        return sys.stdin.buffer
    path = Path(source)
    return stack.enter_context(path.open("rb"))
