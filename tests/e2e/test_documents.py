"""Every command and every piece of Python in the documents does what is shown, in order."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from tests.support import markdown
from tests.support.repository import ROOT, tracked_text
from tests.support.snippets import RUNNABLE, Block, Forms, blocks, steps
from tests.support.terminal import Terminal

HERE: Final = Path(__file__).parent
DOCUMENTS: Final = {
    path.relative_to(ROOT).as_posix(): text
    for path, text in tracked_text().items()
    if path.suffix == ".md"
}
BLOCKS: Final = {name: list(blocks(text)) for name, text in DOCUMENTS.items()}

SETS_UP: Final = "sets up an environment from the network: .ci/run does it on a clean machine"
CHECKS: Final = "is the check that this test is part of"
FRAGMENT: Final = "is a line of a guest, and no guest: the whole ones of the page are run"
MEASURES: Final = "is a benchmark, which takes minutes and a machine of its own"
NOT_RUN: Final = {
    ("docs/benchmarks.md", "just bench host_call"): MEASURES,
    (
        "docs/guests.md",
        "from golem_guest import Promise, atomic_region, durable, http, retry_policy, RetryPolicy",
    ): FRAGMENT,
    ("docs/guests.md", "from golem_guest import Worker, gather"): FRAGMENT,
    (
        "README.md",
        "python3 dev.py demo     # sets up, builds a guest and runs it as a durable worker",
    ): SETS_UP,
    ("README.md", "python3 dev.py setup"): SETS_UP,
    (
        "README.md",
        "python3 dev.py test                        # lint, types, import contracts, tests",
    ): CHECKS,
    ("docs/tutorial.md", "python3 dev.py setup"): SETS_UP,
}
"""Why a block is not run: by its document and its first line."""

ELSEWHERE: Final = {
    "docs/interfaces-in-python.md": "test_interfaces_guide.py",
    "docs/testing.md": "test_testing_document.py",
    "guest_examples/agent/README.md": "test_sdk_examples.py",
    "guest_examples/mapreduce/README.md": "test_sdk_examples.py",
    "guest_examples/reminder/README.md": "test_sdk_examples.py",
}
"""Documents whose blocks another test runs, with what they need around them, such as a model."""

NAP: Final = (r"drew \d+", r"drawn: \[[\d, ]+\]", r"sum: \d+, seconds: \d+")
SPANS: Final = (r"^ +\d+", r"entries \d+ to \d+")
VARYING: Final = {
    "README.md": (*NAP, *SPANS),
    "docs/debugging.md": SPANS,
    "docs/tutorial.md": SPANS,
    "guest_examples/approval/README.md": SPANS,
    "guest_examples/sleeper/README.md": NAP,
}
"""What else differs from run to run, as patterns: random numbers, and what is made of them."""

MADE_UP: Final = {"docs/guests.md": (r"number: \d+",), "docs/tutorial.md": (r"order \d+",)}
"""Random names that are the same wherever they are shown again."""

REPEATED: Final = {"golem-host dump approval --kind jump"}
"""Commands that print as many lines of the forms shown as chance has it."""

PORTS: Final = {
    "docs/rest.md": "9006",
    "guest_examples/crawler/README.md": "8000",
    "guest_examples/webapp/README.md": "9006",
}
"""Ports that documents listen on.  In a test they are others, which are free."""

SAMPLE: Final = {
    "README.md",
    "docs/embedding.md",
    "docs/rest.md",
    "docs/tutorial.md",
    "guest_examples/bank/README.md",
}
"""What every run runs: the first pages that are read, and what has no other test of its kind."""


def runnable(name: str) -> list[tuple[Block, Block | None]]:
    """What is run of a document, each with the block behind it."""
    every = [] if name in ELSEWHERE else [*BLOCKS[name], None]
    return [
        (block, following)
        for block, following in pairwise(every)
        if block is not None
        and (block.title or block.language in RUNNABLE)
        and (name, first_line(block)) not in NOT_RUN
    ]


def first_line(block: Block) -> str:
    return block.text.partition("\n")[0]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in SAMPLE else [pytest.mark.long])
        for name in DOCUMENTS
        if runnable(name)
    ],
)
def test_what_a_document_shows_is_what_happens(name: str, tmp_path: Path) -> None:
    """In a folder with the examples in it, a home and a state directory of its own."""
    shutil.copytree(ROOT / "guest_examples", tmp_path / "guest_examples")
    (tmp_path / "home").mkdir()
    provide_curl(tmp_path / "bin")
    forms = Forms(VARYING.get(name, ()), MADE_UP.get(name, ()), REPEATED)
    if name in PORTS:
        forms.names[PORTS[name]] = str(free_port())

    with ExitStack() as open_terminals:
        terminals: dict[str, Terminal] = {}
        for block, following in runnable(name):
            if block.title:
                write(tmp_path / block.title, block.text)
                continue
            kind = "python" if block.language == "python" else "shell"
            if kind not in terminals:
                terminal = Terminal(kind, tmp_path, environment(tmp_path))
                terminals[kind] = open_terminals.enter_context(terminal)
            for step in steps(block, following):
                terminals[kind].take(step, forms)

        assert [] == [each.left for each in terminals.values() if each.left]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def environment(folder: Path) -> dict[str, str]:
    """That of a user who has installed the program, and who builds no guest a second time."""
    kept = {name: value for name, value in os.environ.items() if name in {"LANG", "LC_ALL", "TERM"}}
    programs = Path(sys.executable).parent
    path = [str(programs), os.environ.get("PATH", os.defpath), str(folder / "bin")]
    return kept | {
        "GOLEM_HOST_CACHE_DIR": str(ROOT / ".build"),
        "HOME": str(folder / "home"),
        "PATH": os.pathsep.join(path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def provide_curl(folder: Path) -> None:
    """A stand-in, for machines that have no curl; found behind everything else."""
    write(folder / "curl", f'#!/bin/sh\nexec {sys.executable} {ROOT}/tests/support/curl.py "$@"\n')
    (folder / "curl").chmod(0o755)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_every_reason_is_for_a_block() -> None:
    """The tables above name what is in the documents."""
    known = {(name, first_line(block)) for name in DOCUMENTS for block in BLOCKS[name]}

    there = ELSEWHERE.keys() & DOCUMENTS.keys()

    assert set() == NOT_RUN.keys() - known
    assert [] == [name for name in there if not (HERE / ELSEWHERE[name]).is_file()]
    assert set() == (SAMPLE | VARYING.keys() | PORTS.keys() | MADE_UP.keys()) - DOCUMENTS.keys()


# The help of the commands; `test_cli_examples.py` runs the examples in it.
@pytest.mark.parametrize("name", sorted(DOCUMENTS.keys() - {"docs/cli.md"}))
def test_no_command_hides_from_the_test(name: str) -> None:
    """A block that shows a command says in its fence that it does."""
    other = (block.text for block in BLOCKS[name] if block.language not in RUNNABLE)
    hidden = [line for text in other for line in markdown.commands(f"```\n{text}```\n")]

    assert [] == hidden


def test_fences_are_in_pairs() -> None:
    """None is opened and not closed, which would hide what follows."""
    odd = [
        name
        for name, text in DOCUMENTS.items()
        if len(re.findall(r"^```", text, re.MULTILINE)) != 2 * len(BLOCKS[name])
    ]

    assert [] == odd
