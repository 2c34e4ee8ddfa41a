"""
Where ``golem-host`` begins.

Nothing is imported before `main` runs: from then on Ctrl-C ends the program in one line.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line of this process; never returns, never shows a traceback."""
    try:
        _run()
    except SystemExit as end:
        _leave(end.code if isinstance(end.code, int) else 1)
    except KeyboardInterrupt:
        sys.stderr.write("golem-host: error: interrupted\n")
        _leave(130)
    raise AssertionError  # `LazyGroup.main` ends the process


def _run() -> None:
    from golem_cli.program import cli

    for stream in (sys.stdout, sys.stderr):
        # A locale that cannot spell a guest's text must not end the command.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    cli.main()


def _leave(code: int) -> NoReturn:
    """
    End the process without taking the interpreter apart.

    Everything is closed by now.  What would still be done is to free every module one by one, a
    sixth of the time of a short command, and to wait for threads that a second Ctrl-C left behind.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
