"""
A shell and an interpreter that are given one command at a time, as a person gives them.

Commands come in on one pipe and their statuses go out on another, so that what runs has an empty
stdin, and stdout and stderr on a pipe of their own.  Jobs in the background go on meanwhile.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from tests.support.snippets import Forms, Step, without_notices

# A command may build a guest, beside others that do.
DEADLINE_S: Final = 150.0
# How long the rest of a line may be away before it is taken for a line without an end.
SETTLED_S: Final = 0.3

_SHELL: Final = r"""
set -m
while IFS= read -r -d '' command <&"$1"; do
  eval "$command" </dev/null 2>&1 {a}<&- {b}>&-
  status=$?
  running=$(jobs -rp | wc -l)
  echo "$status" $running >&"$2"
done
for job in $(jobs -rp); do kill -9 -- "-$job"; done
"""
_PYTHON: Final = """
import os, sys, traceback
commands, statuses = map(int, sys.argv[1:])
space = {"__name__": "__main__"}
number = 0
with open(commands, encoding="utf-8", newline="") as file:
    rest = ""
    while piece := os.read(commands, 65536).decode():
        rest += piece
        while "\\0" in rest:
            source, _, rest = rest.partition("\\0")
            number, status = number + 1, 0
            try:
                exec(compile(source, f"<block {number}>", "exec"), space)
            except BaseException:
                traceback.print_exc()
                status = 1
            sys.stdout.flush()
            sys.stderr.flush()
            os.write(statuses, f"{status} 0\\n".encode())
"""


class Terminal:
    """One program that is given commands; ends with everything it has started."""

    def __init__(self, language: str, folder: Path, env: Mapping[str, str]) -> None:
        commands_in, self._commands = os.pipe()
        self._statuses, statuses_out = os.pipe()
        fds = (commands_in, statuses_out)
        if language == "python":
            program = [sys.executable, "-u", "-c", _PYTHON, *map(str, fds)]
        else:
            script = _SHELL.replace("{a}", str(fds[0])).replace("{b}", str(fds[1]))
            program = ["bash", "--noprofile", "--norc", "-c", script, "bash", *map(str, fds)]
        self._process = subprocess.Popen(
            program,
            cwd=folder,
            env=env,
            pass_fds=fds,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            # A Python block writes to both; the shell's own words about its jobs are nobody's.
            stderr=subprocess.STDOUT if language == "python" else subprocess.DEVNULL,
            start_new_session=True,
        )
        for fd in fds:
            os.close(fd)
        self._printed = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._commands)
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._kill_session()
            self._process.wait()
        os.close(self._statuses)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def take(self, step: Step, forms: Forms) -> None:
        """Type what a step says, and see what it shows, and nothing else."""
        command = forms.typed(step.command)
        os.write(self._commands, command.encode() + b"\0")
        deadline = time.monotonic() + DEADLINE_S
        status: list[int] | None = None
        is_over = is_settled = False
        while True:
            if status is None and self._is_readable(self._statuses):
                status = [int(part) for part in os.read(self._statuses, 100).split()]
                assert status, f"{command}\nended the session"
            # Everything that nobody writes to any more has been read by then.
            is_over = status is not None and not status[1]
            self._read()
            printed = without_notices(self._printed.decode(errors="replace"))
            if status is not None and step.language == "sh":
                assert status[0] == 0, f"{command}\nfailed:\n{printed}"
                self._printed = b""
                return
            is_whole = is_over or is_settled or not printed or printed.endswith("\n")
            if (
                status is not None
                and is_whole
                and forms.match(step.command, step.output, printed, in_order=is_over)
            ):
                self._printed = b""
                return
            if is_over or time.monotonic() > deadline:
                break
            # A job may have written a part of a line; a command may have written no more.
            is_settled = not self._wait(deadline if is_whole else time.monotonic() + SETTLED_S)
        shown = forms.typed(step.output)
        raise AssertionError(f"line {step.line}: {command}\nshown:\n{shown}printed:\n{printed}")

    @property
    def left(self) -> str:
        """What was printed after the last step."""
        self._read()
        return without_notices(self._printed.decode(errors="replace"))

    def _read(self) -> None:
        assert self._process.stdout is not None
        fd = self._process.stdout.fileno()
        while self._is_readable(fd):
            piece = os.read(fd, 65536)
            if not piece:
                return
            self._printed += piece

    def _wait(self, deadline: float) -> bool:
        """Until there is something to read; whether there is."""
        assert self._process.stdout is not None
        fds = [self._statuses, self._process.stdout.fileno()]
        return bool(select.select(fds, [], [], max(deadline - time.monotonic(), 0))[0])

    @staticmethod
    def _is_readable(fd: int) -> bool:
        return bool(select.select([fd], [], [], 0)[0])

    def _kill_session(self) -> None:
        """The shell and what hangs in it: its jobs have process groups of their own."""
        os.killpg(self._process.pid, signal.SIGKILL)
        if shutil.which("ps") is None:
            return
        listed = subprocess.run(
            ["ps", "-A", "-o", "pid=,sess="], capture_output=True, text=True, check=True
        )
        for pid, session in (line.split() for line in listed.stdout.splitlines()):
            if session == str(self._process.pid) and pid != session:
                os.kill(int(pid), signal.SIGKILL)
