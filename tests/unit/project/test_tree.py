"""House rules that no linter knows, held over every tracked file."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import golem_host
from tests.support.repository import ROOT, shown, tracked, tracked_text

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TEXT = tracked_text()
PACKAGES = [
    path
    for path in TEXT
    if path.suffix == ".py" and shown(path).split("/")[0] in {"cli", "host", "oplog"}
]
TESTS = [path for path in TEXT if path.suffix == ".py" and path.is_relative_to(ROOT / "tests")]
SUPPORT = ROOT / "tests" / "support"

BUILT = {".wasm", ".cwasm", ".so", ".dylib", ".whl", ".pyc"}
MODULE_LINES_MAX = 400
"""Not counting blank ones."""
# Spelled in pieces, or this file would be the one that breaks the rule.
MACHINE_PATH = re.compile("/" + r"(?:home|Users)/\w|/" + "root/|/" + "work/")
REGISTRY_HOST = re.compile(r"py" + r"pi\.org|pythonhosted\.org|npm" + r"js\.org")


def matching(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{shown(path)}:{number}"
        for path, text in TEXT.items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_nothing_built_is_tracked() -> None:
    """Guests are built from their sources, on the machine that runs them."""
    assert [] == [shown(path) for path in tracked() if path.suffix in BUILT]


def test_no_text_names_a_place_of_one_machine() -> None:
    """A clone works wherever it lies and whoever made it."""
    assert [] == matching(MACHINE_PATH)


def test_no_text_names_a_registry_host() -> None:
    """Where packages come from is the reader's configuration, not ours."""
    assert [] == matching(REGISTRY_HOST)


def test_every_module_is_of_a_readable_size() -> None:
    """A module that outgrows the bound is split by duty."""
    # A package's `__init__` lists names, however many there are.
    modules = [path for path in PACKAGES if path.name != "__init__.py"]
    lines = {path: sum(map(bool, TEXT[path].splitlines())) for path in modules}

    assert [] == [shown(path) for path in modules if lines[path] > MODULE_LINES_MAX]


def test_the_version_is_said_once() -> None:
    """What is installed, and what the package says of itself, is what pyproject.toml says."""
    assert PROJECT["version"] == version("golem-host")
    assert PROJECT["version"] == golem_host.__version__


@pytest.mark.parametrize("path", TESTS, ids=shown)
def test_every_test_says_what_it_promises(path: Path) -> None:
    """A failing test's docstring tells which promise is broken."""
    silent = [
        node.name
        for node in ast.walk(ast.parse(TEXT[path]))
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and ast.get_docstring(node) is None
    ]

    assert [] == silent


@pytest.mark.parametrize(
    "path", [path for path in TESTS if not path.is_relative_to(SUPPORT)], ids=shown
)
def test_no_test_waits_by_sleeping(path: Path) -> None:
    """A test waits for what it needs; only helpers in tests/support may poll."""
    sleeps = [
        node.lineno
        for node in ast.walk(ast.parse(TEXT[path]))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "sleep"
    ]

    assert [] == sleeps
