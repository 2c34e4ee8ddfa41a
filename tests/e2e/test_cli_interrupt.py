"""Ctrl-C and kill -9 at several moments: whatever was begun is continued by the same command."""

from __future__ import annotations

import json
import signal

import pytest

from tests.support.cli import DEADLINE_S, Cli, wait_until

NAP = ("guest.wasm", "--invoke", "nap(700)")
LONG = ("guest.wasm", "--invoke", "nap(60000)")


def status(cli: Cli) -> str:
    found: str = json.loads(cli.ok("worker", "get", "guest", "--json"))["status"]
    return found


def test_ctrl_c_is_a_durable_interrupt(cli: Cli) -> None:
    """Code 130; the worker stands as interrupted, and goes on where it was."""
    with cli.start(*NAP) as running:
        running.wait_for(b"napping\n")
        stopped = running.finish(signal.SIGINT)

    assert (130, "napping\n") == (stopped.code, stopped.out)
    assert "interrupt" in stopped.error
    assert "interrupted" == status(cli)

    resumed = cli.run(*NAP)

    assert (0, "awake\n700\n") == (resumed.code, resumed.out)
    assert "continuing test:cli/api@1.0.0.{nap}" in resumed.err
    assert "idle" == status(cli)


def test_ctrl_c_stops_a_guest_that_only_computes(cli: Cli) -> None:
    """A loop without any host call is stopped too."""
    with cli.start("guest.wasm", "--invoke", "spin") as running:
        running.wait_for(b"spinning\n")
        stopped = running.finish(signal.SIGINT)

    assert 130 == stopped.code
    assert "interrupted" == status(cli)


def test_ctrl_c_stops_a_suspended_worker(cli: Cli) -> None:
    """`run` waits with the reason, and may be left while it does."""
    with cli.start(*LONG) as running:
        running.wait_for(b"napping\n")
        wait_until(lambda: status(cli) == "suspended")
        stopped = running.finish(signal.SIGINT)

    assert 130 == stopped.code
    assert "golem-host: suspended: " in stopped.err


@pytest.mark.parametrize(
    ("made", "nap_ms"),
    [
        ("state", 500),
        ("state/host.db", 500),
        ("state/components/*.wasm", 500),
        # The guest runs almost at once: it must not be done before the signal.
        ("state/workers/*/*/manifest", 3000),
    ],
)
def test_ctrl_c_while_starting_loses_nothing(cli: Cli, made: str, nap_ms: int) -> None:
    """At whatever step it comes, it is one line, and the next run is complete."""
    nap = ("guest.wasm", "--invoke", f"nap({nap_ms})")
    with cli.start(*nap) as running:
        wait_until(lambda: any(cli.folder.glob(made)))
        stopped = running.finish(signal.SIGINT)

    assert 130 == stopped.code
    assert stopped.error
    assert f"{nap_ms}\n" == cli.ok(*nap).splitlines(keepends=True)[-1]


def test_the_second_ctrl_c_kills(cli: Cli) -> None:
    """As if the process had crashed: that too is continued."""
    with cli.start(*LONG) as running:
        running.wait_for(b"napping\n")
        running.process.send_signal(signal.SIGINT)
        killed = running.finish(signal.SIGINT)

    assert killed.code in {130, -signal.SIGINT}
    assert status(cli) in {"running", "interrupted", "suspended"}


def test_kill_is_survived(cli: Cli) -> None:
    """The joined output of both runs is that of an undisturbed one."""
    with cli.start(*NAP) as running:
        running.wait_for(b"napping\n")
        killed = running.finish(signal.SIGKILL)

    resumed = cli.ok(*NAP)

    assert "napping\nawake\n700\n" == killed.out + resumed


def test_a_line_of_calls_goes_on_in_the_middle(cli: Cli) -> None:
    """Results that were had are shown again, not made again; the rest follows."""
    line = ("guest.wasm", "--invoke", "add(1)", "--invoke", "nap(700)", "--invoke", "add(10)")
    with cli.start(*line) as running:
        running.wait_for(b"napping\n")
        running.finish(signal.SIGKILL)

    resumed = cli.ok(*line)

    assert "1\nawake\n700\n11\n" == resumed
    assert "11\n" == cli.ok("guest.wasm", "--invoke", "add(0)")


def test_other_unfinished_work_comes_first(cli: Cli) -> None:
    """And is said so; what was asked for is made after it."""
    with cli.start(*NAP) as running:
        running.wait_for(b"napping\n")
        running.finish(signal.SIGINT)

    done = cli.run("guest.wasm", "--invoke", "add(1)")

    assert (0, "awake\n1\n") == (done.code, done.out)
    assert "first finishing test:cli/api@1.0.0.{nap}" in done.err


def test_worker_resume_continues(cli: Cli) -> None:
    """Without knowing the command that had begun it."""
    with cli.start(*NAP) as running:
        running.wait_for(b"napping\n")
        running.finish(signal.SIGINT)

    assert "awake\n700\n" == cli.ok("worker", "resume", "guest")
    nothing = cli.run("worker", "resume", "guest")
    assert (0, "") == (nothing.code, nothing.out)
    assert "nothing to continue" in nothing.err


def test_worker_interrupt_keeps_it_from_going_on(cli: Cli) -> None:
    """After a kill the worker counts as running, until somebody says otherwise."""
    with cli.start(*NAP) as running:
        running.wait_for(b"napping\n")
        running.finish(signal.SIGKILL)

    before = status(cli)
    said = cli.run("worker", "interrupt", "guest").err

    assert ("running", "interrupted") == (before, status(cli))
    assert "golem-host: worker guest/main is interrupted\n" == said


def test_a_command_goes_on_with_the_same_arguments_only(cli: Cli) -> None:
    """Others are refused while it is unfinished; the same ones continue it."""
    args = ("a", "b", "c", "d")
    with cli.start("guest.wasm", *args) as running:
        running.wait_for(b"napping\n")
        running.finish(signal.SIGINT)

    refused = cli.run("guest.wasm", "x")
    continued = cli.run("guest.wasm", *args)

    assert 4 == refused.code
    assert "was made with other arguments: a b c d" in refused.error
    assert (0, "awake\n") == (continued.code, continued.out)
    assert "continuing worker guest/main" in continued.err


def test_a_reader_that_goes_away_is_an_interrupt(cli: Cli) -> None:
    """As `| head -1` would: the guest is stopped at its next word, and can be continued."""
    line = ("guest.wasm", "--invoke", "nap(300)", "--invoke", "spin")
    with cli.start(*line) as running:
        running.wait_for(b"napping\n")
        assert running.process.stdout is not None
        assert running.process.stderr is not None
        running.process.stdout.close()
        code = running.process.wait(DEADLINE_S)
        said = running.process.stderr.read().decode()

    assert 130 == code
    assert "Exception ignored" not in said
    assert 1 == len(said.splitlines())
    assert status(cli) in {"idle", "interrupted"}
