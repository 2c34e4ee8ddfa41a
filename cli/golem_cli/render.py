"""Text for people: safe to print on a terminal, one line per thing, columns that line up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import click

NS_PER_SECOND: Final = 1_000_000_000

# What would move the cursor, change the terminal or turn the line around: C0 and C1 controls, DEL,
# line and paragraph separators, and the bidirectional embeddings, overrides and isolates.
_UNSAFE: Final = (
    *range(0x20),
    *range(0x7F, 0xA0),
    0x200E,
    0x200F,
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
)
_ESCAPES: Final = {code: f"\\u{{{code:x}}}" for code in _UNSAFE} | {
    ord("\t"): "\\t",
    ord("\n"): "\\n",
    ord("\r"): "\\r",
}


def escaped(text: str) -> str:
    """`text` with every character that a terminal would act upon written out."""
    return text.translate(_ESCAPES)


def shortened(text: str, chars_max: int | None) -> str:
    """`text` cut to `chars_max` characters, the end replaced by ``...``; whole for None."""
    if chars_max is None or len(text) <= chars_max:
        return text
    return f"{text[: chars_max - 3]}..."


def time_text(unix_ns: int) -> str:
    """RFC 3339 in UTC, cut to milliseconds."""
    # No integer that a log can hold lies beyond the calendar: they end in the year 2554.
    seconds, rest_ns = divmod(unix_ns, NS_PER_SECOND)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest_ns // 1_000_000:03}Z"


def size_text(size_bytes: int) -> str:
    """A size in the largest binary unit that leaves at least one whole."""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    """The lines of a table whose columns are as wide as their widest cell."""
    lines = [[head.upper() for head in heads], *([escaped(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield "  ".join(cells).rstrip()


def fields(pairs: Iterable[tuple[str, str]]) -> Iterable[str]:
    """One ``name: value`` line each, the values in one column."""
    shown = [(name, escaped(value)) for name, value in pairs]
    width = max((len(name) for name, _ in shown), default=0) + 1
    for name, value in shown:
        yield f"{name + ':':{width}} {value}".rstrip()


def indented(text: str) -> Iterable[str]:
    """The lines of a text below what it belongs to; none for an empty one."""
    return (f"  {escaped(line)}".rstrip() for line in text.splitlines())


def note(text: str, *, quiet: bool = False) -> None:
    """A remark for the person at the terminal: on stderr, never mixed with what was asked for."""
    if not quiet:
        click.echo(f"golem-host: {escaped(text)}", err=True)


def done(text: str, document: Mapping[str, object], *, json_output: bool, quiet: bool) -> None:
    """What a command that was asked for nothing has done: a remark, or a document on stdout."""
    if json_output:
        import json

        click.echo(json.dumps(dict(document)))
    else:
        note(text, quiet=quiet)
