"""Guest projects through the real toolchain: a few seconds for each build that is not cached."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from wasmtime import wat2wasm

from golem_host.errors import GuestBuildError, PayloadTooLargeError
from golem_host.guest import build_guest, trial
from golem_host.guest.project import read_project
from tests.support import guests
from tests.support.hosts import CACHE_DIR, open_host
from tests.support.repository import ROOT

COMPONENT_MAGIC = b"\0asm\x0d\0\x01\0"

EXAMPLES = sorted(path.parent.name for path in (ROOT / "guest_examples").glob("*/app.py"))

WIT = "package demo:a; interface api { f: func(x: u32) -> u32; } world w { export api; }"

USES_THE_HOST = "package demo:a; world w { include golem:guest/durable@1.0.0; }"

API = """
from wit_world import exports

class Api(exports.Api):
    def f(self, x):
        return x + 1
"""


def write(folder: Path, app: str, wit: str) -> Path:
    (folder / "wit").mkdir(parents=True)
    (folder / "app.py").write_text(app, encoding="utf-8")
    (folder / "wit" / "world.wit").write_text(wit, encoding="utf-8")
    return folder


@pytest.mark.long
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_builds(name: str) -> None:
    """Each folder of guest_examples/ becomes a component as it stands."""
    with guests.example(name).open("rb") as component:
        assert COMPONENT_MAGIC == component.read(len(COMPONENT_MAGIC))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_short(name: str) -> None:
    """An example is read in one go: at most 60 lines, and a README beside them."""
    folder = ROOT / "guest_examples" / name

    assert (folder / "README.md").is_file()
    assert len((folder / "app.py").read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.long
def test_the_wit_is_found_in_an_installed_wheel(tmp_path: Path) -> None:
    """Outside of a checkout a project is given the same shipped packages as inside."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    ZipFile(wheel).extractall(tmp_path / "site")
    project = write(tmp_path / "guest", "", USES_THE_HOST)
    code = (
        "import sys, pathlib, golem_host.guest.project as p; print(p.__file__); "
        "[print(path) for path, _ in p.read_project(pathlib.Path(sys.argv[1])).files]"
    )

    listing = subprocess.run(
        [sys.executable, "-P", "-c", code, str(project)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        check=True,
        capture_output=True,
        text=True,
    )

    module, *files = listing.stdout.splitlines()
    assert module.startswith(str(tmp_path / "site"))
    assert files == [path for path, _ in read_project(project).files]


@pytest.mark.long
@pytest.mark.parametrize(
    ("app", "reason"),
    [
        ("import nosuchmodule", "module nosuchmodule not found"),
        # Here beside the toolchain, but not in the project.
        ("import click", "module click not found"),
        ("import ssl", "module ssl does not exist inside a guest"),
        (
            "import threading\nthreading.Thread(target=print).start()",
            "app.py starts a thread, and a guest has only one",
        ),
        (
            "import subprocess\nsubprocess.run(['ls'])",
            "app.py starts a process, and a guest cannot",
        ),
        ("import socket\nkept = socket.socket()", "app.py opens a socket while it is imported"),
        (
            "import asyncio\nasync def go(): pass\nasyncio.run(go())",
            "app.py runs asyncio while it is imported",
        ),
        ("def later():\n    import nosuchmodule", "module nosuchmodule not found"),
        ("1 / 0", "app.py cannot be imported: ZeroDivisionError: division by zero"),
        ("def (:", "app.py cannot be imported: SyntaxError: invalid syntax"),
        ("raise SystemExit(3)", "app.py exits while it is imported"),
        (
            "from wit_world.imports import host",
            "app.py uses wit_world.imports, which the world does not have",
        ),
    ],
)
def test_a_guest_that_cannot_be_imported_is_explained(
    app: str, reason: str, tmp_path: Path
) -> None:
    """What the toolchain of today prints is understood; a new version of it may print otherwise."""
    project = write(tmp_path / "guest", f"{app}\n{API}", WIT)

    with pytest.raises(GuestBuildError) as raised:
        build_guest(project, cache_dir=tmp_path / "cache")

    assert raised.value.reason.startswith(reason)
    assert ["app.py", "wit"] == sorted(path.name for path in project.iterdir())


@pytest.mark.long
@pytest.mark.parametrize(
    ("app", "wit", "reason"),
    [
        ("x = 1", WIT, "app.py has no class Api"),
        ("x = 1", "package d:a; world w { export f: func(); }", "app.py has no class WitWorld"),
        (
            "import wit_world\nclass WitWorld(wit_world.WitWorld):\n def div(self): pass",
            "package d:a; world w { export div: func(); }",
            "an exported function is named as one of the guest's C library (div, log, read, ...)",
        ),
        (
            API,
            "package d:a; world w { import wasi:io/nosuch@0.2.9; }",
            "wit/world.wit:1:39: interface not found in package",
        ),
        (
            API,
            "package d:a; world w { import f: func(a: blah); }",
            "wit/world.wit:1:42: name `blah` is not defined",
        ),
    ],
)
def test_a_world_that_does_not_fit_is_explained(
    app: str, wit: str, reason: str, tmp_path: Path
) -> None:
    """A missing class and a mistake in the WIT are told by name and place."""
    with pytest.raises(GuestBuildError) as raised:
        build_guest(write(tmp_path / "guest", app, wit), cache_dir=tmp_path / "cache")

    assert reason == raised.value.reason


@pytest.mark.long
def test_a_guest_sees_what_it_vendors_and_what_is_shipped(tmp_path: Path) -> None:
    """A package below vendor/ and the host's interfaces can be imported."""
    app = "import lib\nfrom wit_world.imports import host\nhost.get_oplog_index, lib.X\n"
    project = write(tmp_path / "guest", app, USES_THE_HOST)
    (project / "vendor").mkdir()
    (project / "vendor" / "lib.py").write_text("X = 1\n", encoding="utf-8")

    built = build_guest(project, cache_dir=tmp_path / "cache")

    assert built.wasm.read_bytes().startswith(COMPONENT_MAGIC)


@pytest.mark.long
def test_guests_can_be_written_in_c() -> None:
    """A command and a component with exports of its own come out of the C toolchain."""
    command = guests.c_command('#include <stdio.h>\nint main(void) { puts("hello"); }\n')
    reactor = guests.c_guest(
        """
        #include <stdint.h>
        #include <stdlib.h>
        __attribute__((import_module("golem:api/host@1.1.7"), import_name("get-oplog-index")))
        uint64_t oplog_index(void);
        __attribute__((export_name("demo:c/api#after")))
        uint64_t after(uint64_t by) { return oplog_index() + by; }
        __attribute__((export_name("cabi_realloc")))
        void *cabi_realloc(void *p, size_t old, size_t align, size_t n) { return realloc(p, n); }
        """,
        "package demo:c; interface api { after: func(by: u64) -> u64; }\n"
        "world w { import golem:api/host@1.1.7; export api; }\n",
        "w",
    )

    assert command.read_bytes().startswith(COMPONENT_MAGIC)
    assert reactor.read_bytes().startswith(COMPONENT_MAGIC)


WRITES = """
from wit_world import exports
from wit_world.imports import stdout

class Api(exports.Api):
    def f(self, x):
        stdout.get_stdout().write(bytes(x))
        return x
"""


@pytest.mark.long
def test_a_python_guest_that_passes_too_much_learns_to_which_import(tmp_path: Path) -> None:
    """The backtraces of today's toolchain name it."""
    wit = WIT.replace("export api", "import wasi:cli/stdout@0.2.9; export api")
    guest = guests.python_guest_from(WRITES, wit)
    with open_host(tmp_path / "state") as host:
        worker = host.workers.create(host.components.deploy(guest, name="guest"), "alice")
        with pytest.raises(PayloadTooLargeError) as raised:
            worker.invoke("f", 3_000_000)

    assert "wasi:io/streams@0.2.9.{[method]output-stream.write}" == raised.value.function
    assert "demo:a/api.{f}" == raised.value.caller


LAZY = """
from datetime import datetime

import helpers
from wit_world import exports

class Api(exports.Api):
    def f(self, x):
        import csv
        from decimal import Decimal
        try:
            import ujson as json
        except ImportError:
            import json
        assert datetime.strptime("2020", "%Y").year == 2020
        assert "x".encode("idna") + "x".encode("cp1252") == b"xx"
        return x + int(Decimal(1)) + helpers.mean() + json.loads("1")
"""
HELPERS = """
def mean():
    from importlib import import_module
    return import_module("statistics").mean([1, 1])
"""


@pytest.mark.long
def test_what_a_guest_imports_while_it_runs_is_there(tmp_path: Path) -> None:
    """In functions, by name, and what Python imports by itself: a component has no files."""
    project = write(tmp_path / "guest", LAZY, WIT)
    (project / "helpers.py").write_text(HELPERS, encoding="utf-8")
    guest = guests.python_guest(project)
    with open_host(tmp_path / "state") as host:
        worker = host.workers.create(host.components.deploy(guest, name="guest"), "alice")

        assert 7 == worker.invoke("f", 4)


@pytest.mark.long
def test_a_new_component_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An instance of it is made; what the cache has is not tried again."""
    tried: list[str] = []
    real = trial.try_out

    def counting(wasm: Path, name: str, *, cache_dir: Path, progress: Any) -> None:
        tried.append(name)
        real(wasm, name, cache_dir=cache_dir, progress=progress)

    monkeypatch.setattr(trial, "try_out", counting)
    project = write(tmp_path / "guest", API, WIT)
    cached = [build_guest(project, cache_dir=tmp_path / "cache" / "guests").cached for _ in "12"]

    assert [False, True] == cached
    assert ["guest"] == tried
    assert any((tmp_path / "cache" / "compiled").glob("*.cwasm"))


def test_a_component_that_ends_while_it_begins_is_refused(tmp_path: Path) -> None:
    """As one that nobody could run; one for an embedder with interfaces of its own is let be."""
    traps = tmp_path / "traps.wasm"
    traps.write_bytes(wat2wasm(TRAPS))
    foreign = tmp_path / "foreign.wasm"
    foreign.write_bytes(wat2wasm(FOREIGN))

    trial.try_out(foreign, "foreign", cache_dir=CACHE_DIR, progress=lambda _: None)
    with pytest.raises(GuestBuildError) as raised:
        trial.try_out(traps, "traps", cache_dir=CACHE_DIR, progress=lambda _: None)

    assert raised.value.reason.startswith("no instance of the component can be made: wasm trap")


TRAPS = """(component
  (core module $m (func $start unreachable) (start $start) (func (export "f")))
  (core instance $i (instantiate $m))
  (func (export "f") (canon lift (core func $i "f"))))"""
FOREIGN = """(component
  (import "acme:shop/stock" (instance (export "left" (func (result u32)))))
  (core module $m (func (export "f")))
  (core instance $i (instantiate $m))
  (func (export "f") (canon lift (core func $i "f"))))"""
