"""The tally example does what its README shows, command by command."""

from __future__ import annotations

import re
import shlex
import shutil

import pytest

from tests.support.cli import Cli
from tests.support.guests import example
from tests.support.repository import ROOT

TEXT = (ROOT / "guest_examples/tally/README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.long
def test_the_tally_prints_what_its_readme_says(cli: Cli) -> None:
    """Log lines on stderr, results on stdout; each command is a process."""
    # Built once for all tests; a command has not the time for it on a busy machine.
    example("tally")
    shutil.copytree(ROOT / "guest_examples/tally", cli.folder / "guest_examples/tally")
    shown = [step for block in BLOCKS for step in block.split("$ golem-host ")[1:]]

    for step in shown:
        command, _, expected = step.partition("\n")
        done = cli.run(*shlex.split(command), "--quiet" if command.startswith("run") else "--")
        assert expected == done.err + done.out, command
    assert 7 == len(shown)
    dumped = cli.ok("dump", "tally/alice")
    assert 'golem keyvalue::atomic::increment("lunch", "soup", 1) -> ok(1)' in dumped
    assert 'info "lunch": "soup has 1"' in dumped
