"""Standard input of `run`: read as it comes, recorded, and never read twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

import pytest

from tests.support.cli import DEADLINE_S, PROGRAM, Cli, Running, wait_until
from tests.support.wasi_text import CAT, command

WHOLE = b"one two six."


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


def given(cli: Cli, text: bytes, kind: str, *args: str | Path) -> tuple[int, bytes]:
    """As `piped`, or with a file of the text as its input."""
    if kind == "pipe":
        return piped(cli, text, *args)
    path = cli.folder / "input"
    path.write_bytes(text)
    with path.open("rb") as file, started(cli, *args, stdin=file.fileno()) as running:
        done = running.finish()
    return done.code, done.out.encode()


def killed_in_the_middle(cli: Cli, cat: Path) -> None:
    """When it has copied two words of `WHOLE`, and waits for the third."""
    with started(cli, cat) as running:
        assert running.process.stdin is not None
        running.process.stdin.write(b"one two ")
        running.process.stdin.flush()
        running.wait_for(b"one two ")
        running.finish(signal.SIGKILL)


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
    killed_in_the_middle(cli, cat)
    outcome = given(cli, WHOLE, kind, cat)

    assert (0, b"six.") == outcome
    # Three times four bytes, and the end.
    assert 4 == reads(cli)


@contextmanager
def owned(cli: Cli) -> Iterator[Running]:
    """Another process has the state directory meanwhile."""
    with cli.start("serve", "--port", "0", "--json") as owner:
        owner.wait_for(b"\n")
        yield owner


def test_the_owner_of_the_directory_reads_what_a_client_has(cli: Cli, cat: Path) -> None:
    """More than one piece of it, and its end; and nothing where there is nothing."""
    cat.write_bytes(command(CAT.replace("(i64.const 4)", "(i64.const 4000)")))
    text = bytes(range(256)) * 700
    with owned(cli):
        read = piped(cli, text, cat)
        nothing = cli.run(cat)

    assert (0, text) == read
    assert (0, "") == (nothing.code, nothing.out)


@pytest.mark.parametrize("kind", ["pipe", "file"])
def test_a_client_that_is_killed_gives_the_rest_later(cli: Cli, cat: Path, kind: str) -> None:
    """The guest waits for it with its owner, who says so, and reads nothing twice."""
    with owned(cli):
        killed_in_the_middle(cli, cat)
        rest = "waits for the rest of its standard input"
        wait_until(lambda: rest in cli.ok("worker", "explain", "cat"))
        outcome = given(cli, WHOLE, kind, cat)

    assert (0, b"six.") == outcome
    assert 4 == reads(cli)


@pytest.mark.parametrize("kind", ["pipe", "file"])
def test_a_client_goes_on_when_the_owner_is_killed(cli: Cli, cat: Path, kind: str) -> None:
    """With the state directory as its own, and with what it has read for the owner."""
    whole = b"".join(b"%03d " % number for number in range(512))
    path = cli.folder / "input"
    path.write_bytes(whole)
    with owned(cli) as owner, ExitStack() as stack:
        if kind == "pipe":
            running = stack.enter_context(started(cli, cat))
            assert running.process.stdin is not None
            running.process.stdin.write(whole[:100])
            running.process.stdin.flush()
            running.wait_for(whole[:100])
            owner.finish(signal.SIGKILL)
            out, _ = running.process.communicate(whole[100:], timeout=DEADLINE_S)
        else:
            file = stack.enter_context(path.open("rb"))
            running = stack.enter_context(started(cli, cat, stdin=file.fileno()))
            running.wait_for(whole[:100])
            owner.finish(signal.SIGKILL)
            out, _ = running.process.communicate(timeout=DEADLINE_S)

    # With what the owner was killed with in its hands.
    assert (0, whole) == (running.process.returncode, running.out + out)
    assert len(whole) // 4 + 1 == reads(cli)


@pytest.mark.parametrize("through_owner", [False, True])
def test_an_interrupt_reaches_a_guest_that_waits_for_input(
    cli: Cli, cat: Path, *, through_owner: bool
) -> None:
    """Ctrl-C, durably, and an owner lives; the same command goes on."""
    with owned(cli) if through_owner else nullcontext():
        with started(cli, cat) as running:
            assert running.process.stdin is not None
            running.process.stdin.write(b"half")
            running.process.stdin.flush()
            running.wait_for(b"half")
            running.process.send_signal(signal.SIGINT)
            # With its input still open: to communicate would close it first.
            running.process.wait(DEADLINE_S)
            stopped = running.finish()
        rest = piped(cli, b"halfrest", cat)

    assert 130 == stopped.code
    assert (0, b"rest") == rest


@pytest.mark.parametrize("through_owner", [False, True])
def test_a_terminal_is_read_as_it_is_typed(cli: Cli, cat: Path, *, through_owner: bool) -> None:
    """What was typed before a kill is in the log, and nobody types it again."""
    with ExitStack() as stack:
        if through_owner:
            stack.enter_context(owned(cli))
        master, slave = os.openpty()
        stack.callback(os.close, master)
        stack.callback(os.close, slave)
        with started(cli, cat, stdin=slave) as running:
            os.write(master, b"abc\n")
            running.wait_for(b"abc\n")
            running.finish(signal.SIGKILL)
        with started(cli, cat, stdin=slave) as running:
            os.write(master, b"def\n")
            running.wait_for(b"def\n")
            os.write(master, b"\x04")
            done = running.finish()

    assert (0, "def\n") == (done.code, done.out)
