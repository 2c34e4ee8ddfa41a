"""``golem-host worker``: a worker's past and version."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

import click

from golem_cli import options
from golem_cli.exits import CommandError, ExitCode
from golem_cli.options import WorkerName
from golem_cli.render import done
from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_cli.session import AnyHost, AnyWorker
    from golem_host import UpdateCheck, WorkerMetadata
    from golem_host.status_records import UpdateRecord

MODES: Final = ("automatic", "snapshot-based")
LOOK_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRequest:
    """The command line of `worker update`."""

    name: WorkerName
    version: int
    mode: str
    check: bool
    wait: bool
    interface: tuple[str, ...]
    json_output: bool
    quiet: bool
    state_dir: Path | None


@click.command()
@click.argument("name", metavar="WORKER", type=options.WORKER)
@click.option(
    "--to",
    "--last-oplog-index",
    "to_index",
    type=click.IntRange(1),
    metavar="INDEX",
    help="Up to an entry.",
)
@click.option(
    "--last",
    "--number-of-invocations",
    "last",
    type=click.IntRange(1),
    metavar="N",
    help="By so many invocations.",
)
@options.json_output
@options.quiet
@options.state_dir
def revert(
    name: WorkerName,
    to_index: int | None,
    last: int | None,
    json_output: bool,
    quiet: bool,
    state_dir: Path | None,
) -> None:
    """
    Take a worker back.  It also rescues one that has failed or exited.

    What it did outside stays done.  Entry INDEX of its oplog is the last one that remains.

    \b
    Example:
      golem-host worker revert counter/alice --last 1
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import find_worker, through_host

    if (to_index is None) == (last is None):
        raise click.UsageError("give either --to INDEX or --last N")

    def act(host: AnyHost) -> int:
        target = find_worker(host, name)
        target.revert(to_index=to_index, last_invocations=last)
        found = target.metadata()
        said = {"worker": str(name), "status": found.status, "oplog_index": found.oplog_index}
        done(f"worker {name} is {found.status}", said, json_output=json_output, quiet=quiet)
        return ExitCode.OK

    through_host(state_dir, act, quiet=quiet, work=False)


@click.command()
@click.argument("name", metavar="WORKER", type=options.WORKER)
@click.argument("new_name", metavar="NEW")
@click.option("--at", type=click.IntRange(1), metavar="INDEX", help="Up to an entry, not to now.")
@options.json_output
@options.quiet
@options.state_dir
def fork(
    name: WorkerName,
    new_name: str,
    at: int | None,
    json_output: bool,
    quiet: bool,
    state_dir: Path | None,
) -> None:
    """
    Make worker NEW, of the same component, with the past of another one.

    \b
    Example:
      golem-host worker fork counter/alice bob
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import find_worker, through_host

    def act(host: AnyHost) -> int:
        forked = find_worker(host, name).fork(new_name, at)
        label = f"{name.component}/{forked.name}"
        said = {"worker": label, "source": str(name)}
        done(f"worker {label} has the past of {name}", said, json_output=json_output, quiet=quiet)
        return ExitCode.OK

    through_host(state_dir, act, quiet=quiet, work=False)


@click.command()
@click.argument("name", metavar="WORKER", type=options.WORKER)
@click.argument("version", type=click.IntRange(0))
@click.option(
    "--mode",
    type=click.Choice(MODES),
    default=MODES[0],
    show_default=True,
    help="How the worker comes to its new version.",
)
@click.option("--check", is_flag=True, help="Only say whether an automatic update would work.")
@click.option("--await/--no-wait", "wait", default=True, help="Whether to wait for the outcome.")
@options.interface
@options.json_output
@options.quiet
@options.state_dir
@options.bundled(UpdateRequest)
def update(request: UpdateRequest) -> int:
    """
    Bring a worker to another version of its component.

    An automatic update replays its oplog with the new code, a snapshot-based one lets the old code
    save and the new code load.  One that fails leaves the old version running.

    \b
    Example:
      golem-host worker update counter/alice 1 --check
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import find_worker, through_host

    def act(host: AnyHost) -> int:
        target = find_worker(host, request.name)
        version = request.version
        if request.check:
            return _show_check(target.check_update(version), json_output=request.json_output)
        ended = len(_ended(target.metadata(), version))
        target.update(version, request.mode)
        if not request.wait:
            _tell(request, f"is asked to have version {version}", "pending")
            return ExitCode.OK
        failure = update_outcome(target, version, ended)
        if failure is not None:
            raise CommandError(f"the update failed: {failure}", ExitCode.REFUSED)
        _tell(request, f"has version {version}", "successful")
        return ExitCode.OK

    return through_host(
        request.state_dir,
        act,
        quiet=request.quiet,
        work=request.wait,
        interfaces=request.interface,
    )


def _tell(request: UpdateRequest, what: str, state: str) -> None:
    said = {"worker": str(request.name), "version": request.version, "state": state}
    text = f"worker {request.name} {what}"
    done(text, said, json_output=request.json_output, quiet=request.quiet)


def update_outcome(target: AnyWorker, version: int, before: int = 0) -> str | None:
    """Wait for the outcome of an update, behind those that ended before: why it failed, or None."""
    while True:
        found = target.metadata()
        # One by snapshot is listed when its turn comes; what ended earlier is not its outcome.
        new = _ended(found, version)[before:]
        if new and new[0].state == "failed":
            return new[0].details or "no reason is known"
        if new:
            return None
        if found.status == "exited":
            return "the worker has exited"
        Event().wait(LOOK_S)


def _ended(found: WorkerMetadata, version: int) -> list[UpdateRecord]:
    """Updates to a version that have an outcome."""
    return [
        each for each in found.updates if each.target_version == version and each.state != "pending"
    ]


def _show_check(found: UpdateCheck, *, json_output: bool) -> int:
    code = ExitCode.OK if found.ok else ExitCode.REFUSED
    if json_output:
        document = {
            "version": found.version,
            "ok": found.ok,
            "replayed_to": found.replayed_to,
            "requests_differing": found.requests_differing,
            "reason": found.reason,
        }
        click.echo(json.dumps(document))
        return code
    if not found.ok:
        raise CommandError(f"version {found.version} cannot take over: {found.reason}", code)
    differing = found.requests_differing
    aside = f"; {differing} calls have other arguments" if differing else ""
    click.echo(f"version {found.version} replays all {found.replayed_to} entries{aside}")
    return code


COMMANDS: Final = (revert, fork, update)
