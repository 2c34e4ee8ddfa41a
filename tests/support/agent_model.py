"""The model that the example ``agent`` asks, on a port that is free."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.cli import Cli, Running
from tests.support.readme import Step


@contextmanager
def model(cli: Cli, step: Step) -> Iterator[str]:
    """Run it as a README says, and give its port; the one there is 8801."""
    assert step.command.startswith("python3 ")
    script, _ = step.args
    with subprocess.Popen(
        [sys.executable, script, "0"], cwd=cli.folder, stdout=subprocess.PIPE
    ) as process:
        try:
            running = Running(process)
            running.wait_for(b"\n")
            port = running.out.decode().rstrip().rpartition(":")[2]
            assert step.shown == running.out.decode().replace(port, "8801")
            yield port
        finally:
            process.kill()
