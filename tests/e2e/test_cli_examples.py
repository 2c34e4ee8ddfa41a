"""Every example in the help of a command works when it is typed."""

from __future__ import annotations

import shlex
import shutil
import signal
from inspect import cleandoc

import pytest

from docs.generate_cli import commands
from tests.support.cli import Cli, Done
from tests.support.repository import ROOT

EXAMPLES = {
    context.command_path: cleandoc(command.help or "")
    .partition("Example:\n")[2]
    .partition("\n\n")[0]
    for context, command in commands()
}

CALL = ("worker", "invoke", "counter/alice", "add(1)", "-i", "order-42")
# `component delete` is for components that nobody uses any more.
BEFORE = {
    "golem-host component delete": ("worker", "delete", "--all"),
    "golem-host worker cancel": CALL,
    "golem-host worker invocations": CALL,
    "golem-host oplog import": ("oplog", "export", "counter/alice", "alice.export"),
    "golem-host worker update": ("component", "deploy", "counter.wasm"),
}
# The promise has a name that none can have here, and there is no component that is a plugin:
# `test_cli_plugins.py` has one.
CODES = {
    "golem-host promise complete": 3,
    "golem-host promise get": 3,
    **{
        f"golem-host plugin {each}": 3
        for each in ("activate", "deactivate", "install", "uninstall")
    },
}
ENDLESS = {"golem-host serve"}


@pytest.mark.parametrize("path", EXAMPLES)
def test_an_example_works(cli: Cli, path: str) -> None:
    """In a folder with a component and a project of that name, and a worker ``alice``."""
    shutil.copy(cli.folder / "guest.wasm", cli.folder / "counter.wasm")
    shutil.copytree(ROOT / "guest_examples" / "counter", cli.folder / "counter")
    cli.ok("run", "counter.wasm", "--worker", "alice", "--invoke", "add(0)")
    if path == "golem-host worker update":
        # A custom section without content makes other bytes of the same component.
        with (cli.folder / "counter.wasm").open("ab") as file:
            file.write(b"\x00\x02\x01x")
    if path in BEFORE:
        cli.ok(*BEFORE[path])

    for line in EXAMPLES[path].splitlines():
        program, *args = shlex.split(line)

        assert "golem-host" == program
        done = _served(cli, args) if path in ENDLESS else cli.run(*args)
        assert CODES.get(path, 0) == done.code, line


def _served(cli: Cli, args: list[str]) -> Done:
    """A command that runs until it is stopped, from its ready line on."""
    with cli.start(*args) as running:
        running.wait_for(b"\n")
        return running.finish(signal.SIGTERM)
