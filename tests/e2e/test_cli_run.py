"""`golem-host run`: results, exit codes, workers that go on, and command lines that are wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.components import clock_component


def test_calls_run_in_order_on_one_worker(cli: Cli) -> None:
    """Each result on a line in WAVE; state stays from call to call and from run to run."""
    first = cli.ok("guest.wasm", "--invoke", "add(1)", "--invoke", "add(2)", "--invoke", "hello")
    second = cli.ok("run", "guest.wasm", "--invoke", "test:cli/api#add(4)")

    assert "1\n3\nhello\n()\n" == first
    assert "7\n" == second


def test_workers_are_apart(cli: Cli) -> None:
    """Each name has state of its own."""
    cli.ok("guest.wasm", "--invoke", "add(1)")

    assert "10\n" == cli.ok("guest.wasm", "--worker", "bob", "--invoke", "add(10)")


def test_a_deployed_name_is_an_app(cli: Cli) -> None:
    """Wherever the file is by now."""
    cli.ok("guest.wasm", "--invoke", "add(1)")
    (cli.folder / "guest.wasm").unlink()

    assert "3\n" == cli.ok("guest", "--invoke", "add(2)")


def test_json_is_one_document_per_call(cli: Cli) -> None:
    """On stdout nothing else; the guest's own words go to stderr."""
    done = cli.run("guest.wasm", "--json", "--invoke", "hello", "--invoke", "check(7)")
    documents = [json.loads(line) for line in done.out.splitlines()]

    assert (0, "hello") == (done.code, done.err)
    assert [None, {"ok": 7}] == [document["result"] for document in documents]
    assert ["test:cli/api@1.0.0.{hello}", "test:cli/api@1.0.0.{check}"] == [
        document["function"] for document in documents
    ]


def test_an_err_is_a_result_and_the_last_one(cli: Cli) -> None:
    """It is printed as any result, ends the line of calls, and is code 1."""
    done = cli.run("guest.wasm", "--invoke", "check(101)", "--invoke", "add(1)")

    assert (1, 'err("too much")\n', "") == (done.code, done.out, done.err)
    assert "0\n" == cli.ok("guest.wasm", "--invoke", "add(0)")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("add(-1)", "add(-1): at position 4: expected u64"),
        ("add(18446744073709551616)", "at position 4: expected u64"),
        ('add("x")', 'add("x"): at position 4: expected u64 (0 to 18446744073709551615)'),
        ("add()", "add(): at position 4: expected argument by: u64"),
        ("add(1, 2)", "add(1, 2): at position 7: expected ')' after 1 argument"),
        ("add(1", "add(1: at position 5: expected ',' or ')'"),
        ("(1)", "(1): at position 0: expected a function's name"),
        ("ad(1)", "no function 'ad'; did you mean add?"),
        ("other:api#add(1)", "no function 'other:api#add'"),
    ],
)
def test_a_wrong_call_runs_nothing(cli: Cli, call: str, message: str) -> None:
    """Code 2, where and what was expected; calls before it are not made, no worker is."""
    done = cli.run("guest.wasm", "--invoke", "add(1)", "--invoke", call)

    assert (2, "") == (done.code, done.out)
    assert message in done.error
    assert 1 == len(done.err.splitlines())
    assert "" == cli.ok("worker", "list", "--json")


def test_a_trap_is_retried_and_then_134(cli: Cli) -> None:
    """Each failing attempt is told, the guest's words once; the worker takes no more."""
    done = cli.run("guest.wasm", "--invoke", "add(1)", "--invoke", "fail")
    after = cli.run("guest.wasm", "--invoke", "add(1)")

    assert (134, "1\n") == (done.code, done.out)
    assert 1 == done.err.count("oops\n")
    assert ["retry 1 of 3", "retry 2 of 3", "retry 3 of 3"] == [
        line.partition("; ")[2].partition(" in ")[0]
        for line in done.err.splitlines()
        if "attempt failed" in line
    ]
    assert "the invocation failed" in done.error
    assert "golem-host worker delete" in after.error or "delete the worker" in after.error
    assert 4 == after.code


def test_without_retries_the_first_trap_is_the_last(cli: Cli) -> None:
    """`--no-retry` gives up at once."""
    done = cli.run("guest.wasm", "--no-retry", "--invoke", "fail")

    assert 134 == done.code
    assert "retry" not in done.err


def test_a_timeout_is_an_interrupt(cli: Cli) -> None:
    """Code 124, and the same command goes on."""
    first = cli.run("guest.wasm", "--timeout", "300ms", "--invoke", "nap(1000)")
    second = cli.ok("guest.wasm", "--invoke", "nap(1000)")

    assert (124, "napping\n") == (first.code, first.out)
    assert "awake\n1000\n" == second


def test_an_exit_out_of_a_call_is_code_1(cli: Cli) -> None:
    """Only a command passes its own code on."""
    done = cli.run("guest.wasm", "--invoke", "leave(9)")

    assert (1, "the worker has exited with code 9") == (done.code, done.error)


@pytest.mark.parametrize(
    ("args", "code", "out"),
    [
        ((), 0, ""),
        (("--verbose",), 0, "--verbose"),
        (("a", "b"), 1, ""),
        (("a", "b", "c"), 7, ""),
        (("1", "2", "3", "4"), 0, "napping\nawake\n"),
        (("1", "2", "3", "4", "5"), 134, ""),
    ],
)
def test_a_command_passes_its_code_on(cli: Cli, args: tuple[str, ...], code: int, out: str) -> None:
    """Arguments after `--` are the guest's; ended, the worker is replaced and runs again."""
    once, again = (cli.run("guest.wasm", "--no-retry", "--", *args) for _ in range(2))

    assert (code, out) == (once.code, once.out)
    assert (code, out) == (again.code, again.out)


def test_a_command_in_json_has_its_code_in_the_document(cli: Cli) -> None:
    """So that stdout alone says how it ended."""
    done = cli.run("guest.wasm", "--json", "a", "b", "c")

    assert 7 == done.code == json.loads(done.out)["exit_code"]


def test_what_is_no_command_lists_its_exports(cli: Cli) -> None:
    """Whoever forgets --invoke is told what there is to call."""
    (cli.folder / "clock.wasm").write_bytes(clock_component())

    done = cli.run("clock.wasm")

    assert 2 == done.code
    assert "test:guest/api@1.0.0.{add}: func(by: u64) -> u64" in done.error


def test_an_existing_worker_keeps_what_it_was_made_with(cli: Cli) -> None:
    """Other arguments or variables are refused, not ignored; the same ones are not."""
    cli.ok("guest.wasm", "--env", "A=1", "--invoke", "add(1)", "x")

    same = cli.run("guest.wasm", "--env", "A=1", "--invoke", "add(1)", "x")
    silent = cli.run("guest.wasm", "--invoke", "add(1)")
    other_env = cli.run("guest.wasm", "--env", "A=2", "--invoke", "add(1)")
    other_args = cli.run("guest.wasm", "--invoke", "add(1)", "y z")

    assert (0, 0) == (same.code, silent.code)
    assert (4, 4) == (other_env.code, other_args.code)
    assert "was made with other environment: A=1" in other_env.error
    assert "was made with other arguments: x" in other_args.error
    assert "golem-host worker delete guest/main" in other_args.error


def test_new_bytes_are_a_new_version_for_new_workers(cli: Cli) -> None:
    """The worker that exists stays on its own, and is said to."""
    cli.ok("guest.wasm", "--invoke", "add(1)")
    add_custom_section(cli.folder / "guest.wasm")

    old = cli.run("guest.wasm", "--invoke", "add(1)")
    new = cli.run("guest.wasm", "--worker", "new", "--invoke", "add(1)")

    assert (0, "2\n") == (old.code, old.out)
    assert "worker guest/main stays on version 0" in old.err
    assert (0, "1\n", "") == (new.code, new.out, new.err)
    assert 1 == json.loads(cli.ok("worker", "get", "guest/new", "--json"))["component_version"]


def add_custom_section(wasm: Path) -> None:
    """Other bytes, the same component."""
    wasm.write_bytes(wasm.read_bytes() + b"\x00\x02\x01x")


def test_another_file_of_the_same_name_is_refused(cli: Cli) -> None:
    """Two programs must not share workers by accident; --name tells them apart."""
    cli.ok("guest.wasm", "--invoke", "add(1)")
    other = cli.folder / "elsewhere" / "guest.wasm"
    other.parent.mkdir()
    other.write_bytes((cli.folder / "guest.wasm").read_bytes())

    refused = cli.run(other, "--invoke", "add(1)")

    assert 4 == refused.code
    assert "--name" in refused.error
    assert "1\n" == cli.ok(other, "--name", "second", "--invoke", "add(1)")


def test_a_name_is_for_files_only(cli: Cli) -> None:
    """A deployed component has its name already."""
    cli.ok("component", "deploy", "guest.wasm")

    done = cli.run("run", "guest", "--name", "x", "--invoke", "add(1)")

    assert 2 == done.code
    assert "--name is for files and folders" in done.error
