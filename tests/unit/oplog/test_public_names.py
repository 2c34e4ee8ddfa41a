"""The flat namespace of the package."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import golem_oplog


def test_every_public_name_is_there() -> None:
    """Each name of `__all__` can be had, and is the one of the module it comes from."""
    for name in golem_oplog.__all__:
        value = getattr(golem_oplog, name)
        assert value is getattr(golem_oplog, name)

    assert set(golem_oplog.__all__) <= set(dir(golem_oplog))


def test_every_error_is_public() -> None:
    """Whoever catches errors finds all of them in one place."""
    path = Path(golem_oplog.__file__).with_name("errors.py")
    tree = ast.parse(path.read_text("utf-8"))
    errors = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}

    assert errors <= set(golem_oplog.__all__)


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    """The error is the usual one."""
    with pytest.raises(AttributeError, match="no attribute 'nothing_like_it'"):
        golem_oplog.nothing_like_it  # noqa: B018


def test_importing_the_package_loads_none_of_it() -> None:
    """Modules are loaded when a name of theirs is first used."""
    code = (
        "import sys, golem_oplog; print([m for m in sys.modules if m.startswith('golem_oplog.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert "[]" == done.stdout.strip()
