"""What cannot be done is one clear line with its code, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli, without_privilege
from tests.support.components import component

CALL = ("--invoke", "add(1)")

UNKNOWN_IMPORT = """(component
  (import "acme:secret/door" (instance (export "open" (func)) (export "shut" (func)))))"""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"#!/bin/sh\n", "not a WebAssembly"),
        (b"\x00asm\x01\x00\x00\x00", "core module"),
        (component("(component)")[:-1] + b"\x99", ""),
        (component(UNKNOWN_IMPORT), "acme:secret/door"),
    ],
    ids=["empty", "script", "core", "mutated", "import"],
)
def test_what_cannot_be_hosted_is_refused(cli: Cli, content: bytes, message: str) -> None:
    """Code 4 and a reason; nothing is deployed."""
    (cli.folder / "bad.wasm").write_bytes(content)

    done = cli.run("bad.wasm", *CALL)

    assert (4, "") == (done.code, done.out)
    assert 1 == len(done.err.splitlines())
    assert message.lower() in done.error.lower()
    assert "" == cli.ok("component", "list", "--json")


def test_a_truncated_component_is_refused(cli: Cli) -> None:
    """Half a download is not run."""
    whole = (cli.folder / "guest.wasm").read_bytes()
    (cli.folder / "half.wasm").write_bytes(whole[: len(whole) // 2])

    done = cli.run("half.wasm", *CALL)

    assert 4 == done.code
    assert "half" in done.error


def test_all_missing_imports_are_named_at_once(cli: Cli) -> None:
    """Nobody wants to meet them one by one."""
    (cli.folder / "bad.wasm").write_bytes(component(UNKNOWN_IMPORT))

    done = cli.run("bad.wasm", *CALL)

    assert "open" in done.error
    assert "shut" in done.error


def test_a_folder_that_is_no_project_is_refused(cli: Cli) -> None:
    """With what a project needs."""
    (cli.folder / "empty").mkdir()

    done = cli.run("empty", *CALL)

    assert 4 == done.code
    assert "app.py" in done.error


@pytest.mark.parametrize(
    "line",
    [
        ("nowhere.wasm", *CALL),
        ("run", "nobody", *CALL),
        ("dump", "nobody"),
        ("worker", "get", "nobody"),
        ("worker", "invoke", "nobody", "f()"),
        ("worker", "list", "--component", "nobody"),
        ("component", "get", "nobody"),
        ("component", "deploy", "nobody"),
    ],
    ids=" ".join,
)
def test_what_is_not_there_is_code_3(cli: Cli, line: tuple[str, ...]) -> None:
    """Also on a machine that has no state at all, where looking makes none."""
    done = cli.run(*line)

    assert (3, "") == (done.code, done.out)
    assert "no" in done.error


def test_looking_makes_no_state(cli: Cli) -> None:
    """Reading commands leave nothing behind."""
    assert "" == cli.ok("worker", "list", "--json")
    assert "" == cli.ok("component", "list", "--json")
    assert not cli.state.exists()


def test_a_state_directory_that_cannot_be_made_is_code_5(cli: Cli) -> None:
    """Here below a file."""
    done = cli.run("guest.wasm", *CALL, "--state-dir", "guest.wasm/state")

    assert 5 == done.code
    assert "guest.wasm/state" in done.error


def test_a_read_only_state_directory_is_code_5(cli: Cli) -> None:
    """Permission is the reason, and a log can be read all the same."""
    cli.ok("guest.wasm", *CALL)
    writable = [path for path in (cli.state, *cli.state.rglob("*")) if path.is_dir()]
    for path in (*writable, cli.state / "lock"):
        path.chmod(0o500)
    try:
        refused = cli.run("guest.wasm", *CALL, prefix=without_privilege())
        dumped = cli.run("dump", "guest", prefix=without_privilege())
    finally:
        for path in writable:
            path.chmod(0o700)

    assert 5 == refused.code
    assert "permission denied" in refused.error.lower()
    assert (0, True) == (dumped.code, "{add}(1)" in dumped.out)


def test_what_a_killed_host_left_is_read_without_permission_to_write(cli: Cli) -> None:
    """Its write-ahead log included, and whether or not the index of that is there."""
    with cli.start("guest.wasm", "--invoke", "nap(60000)") as running:
        running.wait_for(b"napping\n")
    (cli.state / "host.db-shm").unlink()
    before = sorted(path.name for path in cli.state.iterdir())
    cli.state.chmod(0o500)
    try:
        dumped = cli.run("dump", "guest", prefix=without_privilege())
        listed = cli.run("worker", "list", prefix=without_privilege())
    finally:
        cli.state.chmod(0o700)

    assert "host.db-wal" in before
    assert (0, True) == (dumped.code, "napping" in dumped.out)
    assert (0, True) == (listed.code, "guest/main" in listed.out)
    assert before == sorted(path.name for path in cli.state.iterdir())


def test_a_damaged_database_is_code_5(cli: Cli) -> None:
    """It is named, and not overwritten."""
    cli.ok("guest.wasm", *CALL)
    for file in cli.state.glob("host.db*"):
        file.write_bytes(b"no database at all" * 1000)

    done = cli.run("guest.wasm", *CALL)

    assert 5 == done.code
    assert "host.db" in done.error or "state directory" in done.error


@pytest.mark.parametrize(
    "line",
    [
        ("run",),
        ("--invoke", "f()"),
        ("guest.wasm", "--timeout", "soon"),
        ("guest.wasm", "--env", "=x"),
        ("guest.wasm", "--bogus"),
        ("worker", "delete"),
        ("worker", "delete", "guest", "--all"),
        ("dump", "guest", "--json", "--raw"),
        ("dump", "guest", "--kind", "bogus"),
        ("dump", "guest", "--grep", "("),
        ("dump", "guest", "--from", "0"),
        ("oplog", "search", "guest", "add OR"),
        ("oplog", "search", "guest", "/(a/"),
        ("bogus",),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_code_2(cli: Cli, line: tuple[str, ...]) -> None:
    """One line, and nothing is made."""
    done = cli.run(*line)

    assert (2, "") == (done.code, done.out)
    assert done.error
    assert 1 == len(done.err.splitlines())
    assert not cli.state.exists()


def test_a_build_that_fails_says_why(cli: Cli, tmp_path: Path) -> None:
    """Code 4: the project cannot become a component."""
    project = tmp_path / "broken"
    (project / "wit").mkdir(parents=True)
    (project / "app.py").write_text("import wit_world\n", encoding="utf-8")
    (project / "wit" / "world.wit").write_text("package a:b;\nworld w {", encoding="utf-8")

    done = cli.run("build", "broken")

    assert 4 == done.code
    assert "world.wit" in done.err
    assert not (tmp_path / "broken.wasm").exists()
