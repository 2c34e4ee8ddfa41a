"""The cache around a build, with a toolchain that takes no time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import pytest

from golem_host.errors import GuestBuildError
from golem_host.guest import build as build_module
from golem_host.guest.build import BuiltGuest, build_guest
from golem_host.guest.toolchain import ToolOutput
from tests.unit.guest.projects import write_project

COMPONENT = b"\0asm, or so"

WAIT_S_MAX = 10


@dataclass
class QuickTool:
    """Writes a component at once, or fails, and remembers what it was shown."""

    failure: ToolOutput | None = None
    seen: list[list[str]] = field(default_factory=list)

    def __call__(
        self, stage: Path, *, world: str, roots: Sequence[str], output: Path
    ) -> ToolOutput:
        files = (path.relative_to(stage) for path in stage.rglob("*") if path.is_file())
        self.seen.append([world, *roots, *sorted(map(str, files))])
        if self.failure:
            return self.failure
        output.write_bytes(COMPONENT)
        return ToolOutput(0, "")


@pytest.fixture
def cache_dir(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_a_build_ends_in_the_cache(tmp_path: Path, cache_dir: Path) -> None:
    """Without an output the component lies in the cache, which nobody else can read."""
    built = build_guest(
        write_project(tmp_path / "p"), cache_dir=cache_dir, componentize=QuickTool()
    )

    assert ("cart", False, cache_dir) == (built.world, built.cached, built.wasm.parent)
    assert COMPONENT == built.wasm.read_bytes()
    assert 0o700 == cache_dir.stat().st_mode & 0o777


def test_the_tool_sees_a_copy(tmp_path: Path, cache_dir: Path) -> None:
    """It is given the world, the roots, and all files of the project; the project is as it was."""
    folder = write_project(tmp_path / "p", {"vendor/x.py": ""})
    before = snapshot(folder)
    tool = QuickTool()

    build_guest(folder, cache_dir=cache_dir, componentize=tool)

    assert tool.seen == [
        ["cart", "app", "vendor", "app/app.py", "vendor/x.py", "wit/world.wit"],
    ]
    assert before == snapshot(folder)


def test_the_same_project_is_built_once(tmp_path: Path, cache_dir: Path) -> None:
    """A second build of the same content is found, wherever the project lies."""
    tool = QuickTool()
    first = build_guest(write_project(tmp_path / "a"), cache_dir=cache_dir, componentize=tool)

    second = build_guest(write_project(tmp_path / "b"), cache_dir=cache_dir, componentize=tool)

    assert BuiltGuest(first.wasm, "cart", cached=True) == second
    assert 1 == len(tool.seen)


@pytest.mark.parametrize(
    "changed",
    [
        {"app.py": "from wit_world import exports  # changed\n"},
        {"lib.py": ""},
        {"wit/world.wit": "package demo:cart; world cart { }"},
        {"wit/deps/x.wit": "package x:y;"},
        {"vendor/lib.py": ""},
    ],
)
def test_a_changed_project_is_built_again(
    changed: dict[str, str], tmp_path: Path, cache_dir: Path
) -> None:
    """Each source and each WIT file is part of what is built."""
    tool = QuickTool()
    folder = write_project(tmp_path / "p")
    build_guest(folder, cache_dir=cache_dir, componentize=tool)

    again = build_guest(write_project(folder, changed), cache_dir=cache_dir, componentize=tool)

    assert not again.cached
    assert 2 == len(tool.seen)


def test_names_and_contents_are_not_confused(tmp_path: Path, cache_dir: Path) -> None:
    """Two files are another project than one whose content looks like the second file."""
    tool = QuickTool()
    for name, files in (("a", {"x": "app/yX"}), ("b", {"x": "", "y": "X"})):
        folder = write_project(tmp_path / name, files)
        build_guest(folder, cache_dir=cache_dir, componentize=tool)

    assert 2 == len(tool.seen)


def test_another_choice_of_world_is_a_change(tmp_path: Path, cache_dir: Path) -> None:
    """The same sources against another of their worlds make another component."""
    tool = QuickTool()
    worlds = "package demo:cart; world one { } world two { }"
    for world in ("one", "two"):
        settings = f'[guest]\nworld = "{world}"\n'
        folder = write_project(tmp_path / "p", {"wit/world.wit": worlds, "golem.toml": settings})
        build_guest(folder, cache_dir=cache_dir, componentize=tool)

    assert ["one", "two"] == [world for world, *_ in tool.seen]


def test_an_output_is_written_each_time(tmp_path: Path, cache_dir: Path) -> None:
    """Where an output is named it is there afterwards, also when nothing had to be built."""
    folder = write_project(tmp_path / "p")
    output = tmp_path / "out.wasm"
    build_guest(folder, output=output, cache_dir=cache_dir, componentize=QuickTool())
    output.unlink()

    again = build_guest(folder, output=output, cache_dir=cache_dir, componentize=QuickTool())

    assert BuiltGuest(output, "cart", cached=True) == again
    assert COMPONENT == output.read_bytes()


def test_progress_names_the_project(tmp_path: Path, cache_dir: Path) -> None:
    """A build says that it begins and what came out; a cached one says nothing."""
    folder = write_project(tmp_path / "cart")
    lines: list[str] = []
    for _ in range(2):
        build_guest(folder, cache_dir=cache_dir, progress=lines.append, componentize=QuickTool())

    assert ["building cart (world cart), about 10 s", "built cart, 0.0 MB"] == lines


def test_a_failed_build_is_explained_and_leaves_nothing(tmp_path: Path, cache_dir: Path) -> None:
    """The next try builds again: a failure is not kept."""
    folder = write_project(tmp_path / "cart")
    broken = QuickTool(ToolOutput(1, "AssertionError: ValueError: too bad\n"))

    with pytest.raises(GuestBuildError) as raised:
        build_guest(folder, cache_dir=cache_dir, componentize=broken)

    assert (
        "cart: app.py cannot be imported: ValueError: too bad; "
        "everything is imported while building"
    ) == str(raised.value)
    assert not build_guest(folder, cache_dir=cache_dir, componentize=QuickTool()).cached


def test_a_tool_that_succeeds_without_a_component_has_failed(
    tmp_path: Path, cache_dir: Path
) -> None:
    """What counts is the file."""
    idle = QuickTool(ToolOutput(0, "nothing to do"))

    with pytest.raises(GuestBuildError, match="componentize-py failed: nothing to do"):
        build_guest(write_project(tmp_path / "p"), cache_dir=cache_dir, componentize=idle)


def test_a_build_waits_for_another_and_takes_over_what_it_made(
    tmp_path: Path, cache_dir: Path
) -> None:
    """Two processes that want the same build make it once: the second says that it waits."""
    folder = write_project(tmp_path / "cart")
    made = build_guest(folder, cache_dir=cache_dir, componentize=QuickTool()).wasm
    made.unlink()
    lock = os.open(build_module.lock_file(cache_dir, "cart"), os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    lines: list[str] = []
    results: list[BuiltGuest] = []

    def finish_the_other_build(line: str) -> None:
        lines.append(line)
        made.write_bytes(COMPONENT)
        os.close(lock)

    def wait_for_it() -> None:
        progress = finish_the_other_build
        tool = QuickTool()
        results.append(
            build_guest(folder, cache_dir=cache_dir, progress=progress, componentize=tool)
        )

    waiting = Thread(target=wait_for_it, daemon=True)
    waiting.start()
    waiting.join(timeout=WAIT_S_MAX)

    assert ["cart: waiting for another build"] == lines
    assert [BuiltGuest(made, "cart", cached=True)] == results


def test_builds_not_used_for_longest_go_first(
    tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache is bounded; a build that was used again lately outlives a newer one."""
    monkeypatch.setattr(build_module, "CACHE_SIZE_BYTES_MAX", 2 * len(COMPONENT))

    def build(name: str) -> Path:
        folder = write_project(tmp_path / name, {"name.py": name})
        return build_guest(folder, cache_dir=cache_dir, componentize=QuickTool()).wasm

    first, second = build("first"), build("second")
    for path, used_ns in ((first, 1), (second, 2)):
        os.utime(path, ns=(used_ns, used_ns))
    build("first")

    third = build("third")

    assert [True, False, True] == [path.exists() for path in (first, second, third)]


def test_a_build_larger_than_the_cache_is_kept(
    tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asked for a build gets it, whatever the bound."""
    monkeypatch.setattr(build_module, "CACHE_SIZE_BYTES_MAX", 1)

    built = build_guest(
        write_project(tmp_path / "p"), cache_dir=cache_dir, componentize=QuickTool()
    )

    assert COMPONENT == built.wasm.read_bytes()
