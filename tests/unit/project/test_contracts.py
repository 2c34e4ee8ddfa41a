"""Each import contract fails when it is violated; a contract that cannot fail guards nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repository import ROOT

MODULES = (
    "golem_oplog/log.py",
    "golem_oplog/files.py",
    "golem_host/replay/core.py",
    "golem_host/engine/boundary.py",
    "golem_host/worker/loop.py",
    "golem_host/system.py",
    "golem_host/net/sockets.py",
    "golem_cli/main.py",
)
ALLOWED = (
    ("golem_cli/main.py", "import golem_host.system"),
    ("golem_host/worker/loop.py", "import golem_oplog.log"),
    ("golem_host/engine/boundary.py", "import wasmtime"),
    ("golem_host/system.py", "import random, secrets, time"),
    ("golem_host/net/sockets.py", "import asyncio, socket, ssl"),
    ("golem_oplog/files.py", "import os"),
)
FORBIDDEN = (
    ("layers", "golem_oplog/log.py", "import golem_host.system"),
    ("layers", "golem_host/worker/loop.py", "import golem_cli.main"),
    ("oplog", "golem_oplog/log.py", "import click"),
    ("oplog", "golem_oplog/log.py", "import wasmtime"),
    ("replay", "golem_host/replay/core.py", "import os"),
    ("replay", "golem_host/replay/core.py", "import threading"),
    ("replay", "golem_host/replay/core.py", "import golem_host.system"),
    ("wasmtime", "golem_host/worker/loop.py", "import wasmtime"),
    ("wasmtime", "golem_cli/main.py", "from wasmtime import Engine"),
    ("world", "golem_host/worker/loop.py", "import time"),
    ("world", "golem_host/engine/boundary.py", "import socket"),
    ("world", "golem_host/worker/loop.py", "import ssl"),
    ("world", "golem_host/system.py", "import asyncio"),
    ("world", "golem_host/net/sockets.py", "import time"),
    ("files", "golem_oplog/log.py", "import os"),
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The three packages as bare bones, in which nothing imports what it must not."""
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    for name in MODULES:
        module = tmp_path / name
        module.parent.mkdir(parents=True, exist_ok=True)
        module.touch()
    for module in list(tmp_path.rglob("*.py")):
        for folder in module.relative_to(tmp_path).parents:
            if folder.name:
                (tmp_path / folder / "__init__.py").touch()
    for name, line in ALLOWED:
        (tmp_path / name).write_text(f"{line}\n", encoding="utf-8")
    return tmp_path


def broken(tree: Path, *arguments: str) -> int:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache", "--no-logo", *arguments],
        cwd=tree,
        env={"PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts: " in done.stdout, done.stdout + done.stderr
    return done.returncode


def test_what_is_allowed_passes_every_contract(tree: Path) -> None:
    """The module that may do a thing is let through."""
    assert 0 == broken(tree)


@pytest.mark.parametrize(("contract", "module", "line"), FORBIDDEN)
def test_a_violation_breaks_its_contract(tree: Path, contract: str, module: str, line: str) -> None:
    """One wrong import is found by the contract that forbids it."""
    with (tree / module).open("a", encoding="utf-8") as source:
        source.write(f"{line}\n")

    assert 1 == broken(tree, "--contract", contract)
