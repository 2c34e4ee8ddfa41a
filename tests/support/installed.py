"""
The wheel of this project, installed by pip into an environment of its own, away from the checkout.

Nothing is fetched: what the wheel asks for is taken from the environment that runs the tests, that
and nothing else of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

from tests.support.cli import DEADLINE_S, Cli
from tests.support.repository import ROOT

NAME: Final = "golem-host"


@dataclass(frozen=True, slots=True)
class InstalledCli(Cli):
    """The installed program, with a home directory that nobody has used."""

    environment: Path

    @property
    def program(self) -> str:
        return str(self.environment / "bin" / NAME)

    @property
    def env(self) -> dict[str, str]:
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return {"HOME": str(home), "PATH": f"{self.environment / 'bin'}:{os.defpath}"}

    def python(self, code: str) -> str:
        """What a script prints."""
        done = subprocess.run(
            [self.environment / "bin" / "python", "-c", code],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def install(folder: Path) -> Path:
    """Build the wheel and install it below a folder; the environment."""
    _run("-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder), cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    environment = folder / "environment"
    venv.create(environment, symlinks=True)
    python = str(environment / "bin" / "python")
    _run("-m", "pip", "--python", python, "install", "-q", "--no-index", "--no-deps", str(wheel))
    (site,) = environment.glob("lib/python*/site-packages")
    (ours,) = metadata.distributions(name=NAME, path=[str(site)])
    _link(_required({*_asked_for(ours)}), folder / "required")
    (site / "required.pth").write_text(f"{folder / 'required'}\n", encoding="utf-8")
    return environment


def _run(*args: str, cwd: Path | None = None) -> None:
    done = subprocess.run(
        [sys.executable, *args], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _link(names: set[str], folder: Path) -> None:
    folder.mkdir()
    for name in sorted(names):
        distribution = metadata.distribution(name)
        assert distribution.files is not None
        for top in {file.parts[0] for file in distribution.files} - {"..", "__pycache__"}:
            link = folder / top
            if not link.exists():
                link.symlink_to(str(distribution.locate_file(top)))


def _required(names: set[str]) -> set[str]:
    """These distributions, and all that they ask for here."""
    found = set(names)
    for name in names:
        found |= set(_asked_for(metadata.distribution(name)))
    return found if found == names else _required(found)


def _asked_for(distribution: metadata.Distribution) -> Iterator[str]:
    for text in distribution.requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name.lower()
