"""``requirements.lock`` pins and hashes everything, and names no place to get it from."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.repository import ROOT

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINNED = dict(re.findall(r"^([\w.-]+)==(\S+)", LOCK, re.MULTILINE))

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DECLARED = [
    Requirement(text)
    for text in (
        *PYPROJECT["project"]["dependencies"],
        *PYPROJECT["dependency-groups"]["dev"],
        *PYPROJECT["build-system"]["requires"],
    )
]


@pytest.mark.parametrize("requirement", DECLARED, ids=str)
def test_what_is_declared_is_pinned(requirement: Requirement) -> None:
    """The lock holds a version of it, and one that the declaration allows."""
    pinned = PINNED.get(canonicalize_name(requirement.name))

    assert pinned is not None
    assert requirement.specifier.contains(pinned)


def test_the_oldest_click_allowed_is_the_one_tested() -> None:
    """Commands lean on what its later releases added, such as generic parameter types."""
    (click,) = (each for each in DECLARED if each.name == "click")
    (oldest,) = (Version(each.version) for each in click.specifier if each.operator == ">=")

    assert Version(PINNED["click"]).release[:2] == oldest.release[:2]


def test_everything_pinned_is_hashed() -> None:
    """An archive that was exchanged on its way is not installed."""
    blocks = re.split(r"^(?=\S)", LOCK, flags=re.MULTILINE)
    bare = [block for block in blocks if "==" in block and "--hash=sha256:" not in block]

    assert len(PINNED) > len(DECLARED)
    assert [] == bare


def test_it_names_no_place_to_install_from() -> None:
    """Indexes and addresses are the configuration of whoever installs."""
    assert [] == re.findall(r"://|^--|@ ", LOCK, re.MULTILINE)
