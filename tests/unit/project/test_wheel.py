"""What an installation gets: the three packages, and what guests are built from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from golem_host.guest.new import TEMPLATES
from tests.support.repository import ROOT, shown, tracked

MOVED = {
    "host/golem_host/": "golem_host/",
    "oplog/golem_oplog/": "golem_oplog/",
    "cli/golem_cli/": "golem_cli/",
    "guest_sdk/golem_guest/": "golem_host/guest_sdk/golem_guest/",
    **{
        f"guest_examples/{each.example}/": f"golem_host/guest_examples/{each.example}/"
        for each in TEMPLATES.values()
    },
    "wit/": "golem_host/wit/",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "--target",
        "wheel",
        "--directory",
        str(folder),
    ]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made


def test_a_wheel_holds_every_source_and_nothing_else(wheel: Path) -> None:
    """Neither a module nor a WIT file is forgotten, and no test is installed."""
    wanted = {
        installed + shown(path).removeprefix(source)
        for path in tracked()
        for source, installed in MOVED.items()
        if shown(path).startswith(source)
    }
    with ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert wanted == packed


def test_an_installation_finds_what_guests_are_built_from(wheel: Path, tmp_path: Path) -> None:
    """Away from the checkout, the WIT packages are those that lie in it."""
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    ask = (
        "from golem_host.guest.shipped import folder, wit_packages as w; print(folder('wit'), *w())"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    place, *packages = done.stdout.split()

    assert str(tmp_path / "golem_host" / "wit") == place
    assert "golem:api@1.1.7" in packages
