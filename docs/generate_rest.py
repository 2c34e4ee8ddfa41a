"""
Write the tables of ``rest.md`` from the route table, the errors and the bounds of the code.

Run ``python -m docs.generate_rest``; a test fails when the document is stale.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from docs.marks import between
from golem_host.rest.bounds import Bounds
from golem_host.rest.errors import STATUS
from golem_host.rest.routes import ROUTES
from golem_host.rest.shapes import query_name

TARGET = Path(__file__).with_name("rest.md")


def routes() -> Iterator[str]:
    """One row per operation."""
    yield "| operation | | query | body | answer |"
    yield "| --- | --- | --- | --- | --- |"
    for route in ROUTES:
        query = ", ".join(f"`{query_name(f.name)}`" for f in fields(route.query))
        path = route.path.replace(":path}", "}")
        cells = (
            f"`{route.method} {path}`",
            route.summary,
            query,
            _shape(route.body),
            _shape(route.reply),
        )
        yield f"| {' | '.join(cells)} |"


def _shape(shape: object) -> str:
    if shape is None:
        return ""
    if isinstance(shape, str):
        return f"`{shape.partition(';')[0]}`"
    name = getattr(shape, "__name__", "") if isinstance(shape, type) else ""
    return f"`{name or re.sub(r'[a-z_.]*[.]', '', str(shape))}`"


def errors() -> Iterator[str]:
    """One row per status."""
    yield "| status | classes |"
    yield "| --- | --- |"
    by_status: dict[int, list[str]] = {}
    for name, status in STATUS.items():
        by_status.setdefault(status, []).append(name)
    for status, names in sorted(by_status.items()):
        yield f"| {status} | {', '.join(f'`{name}`' for name in names)} |"


def bounds() -> Iterator[str]:
    """One row per field of `Bounds`, with its note."""
    yield "| bound | value | |"
    yield "| --- | --- | --- |"
    notes = re.findall(
        r'    (\w+): \w+ = [^\n]*\n    """(.*?)"""', inspect.getsource(Bounds), re.DOTALL
    )
    values = Bounds()
    for name, note in notes:
        yield f"| `{name}` | {getattr(values, name):,} | {' '.join(note.split()).replace('``', '`')} |"


PARTS = {"routes": routes, "errors": errors, "bounds": bounds}


def with_tables(text: str) -> str:
    """The document with each table in place of what stands between its two marks."""
    for name, make in PARTS.items():
        text = between(text, name, "\n".join([*make(), ""]))
    return text


if __name__ == "__main__":
    TARGET.write_text(with_tables(TARGET.read_text(encoding="utf-8")), encoding="utf-8")
