"""
Write the diagram and the table of replay states into ``replay.md``, from the table the code runs.

Run ``python -m docs.generate_replay``; a test fails when the document is stale.
"""

from __future__ import annotations

from pathlib import Path

from docs.marks import between
from golem_host.replay import TRANSITIONS, Mode
from golem_host.replay.transitions import Event

TARGET = Path(__file__).parent / "replay.md"
START = Mode.STARTING


def diagram() -> str:
    """The states and the ways between them, as a Mermaid state diagram."""
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{mode.value}" as {mode.name}' for mode in Mode]
    lines.append(f"    [*] --> {START.name}")
    for before, after in dict.fromkeys((key[0], after) for key, after in TRANSITIONS.items()):
        label = " or ".join(event.name.lower() for event in _events(before, after))
        lines.append(f"    {before.name} --> {after.name}: {label}")
    return "\n".join([*lines, "```", ""])


def _events(before: Mode, after: Mode) -> list[Event]:
    return [event for (mode, event), end in TRANSITIONS.items() if (mode, end) == (before, after)]


def table() -> str:
    """One row for each state, one column for each event; nothing where an event cannot happen."""
    head = ["", *(f"{event.name.lower()}: {event.value}" for event in Event)]
    rows = [[f"**{mode.value}**", *(_cell(mode, event) for event in Event)] for mode in Mode]
    rule = ["---"] * len(head)
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, rule, *rows))


def _cell(mode: Mode, event: Event) -> str:
    after = TRANSITIONS.get((mode, event))
    return "" if after is None else after.value


def with_transitions(text: str) -> str:
    """The document with both, in place of what stands between its two marks."""
    return between(text, "transitions", f"{diagram()}\n{table()}")


if __name__ == "__main__":
    TARGET.write_text(with_transitions(TARGET.read_text(encoding="utf-8")), encoding="utf-8")
