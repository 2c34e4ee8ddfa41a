"""
Write the table of interfaces into ``README.md`` and ``guarantees.md``, from what the host declares.

Run ``python docs/generate_interfaces.py``; a test fails when a document is stale.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from golem_host.declare import HostFunction, Refused
from golem_host.interfaces.described import MARKERS, RECORDED_INSIDE
from golem_host.interfaces.offered import HOMES, PLANNED, declaring, registry

HERE = Path(__file__).parent
TARGETS = (HERE.parent / "README.md", HERE / "guarantees.md")
BEGIN, END = "<!-- interfaces:begin -->\n", "<!-- interfaces:end -->\n"

HEAD = """| interface | calls are | durable function types |
| --- | --- | --- |
"""
RECORDED, REEXECUTED, REFUSED = "recorded", "re-executed", "refused"


def table() -> str:
    """The table in Markdown, one line for each interface that components can import."""
    functions: dict[str, list[HostFunction]] = defaultdict(list)
    for function in registry().functions():
        functions[function.interface].append(function)
    lines = {name: f"| `{name}` | planned | |\n" for name in PLANNED}
    for name in registry().interfaces():
        statuses = _statuses(functions[name])
        kinds = ", ".join(sorted(set(_kinds(functions[name])))) or "unrecorded"
        lines[name] = f"| `{name}` | {statuses} | {kinds} |\n"
    return HEAD + "".join(lines[name] for name in sorted(lines))


def _statuses(functions: list[HostFunction]) -> str:
    """What holds for most functions, and then those that differ, by name."""
    names: dict[str, list[str]] = defaultdict(list)
    for function in functions:
        names[_status(function)].append(function.import_name.removeprefix("[method]"))
    if not names:
        # A resource alone: all there is to do with it is to drop it.
        return REEXECUTED
    first, *others = sorted(names, key=lambda status: -len(names[status]))
    apart = [f"{status}: {', '.join(f'`{name}`' for name in names[status])}" for status in others]
    return "; ".join([first, *apart])


def _status(function: HostFunction) -> str:
    if function.full_name in _refused():
        return REFUSED
    name = function.full_name
    is_recorded = function.declaration.kind is not None or name in {*RECORDED_INSIDE, *MARKERS}
    return RECORDED if is_recorded else REEXECUTED


def _kinds(functions: list[HostFunction]) -> Iterator[str]:
    for function in functions:
        inside = RECORDED_INSIDE.get(function.full_name)
        kind = function.declaration.kind if inside is None else inside.kind
        if function.full_name in MARKERS:
            yield "marker"
        else:
            yield "unrecorded" if kind is None else kind.label


def _refused() -> set[str]:
    return {
        function.full_name
        for package in HOMES
        for declared in declaring(package)
        if isinstance(declared, Refused)
        for function in declared.functions()
    }


def with_table(text: str) -> str:
    """A document with the table, in place of what stands between its two marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, f"no {BEGIN.strip()}"
    assert end, f"no {END.strip()}"
    return f"{before}{begin}\n{table()}\n{end}{after}"


if __name__ == "__main__":
    for target in TARGETS:
        target.write_text(with_table(target.read_text(encoding="utf-8")), encoding="utf-8")
