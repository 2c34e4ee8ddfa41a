"""
Click groups that know their commands by name and import only the one that runs.

Importing a command imports nothing of the host either: every command does that inside its own
function.  So ``--help`` costs little more than click, and a mistyped word is told what it is near.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import click

from golem_cli.exits import ExitCode, report

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

PROGRAM = "golem-host"


class CommandEntry(NamedTuple):
    """Where a command lives, and the line that stands beside it in the group's help."""

    target: str
    """``package.module:attribute``."""
    summary: str


class Group(click.Group):
    """A group whose unknown names are answered with the nearest known one."""

    def __init__(
        self, *args: Any, aliases: Mapping[str, str] | None = None, **settings: Any
    ) -> None:
        """``aliases``: names that another tool has for our commands; they are not listed."""
        super().__init__(*args, **settings)
        self.aliases = aliases or {}

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        args = [self.aliases.get(args[0], args[0]), *args[1:]]
        if args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            raise self.unknown(ctx, args[0])
        return super().resolve_command(ctx, args)

    def unknown(self, ctx: click.Context, name: str) -> click.UsageError:
        nearest = nearest_name(name, self.list_commands(ctx))
        advice = f"did you mean `{ctx.command_path} {nearest}`?" if nearest else self.names(ctx)
        return click.UsageError(f"no such command {name!r}; {advice}", ctx)

    def names(self, ctx: click.Context) -> str:
        return f"commands: {', '.join(self.list_commands(ctx))}"


class LazyGroup(Group):
    """The outermost group: commands by table, failures by `report`."""

    def __init__(
        self,
        *,
        entries: Mapping[str, CommandEntry],
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self._entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        entry = self._entries.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        return cast("click.Command", getattr(import_module(module), attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # Click asks each command for its summary, which would import every one of them.
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self._entries.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        # Click asks each command for its summary here as well.
        from click.shell_completion import CompletionItem

        options = click.Command.shell_complete(self, ctx, incomplete)
        return options + [
            CompletionItem(name, help=entry.summary)
            for name, entry in self._entries.items()
            if name.startswith(incomplete)
        ]

    def invoke(self, ctx: click.Context) -> Any:
        _hear_ctrl_c()
        # Click answers these two by itself, with an empty line and with code 1.
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except (BrokenPipeError, KeyboardInterrupt) as error:
            return report(error)
        return code

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = PROGRAM,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run one command line and end the process with the code that `report` decides."""
        del standalone_mode, windows_expand_args
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except Exception as error:  # noqa: BLE001 - the one place that maps all
            code = report(error)
        raise SystemExit(ExitCode.OK if code is None else int(code))


def _hear_ctrl_c() -> None:
    """
    Take SIGINT even where it is ignored, as a shell's script has it for what it starts with ``&``.

    Stopping loses nothing here; heard only while a guest runs, it would be lost between two calls.
    """
    # Not for those who only want to know what there is: it takes a while to import.
    from signal import SIG_IGN, SIGINT, default_int_handler, getsignal, signal

    if getsignal(SIGINT) is SIG_IGN:
        signal(SIGINT, default_int_handler)


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was most likely meant to be."""
    # Only mistakes pay for the import.
    from difflib import get_close_matches

    matches = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return matches[0] if matches else None
