"""Promises from a second terminal, forks, reverts, time travel: what README.md shows."""

from __future__ import annotations

import json
import re
import shutil
import signal

from tests.support.cli import Cli, Running
from tests.support.guests import example

PROMISE = re.compile(r"decide promise (\S+)\n")


def approval(cli: Cli) -> tuple[str, ...]:
    """The command that asks for a decision."""
    shutil.copy(example("approval"), cli.folder / "approval.wasm")
    return ("run", "approval.wasm", "--invoke", 'request("buy tea")')


def asked(running: Running) -> str:
    """The promise that a running request waits for."""
    running.wait_for(b"decide promise ")
    running.wait_for(b"\n")
    found = PROMISE.search(running.out.decode())
    assert found is not None
    return found[1]


def test_a_promise_is_completed_from_a_second_terminal(cli: Cli) -> None:
    """While the first one waits; a second decision comes too late."""
    with cli.start(*approval(cli)) as first:
        promise = asked(first)
        listed = cli.ok("promise", "list", "--json")
        explained = cli.ok("worker", "explain", "approval")
        decided = cli.run("promise", "complete", promise, "yes")
        done = first.finish()
    again = cli.run("promise", "complete", promise, "no")

    assert (promise, False) == (json.loads(listed)["id"], json.loads(listed)["completed"])
    assert "approval/main" in explained
    assert (0, f"golem-host: promise {promise} is completed\n") == (decided.code, decided.err)
    assert (0, '"buy tea: yes"') == (done.code, done.out.splitlines()[-1])
    assert (4, f"promise {promise} was completed before") == (again.code, again.error)


def test_a_decision_finds_a_worker_that_was_killed(cli: Cli) -> None:
    """It was made while nothing ran; the question is not asked twice."""
    command = approval(cli)
    with cli.start(*command) as first:
        promise = asked(first)
        killed = first.finish(signal.SIGKILL)
    cli.ok("promise", "complete", promise, "never")
    done = cli.run(*command)

    assert 1 == (killed.out + done.out).count("decide promise")
    assert '"buy tea: never"' == done.out.splitlines()[-1]


def test_a_guest_goes_back_in_time_until_it_likes_the_result(cli: Cli) -> None:
    """The answer is always six, and the log is sound."""
    shutil.copy(example("approval"), cli.folder / "approval.wasm")
    thrown = [cli.ok("run", "approval.wasm", "--invoke", "throw-six()") for _ in range(3)]
    cli.ok("oplog", "check", "approval")

    assert ["6\n"] * 3 == thrown


def test_a_fork_goes_its_own_way(cli: Cli) -> None:
    """It has the past of the other one; neither sees what the other does then."""
    cli.ok("guest.wasm", "--invoke", "add(5)")
    forked = cli.run("worker", "fork", "guest/main", "twin")
    again = cli.run("worker", "fork", "guest/main", "twin")

    assert "golem-host: worker guest/twin has the past of guest/main\n" == forked.err
    assert "15\n" == cli.ok("guest.wasm", "--worker", "twin", "--invoke", "add(10)")
    assert "6\n" == cli.ok("guest.wasm", "--invoke", "add(1)")
    assert (4, "worker guest/twin exists already") == (again.code, again.error)


def test_a_revert_takes_invocations_back(cli: Cli) -> None:
    """Also one that failed for good, which rescues the worker."""
    cli.ok("guest.wasm", "--invoke", "add(5)")
    cli.ok("guest.wasm", "--invoke", "add(1000)")
    cli.run("guest.wasm", "--no-retry", "--invoke", "fail")
    reverted = cli.run("worker", "revert", "guest/main", "--last", "2")
    beyond = cli.run("worker", "revert", "guest/main", "--to", "99")
    neither = cli.run("worker", "revert", "guest/main")

    assert (0, "golem-host: worker guest/main is idle\n") == (reverted.code, reverted.err)
    assert "6\n" == cli.ok("guest.wasm", "--invoke", "add(1)")
    assert 2 == beyond.code
    assert "cannot revert to index 99" in beyond.error
    assert (2, True) == (neither.code, "give either --to INDEX or --last N" in neither.err)


def test_an_update_is_checked_and_waited_for(cli: Cli) -> None:
    """Its outcome is told; a version that does not exist is refused."""
    cli.ok("guest.wasm", "--invoke", "add(5)")
    with (cli.folder / "guest.wasm").open("ab") as file:
        # A custom section without content makes other bytes of the same component.
        file.write(b"\x00\x02\x01x")
    cli.ok("component", "deploy", "guest.wasm")
    checked = json.loads(cli.ok("worker", "update", "guest/main", "1", "--check", "--json"))
    updated = cli.run("worker", "update", "guest/main", "1")
    unknown = cli.run("worker", "update", "guest/main", "7")

    assert (True, 0) == (checked["ok"], checked["requests_differing"])
    assert (0, "golem-host: worker guest/main has version 1\n") == (updated.code, updated.err)
    assert "6\n" == cli.ok("worker", "invoke", "guest/main", "add(1)")
    assert "has no version 7" in unknown.error


def test_a_snapshot_that_nobody_saves_is_a_failed_update(cli: Cli) -> None:
    """The reason is told, and the old version goes on."""
    cli.ok("guest.wasm", "--invoke", "add(5)")
    with (cli.folder / "guest.wasm").open("ab") as file:
        file.write(b"\x00\x02\x01x")
    cli.ok("component", "deploy", "guest.wasm")
    failed = cli.run("worker", "update", "guest/main", "1", "--mode", "snapshot-based")

    assert 4 == failed.code
    assert "does not export golem:api/save-snapshot" in failed.error
    assert "6\n" == cli.ok("worker", "invoke", "guest/main", "add(1)")


def test_collecting_says_what_it_does(cli: Cli) -> None:
    """A dry run removes nothing; disk use is told."""
    cli.ok("guest.wasm", "--invoke", "add(5)")
    dry = cli.run("gc", "--dry-run")
    real = json.loads(cli.ok("gc", "--json"))

    assert 0 == dry.code
    assert "disk use: " in dry.err
    assert 0 == real["blobs"]["count"]
    assert "6\n" == cli.ok("guest.wasm", "--invoke", "add(1)")


def test_what_a_worker_wrote_is_printed_again(cli: Cli) -> None:
    """Each stream to ours."""
    cli.run("guest.wasm", "--no-retry", "--invoke", "fail")
    streamed = cli.run("worker", "stream", "guest/main")
    lines = cli.ok("worker", "stream", "guest/main", "--json").splitlines()

    assert 0 == streamed.code
    written = "".join(json.loads(line)["text"] for line in lines)
    assert sorted(written) == sorted(streamed.out + streamed.err)
