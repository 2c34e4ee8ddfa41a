"""What the documents say about the tree is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import markdown
from tests.support.justfile import recipes
from tests.support.repository import ROOT, shown, tracked_text

DOCUMENTS = {path: text for path, text in tracked_text().items() if path.suffix == ".md"}
README = DOCUMENTS[ROOT / "README.md"]
GUESTS = DOCUMENTS[ROOT / "docs/guests.md"]
CHANGELOG = DOCUMENTS[ROOT / "CHANGELOG.md"]

DEV_COMMANDS = {"setup", "demo", "test"}
CHANGELOG_HEADINGS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Format"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_every_internal_link_leads_somewhere(document: Path) -> None:
    """A link to a file or heading of this repository finds it."""
    broken = [link for link in markdown.links(DOCUMENTS[document]) if not leads(document, link)]

    assert [] == broken


def leads(document: Path, link: str) -> bool:
    if "://" in link:
        return True
    name, _, fragment = link.partition("#")
    target = (document.parent / name).resolve() if name else document
    if not target.is_relative_to(ROOT) or not target.exists():
        return False
    return not fragment or fragment in markdown.anchors(target.read_text(encoding="utf-8"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_every_command_of_a_document_exists(document: Path) -> None:
    """What a document tells its reader to type is a command of dev.py or a recipe."""
    known = {"python3 dev.py ": DEV_COMMANDS, "just ": set(recipes())}
    unknown = [
        command
        for command in markdown.commands(DOCUMENTS[document])
        for program, names in known.items()
        if command.startswith(program) and command.split()[len(program.split())] not in names
    ]

    assert [] == unknown


def test_every_example_is_listed() -> None:
    """With a line that says what it shows, and each template of `golem-host new` among them."""
    folders = {path.parent.name for path in (ROOT / "guest_examples").glob("*/README.md")}
    listed = re.findall(r"^\| \[(.*?)\]\(\.\./guest_examples/\1\) \| \w", GUESTS, re.MULTILINE)

    assert folders == set(listed)
    assert len(folders) == len(listed)


def test_the_readme_opens_with_the_demo_and_then_the_check() -> None:
    """The first two commands work on a machine that has nothing but Python."""
    ours = [line for line in markdown.commands(README) if line.startswith("python3 dev.py")]

    assert ["python3 dev.py demo", "python3 dev.py test"] == ours[:2]


def test_the_changelog_keeps_to_its_headings() -> None:
    """Keep a Changelog's headings, and Format for every change to bytes on disk."""
    headings = {line[4:] for line in CHANGELOG.splitlines() if line.startswith("### ")}

    assert headings
    assert set() == headings - CHANGELOG_HEADINGS
