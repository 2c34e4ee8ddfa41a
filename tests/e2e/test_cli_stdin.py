"""Standard input of `run`: read as it comes, recorded, and never read twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.cli import DEADLINE_S, PROGRAM, Cli, Running
from tests.support.wasi_text import command

CAT = r"""
  (func (export "run") (result i32) (local $in i32) (local $out i32)
    (local.set $in (call $stdin))
    (local.set $out (call $stdout))
    (loop $more
      (call $blocking-read (local.get $in) (i64.const 4) (i32.const 65536))
      (if (i32.eqz (i32.load8_u (i32.const 65536))) (then
        (call $blocking-write (local.get $out)
          (i32.load (i32.const 65540)) (i32.load (i32.const 65544)) (i32.const 66000))
        (br $more))))
    (i32.ne (i32.load8_u (i32.const 65540)) (i32.const 1)))
"""
"""Copies four bytes at a time, and is content with ``closed`` alone."""


@pytest.fixture
def cat(cli: Cli) -> Path:
    path = cli.folder / "cat.wasm"
    path.write_bytes(command(CAT))
    return path


@contextmanager
def started(cli: Cli, *args: str | Path, stdin: int = subprocess.PIPE) -> Iterator[Running]:
    with subprocess.Popen(
        [PROGRAM, *map(str, args)],
        cwd=cli.folder,
        env=cli.env,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


def piped(cli: Cli, text: bytes, *args: str | Path) -> tuple[int, bytes]:
    with started(cli, *args) as running:
        out, _ = running.process.communicate(text, timeout=DEADLINE_S)
        return running.process.returncode, out


def reads(cli: Cli) -> int:
    lines = cli.ok("dump", "cat/main", "--json").splitlines()
    return sum("cli::stdin::" in json.dumps(json.loads(line)) for line in lines)


def test_a_pipe_is_read_to_its_end(cli: Cli, cat: Path) -> None:
    """Bytes of any length arrive in order; the end is the guest's own to notice."""
    text = bytes(range(256)) * 3

    assert (0, text) == piped(cli, text, cat)


def test_without_input_it_is_at_its_end(cli: Cli, cat: Path) -> None:
    """As under a scheduler, where nobody is."""
    assert (0, "") == (cli.run(cat).code, cli.run(cat).out)


@pytest.mark.parametrize("kind", ["pipe", "file"])
def test_a_worker_that_is_killed_reads_nothing_twice(cli: Cli, cat: Path, kind: str) -> None:
    """The same command with the same input shows what is left, and no read is recorded twice."""
    with started(cli, cat) as running:
        assert running.process.stdin is not None
        running.process.stdin.write(b"one two ")
        running.process.stdin.flush()
        running.wait_for(b"one two ")
        running.finish(signal.SIGKILL)

    whole = b"one two six."
    if kind == "pipe":
        outcome = piped(cli, whole, cat)
    else:
        path = cli.folder / "input"
        path.write_bytes(whole)
        with path.open("rb") as file, started(cli, cat, stdin=file.fileno()) as running:
            done = running.finish()
            outcome = done.code, done.out.encode()

    assert (0, b"six.") == outcome
    # Three times four bytes, and the end.
    assert 4 == reads(cli)


def test_an_interrupt_reaches_a_guest_that_waits_for_input(cli: Cli, cat: Path) -> None:
    """Ctrl-C, durably; the same command goes on."""
    with started(cli, cat) as running:
        assert running.process.stdin is not None
        running.process.stdin.write(b"half")
        running.process.stdin.flush()
        running.wait_for(b"half")
        running.process.send_signal(signal.SIGINT)
        # With its input still open: to communicate would close it first.
        running.process.wait(DEADLINE_S)
        stopped = running.finish()

    assert 130 == stopped.code
    assert (0, b"rest") == piped(cli, b"halfrest", cat)


def test_a_terminal_is_read_as_it_is_typed(cli: Cli, cat: Path) -> None:
    """What was typed before a kill is in the log, and nobody types it again."""
    master, slave = os.openpty()
    try:
        with started(cli, cat, stdin=slave) as running:
            os.write(master, b"abc\n")
            running.wait_for(b"abc\n")
            running.finish(signal.SIGKILL)
        with started(cli, cat, stdin=slave) as running:
            os.write(master, b"def\n")
            running.wait_for(b"def\n")
            os.write(master, b"\x04")
            done = running.finish()
    finally:
        os.close(master)
        os.close(slave)

    assert (0, "def\n") == (done.code, done.out)
