"""Running componentize-py: the only place that knows its command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

from golem_oplog.lazy_dataclass import dataclass

# Run by -c and not as the console script, which is not where the interpreter is when a tool
# installed it elsewhere.
_LAUNCHER: Final = (
    "import sys, componentize_py; sys.argv[0] = 'componentize-py'; "
    "sys.exit(componentize_py.script())"
)


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What a run of the tool came to.  A negative code is the signal that ended it."""

    returncode: int
    text: str
    """All it printed, the guest's own output while it was imported included."""


@cache
def version() -> str:
    return metadata.version("componentize-py")


def componentize(stage: Path, *, world: str, roots: Sequence[str], output: Path) -> ToolOutput:
    """
    Build the module ``app`` against the WIT in ``stage/wit``.

    ``roots`` are folders in ``stage`` to import from; a guest sees the n-th as ``/n``.
    """
    options = [part for root in roots for part in ("-p", root)]
    return run(stage, "-w", world, "componentize", "app", *options, "-o", str(output.resolve()))


def bindings(stage: Path, *, world: str, output: Path) -> ToolOutput:
    """Generate the Python modules of a world, without building anything."""
    return run(stage, "-w", world, "bindings", str(output.resolve()))


def run(stage: Path, *arguments: str) -> ToolOutput:
    # Without a virtual environment the tool would take in the packages of whatever Python is
    # first in PATH.  A guest is built from its project alone, so it gets one that is empty.
    empty_environment = stage / "environment"
    (empty_environment / "lib" / "site-packages").mkdir(parents=True, exist_ok=True)
    finished = subprocess.run(  # noqa: S603 (our own interpreter, arguments as a list)
        [sys.executable, "-P", "-c", _LAUNCHER, "-q", "-d", "wit", *arguments],
        cwd=stage,
        env={**os.environ, "VIRTUAL_ENV": str(empty_environment), "RUST_BACKTRACE": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return ToolOutput(finished.returncode, finished.stdout.decode(errors="replace"))
