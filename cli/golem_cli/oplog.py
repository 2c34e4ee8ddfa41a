"""``golem-host oplog``: logs as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from golem_cli import options
from golem_cli.dump import dump, form_of, print_entries
from golem_cli.exits import CommandError, ExitCode
from golem_cli.lazy import Group
from golem_cli.oplog_file import export, import_
from golem_cli.oplog_search import search
from golem_cli.render import fields, note, size_text, time_text
from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_oplog import CheckReport, OplogReader, Statistics


@dataclass(frozen=True, slots=True, kw_only=True)
class TailRequest:
    """The command line of `oplog tail`."""

    target: str
    lines: int
    follow: bool
    full: bool
    json_output: bool
    state_dir: Path | None


TARGET = click.argument("target", metavar="WORKER|FILE", shell_complete=options.complete_log)


@click.group(cls=Group)
def oplog() -> None:
    """
    Examine, search, check, rescue, export and import oplogs.

    \b
    Example:
      golem-host oplog check counter/alice
    """  # noqa: D301 - \b is click's mark for text that keeps its lines


for command in (dump, export, import_, search):
    oplog.add_command(command)


@oplog.command()
@TARGET
@options.json_output
@options.state_dir
def stat(target: str, json_output: bool, state_dir: Path | None) -> None:
    """
    Count what is in an oplog.

    \b
    Example:
      golem-host oplog stat counter/alice
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.logs import open_log
    from golem_oplog import statistics

    with open_log(target, state_dir) as log:
        found = statistics(log)
    if json_output:
        counts = {"kinds": dict(found.kinds), "functions": dict(found.functions)}
        click.echo(json.dumps(asdict(found) | counts))
        return
    for line in fields(_counted(found)):
        click.echo(line)


@oplog.command()
@TARGET
@click.option(
    "--salvage",
    type=click.Path(path_type=Path, exists=False),
    metavar="DIR",
    help="Write the entries before the first damage to a new log in this new directory.",
)
@options.json_output
@options.state_dir
def check(target: str, salvage: Path | None, json_output: bool, state_dir: Path | None) -> int:
    """
    Read every byte of an oplog and report damage; nothing is changed.

    What a crash left of an unfinished write at the end is no damage: it is dropped when the worker
    runs next.  With damage the exit code is 5, also when --salvage has saved the rest.

    \b
    Example:
      golem-host oplog check counter/alice --salvage rescued
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.logs import open_log
    from golem_oplog import check as check_log

    with open_log(target, state_dir) as log:
        report = check_log(log)
        saved_to = None if salvage is None else _salvage(log, salvage)
    if json_output:
        document = asdict(report) | {"is_intact": report.is_intact, "salvaged_to": saved_to}
        click.echo(json.dumps(document))
    else:
        for line in fields(_examined(report)):
            click.echo(line)
        if saved_to is not None:
            note(f"entries 1 to {saved_to} are saved in {salvage}")
    return ExitCode.OK if report.is_intact else ExitCode.STATE


@oplog.command()
@TARGET
@click.option(
    "-n", "--lines", type=click.IntRange(1), default=10, show_default=True, help="How many."
)
@click.option("-f", "--follow", is_flag=True, help="Go on with entries as they are written.")
@options.full
@options.json_output
@options.state_dir
@options.bundled(TailRequest)
def tail(request: TailRequest) -> int:
    """
    Print the last entries of an oplog.

    \b
    Example:
      golem-host oplog tail counter/alice --lines 20
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.logs import open_log
    from golem_oplog import EntryFilter

    with open_log(request.target, request.state_dir) as log:
        first = max(log.last_index - request.lines + 1, 1)
        form = form_of(log, json_output=request.json_output, raw=False, full=request.full)
        return print_entries(log, EntryFilter(first=first), form, follow=request.follow)


def _salvage(log: OplogReader, target: Path) -> int:
    from golem_oplog import MemoryBlobs, OplogStore, OsFiles, SyncLevel, salvage

    if target.exists():
        raise CommandError(f"{target}: exists already; give a new directory", ExitCode.REFUSED)
    # Large payloads stay in the blob store that they are in: none is written here.
    store = OplogStore(target.absolute().parent, OsFiles(), SyncLevel.POWER, MemoryBlobs())
    return salvage(log, store, target.name)


def _counted(found: Statistics) -> Iterator[tuple[str, str]]:
    yield "entries", f"{found.first_index} to {found.last_index}"
    yield "from", time_text(found.first_timestamp)
    yield "to", time_text(found.last_timestamp)
    yield "size", size_text(found.size_bytes)
    yield "blobs", size_text(found.blobs_size_bytes)
    for kind, count in found.kinds:
        yield kind, str(count)
    for function, count in found.functions:
        yield function, str(count)


def _examined(report: CheckReport) -> Iterator[tuple[str, str]]:
    yield "state", "intact" if report.is_intact else "damaged"
    yield "readable", f"entries 1 to {report.readable_to}"
    for segment in report.segments:
        sealed = "sealed" if segment.is_sealed else "open"
        span = f"entries {segment.first_index} to {segment.last_index}"
        yield "segment", f"{segment.path}: {span}, {size_text(segment.size_bytes)}, {sealed}"
    if report.torn_bytes:
        yield "unfinished", f"{report.torn_bytes} bytes of a last write, which is no damage"
    for place in report.damage:
        lost = f"entries {place.first_index} to {place.last_index} lost"
        yield "damage", f"{place.path}: at byte {place.offset_bytes}: {place.reason}; {lost}"
    for index, reason in report.missing_blobs:
        yield "missing", f"entry {index}: {reason}"
