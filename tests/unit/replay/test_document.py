"""docs/replay.md says what the code does."""

from __future__ import annotations

import re

from docs.generate_replay import TARGET, diagram, table, with_transitions
from golem_host.replay import TRANSITIONS, Mode


def test_the_document_is_up_to_date() -> None:
    """docs/replay.md is what docs/generate_replay.py writes."""
    text = TARGET.read_text(encoding="utf-8")

    assert with_transitions(text) == text, "run: python -m docs.generate_replay"


def test_the_diagram_draws_every_transition() -> None:
    """Each row of the table the code runs is an arrow, labelled with its event."""
    arrows = {
        (before, event, after)
        for before, after, label in re.findall(r"(\w+) --> (\w+): (.*)", diagram())
        for event in label.split(" or ")
    }

    assert {
        (before.name, event.name.lower(), after.name)
        for (before, event), after in TRANSITIONS.items()
    } == arrows


def test_the_table_has_a_row_for_each_state() -> None:
    """Of what each event leads to, or that it cannot happen."""
    states = re.findall(r"^\| \*\*(.*?)\*\*", table(), re.MULTILINE)

    assert [mode.value for mode in Mode] == states
