"""Reading a project folder: what belongs to the guest, and what is said when something lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from golem_host.errors import GuestBuildError
from golem_host.guest import project as project_module
from golem_host.guest.project import read_project
from tests.unit.guest.projects import APP, WORLD, write_project

TWO_WORLDS = "package demo:cart; world one { } world two { }"


def paths(folder: Path) -> list[str]:
    return [path for path, _ in read_project(folder).files]


def refusal(folder: Path) -> GuestBuildError:
    with pytest.raises(GuestBuildError) as raised:
        read_project(folder)
    return raised.value


def test_a_project_is_its_sources_and_its_wit(tmp_path: Path) -> None:
    """Modules and data files beside and below app.py are taken, in one fixed order."""
    folder = write_project(tmp_path / "cart", {"lib/tax.py": "RATE = 1\n", "lib/rates.json": "{}"})

    project = read_project(folder)

    assert ("cart", "cart", ["app"]) == (project.name, project.world, project.roots())
    assert project.files == (
        ("app/app.py", APP.encode()),
        ("app/lib/rates.json", b"{}"),
        ("app/lib/tax.py", b"RATE = 1\n"),
        ("wit/world.wit", WORLD.encode()),
    )


def test_the_sdk_has_the_wit_beside_it(tmp_path: Path) -> None:
    """For calls to other workers; a guest without the SDK is built from its own files alone."""
    folder = write_project(
        tmp_path / "cart", {"lib.py": "import golem_guest\n", "wit/deps/a/b.wit": "package a:b;"}
    )
    files = dict(read_project(folder).files)

    assert files["guest_sdk/golem_guest/wit/world.wit"] == WORLD.encode()
    assert files["guest_sdk/golem_guest/wit/deps/a/b.wit"] == b"package a:b;"


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".env",
        "__pycache__/app.cpython-314.pyc",
        "lib/__pycache__/tax.pyc",
        "node_modules/a/index.js",
        "env/lib/site.py",
        "README.md",
        "golem.toml",
        "cart.wasm",
    ],
)
def test_what_is_not_the_guests_is_left_out(path: str, tmp_path: Path) -> None:
    """Hidden files, caches, virtual environments, built components and the README stay behind."""
    folder = write_project(tmp_path, {"env/pyvenv.cfg": "", path: ""})

    assert ["app/app.py", "wit/world.wit"] == paths(folder)


def test_vendored_packages_are_a_second_root(tmp_path: Path) -> None:
    """What lies in vendor/ can be imported by its name, after the project's own modules."""
    folder = write_project(tmp_path, {"vendor/idna/__init__.py": ""})

    project = read_project(folder)

    assert ["app", "vendor"] == project.roots()
    assert ("vendor/idna/__init__.py", b"") in project.files


def test_shipped_packages_come_along_as_far_as_they_are_needed(tmp_path: Path) -> None:
    """A world that names a shipped interface is given its package and those behind it."""
    wit = "package demo:cart; world cart { import golem:api/context@1.1.7; }"
    folder = write_project(tmp_path, {"wit/world.wit": wit})

    packages = {path.split("/")[2] for path in paths(folder) if path.startswith("wit/deps/")}

    assert packages == {
        "golem-api@1.1.7",
        "golem-rpc@0.2.2",
        "wasi-clocks@0.2.9",
        "wasi-io@0.2.9",
    }


def test_a_package_of_the_projects_own_is_not_shipped_over(tmp_path: Path) -> None:
    """A copy below wit/deps/ is used as it is; nothing is added beside it."""
    own = "package wasi:random@0.2.9; interface random { get-random-u64: func() -> u64; }"
    wit = "package demo:cart; world cart { import wasi:random/random@0.2.9; }"
    folder = write_project(tmp_path, {"wit/world.wit": wit, "wit/deps/random.wit": own})

    assert ["app/app.py", "wit/deps/random.wit", "wit/world.wit"] == paths(folder)


def test_a_package_that_is_nowhere_is_refused_with_the_one_that_is(tmp_path: Path) -> None:
    """Another version than the shipped one is named, together with the shipped one."""
    wit = "package demo:cart; world cart { import wasi:random/random@0.2.3; }"
    error = refusal(write_project(tmp_path / "cart", {"wit/world.wit": wit}))

    assert (
        "cart: wit/ refers to wasi:random@0.2.3, which is neither in wit/deps/ nor shipped; "
        "use wasi:random@0.2.9"
    ) == str(error)


def test_an_unknown_package_is_refused_with_the_place_for_it(tmp_path: Path) -> None:
    """A package that nobody ships has to be copied into the project."""
    wit = "package demo:cart; world cart { import acme:shop/till; }"
    error = refusal(write_project(tmp_path, {"wit/world.wit": wit}))

    assert "copy its WIT to a folder below wit/deps/" == error.advice


@pytest.mark.parametrize(
    ("gone", "reason"),
    [
        ("app.py", "no app.py in the project folder"),
        ("wit/world.wit", "no wit/ in the project folder"),
    ],
)
def test_a_folder_that_is_no_project_is_refused(gone: str, reason: str, tmp_path: Path) -> None:
    """Both halves of a project are asked for by name."""
    folder = write_project(tmp_path)
    (folder / gone).unlink()

    assert reason == refusal(folder).reason


def test_a_folder_without_a_world_is_refused(tmp_path: Path) -> None:
    """Interfaces alone are not enough to build against."""
    folder = write_project(tmp_path, {"wit/world.wit": "package demo:cart; interface api { }"})

    assert "no world in wit/" == refusal(folder).reason


def test_one_of_several_worlds_has_to_be_chosen(tmp_path: Path) -> None:
    """The refusal lists the worlds and shows the line that chooses."""
    error = refusal(write_project(tmp_path, {"wit/world.wit": TWO_WORLDS}))

    assert (
        "several worlds in wit/: one, two",
        'choose one in golem.toml: [guest] world = "one"',
    ) == (
        error.reason,
        error.advice,
    )


def test_golem_toml_chooses_the_world(tmp_path: Path) -> None:
    """The chosen world is built against; other tables of the file are none of our business."""
    settings = '[guest]\nworld = "two"\n[other]\nx = 1\n'
    folder = write_project(tmp_path, {"wit/world.wit": TWO_WORLDS, "golem.toml": settings})

    assert "two" == read_project(folder).world


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ('[guest]\nworld = "three"\n', "no world 'three' in wit/"),
        ('[guest]\nwordl = "one"\n', "golem.toml: [guest] has one setting, world"),
        ('guest = "one"\n', "golem.toml: [guest] has one setting, world"),
        ("[guest\n", "golem.toml: Expected ']' at the end of a table declaration"),
        ("[guest]\n", "several worlds in wit/: one, two"),
    ],
)
def test_a_wrong_golem_toml_is_refused(settings: str, reason: str, tmp_path: Path) -> None:
    """A misspelt setting or world is told, not ignored."""
    folder = write_project(tmp_path, {"wit/world.wit": TWO_WORLDS, "golem.toml": settings})

    assert reason in refusal(folder).reason


def test_worlds_of_packages_below_are_not_candidates(tmp_path: Path) -> None:
    """A world that comes with a package of others does not make the choice ambiguous."""
    folder = write_project(tmp_path, {"wit/deps/x.wit": "package x:y; world z { }"})

    assert "cart" == read_project(folder).world


def test_a_folder_of_data_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources beyond the bound are refused before they are all in memory."""
    monkeypatch.setattr(project_module, "SOURCES_SIZE_BYTES_MAX", 1000)
    folder = write_project(tmp_path, {"a.bin": "x" * 600, "b.bin": "x" * 600})

    assert "keep data that is not imported outside of the project folder" == refusal(folder).advice
