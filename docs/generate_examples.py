"""
Write the table of examples into ``examples.md``, from the headings of their READMEs.

Run ``python docs/generate_examples.py``; a test fails when the document is stale.
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
TARGET = HERE / "examples.md"
EXAMPLES = HERE.parent / "guest_examples"
BEGIN, END = "<!-- examples:begin -->\n", "<!-- examples:end -->\n"


def table() -> str:
    """One line for each example: its name, and what it shows."""
    lines = ["| example | shows |", "| --- | --- |"]
    for readme in sorted(EXAMPLES.glob("*/README.md")):
        heading = readme.read_text(encoding="utf-8").partition("\n")[0]
        name, colon, what = heading.removeprefix("# ").partition(": ")
        assert colon, f"{readme}: its heading is not `# name: what it shows`"
        lines.append(f"| [{name}](../guest_examples/{readme.parent.name}/README.md) | {what} |")
    return "\n".join([*lines, ""])


def with_table(text: str) -> str:
    """A document with the table, in place of what stands between its two marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, f"no {BEGIN.strip()}"
    assert end, f"no {END.strip()}"
    return f"{before}{begin}\n{table()}\n{end}{after}"


if __name__ == "__main__":
    TARGET.write_text(with_table(TARGET.read_text(encoding="utf-8")), encoding="utf-8")
