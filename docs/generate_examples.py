"""
Write the table of examples into ``examples.md``, from the headings of their READMEs.

Run ``python -m docs.generate_examples``; a test fails when the document is stale.
"""

from __future__ import annotations

from pathlib import Path

from docs.marks import between

HERE = Path(__file__).parent
TARGET = HERE / "examples.md"
EXAMPLES = HERE.parent / "guest_examples"


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
    return between(text, "examples", table())


if __name__ == "__main__":
    TARGET.write_text(with_table(TARGET.read_text(encoding="utf-8")), encoding="utf-8")
