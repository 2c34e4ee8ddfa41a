"""The documents make a site that needs nothing but itself."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from docs import build_site, generate_examples
from tests.support.repository import ROOT

FETCHED = re.compile(r"<(?:script|link|img)\b[^>]*\b(?:src|href)=\"?(?:https?:)?//[^>]*>")


def test_the_site_builds(tmp_path: Path) -> None:
    """No link is broken, every document is a page, and no page fetches anything from elsewhere."""
    code = build_site.build(tmp_path)
    pages = {path: path.read_text(encoding="utf-8") for path in tmp_path.glob("site/**/*.html")}

    assert 0 == code
    assert len(build_site.documents()) < len(pages)
    assert [] == [path for path, text in pages.items() if FETCHED.search(text)]


def test_a_broken_link_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one to a heading that is not there."""
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs/zensical.toml", tmp_path / "docs")
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/index.md"):
        (tmp_path / name).write_text("# A page\n", encoding="utf-8")
    monkeypatch.setattr(build_site, "ROOT", tmp_path)
    sound = build_site.build(tmp_path)
    (tmp_path / "README.md").write_text("[gone](docs/index.md#gone)\n", encoding="utf-8")
    broken = build_site.build(tmp_path)

    assert 0 == sound
    assert 0 != broken


def test_every_document_is_in_the_navigation() -> None:
    """A page that no other one leads to is not found."""
    listed = str(list(build_site.navigation()))

    assert [] == [
        path.name
        for path in build_site.documents()
        if f"'{path.relative_to(ROOT).as_posix()}'" not in listed
    ]


def test_the_table_of_examples_is_fresh() -> None:
    """It is what docs/generate_examples.py writes."""
    text = generate_examples.TARGET.read_text(encoding="utf-8")

    assert generate_examples.with_table(text) == text, "run: python -m docs.generate_examples"
