"""``dev.py`` and the justfile: one way to set up, one list of checks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import dev
from tests.support.justfile import recipes
from tests.support.repository import ROOT

RECIPE_LINES_MAX = 3


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """An environment elsewhere; what would be installed into it is listed instead."""
    calls: list[str] = []
    monkeypatch.setattr(dev, "VENV", tmp_path)
    monkeypatch.setattr(dev, "STAMP", tmp_path / "stamp")
    monkeypatch.setattr(dev, "make_venv", lambda: calls.append("venv"))
    monkeypatch.setattr(dev, "pip", lambda *args: calls.append(args[0]))
    return calls


def test_the_stages_are_those_of_just_check() -> None:
    """`python3 dev.py test` and `just check` are one list."""
    assert recipes()["check"].dependencies == dev.STAGES


def test_every_recipe_is_short_and_explained() -> None:
    """A recipe has a comment and a group, and at most three lines: more belongs into Python."""
    poor = [
        recipe.name
        for recipe in recipes().values()
        if not recipe.doc or not recipe.group or recipe.lines > RECIPE_LINES_MAX
    ]

    assert [] == poor


def test_another_python_is_refused_in_one_line() -> None:
    """A version that is not supported is told so before anything else happens."""
    pretend = "import runpy, sys; sys.version_info = (3, 10, 9); runpy.run_path('dev.py')"
    done = subprocess.run(
        [sys.executable, "-c", pretend], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert 1 == done.returncode
    assert "" == done.stdout
    assert ["golem-host needs Python 3.11, 3.12 or 3.13 and this is 3.10"] == [
        line.split(":")[0] for line in done.stderr.splitlines()
    ]


def test_a_second_setup_does_nothing(installed: list[str]) -> None:
    """Where the lock is what it was, nothing is installed and nothing is fetched."""
    dev.setup()
    first = installed.copy()
    dev.setup()

    assert ["venv", "--require-hashes", "--no-deps"] == first
    assert first == installed


def test_a_changed_lock_is_installed(
    installed: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The environment follows the lock."""
    dev.setup()
    installed.clear()
    changed = tmp_path / "requirements.lock"
    changed.write_text("other==1.0\n", encoding="ascii")
    monkeypatch.setattr(dev, "LOCK", changed)
    dev.setup()

    assert "--require-hashes" in installed


def test_a_setup_that_was_cut_off_is_done_again(
    installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A half-made environment is never taken for a whole one, not even for the one before it."""

    def fail(*_args: str) -> None:
        raise dev.StageError("set up", 1)

    dev.setup()
    installed.clear()
    with monkeypatch.context() as cut_off:
        cut_off.setattr(dev, "fingerprint", lambda: "another lock")
        cut_off.setattr(dev, "pip", fail)
        with pytest.raises(dev.StageError):
            dev.setup()
    dev.setup()

    assert "--require-hashes" in installed


def test_the_first_failing_stage_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failed check ends at its stage, with its name and its exit code."""
    ran: list[str] = []

    def run(stage: str, *_args: str, **_variables: str) -> None:
        ran.append(stage)
        if stage == "types":
            raise dev.StageError(stage, 3)

    monkeypatch.setattr(dev, "setup", lambda: None)
    monkeypatch.setattr(dev, "run", run)
    monkeypatch.setattr(sys, "argv", ["dev.py", "test"])
    exit_code = dev.main()

    assert 3 == exit_code
    assert ["lint", "types"] == ran
    assert "dev.py: failed: types (exit code 3)" in capsys.readouterr().out


def test_only_pytest_is_given_what_is_left_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options of `test` that are not ours reach pytest; elsewhere they are a usage error."""
    given: list[tuple[str, ...]] = []
    monkeypatch.setattr(dev, "run", lambda *args, **_variables: given.append(args))
    full, rest = dev.parse(["test", "--full", "-x", "tests/unit"])
    dev.check(full=full.full, pytest_args=rest)

    assert ("test", "just", "test", "-x", "tests/unit") == given[-1]
    assert ("lint", "just", "lint") == given[0]
    with pytest.raises(SystemExit):
        dev.parse(["setup", "-x"])
