"""docs/rest.md says what is so: its tables are the code's; `test_documents.py` runs its examples."""

from __future__ import annotations

from dataclasses import fields

from docs.generate_rest import TARGET, bounds, with_tables
from golem_host.rest.bounds import Bounds


def test_the_tables_are_those_of_the_code() -> None:
    """docs/rest.md is what docs/generate_rest.py writes."""
    text = TARGET.read_text(encoding="utf-8")

    assert with_tables(text) == text, "run: python -m docs.generate_rest"


def test_every_bound_is_listed() -> None:
    """Each with its own note."""
    listed = [row.split("`")[1] for row in bounds() if "`" in row]

    assert [field.name for field in fields(Bounds)] == listed
