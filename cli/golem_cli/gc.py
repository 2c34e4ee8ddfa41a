"""``golem-host gc``: what nothing refers to any more goes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from golem_cli import options
from golem_cli.render import note, size_text


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@options.json_output
@options.quiet
@options.state_dir
def gc(dry_run: bool, json_output: bool, quiet: bool, state_dir: Path | None) -> None:
    """
    Remove what no worker refers to: payloads, promises, leftovers of crashes.

    Workers may run meanwhile.  Deployed components stay, and what guests have stored for all.

    \b
    Example:
      golem-host gc --dry-run
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import open_host

    with open_host(state_dir, work=False) as host:
        found = host.collect(dry_run=dry_run)
    if json_output:
        click.echo(json.dumps(asdict(found)))
        return
    verb = "would go" if dry_run else "removed"
    kinds = {
        "payloads": found.blobs,
        "component files": found.components,
        "promises": found.promises,
        "leftovers of crashes": found.leftovers,
    }
    for kind, removed in kinds.items():
        click.echo(f"{removed.count} {kind} {verb}, {size_text(removed.size_bytes)}")
    if found.kept:
        note(found.kept, quiet=quiet)
    before, after = size_text(found.before.total_bytes), size_text(found.after.total_bytes)
    note(f"disk use: {before} before, {after} after", quiet=quiet)
