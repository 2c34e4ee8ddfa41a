"""
Guests for tests, each built once and kept under a name made from its content.

Python guests are projects and go through `build_guest`, ten seconds for a new one.  Components in
text form need nothing but the engine.  C guests are small and quick, but their compiler has to be
fetched first and is large (750 MB on disk): only suites marked ``long`` may ask for one.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from graphlib import TopologicalSorter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import wasmtime

from golem_host.guest import build_guest, shipped, wit_files
from tests.support.repository import ROOT

GUESTS_DIR: Final = ROOT / ".build" / "guests"
"""Kept between runs; `just clean` removes it."""

_TOOLS_DIR: Final = ROOT / ".build" / "c-toolchain"
_ZIG: Final = "ziglang==0.17.1"
_JCO: Final = "@bytecodealliance/jco@1.35.0"
_WRAP: Final = Path(__file__).with_name("wrap_core_module.mjs")


def example(name: str) -> Path:
    """The component of one of ``guest_examples/``."""
    return python_guest(ROOT / "guest_examples" / name)


def python_guest(project: Path) -> Path:
    """The component of a Python guest project."""
    return build_guest(project, cache_dir=GUESTS_DIR).wasm


def python_guest_from(app: str, wit: str) -> Path:
    """The component of a Python guest that is written down in the test itself."""

    def build(target: Path) -> None:
        project = target.with_suffix(".project")
        (project / "wit").mkdir(parents=True, exist_ok=True)
        (project / "app.py").write_text(app, encoding="utf-8")
        (project / "wit" / "world.wit").write_text(wit, encoding="utf-8")
        build_guest(project, cache_dir=GUESTS_DIR, output=target)

    return _kept(build, "python", app, wit)


def text_guest(text: str) -> Path:
    """A component in text form (``(component ...)``), assembled."""
    return _kept(lambda target: _write(target, bytes(wasmtime.wat2wasm(text))), "text", text)


def c_command(source: str) -> Path:
    """A program in C as a ``wasi:cli/run`` component.  For ``long`` suites."""

    def build(target: Path) -> None:
        core = _compile_c(source, target, "-Os")
        _run_node("command", core, target)

    return _kept(build, "c-command", source, _ZIG, _JCO)


def c_guest(source: str, wit: str, world: str) -> Path:
    """
    A component in C with exports of its own.  For ``long`` suites.

    The source declares imports and exports by hand (``import_module``, ``export_name``) and has a
    ``cabi_realloc``.  Packages that the WIT refers to are taken from those shipped.
    """

    def build(target: Path) -> None:
        core = _compile_c(source, target, "-Os", "-mexec-model=reactor")
        nested = target.with_suffix(".wit")
        nested.write_text(with_shipped_packages(wit), encoding="utf-8")
        _run_node("reactor", core, target, nested, world)

    return _kept(build, "c-guest", source, with_shipped_packages(wit), world, _ZIG, _JCO)


def with_shipped_packages(wit: str) -> str:
    """One text that also holds the shipped packages which it needs, as nested packages."""
    packages = shipped.wit_packages()
    references = {
        name: frozenset().union(*(wit_files.scan(text).references for text in files.values()))
        for name, files in packages.items()
    }
    needed = {*wit_files.needed([wit], packages)}
    # The nested form, unlike folders, wants every package after those that it uses.
    order = TopologicalSorter({name: references[name] & (needed - {name}) for name in needed})
    nested = []
    for name in order.static_order():
        files = (text.replace(f"package {name};", "") for text in packages[name].values())
        nested.append(f"package {name} {{\n{''.join(files)}}}\n")
    return "\n".join([wit, *nested])


def _kept(build: Callable[[Path], None], *content: str) -> Path:
    """The file named after this content, built into place the first time."""
    digest = hashlib.sha256("\0".join(content).encode()).hexdigest()
    target = GUESTS_DIR / "tests" / f"{digest[:32]}.wasm"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=target.parent) as folder:
            partial = Path(folder) / "guest.wasm"
            build(partial)
            partial.rename(target)
    return target


def _write(target: Path, content: bytes) -> None:
    target.write_bytes(content)


def _compile_c(source: str, target: Path, *options: str) -> Path:
    zig = _TOOLS_DIR / "python"
    if not zig.exists():
        _run(sys.executable, "-m", "pip", "install", "--quiet", "--target", str(zig), _ZIG)
    text = target.with_suffix(".c")
    text.write_text(source, encoding="utf-8")
    core = target.with_suffix(".core.wasm")
    compiler = "import sys; sys.path.insert(0, sys.argv.pop(1)); import ziglang.__main__"
    command = [sys.executable, "-c", compiler, str(zig), "cc", "-target", "wasm32-wasi"]
    _run(*command, *options, "-o", str(core), str(text))
    return core


def _run_node(*arguments: str | Path) -> None:
    node = _TOOLS_DIR / "node"
    if not (node / "node_modules").exists():
        node.mkdir(parents=True, exist_ok=True)
        _run("npm", "install", "--silent", "--prefix", str(node), _JCO)
    # Node looks for packages from where the script lies.
    script = node / _WRAP.name
    script.write_bytes(_WRAP.read_bytes())
    _run("node", str(script), *map(str, arguments))


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
