"""Compiled code on disk: used when it is whole, and never needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import google_crc32c
import pytest

from golem_host.engine import Engine, EngineConfig
from golem_host.engine.cache import CompileCache, default_directory
from tests.support.components import clock_component, component
from tests.support.engines import Guest


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "compiled"


@pytest.fixture
def open_engine(directory: Path) -> Iterator[Callable[..., Engine]]:
    """Makes engines that share one cache directory."""
    engines: list[Engine] = []

    def make(**limits: int) -> Engine:
        engines.append(Engine(EngineConfig(cache_dir=directory, **limits)))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


def _compiles(engine: Engine, wasm: bytes | None = None) -> bool:
    """Load a component, use it, and say whether it had to be compiled."""
    progress: list[str] = []
    loaded = engine.load(wasm or clock_component(), name="clock", progress=progress.append)
    guest = Guest(engine, clock_component(), lambda _: 41)

    assert 41 == guest.call("now")
    guest.close()
    assert "clock" == loaded.name
    return progress != []


def _files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.cwasm"))


def test_a_component_is_compiled_once(open_engine: Callable[..., Engine]) -> None:
    """Another engine with the same configuration finds it, and so does another process."""
    compiled = [_compiles(open_engine()), _compiles(open_engine())]

    assert [True, False] == compiled


def test_progress_says_what_takes_long(open_engine: Callable[..., Engine]) -> None:
    """One line, before the compilation."""
    progress: list[str] = []
    open_engine().load(clock_component(), name="clock", progress=progress.append)

    assert ["compiling clock (0.0 MB)"] == progress


def test_limits_do_not_matter_to_compiled_code(open_engine: Callable[..., Engine]) -> None:
    """Another stack or memory limit is no reason to compile again."""
    compiled = [_compiles(open_engine()), _compiles(open_engine(wasm_stack_bytes=256 << 10))]

    assert [True, False] == compiled


def test_other_settings_are_another_entry(directory: Path) -> None:
    """What compiled code depends on is part of its key, and so is the component."""
    first = CompileCache(directory, settings="s", bytes_max=1)
    second = CompileCache(directory, settings="t", bytes_max=1)

    assert 3 == len({first._key("a"), first._key("b"), second._key("a")})


def _flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "one bit": _flip,
    "half-written": lambda content: content[: len(content) // 2],
    "empty": lambda _: b"",
    "zeros": lambda content: bytes(len(content)),
    "longer": lambda content: content + b"\0",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_replaced(
    open_engine: Callable[..., Engine], directory: Path, damage: str
) -> None:
    """Damaged code is never mapped: the component is compiled anew, and found the next time."""
    _compiles(open_engine())
    for path in _files(directory):
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
    compiled = [_compiles(open_engine()), _compiles(open_engine())]

    assert [True, False] == compiled


def test_code_that_the_engine_refuses_is_replaced(
    open_engine: Callable[..., Engine], directory: Path
) -> None:
    """A file that is whole and still of no use, as after an upgrade, is compiled anew."""
    _compiles(open_engine())
    code = b"compiled by something else"
    for path in _files(directory):
        key = path.name.partition("-")[0]
        path.unlink()
        path.with_name(f"{key}-{google_crc32c.value(code):08x}.cwasm").write_bytes(code)
    compiled = [_compiles(open_engine()), _compiles(open_engine())]

    assert [True, False] == compiled


def test_an_unfinished_file_is_ignored(open_engine: Callable[..., Engine], directory: Path) -> None:
    """A process that died while writing leaves a file under another name."""
    _compiles(open_engine())
    (directory / "123-0.new").write_bytes(b"half")

    assert not _compiles(open_engine())


def test_the_directory_is_private(open_engine: Callable[..., Engine], directory: Path) -> None:
    """It is made so, and made so again if somebody opened it."""
    _compiles(open_engine())
    made = directory.stat().st_mode & 0o777
    directory.chmod(0o755)
    open_engine()

    assert 0o700 == made
    assert 0o700 == directory.stat().st_mode & 0o777


def test_another_users_directory_is_not_used(
    open_engine: Callable[..., Engine], directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever can write there could run code here."""
    _compiles(open_engine())
    monkeypatch.setattr(os, "getuid", lambda: directory.stat().st_uid + 1)
    compiled = [_compiles(open_engine()), _compiles(open_engine())]

    assert [True, True] == compiled


def test_without_a_directory_everything_still_works(tmp_path: Path) -> None:
    """A file in its place, no permission, no space: compiled each time, nothing raised."""
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with Engine(EngineConfig(cache_dir=blocked / "cache")) as engine:
        compiled = [_compiles(engine), _compiles(engine)]

    assert [True, True] == compiled


def test_a_failed_write_leaves_nothing_behind(
    open_engine: Callable[..., Engine], directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk costs the cache entry and nothing else."""

    def full(self: Path, _: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    engine = open_engine()
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        compiled = _compiles(engine)

    assert compiled
    assert [] == [path for path in directory.iterdir() if path.suffix == ".new"]


def test_what_was_used_longest_ago_goes_first(
    open_engine: Callable[..., Engine], directory: Path
) -> None:
    """The cache has a bound; what has just been compiled always fits."""
    engine = open_engine(cache_bytes_max=1)
    variants = [component(f'(component (import "f{i}" (func)))') for i in range(3)]
    for wasm in variants:
        engine.load(wasm, name="variant")
    progress: list[str] = []
    engine.load(variants[2], name="last", progress=progress.append)

    assert 1 == len(_files(directory))
    assert [] == progress


def test_a_hit_counts_as_use(open_engine: Callable[..., Engine], directory: Path) -> None:
    """Eviction goes by the last use, not by when it was compiled."""
    engine = open_engine()
    variants = [component(f'(component (import "g{i}" (func)))') for i in range(2)]
    for wasm in variants:
        engine.load(wasm, name="variant")
    files = _files(directory)
    for path in files:
        os.utime(path, ns=(0, 0))
    engine.load(variants[0], name="used again")

    assert 1 == len([path for path in files if path.stat().st_mtime_ns > 0])


def test_the_default_directory_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An absolute ``XDG_CACHE_HOME`` is used; a relative one is to be ignored, says the standard."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    first = default_directory()
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    second = default_directory()

    assert tmp_path / "xdg" / "golem-host" / "compiled" == first
    assert tmp_path / ".cache" / "golem-host" / "compiled" == second
