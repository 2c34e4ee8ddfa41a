"""``golem-host oplog search``: the entries of an oplog that a query holds for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from golem_cli import options
from golem_cli.dump import form_of, print_entries
from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_oplog import EntryView


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """The command line of `search`."""

    target: str
    query: str
    first: int
    last: int | None
    full: bool
    json_output: bool
    state_dir: Path | None


class _Found:
    """See `golem_cli.dump.Wanted`."""

    def __init__(self, request: SearchRequest) -> None:
        from golem_oplog import Search

        self.first = request.first
        self.last = request.last
        self._search = Search(request.query)

    def matches(self, view: EntryView) -> bool:
        return self._search.matches(view)


@click.command()
@click.argument("target", metavar="WORKER|FILE", shell_complete=options.complete_log)
@click.argument("query")
@options.first_index
@options.last_index
@options.full
@options.json_output
@options.state_dir
@options.bundled(SearchRequest)
def search(request: SearchRequest) -> int:
    """
    Print the entries of an oplog that a query holds for.

    A query is made of words, "phrases" and /regular expressions/, each also of one field, as
    name:word; of AND, which may be left out, OR, NOT and parentheses.  docs/search.md has it all.

    \b
    Example:
      golem-host oplog search counter/alice 'level:stderr NOT (warning OR /retr(y|ied)/)'
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.logs import open_log

    wanted = _Found(request)
    with open_log(request.target, request.state_dir) as log:
        form = form_of(log, json_output=request.json_output, raw=False, full=request.full)
        return print_entries(log, wanted, form, follow=False)
