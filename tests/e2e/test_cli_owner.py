"""A second terminal: every command works while another process owns the state directory."""

from __future__ import annotations

import json
import signal

import pytest

from tests.support.cli import Cli, Running
from tests.support.rest import Web

NAP = ("guest.wasm", "--invoke", "nap(60000)")


def ready(running: Running) -> Web:
    """The listener of a `serve --json` that has just been started."""
    running.wait_for(b"\n")
    address = json.loads(running.out)["url"].removeprefix("http://")
    host, _, port = address.rpartition(":")
    return Web((host, int(port)))


def test_run_goes_through_the_owner(cli: Cli) -> None:
    """Deploying, calling and showing what the guest writes, as if the state were free."""
    with cli.start(*NAP) as owner:
        owner.wait_for(b"napping\n")
        called = cli.run(
            "guest.wasm", "--worker", "other", "--invoke", "add(2)", "--invoke", "hello()"
        )
        failed = cli.run("guest.wasm", "--worker", "bad", "--invoke", "fail()", "--no-retry")
        as_json = cli.ok("guest.wasm", "--worker", "other", "--invoke", "add(3)", "--json")
        owner.finish(signal.SIGINT)

    assert (0, "2\nhello\n()\n") == (called.code, called.out)
    assert 134 == failed.code
    assert "oops" in failed.err
    assert 5 == json.loads(as_json)["result"]


def test_workers_and_components_are_managed_through_the_owner(cli: Cli) -> None:
    """List, get, invoke, interrupt, resume, delete, deploy, dump."""
    with cli.start(*NAP) as owner:
        owner.wait_for(b"napping\n")
        cli.ok("component", "deploy", "guest.wasm", "--name", "second")
        invoked = cli.ok("worker", "invoke", "second/w", "add(4)")
        listed = cli.ok("worker", "list")
        dumped = cli.ok("dump", "guest")
        cli.ok("worker", "delete", "second/w")
        cli.ok("component", "delete", "second")
        interrupted = cli.run("worker", "interrupt", "guest")
        done = owner.finish()

    assert "4\n" == invoked
    assert "second/w" in listed
    assert "guest/main" in listed
    assert 'stdout "napping\\n"' in dumped
    assert "interrupted" in interrupted.err
    assert 130 == done.code


def test_interrupting_one_terminal_leaves_the_owner_alone(cli: Cli) -> None:
    """Ctrl-C stops what this terminal has started, and nothing else."""
    with cli.start(*NAP) as owner:
        owner.wait_for(b"napping\n")
        with cli.start("guest.wasm", "--worker", "other", "--invoke", "spin()") as other:
            other.wait_for(b"spinning\n")
            stopped = other.finish(signal.SIGINT)
        listed = cli.ok("worker", "list", "--json")
        owner.finish(signal.SIGINT)

    status = {w["name"]: w["status"] for w in map(json.loads, listed.splitlines())}
    assert 130 == stopped.code
    # It sleeps for longer than a worker keeps its instance.
    assert ("suspended", "interrupted") == (status["main"], status["other"])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_when_the_owner_ends_the_client_goes_on(cli: Cli, how: signal.Signals) -> None:
    """It takes the directory and finishes its calls, each made once and shown once."""
    calls = ("--invoke", "add(1)", "--invoke", "nap(1500)", "--invoke", "add(1)")
    with cli.start(*NAP) as owner:
        owner.wait_for(b"napping\n")
        with cli.start("guest.wasm", "--worker", "other", *calls) as client:
            client.wait_for(b"napping\n")
            owner.finish(how)
            done = client.finish()

    assert 0 == done.code, done
    assert "going on without it" in done.err
    assert 1 == done.out.count("napping")
    assert ["1", "2"] == [line for line in done.out.splitlines() if line in {"1", "2"}]


def test_serve_answers_until_it_is_stopped(cli: Cli) -> None:
    """The ready line has the URL; SIGTERM ends it cleanly, and the directory is free."""
    with cli.start("serve", "--port", "0", "--json") as server:
        web = ready(server)
        health = web.get("/v1/health")
        through = cli.ok("guest.wasm", "--invoke", "add(7)")
        done = server.finish(signal.SIGTERM)

    assert 200 == health.status
    assert "7\n" == through
    assert (0, "") == (done.code, done.err)
    assert "8\n" == cli.ok("guest.wasm", "--invoke", "add(1)")


def test_serve_lets_unfinished_workers_go_on(cli: Cli) -> None:
    """What a killed process left is finished without anybody asking."""
    with cli.start("guest.wasm", "--invoke", "nap(300)") as killed:
        killed.wait_for(b"napping\n")
        killed.finish(signal.SIGKILL)
    with cli.start("serve", "--port", "0", "--json") as server:
        web = ready(server)
        path = "/v1/components/guest/workers/main"
        while web.get(f"{path}/invocations").document["invocations"]:
            pass
        log = web.get(f"{path}/output").content
        server.finish(signal.SIGINT)

    assert b"awake" in log


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--host", "0.0.0.0"), "give a --token"),
        (("--token", " "), "empty"),
        (("--port", "70000"), "70000"),
        (("--host", "192.0.2.1", "--token", "x"), "cannot listen on 192.0.2.1"),
    ],
)
def test_serve_refuses_what_is_not_safe_or_not_there(
    cli: Cli, args: tuple[str, ...], said: str
) -> None:
    """Before anything is served; code 2."""
    refused = cli.run("serve", *args)

    assert 2 == refused.code
    assert said in refused.error


def test_a_second_server_is_refused_with_the_owner(cli: Cli) -> None:
    """A directory has one owner."""
    with cli.start("serve", "--port", "0", "--json") as server:
        ready(server)
        refused = cli.run("serve", "--port", "0")
        server.finish(signal.SIGINT)

    assert 4 == refused.code
    assert f"in use by process {server.process.pid}" in refused.error


def test_the_token_is_asked_for(cli: Cli) -> None:
    """Also on loopback, once it is given."""
    with cli.start("serve", "--port", "0", "--json", "--token", "s3cret") as server:
        web = ready(server)
        without = web.get("/v1/components")
        with_it = web.get("/v1/components", authorization="Bearer s3cret")
        server.finish(signal.SIGINT)

    assert (401, 200) == (without.status, with_it.status)
