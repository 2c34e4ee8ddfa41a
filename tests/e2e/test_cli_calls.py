"""Calls that nobody waits for, what became of them, and output while it is written."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.cli import Cli


def ready(cli: Cli, name: str = "guest") -> None:
    """Deployed, with a worker of that component."""
    cli.ok("component", "deploy", "guest.wasm", "--name", name)
    cli.ok("worker", "new", f"{name}/main")


def test_an_enqueued_call_is_made_by_the_next_owner(cli: Cli) -> None:
    """Its key is printed at once; nothing runs before somebody owns the directory and may work."""
    ready(cli)
    accepted = cli.run("worker", "invoke", "guest", "add(5)", "--enqueue")
    key = accepted.out.strip()
    listed = json.loads(cli.ok("worker", "invocations", "guest", "--json"))
    pending = cli.run("worker", "invocations", "guest", key)
    resumed = cli.ok("worker", "resume", "guest")
    found = cli.ok("worker", "invocations", "guest", key)
    unknown = cli.run("worker", "invocations", "guest", "nothing")

    assert (0, 32) == (accepted.code, len(key))
    assert "worker resume guest/main" in accepted.err
    assert (key, False) == (listed["key"], listed["running"])
    assert listed["function"] + "(5)" == listed["call"]
    assert (124, f"invocation {key} is not done yet") == (pending.code, pending.error)
    assert ("5\n", "5\n") == (resumed, found)
    assert (3, True) == (unknown.code, "has accepted nothing under nothing" in unknown.error)


def test_an_owner_makes_an_enqueued_call(cli: Cli) -> None:
    """The same key with the same call is one call."""
    with cli.start("serve", "--port", "0", "--json") as server:
        server.wait_for(b"\n")
        ready(cli)
        first = cli.run("worker", "invoke", "guest", "add(5)", "--enqueue", "-i", "k", "--json")
        again = cli.ok("worker", "invoke", "guest", "add(5)", "--trigger", "-i", "k")
        result = cli.ok("worker", "invocations", "guest", "k", "--wait", "30s", "--json")
        summed = cli.ok("worker", "invoke", "guest", "add(1)")
        server.finish(signal.SIGINT)

    assert ("k", "k\n", "") == (json.loads(first.out)["key"], again, first.err)
    assert ("k", 5) == (json.loads(result)["key"], json.loads(result)["result"])
    assert "6\n" == summed


def test_a_scheduled_call_keeps_to_its_time(cli: Cli) -> None:
    """One for tomorrow waits while others are made; a time that has passed is now."""
    with cli.start("serve", "--port", "0", "--json") as server:
        server.wait_for(b"\n")
        ready(cli)
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        late = cli.ok("worker", "invoke", "guest", "add(1)", "--at", tomorrow).strip()
        soon = cli.ok("worker", "invoke", "guest", "add(10)", "--at", "+200ms").strip()
        past = cli.ok("worker", "invoke", "guest", "add(100)", "--at", "2020-01-31T12:00:00Z")
        at_once = cli.ok("worker", "invocations", "guest", past.strip(), "--wait", "30s")
        after = cli.ok("worker", "invocations", "guest", soon, "--wait", "30s")
        left = [json.loads(cli.ok("worker", "invocations", "guest", "--json"))["key"]]
        canceled = json.loads(cli.ok("worker", "cancel-invocation", "guest", late, "--json"))
        server.finish(signal.SIGINT)

    assert "110\n" in {at_once, after}
    assert [late] == left
    assert (True, late) == (canceled["canceled"], canceled["key"])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--at", "tomorrow"), "'tomorrow' is not a time"),
        (("--at", "+soon"), "not a duration"),
        (("--at", "+99999999h"), "more than a century"),
        (("--enqueue", "--timeout", "1s"), "not with --enqueue"),
        (("--at", "+1s", "--no-retry"), "not with --enqueue"),
    ],
)
def test_what_cannot_be_enqueued_is_refused(cli: Cli, args: tuple[str, ...], said: str) -> None:
    """Code 2, and no worker is made."""
    cli.ok("component", "deploy", "guest.wasm")
    refused = cli.run("worker", "invoke", "guest/unmade", "add(1)", *args)

    assert 2 == refused.code
    assert said in refused.error
    assert 3 == cli.run("worker", "get", "guest/unmade").code


def test_output_is_followed_until_there_is_none(cli: Cli) -> None:
    """From a second terminal, while the worker runs; it ends by itself when the call is over."""
    with cli.start("guest.wasm", "--invoke", "nap(1500)") as owner:
        owner.wait_for(b"napping\n")
        with cli.start("worker", "stream", "guest", "--follow") as follower:
            follower.wait_for(b"napping\n")
            assert b"awake" not in follower.out
            done = follower.finish()
        owner.finish()

    assert (0, "napping\nawake\n") == (done.code, done.out)


def test_following_ends_with_a_signal(cli: Cli) -> None:
    """Code 130, no word about it, and the worker goes on."""
    with cli.start("guest.wasm", "--invoke", "nap(60000)") as owner:
        owner.wait_for(b"napping\n")
        with cli.start("worker", "stream", "guest", "--follow", "--json") as follower:
            follower.wait_for(b"napping")
            done = follower.finish(signal.SIGINT)
        status = json.loads(cli.ok("worker", "get", "guest", "--json"))["status"]
        owner.finish(signal.SIGINT)

    assert (130, "") == (done.code, done.err)
    assert status in {"running", "suspended"}


def test_one_trap_is_enough_through_an_owner_too(cli: Cli) -> None:
    """With --no-retry no second attempt is made, wherever the worker runs."""
    with cli.start("serve", "--port", "0", "--json") as server:
        server.wait_for(b"\n")
        there = cli.run("guest.wasm", "--worker", "there", "--invoke", "fail()", "--no-retry")
        server.finish(signal.SIGINT)
    here = cli.run("guest.wasm", "--worker", "here", "--invoke", "fail()", "--no-retry")
    errors = {
        name: cli.ok("dump", f"guest/{name}", "--kind", "error", "--json").count("\n")
        for name in ("there", "here")
    }

    assert (134, 134) == (there.code, here.code)
    assert {"there": 1, "here": 1} == errors


def test_workers_are_made_and_filtered(cli: Cli) -> None:
    """With what they are given; a second one of the name is refused."""
    cli.ok(
        "component", "deploy", "guest.wasm", "--env", "A=1", "--config-var", "c=2", "--ephemeral"
    )
    made = cli.run("worker", "new", "guest/a", "-e", "LEVEL=debug", "--", "--arg", "x")
    again = cli.run("worker", "new", "guest/a")
    cli.ok("worker", "new", "guest/b")
    listed = cli.ok("worker", "list", "--filter", "env.LEVEL = debug", "--json").splitlines()
    one = cli.ok("worker", "list", "-m", "1", "--json").splitlines()
    wrong = cli.run("worker", "list", "--filter", "shoe = 1")
    deployed = json.loads(cli.ok("component", "get", "guest", "--json"))

    assert (0, "golem-host: worker guest/a is made, on version 0\n") == (made.code, made.err)
    assert 4 == again.code
    (found,) = map(json.loads, listed)
    assert ("a", {"LEVEL": "debug"}, ["--arg", "x"]) == (found["name"], found["env"], found["args"])
    assert ["a"] == [json.loads(line)["name"] for line in one]
    assert 2 == wrong.code
    assert ({"A": "1"}, {"c": "2"}, True) == (
        deployed["env"],
        deployed["config_vars"],
        deployed["ephemeral"],
    )


def test_running_again_keeps_the_settings_of_a_component(cli: Cli) -> None:
    """`run` deploys bytes; what was set with them stays, and so does the version."""
    cli.ok("component", "deploy", "guest.wasm", "--env", "A=1")
    cli.ok("guest.wasm", "--invoke", "add(1)")
    found = json.loads(cli.ok("component", "list", "--json"))

    assert (0, {"A": "1"}) == (found["version"], found["env"])


def test_collecting_goes_through_the_owner(cli: Cli) -> None:
    """Which goes on with its work."""
    with cli.start("guest.wasm", "--invoke", "nap(60000)") as owner:
        owner.wait_for(b"napping\n")
        counted = json.loads(cli.ok("gc", "--dry-run", "--json"))
        collected = cli.run("gc")
        owner.finish(signal.SIGINT)

    assert 0 == counted["blobs"]["count"]
    assert (0, True) == (collected.code, "disk use: " in collected.err)


def test_the_shell_is_told_what_fits(cli: Cli) -> None:
    """Workers and components come from the state; the script asks this program."""
    ready(cli, "cart")
    script = cli.ok("completion", "bash")
    asked = {"_GOLEM_HOST_COMPLETE": "bash_complete"}
    workers = cli.run("", env=asked | {"COMP_WORDS": "golem-host worker get ca", "COMP_CWORD": "3"})
    names = cli.run("", env=asked | {"COMP_WORDS": "golem-host component get ", "COMP_CWORD": "3"})
    unknown = cli.run("", env=asked | {"COMP_WORDS": "golem-host xyz ", "COMP_CWORD": "2"})

    assert "_GOLEM_HOST_COMPLETE=bash_complete" in script
    assert "plain,cart/main\n" == workers.out
    assert "plain,cart\n" == names.out
    assert (0, "") == (unknown.code, unknown.err)
    assert "compdef" in cli.ok("completion", "zsh")
    assert "complete" in cli.ok("completion", "fish")
