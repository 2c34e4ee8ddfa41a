"""What options are read as, and where a guest's own arguments begin."""

from __future__ import annotations

from dataclasses import dataclass

import click
import pytest
from click.testing import CliRunner

from golem_cli import options
from golem_cli.run_args import RunCommand


@pytest.mark.parametrize(
    ("text", "name"),
    [("shop", ("shop", "main")), ("shop/a", ("shop", "a")), ("shop/a/b", ("shop", "a/b"))],
)
def test_a_worker_is_component_and_name(text: str, name: tuple[str, str]) -> None:
    """A component alone stands for its worker `main`."""
    assert name == options.WORKER.convert(text, None, None)


@pytest.mark.parametrize("text", ["", "/a", "shop/"])
def test_half_a_worker_is_refused(text: str) -> None:
    """A missing half is not guessed."""
    with pytest.raises(click.BadParameter, match="COMPONENT/NAME"):
        options.WORKER.convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "seconds"), [("5", 5.0), ("0.5", 0.5), ("500ms", 0.5), ("3s", 3.0), ("2m", 120.0)]
)
def test_a_duration_is_seconds_or_has_a_unit(text: str, seconds: float) -> None:
    """A bare number is seconds."""
    assert seconds == options.DURATION.convert(text, None, None)


@pytest.mark.parametrize("text", ["", "-1", "1d", "soon", "1 000", "1e9", "nan"])
def test_other_durations_are_refused(text: str) -> None:
    """Nothing else has a meaning here."""
    with pytest.raises(click.BadParameter, match="is not a duration"):
        options.DURATION.convert(text, None, None)


def test_a_variable_without_a_value_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the wasmtime CLI; one that is not set here has no value."""
    monkeypatch.setenv("SET_HERE", "1")
    monkeypatch.delenv("NOT_SET_HERE", raising=False)
    convert = options.ENV.convert

    assert ("A", "b=c") == convert("A=b=c", None, None)
    assert ("A", "") == convert("A=", None, None)
    assert ("SET_HERE", "1") == convert("SET_HERE", None, None)
    assert ("NOT_SET_HERE", None) == convert("NOT_SET_HERE", None, None)
    with pytest.raises(click.BadParameter):
        convert("=x", None, None)


@dataclass(frozen=True)
class Parsed:
    app: str
    args: tuple[str, ...]
    flag: bool
    value: str | None


@click.command(cls=RunCommand)
@click.argument("app")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.option("--flag", is_flag=True)
@click.option("--value")
@options.bundled(Parsed)
def parse(parsed: Parsed) -> None:
    click.echo(repr(parsed))


@pytest.mark.parametrize(
    ("line", "parsed"),
    [
        (["app"], Parsed("app", (), False, None)),
        (["app", "--flag", "--value", "1", "x"], Parsed("app", ("x",), True, "1")),
        (["--value=1", "app", "--flag"], Parsed("app", (), True, "1")),
        (["app", "x", "--flag"], Parsed("app", ("x", "--flag"), False, None)),
        (["app", "--", "--flag"], Parsed("app", ("--flag",), False, None)),
        (["app", "--flag", "--", "-x", "--"], Parsed("app", ("-x", "--"), True, None)),
        (["--", "app", "--flag", "x"], Parsed("app", ("x",), True, None)),
        (["app", "-", "--flag"], Parsed("app", ("-", "--flag"), False, None)),
        (["app", "x", "--", "y"], Parsed("app", ("x", "--", "y"), False, None)),
    ],
)
def test_options_stand_on_either_side_of_the_app(line: list[str], parsed: Parsed) -> None:
    """The host's options end at the first word that is none, or at ``--``."""
    assert f"{parsed!r}\n" == CliRunner().invoke(parse, line).output


def test_a_guest_option_without_dashes_before_it_is_explained() -> None:
    """Whoever forgets ``--`` is told of it."""
    done = CliRunner().invoke(parse, ["app", "--verbose"])

    assert 2 == done.exit_code
    assert "options of the guest's own stand after `--`" in done.output
