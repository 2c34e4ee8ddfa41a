"""`golem-host worker` and `golem-host component`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli import Cli


def test_workers_are_listed_with_their_status(cli: Cli) -> None:
    """As a table for people and as documents for programs."""
    cli.ok("guest.wasm", "--invoke", "add(1)")
    cli.run("guest.wasm", "--worker", "bad", "--no-retry", "--invoke", "fail")
    table = cli.ok("worker", "list").splitlines()
    documents = [json.loads(line) for line in cli.ok("worker", "list", "--json").splitlines()]

    assert table[0].split() == [
        "WORKER",
        "STATUS",
        "VERSION",
        "PENDING",
        "ENTRIES",
        "CREATED",
        "REASON",
    ]
    assert ["guest/bad", "failed"] == table[1].split()[:2]
    assert ["guest/main", "idle"] == table[2].split()[:2]
    assert [("bad", "failed"), ("main", "idle")] == [
        (document["name"], document["status"]) for document in documents
    ]


def spoil(path: Path, at: bytes) -> None:
    """Change one byte in the middle of a file."""
    data = path.read_bytes()
    place = data.index(at)
    path.write_bytes(data[:place] + b"?" + data[place + 1 :])


def damaged_worker(cli: Cli, what: str) -> None:
    """A worker ``guest/bad`` whose log is damaged in one of several ways, and a sound one."""
    cli.ok("guest.wasm", "--worker", "bad", "--invoke", "add(1)")
    cli.ok("guest.wasm", "--worker", "good", "--invoke", "add(1)")
    log = cli.log_file("guest", "bad")
    match what:
        case "chunk":
            spoil(log, b"{add}")
        case "header":
            spoil(log, b"OPLOG")
        case "missing":
            log.unlink()
        case "manifest":
            spoil(log.with_name("manifest"), b"bad")


DAMAGES = ("chunk", "header", "missing", "manifest")


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_worker_is_listed_as_such(cli: Cli, what: str) -> None:
    """Among the others, with what can be done about it."""
    damaged_worker(cli, what)
    documents = [json.loads(line) for line in cli.ok("worker", "list", "--json").splitlines()]
    rows = [line.split()[:2] for line in cli.ok("worker", "list").splitlines()[1:]]

    assert [("bad", "damaged"), ("good", "idle")] == [(d["name"], d["status"]) for d in documents]
    assert "golem-host oplog check --salvage" in documents[0]["reason"]
    assert "golem-host worker delete guest/bad" in documents[0]["reason"]
    assert [["guest/bad", "damaged"], ["guest/good", "idle"]] == rows


@pytest.mark.parametrize("what", DAMAGES)
@pytest.mark.parametrize("arguments", [("guest/bad",), ("--all", "--component", "guest")])
def test_a_damaged_worker_can_be_deleted(cli: Cli, what: str, arguments: tuple[str, ...]) -> None:
    """By its name or with all others; the name is free again."""
    damaged_worker(cli, what)
    cli.ok("worker", "delete", *arguments)
    left = [json.loads(line)["name"] for line in cli.ok("worker", "list", "--json").splitlines()]
    again = cli.ok("worker", "invoke", "guest/bad", "add(1)", "--quiet")

    assert "bad" not in left
    assert "1" == again.strip()


def test_a_list_can_be_of_one_component(cli: Cli) -> None:
    """Those of others are left out."""
    cli.ok("guest.wasm", "--invoke", "add(1)")
    cli.ok("guest.wasm", "--name", "other", "--invoke", "add(1)")

    shown = cli.ok("worker", "list", "--component", "other", "--json").splitlines()

    assert ["other"] == [json.loads(line)["component"] for line in shown]


def test_a_worker_is_shown_with_what_it_was_made_with(cli: Cli) -> None:
    """And why it is in the state that it is in."""
    cli.run("guest.wasm", "--env", "A=1", "--no-retry", "--invoke", "fail", "x")

    text = cli.ok("worker", "get", "guest")
    document = json.loads(cli.ok("worker", "get", "guest/main", "--json"))

    assert "worker:      guest/main\nstatus:      failed\nreason:      failed " in text
    assert "argument:    x\nenvironment: A=1\n" in text
    assert {"A": "1"} == document["env"]
    assert ["x"] == document["args"]
    assert "unreachable" in document["last_error"]


def test_invoke_calls_a_deployed_component(cli: Cli) -> None:
    """Its worker is made by the first call."""
    cli.ok("component", "deploy", "guest.wasm")

    assert "3\n" == cli.ok("worker", "invoke", "guest/alice", "add(3)")
    assert "5\n" == cli.ok("worker", "invoke", "guest/alice", "add(2)")
    assert {"ok": 1} == json.loads(cli.ok("worker", "invoke", "guest", "check(1)", "--json"))[
        "result"
    ]


def test_a_key_makes_a_call_once(cli: Cli) -> None:
    """The same key and call have the first one's result, another call is refused."""
    cli.ok("component", "deploy", "guest.wasm")
    once = ("worker", "invoke", "guest", "add(1)", "--idempotency-key", "k")

    assert "1\n1\n" == cli.ok(*once) + cli.ok(*once)
    refused = cli.run("worker", "invoke", "guest", "add(2)", "-i", "k")
    assert 4 == refused.code
    assert "k" in refused.error


def test_workers_are_deleted_by_name_or_all(cli: Cli) -> None:
    """What is deleted is gone; a name that does not exist deletes nothing."""
    for worker in ("a", "b", "c"):
        cli.ok("guest.wasm", "--worker", worker, "--invoke", "add(1)")
    cli.ok("guest.wasm", "--name", "other", "--invoke", "add(1)")

    wrong = cli.run("worker", "delete", "guest/a", "guest/nobody")
    one = cli.run("worker", "delete", "guest/a")
    rest = cli.run("worker", "delete", "--all", "--component", "guest", "--quiet")

    assert 3 == wrong.code
    assert (0, "golem-host: worker guest/a is deleted\n") == (one.code, one.err)
    assert (0, "") == (rest.code, rest.err)
    assert 1 == len(cli.ok("worker", "list", "--json").splitlines())
    assert "1\n" == cli.ok("guest.wasm", "--worker", "a", "--invoke", "add(1)")


def test_components_are_deployed_and_listed(cli: Cli) -> None:
    """The same bytes again are the same version."""
    said = [cli.run("component", "deploy", "guest.wasm", "--name", "shop").err for _ in range(2)]
    (document,) = map(json.loads, cli.ok("component", "list", "--json").splitlines())

    assert ["golem-host: component shop is deployed, version 0\n"] * 2 == said
    assert ("shop", 0, str(cli.folder / "guest.wasm")) == (
        document["name"],
        document["version"],
        document["source"],
    )
    assert ["shop", "0"] == cli.ok("component", "list").splitlines()[1].split()[:2]


def test_deploy_in_json_is_one_document(cli: Cli) -> None:
    """With everything needed to refer to it."""
    document = json.loads(cli.ok("component", "deploy", "guest.wasm", "--json"))

    assert {"id", "name", "version", "sha256", "source"} <= set(document)


def test_a_component_is_shown_with_exports_and_imports(cli: Cli) -> None:
    """As signatures, and as WIT."""
    cli.ok("component", "deploy", "guest.wasm")

    text = cli.ok("component", "get", "guest", "--version", "0")
    document = json.loads(cli.ok("component", "get", "guest", "--json"))
    wit = cli.ok("component", "wit", "guest")

    assert "test:cli/api@1.0.0.{add}: func(by: u64) -> u64" in text
    assert "wasi:cli/exit@0.2.3.{exit-with-code}: func(status-code: u8)" in document["imports"]
    assert "export test:cli/api@1.0.0;" in wit
    how = dict(zip(document["imports"], document["served"], strict=True))
    reading = next(each for each in how if "subscribe-duration" in each)
    assert ("recorded", "read-local", "monotonic_clock::now") == tuple(how[reading].values())
    assert f"{reading}  // recorded, read-local\n" in text
    writing = next(each for each in how if "blocking-write-and-flush" in each)
    assert f"{writing}  // re-executed\n" in text
    assert 3 == cli.run("component", "get", "guest", "--version", "7").code


def test_a_component_with_workers_is_not_deleted(cli: Cli) -> None:
    """Nor does anything of it change; without workers it goes."""
    cli.ok("guest.wasm", "--invoke", "add(1)")

    refused = cli.run("component", "delete", "guest")
    cli.ok("worker", "delete", "--all")
    done = cli.run("component", "delete", "guest")

    assert 4 == refused.code
    assert "golem-host worker list --component guest" in refused.error
    assert (0, "golem-host: component guest is deleted\n") == (done.code, done.err)
    assert 3 == cli.run("component", "get", "guest").code


def test_a_component_is_deployed_with_initial_files(cli: Cli) -> None:
    """Kept from version to version by `run`; a file that is not there makes none."""
    (cli.folder / "seed.json").write_text("{}")
    deploy = ("component", "deploy", "guest.wasm", "--file")

    cli.ok(*deploy, "seed.json::/data//seed.json::ro")
    cli.ok("guest.wasm", "--invoke", "add(1)")
    text = cli.ok("component", "get", "guest")
    document = json.loads(cli.ok("component", "get", "guest", "--json"))
    missing = cli.run(*deploy, "none.json::/none.json")
    relative = cli.run(*deploy, "seed.json::seed.json")

    assert "/data/seed.json (2 B, read-only)" in text
    assert (0, "/data/seed.json", True) == (
        document["version"],
        document["files"][0]["path"],
        document["files"][0]["read_only"],
    )
    assert "none.json: no such file" in missing.error
    assert (2, True) == (relative.code, "no path below / in the guest" in relative.error)
