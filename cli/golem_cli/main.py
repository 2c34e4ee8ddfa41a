"""
Where ``golem-host`` begins.

Nothing is imported before `main` runs: from then on Ctrl-C ends the program in one line.
"""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line of this process; never returns, never shows a traceback."""
    try:
        from golem_cli.program import cli

        for stream in (sys.stdout, sys.stderr):
            # A locale that cannot spell a guest's text must not end the command.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        cli.main()
    except KeyboardInterrupt:
        sys.stderr.write("golem-host: error: interrupted\n")
        raise SystemExit(130) from None
    raise AssertionError  # `LazyGroup.main` ends the process
