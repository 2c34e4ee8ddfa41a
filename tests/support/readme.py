"""The commands that an example's README shows, and what it says that they print."""

from __future__ import annotations

import re
import shlex
import signal
from dataclasses import dataclass
from typing import Final

from tests.support.cli import Cli
from tests.support.repository import ROOT

_PROGRESS: Final = re.compile(r"golem-host: (building|built|compiling|suspended)")
_BLOCK: Final = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """One line behind a prompt."""

    command: str
    shown: str
    """All that stands below it."""

    @property
    def args(self) -> list[str]:
        """Of the program, without what puts it into the background."""
        return shlex.split(self.command.removesuffix(" &"))[1:]


def steps(example: str) -> list[Step]:
    """The README of one of ``guest_examples/``, from front to end."""
    return steps_in((ROOT / "guest_examples" / example / "README.md").read_text(encoding="utf-8"))


def steps_in(text: str) -> list[Step]:
    """Every command of a document."""
    found = []
    for block in _BLOCK.findall(text):
        for part in f"\n{block}".split("\n$ ")[1:]:
            command, _, shown = f"{part}\n".partition("\n")
            found.append(Step(command, shown.rstrip("\n") + "\n" * bool(shown.strip())))
    return found


def same(cli: Cli, step: Step, *, port: str = "") -> None:
    """Run a command of `golem-host` to its end; what it prints is what is shown."""
    command = [part.replace("8801", port) if port else part for part in step.args]
    done = cli.run(*command)
    # People see both streams.  What is told of long waits depends on how long they are today.
    said = [line for line in done.err.splitlines(keepends=True) if not _PROGRESS.match(line)]

    assert step.shown == "".join(said) + done.out, step.command


def killed(cli: Cli, step: Step, *, port: str = "") -> None:
    """Run a command until it has printed all that is shown, and kill it."""
    command = [part.replace("8801", port) if port else part for part in step.args]
    with cli.start(*command) as running:
        running.wait_for(step.shown.encode())
        assert -signal.SIGKILL == running.finish(signal.SIGKILL).code
        assert step.shown == running.out.decode()
