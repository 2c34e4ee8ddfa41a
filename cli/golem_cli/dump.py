"""``golem-host dump``: an oplog, entry by entry."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import click

from golem_cli import options
from golem_cli.exits import ExitCode
from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_oplog import EntryView, OplogReader

FOLLOW_S: Final = 0.2
"""How often a log that is followed is looked at again."""


class Form(Protocol):
    """How an entry is printed."""

    def lines(self, view: EntryView, mark: str) -> Iterable[str]: ...


class Wanted(Protocol):
    """Which entries are printed."""

    @property
    def first(self) -> int: ...

    @property
    def last(self) -> int | None: ...

    def matches(self, view: EntryView) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpRequest:
    """The command line of `dump`."""

    target: str
    first: int
    last: int | None
    kind: tuple[str, ...]
    grep: str
    follow: bool
    full: bool
    json_output: bool
    raw: bool
    state_dir: Path | None


@click.command()
@click.argument("target", metavar="WORKER|FILE", shell_complete=options.complete_log)
@options.first_index
@options.last_index
@click.option(
    "--kind",
    multiple=True,
    metavar="KIND",
    help="Only entries of this kind, such as log; may be repeated.",
)
@click.option(
    "--grep", default="", metavar="REGEX", help="Only entries with a text that matches; any case."
)
@click.option("-f", "--follow", is_flag=True, help="Go on with entries as they are written.")
@options.full
@options.json_output
@click.option("--raw", is_flag=True, help="Print what is stored, in CBOR diagnostic notation.")
@options.state_dir
@options.bundled(DumpRequest)
def dump(request: DumpRequest) -> int:
    """
    Print an oplog, entry by entry.

    A worker is named COMPONENT/NAME; a file is a worker's directory or one segment of its log. The
    log may be in use.  Entries that replay jumps over, or that a revert has taken back, are marked.

    \b
    Example:
      golem-host dump counter/alice --kind log --kind error
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.logs import open_log
    from golem_oplog import EntryFilter

    if request.json_output and request.raw:
        raise click.UsageError("--json and --raw are two forms: give one of them")
    wanted = EntryFilter(
        first=request.first,
        last=request.last,
        kinds=frozenset(request.kind),
        grep=request.grep,
    )
    with open_log(request.target, request.state_dir) as log:
        form = form_of(log, json_output=request.json_output, raw=request.raw, full=request.full)
        return print_entries(log, wanted, form, follow=request.follow)


def form_of(log: OplogReader, *, json_output: bool, raw: bool, full: bool) -> Form:
    from golem_cli.entry_forms import JsonForm, RawForm
    from golem_cli.entry_line import LineForm

    if json_output:
        return JsonForm()
    return RawForm(log) if raw else LineForm(full=full, color=_wants_color())


def print_entries(log: OplogReader, wanted: Wanted, form: Form, *, follow: bool) -> ExitCode:
    """Print what the filter lets through, in bounded memory; up to the first damage, if any."""
    try:
        _print_entries(log, wanted, form, follow=follow)
    except KeyboardInterrupt:
        if not follow:
            raise
        # The usual end of following: nothing to be said about it.
        return ExitCode.INTERRUPTED
    return ExitCode.OK


def _print_entries(log: OplogReader, wanted: Wanted, form: Form, *, follow: bool) -> None:
    from golem_cli.logs import readable
    from golem_oplog import Regions, view_entries

    regions = Regions(readable(log))
    unseen = wanted.first
    while True:
        for view in view_entries(log, unseen, wanted.last):
            unseen = view.index + 1
            if wanted.matches(view):
                mark = regions.mark(view.index).value
                sys.stdout.writelines(f"{line}\n" for line in form.lines(view, mark))
        if not follow or (wanted.last is not None and unseen > wanted.last):
            return
        sys.stdout.flush()
        threading.Event().wait(FOLLOW_S)


def _wants_color() -> bool:
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain
