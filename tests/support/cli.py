"""
The program as a person runs it: a process of its own, a state directory of its own.

Compiled code and built guests are shared by all tests, as they are by all runs of one user.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.repository import ROOT

PROGRAM: Final = str(Path(sys.executable).with_name("golem-host"))
DEADLINE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Cli:
    """A working directory with a state directory in it."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def program(self) -> str:
        return PROGRAM

    @property
    def env(self) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        return env | {
            "GOLEM_HOST_STATE_DIR": str(self.state),
            "GOLEM_HOST_CACHE_DIR": str(ROOT / ".build"),
        }

    def run(
        self,
        *args: str | Path,
        prefix: tuple[str, ...] = (),
        env: Mapping[str, str] | None = None,
    ) -> Done:
        """Run to the end."""
        done = subprocess.run(
            [*prefix, self.program, *map(str, args)],
            cwd=self.folder,
            env=self.env | dict(env or {}),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=DEADLINE_S,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def ok(self, *args: str | Path) -> str:
        """Run what should succeed; its stdout."""
        done = self.run(*args)
        assert done.code == 0, done
        return done.out

    @contextmanager
    def start(
        self, *args: str | Path, prefix: tuple[str, ...] = (), together: bool = False
    ) -> Iterator[Running]:
        """
        Run in the background; killed at the end of the block if it still runs.

        With ``together`` what it writes to stderr is read with its stdout.
        """
        with subprocess.Popen(
            [*prefix, self.program, *map(str, args)],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if together else subprocess.PIPE,
        ) as process:
            try:
                yield Running(process)
            finally:
                process.kill()

    def log_file(self, component: str, worker: str = "main") -> Path:
        """The first segment of a worker's log."""
        (found,) = self.state.glob(f"workers/{component}-*/{worker}-*/0001.oplog")
        return found


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that a failure is, without our name before it."""
        last = self.err.splitlines()[-1] if self.err else ""
        assert last.startswith("golem-host: error: "), self
        assert "Traceback" not in self.err, self
        return last.removeprefix("golem-host: error: ")


class Running:
    """A process and what it has written so far."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.out = b""

    def wait_for(self, text: bytes | re.Pattern[bytes], within_s: float = DEADLINE_S) -> None:
        """Read stdout until it has a text."""
        wanted = re.compile(re.escape(text)) if isinstance(text, bytes) else text
        deadline = time.monotonic() + within_s
        assert self.process.stdout is not None
        while not wanted.search(self.out):
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.process.stdout], [], [], max(left, 0))
            piece = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            assert piece, f"no {wanted.pattern!r} in {self.out!r}"
            self.out += piece

    def finish(self, signal: int | None = None) -> Done:
        """Wait for the end, after a signal if one is given."""
        if signal is not None:
            self.process.send_signal(signal)
        out, err = self.process.communicate(timeout=DEADLINE_S)
        return Done(self.process.returncode, (self.out + out).decode(), (err or b"").decode())


def wait_until(reached: Callable[[], bool]) -> None:
    """Poll what another process does."""
    deadline = time.monotonic() + DEADLINE_S
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def without_privilege() -> tuple[str, ...]:
    """A command prefix under which permissions hold for root too."""
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    assert setpriv, "run the tests as an ordinary user, or install util-linux"
    return (setpriv, "--bounding-set=-dac_override", "--inh-caps=-dac_override")
