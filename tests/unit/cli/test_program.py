"""The group: what it imports, what it does with words that are no command, what is documented."""

from __future__ import annotations

import subprocess
import sys
from inspect import cleandoc
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from docs.generate_cli import TARGET, commands, reference
from golem_cli.program import COMMANDS, cli

COMMANDS_BY_PATH = {context.command_path: command for context, command in commands()}
HEAVY = {"golem_host", "golem_oplog", "wasmtime", "rich", "json", "golem_cli.run", "golem_cli.dump"}


def test_help_imports_no_more_than_click() -> None:
    """Asking what there is must not load what it runs."""
    program = (
        "import sys; from golem_cli.program import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("Usage: golem-host")
    assert set() == HEAVY & set(done.stderr.split())


@pytest.mark.parametrize(
    ("typed", "meant"), [("worke", "worker"), ("dmup", "dump"), ("bild", "build")]
)
def test_a_mistyped_command_is_told_the_nearest(typed: str, meant: str, tmp_path: Path) -> None:
    """What is neither command nor anything to run names the command it is nearest to."""
    done = CliRunner().invoke(cli, [typed, "--state-dir", str(tmp_path / "none")])

    assert 2 == done.exit_code
    assert f"the nearest command is `{meant}`" in done.stderr
    assert 1 == len(done.stderr.splitlines())
    assert not (tmp_path / "none").exists()


def test_a_mistyped_verb_is_told_the_nearest() -> None:
    """Groups below the first one do the same."""
    done = CliRunner().invoke(cli, ["worker", "lst"])

    assert (2, "") == (done.exit_code, done.stdout)
    assert "did you mean `golem-host worker list`?" in done.stderr


def test_a_word_like_nothing_is_told_all_commands() -> None:
    """Where nothing is near, a wrong guess would only mislead."""
    done = CliRunner().invoke(cli, ["worker", "xyzzy"])

    assert (
        "commands: cancel, delete, explain, files, fork, get, interrupt, invocations" in done.stderr
    )


@pytest.mark.parametrize(
    "line", [["app.wasm"], ["--invoke", "f()", "app.wasm"], ["--worker=a", "app.wasm"]]
)
def test_an_app_alone_is_run(
    line: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`golem-host APP` is `golem-host run APP`, its options before or after it."""
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(cli, line)

    assert (3, "golem-host: error: app.wasm: no such file or folder\n") == (
        done.exit_code,
        done.stderr,
    )


@pytest.mark.parametrize("path", COMMANDS_BY_PATH)
def test_every_command_has_help_and_an_example(path: str) -> None:
    """The first line says what it does, the last block shows it done."""
    command = COMMANDS_BY_PATH[path]
    help_text = cleandoc(command.help or "")
    example = help_text.partition("Example:\n")[2].strip().splitlines()

    assert help_text.splitlines()[0].strip().endswith((".", ";"))
    assert example
    # `oplog dump` is `dump`.
    assert example[0].startswith(path.replace("oplog dump", "dump"))


@pytest.mark.parametrize("path", COMMANDS_BY_PATH)
def test_every_option_is_explained(path: str) -> None:
    """No option without a word about it."""
    params = COMMANDS_BY_PATH[path].params

    assert [] == [p.name for p in params if isinstance(p, click.Option) and not p.help]


def test_summaries_are_those_of_the_commands() -> None:
    """The lazy table says of each command what the command says of itself."""
    told = {name: entry.summary for name, entry in COMMANDS.items()}
    own = {
        name: COMMANDS_BY_PATH[f"golem-host {name}"].get_short_help_str(200) for name in COMMANDS
    }

    assert own == told


def test_the_reference_is_up_to_date() -> None:
    """docs/cli.md is what docs/generate_cli.py writes."""
    assert reference() == TARGET.read_text(encoding="utf-8"), "run: python -m docs.generate_cli"
