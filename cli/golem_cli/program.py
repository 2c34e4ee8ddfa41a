"""The command ``golem-host``: its commands by name, and what it does with a word that is none."""

from __future__ import annotations

from typing import Final

import click

from golem_cli.lazy import PROGRAM, CommandEntry, LazyGroup

HELP_NAMES: Final = ["-h", "--help"]

COMMANDS: Final = {
    "run": CommandEntry("golem_cli.run:run", "Run a component as a durable worker."),
    "new": CommandEntry(
        "golem_cli.new:new", "Make a guest project in Python that builds and runs at once."
    ),
    "build": CommandEntry("golem_cli.build:build", "Build a guest project into a component."),
    "dump": CommandEntry("golem_cli.dump:dump", "Print an oplog, entry by entry."),
    "oplog": CommandEntry(
        "golem_cli.oplog:oplog", "Examine, search, check, rescue, export and import oplogs."
    ),
    "worker": CommandEntry("golem_cli.worker:worker", "Call, list and manage workers."),
    "promise": CommandEntry("golem_cli.promise:promise", "List, complete and delete promises."),
    "plugin": CommandEntry(
        "golem_cli.plugin:plugin", "Install, list, switch and uninstall plugins."
    ),
    "serve": CommandEntry(
        "golem_cli.serve:serve",
        "Own a state directory, run its workers, and serve the REST API, or a component.",
    ),
    "gc": CommandEntry(
        "golem_cli.gc:gc",
        "Remove what no worker refers to: payloads, promises, leftovers of crashes.",
    ),
    "component": CommandEntry("golem_cli.component:component", "Deploy and list components."),
    "wit": CommandEntry(
        "golem_cli.wit:wit", "Print a component's world as WIT, or Python classes to lend to it."
    ),
    "completion": CommandEntry(
        "golem_cli.completion:completion", "Print what makes a shell complete our command lines."
    ),
}


class HostGroup(LazyGroup):
    """``golem-host APP`` is ``golem-host run APP``; a command's name wins over a file's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # `golem-host --invoke 'f()' app.wasm`: an option that is not the group's is one of `run`.
        if args and args[0].startswith("-") and args[0] not in {*HELP_NAMES, "--version", "--"}:
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in COMMANDS:
            return super().resolve_command(ctx, args)
        if ctx.resilient_parsing:
            # A shell asks how this line could go on: nobody is to be told that it is wrong yet.
            return "run", self.get_command(ctx, "run"), args
        # Only now, when it is no command, is it worth looking at the disk.
        from golem_cli.apps import is_app

        if not is_app(args[0], args[1:]):
            raise self.unknown(ctx, args[0])
        return "run", self.get_command(ctx, "run"), args

    def unknown(self, ctx: click.Context, name: str) -> click.UsageError:
        from golem_cli.lazy import nearest_name

        nearest = nearest_name(name, COMMANDS)
        advice = f"the nearest command is `{nearest}`" if nearest else self.names(ctx)
        return click.UsageError(
            f"{name!r} is no command, file, guest folder or deployed component; {advice}", ctx
        )


@click.group(
    PROGRAM,
    cls=HostGroup,
    entries=COMMANDS,
    context_settings={"help_option_names": HELP_NAMES, "max_content_width": 100},
    epilog="`golem-host APP` is short for `golem-host run APP`.",
)
@click.version_option(package_name="golem-host", message="%(prog)s %(version)s")
def cli() -> None:
    """
    Run WebAssembly components that survive the end of their process.

    Whatever a guest sees is written to its oplog.  Kill it, run the same command again, and it
    goes on where it was.

    \b
    Example:
      golem-host run counter.wasm --invoke 'add(1)'

    \b
    Exit codes:
      0    done
      1    the guest returned `err`, or its `wasi:cli/run` failed
      2    the command line is wrong
      3    there is no such thing
      4    refused: locked, in conflict, diverged, not a component that can be hosted
      5    the state is damaged or cannot be written
      70   a mistake in golem-host itself
      124  --timeout ran out
      130  interrupted; the same command continues
      134  the guest trapped, and no retry is left
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
