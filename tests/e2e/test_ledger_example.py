"""The ledger example does what its README shows, command by command."""

from __future__ import annotations

import re
import shlex
import shutil

from tests.support.cli import Cli
from tests.support.repository import ROOT

TEXT = (ROOT / "guest_examples/ledger/README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)


def test_the_ledger_prints_what_its_readme_says(cli: Cli) -> None:
    """Results and the program's own words; each command is a process."""
    shutil.copytree(ROOT / "guest_examples/ledger", cli.folder / "guest_examples/ledger")
    shown = [step for block in BLOCKS for step in block.split("$ golem-host ")[1:]]

    for step in shown:
        command, _, expected = step.partition("\n")
        done = cli.run(*shlex.split(command), "--quiet" if command.startswith("run") else "--")
        assert expected == done.out + done.err, command
    assert 8 == len(shown)
