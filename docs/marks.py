"""What the generators share: a part of a document that is made, between two marks in it."""

from __future__ import annotations


def between(text: str, name: str, content: str) -> str:
    """A document with the content, of whole lines, in place of what stands between its marks."""
    begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->\n"
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    assert found, f"no {begin.strip()}"
    assert found_end, f"no {end.strip()}"
    return f"{before}{begin}\n{content}\n{end}{after}"
