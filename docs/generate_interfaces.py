"""
Write the table of interfaces into ``README.md`` and ``guarantees.md``, from what the host declares.

Run ``python -m docs.generate_interfaces``; a test fails when a document is stale.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from docs.marks import between
from golem_host.declare import HostFunction
from golem_host.interfaces.described import MARKERS, served
from golem_host.interfaces.offered import registry

HERE = Path(__file__).parent
TARGETS = (HERE.parent / "README.md", HERE / "guarantees.md")

HEAD = """| interface | calls are | durable function types |
| --- | --- | --- |
"""
REEXECUTED = "re-executed"


def table() -> str:
    """The table in Markdown, one line for each interface that components can import."""
    functions: dict[str, list[HostFunction]] = defaultdict(list)
    for function in registry().functions():
        functions[function.interface].append(function)
    lines = {}
    for name in registry().interfaces():
        statuses = _statuses(functions[name])
        kinds = ", ".join(sorted(set(_kinds(functions[name])))) or "unrecorded"
        lines[name] = f"| `{name}` | {statuses} | {kinds} |\n"
    return HEAD + "".join(lines[name] for name in sorted(lines))


def _statuses(functions: list[HostFunction]) -> str:
    """What holds for most functions, and then those that differ, by name."""
    names: dict[str, list[str]] = defaultdict(list)
    for function in functions:
        names[served(function).how].append(function.import_name.removeprefix("[method]"))
    if not names:
        # A resource alone: all there is to do with it is to drop it.
        return REEXECUTED
    first, *others = sorted(names, key=lambda status: -len(names[status]))
    apart = [f"{status}: {', '.join(f'`{name}`' for name in names[status])}" for status in others]
    return "; ".join([first, *apart])


def _kinds(functions: list[HostFunction]) -> Iterator[str]:
    for function in functions:
        marker = function.full_name in MARKERS
        yield "marker" if marker else served(function).kind or "unrecorded"


def with_table(text: str) -> str:
    """A document with the table, in place of what stands between its two marks."""
    return between(text, "interfaces", table())


if __name__ == "__main__":
    for target in TARGETS:
        target.write_text(with_table(target.read_text(encoding="utf-8")), encoding="utf-8")
