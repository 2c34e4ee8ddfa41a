"""
Write ``cli.md``, the reference of the command line, from the commands' own help.

Run ``python -m docs.generate_cli``; a test fails when the file is stale.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from golem_cli.program import cli

TARGET = Path(__file__).with_name("cli.md")
WIDTH = 96

HEAD = """# The command line

<!-- Written by docs/generate_cli.py from the commands' help: change it there. -->

What is asked for goes to stdout, everything else to stderr; a failure is one line that begins `golem-host: error:`.
Options that several commands have mean the same everywhere.
A worker is named `COMPONENT/NAME`, and `COMPONENT` alone means its worker `main`.
Values are written in [WAVE](https://github.com/bytecodealliance/wasm-tools/tree/main/crates/wasm-wave).
With `NO_COLOR` set nothing is coloured; progress is only shown on a terminal.

What golem-cli spells in another way is taken too:

| golem-cli | here |
| --- | --- |
| `worker invoke --trigger`, `-t` | `--enqueue` |
| `worker invoke --schedule-at` | `--at` |
| `worker invoke --idempotency-key -` | a new key, as without the option |
| `worker revert --last-oplog-index` | `--to` |
| `worker revert --number-of-invocations` | `--last` |
| `worker update --await` | the default; `--no-wait` for the other |
| `worker cancel-invocation` | `worker cancel` |
"""


def commands(
    command: click.Command = cli, parent: click.Context | None = None, name: str = "golem-host"
) -> Iterator[tuple[click.Context, click.Command]]:
    """Every command below one, itself first, each with the context that its help is made in."""
    settings = {"terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(
        command, parent=parent, info_name=name, **{**command.context_settings, **settings}
    )
    yield context, command
    if isinstance(command, click.Group):
        for verb in command.list_commands(context):
            child = command.get_command(context, verb)
            assert child is not None
            yield from commands(child, context, verb)


def reference() -> str:
    """The whole page."""
    sections = [
        f"## {context.command_path}\n\n```\n{command.get_help(context).rstrip()}\n```\n"
        for context, command in commands()
    ]
    return "\n".join([HEAD, *sections])


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
