"""``wit/`` against Golem's and WASI's interfaces, and against the toolchain that reads it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from golem_host.guest import toolchain
from golem_host.guest.shipped import folder, wit_packages
from tests.support.repository import ROOT
from tests.support.wit_reader import read_folder

CORE = tuple(
    f"wasi:{name}@" for name in ("io", "clocks", "random", "cli", "filesystem", "sockets", "http")
)

INTERFACES, WORLDS = read_folder(ROOT / "wit")

GUEST_WORLDS = sorted(name for name in WORLDS if name.startswith("golem:guest/"))


def table() -> dict[str, list[str]]:
    """``wit_table.txt``: interface -> its declarations."""
    found: dict[str, list[str]] = {}
    declarations: list[str] = []
    for line in (ROOT / "tests/support/wit_table.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            declarations.append(line.strip())
        elif line and not line.startswith("#"):
            declarations = found[line] = []
    return found


TABLE = table()


def imports_of(world: str) -> set[str]:
    """The interfaces that a world imports by itself or by what it includes."""
    home = world.partition("/")[0]
    version = world.partition("@")[2]
    reached = set()
    for line in WORLDS[world].lines:
        kind, _, name = line.partition(" ")
        if "/" not in name:
            name = f"{home}/{name}" + (f"@{version}" if version else "")
        if kind == "include":
            reached |= imports_of(name)
        elif kind == "import":
            reached.add(name)
    return reached


def test_there_is_every_interface_and_no_other() -> None:
    """Wit/ has the interfaces of the table: what is not offered is not shipped either."""
    assert sorted(TABLE) == sorted(INTERFACES)


@pytest.mark.parametrize("name", sorted(TABLE))
def test_an_interface_declares_what_the_table_says(name: str) -> None:
    """Every type and function is there, with its names and their order, and nothing else is."""
    assert sorted(TABLE[name]) == sorted(INTERFACES[name].lines)


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_function_says_how_it_fails(name: str) -> None:
    """Each function has a comment, which names the errors where its type has any."""
    silent = [
        line
        for line, doc in INTERFACES[name].lines.items()
        if "func(" in line
        and not (doc and ("-> result<" not in line or "Err" in doc or "Traps" in doc))
    ]

    assert [] == silent


def test_every_interface_and_world_says_what_it_is_for() -> None:
    """Each interface and each world opens with a comment."""
    docs = {name: found.doc for name, found in INTERFACES.items()}
    docs |= {name: found.doc for name, found in WORLDS.items()}
    silent = [name for name, doc in docs.items() if not doc]

    assert [] == silent


def test_one_file_holds_one_interface() -> None:
    """An interface is found by its name: it lies alone in a file that is called like it."""
    files = {
        path: re.findall(r"^interface ([\w-]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        for path in (ROOT / "wit").rglob("*.wit")
    }

    assert {path: [path.stem] for path, names in files.items() if names} == {
        path: names for path, names in files.items() if names
    }


def test_everything_means_everything() -> None:
    """The world `everything` imports each interface that the host answers, by name."""
    exported_by_guests = {
        "golem:api/save-snapshot@1.1.7",
        "golem:api/load-snapshot@1.1.7",
        "golem:api/oplog-processor@1.1.7",
        "wasi:cli/run@0.2.9",
        "wasi:http/incoming-handler@0.2.9",
        # Comes with outgoing-handler, which uses its types.
        "wasi:http/types@0.2.9",
    }

    assert sorted(set(TABLE) - exported_by_guests) == sorted(
        imports_of("golem:guest/everything@1.0.0")
    )


@pytest.mark.parametrize("world", GUEST_WORLDS)
def test_the_toolchain_takes_every_world_for_guests(world: str, tmp_path: Path) -> None:
    """Componentize-py, given the folder alone, generates bindings for each world of ours."""
    (tmp_path / "wit").symlink_to(folder("wit"))
    short = world.partition("/")[2].partition("@")[0]

    output = toolchain.bindings(tmp_path, world=short, output=tmp_path / "out")

    assert (0, "") == (output.returncode, output.text)


@pytest.mark.parametrize("world", sorted(set(WORLDS) - set(GUEST_WORLDS)))
def test_the_toolchain_takes_every_other_world(world: str, tmp_path: Path) -> None:
    """The worlds of each package can be built against by themselves, too."""
    (tmp_path / "wit").symlink_to(folder("wit"))

    output = toolchain.bindings(tmp_path, world=world, output=tmp_path / "out")

    assert (0, "") == (output.returncode, output.text)


def test_packages_use_the_wasi_that_python_guests_bring() -> None:
    """One version of WASI throughout, so that no guest imports an interface twice."""
    versions = {package.partition("@")[2] for package in wit_packages() if package.startswith(CORE)}

    assert {"0.2.9"} == versions
