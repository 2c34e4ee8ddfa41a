"""
What a document shows of a terminal or of Python, as steps that a test takes, and what they print.

- ```` ```console ````: ``$ `` begins a command, which ends where no backslash is behind it; what
  follows is what it prints, stdout and stderr together.  After a command with ``&`` at its end the
  block goes on as soon as the lines shown are there.
- ```` ```sh ````: commands that must succeed; what they print is not compared.
- ```` ```python ````: run in one interpreter for the whole document; a ``text`` block that follows
  at once is what it prints, otherwise it prints nothing.
- Any block with ``title="path"`` is a file, written where its document runs.

What is different in every run is compared by its form alone (`VARYING`): times, and an ellipsis for
what is left out, within a line or for whole lines.  Names that a run makes up (ids, promises, keys)
may be others than those shown, but each the same wherever it is shown again, in commands too.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

RUNNABLE: Final = {"console", "sh", "python"}
OUTPUT: Final = "text"

_FENCE: Final = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TITLE: Final = re.compile(r'title="([^"]+)"')
# What a shell says about its jobs, an interactive one more than the one under test; and what the
# host says about a worker that has waited for a while, which depends on how quick the reader is.
_NOTICE: Final = re.compile(
    r"^(\[\d+\][+-]?\s|bash: line \d+: +\d+ (Killed|Terminated)\b|golem-host: suspended: ).*\n",
    re.MULTILINE,
)

_UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_MADE_UP: Final = (
    rf"{_UUID}/[\w-]+/\d+",
    _UUID,
    r"\brun-[0-9a-f]{16}-\d+-[0-9a-f]{16}",
)
VARYING: Final = (
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z",
    r"\b\d\d:\d\d:\d\d\b",
    r"\b\d+(?:\.\d)? [KM]iB\b",
)
_GAP: Final = "..."


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block."""

    language: str
    """The first word behind the fence; empty if there is none."""
    title: str | None
    text: str
    line: int
    """Of its first line, from 1."""
    is_next: bool
    """Nothing but blank lines is between it and the block before it."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something to type, and what is then to be seen."""

    language: str
    command: str
    output: str
    line: int


def blocks(text: str) -> Iterator[Block]:
    """Every fenced block of a document, in order."""
    end = 0
    for found in _FENCE.finditer(text):
        info = found[1].strip()
        title = _TITLE.search(info)
        yield Block(
            language=info.partition(" ")[0],
            title=title[1] if title else None,
            text=found[2],
            line=text.count("\n", 0, found.start()) + 2,
            is_next=not text[end : found.start()].strip(),
        )
        end = found.end()


def steps(block: Block, following: Block | None) -> Iterator[Step]:
    """What a runnable block consists of."""
    if block.language != "console":
        shown = following is not None and following.language == OUTPUT and following.is_next
        output = following.text if following is not None and shown else ""
        yield Step(block.language, block.text, output, block.line)
        return
    lines = block.text.splitlines(keepends=True)
    assert lines, f"line {block.line}: an empty block"
    assert lines[0].startswith("$ "), f"line {block.line}: it does not begin with a command"
    at = 0
    while at < len(lines):
        first = at
        while lines[at].endswith("\\\n"):
            at += 1
        command = "".join(lines[first : at + 1])[2:]
        at = output_at = at + 1
        while at < len(lines) and not lines[at].startswith("$ "):
            at += 1
        output = without_notices("".join(lines[output_at:at]))
        yield Step("console", command.rstrip("\n"), output, block.line + first)


def without_notices(text: str) -> str:
    """What remains when words about jobs are left out."""
    return _NOTICE.sub("", text)


@dataclass(slots=True)
class Forms:
    """
    What stands for what in one run of a document.

    Args:
        varying: Patterns of what differs from run to run, besides `VARYING`.
        made_up: Patterns of names that a run makes up, besides ids, promises and keys.
        repeated: Commands that print any number of lines of the forms shown.
        names: What is shown, and what it is in this run.
    """

    varying: Sequence[str] = ()
    made_up: Sequence[str] = ()
    repeated: Container[str] = ()
    names: dict[str, str] = field(default_factory=dict)

    def typed(self, text: str) -> str:
        """A command as it is in this run."""
        for shown in sorted(self.names, key=len, reverse=True):
            text = re.sub(rf"\b{re.escape(shown)}\b", self.names[shown], text)
        return text

    def match(self, command: str, shown: str, printed: str, *, in_order: bool) -> bool:
        """
        Whether what was printed is what the document shows; learns the names in it if so.

        Args:
            command: What prints it.
            shown: As in the document.
            printed: As in this run.
            in_order: Otherwise lines of several processes have come in an order of their own.
        """
        expected, actual = shown.splitlines(), printed.splitlines()
        if command in self.repeated:
            have_form = (
                any(self._line(e, a, self.names) is not None for e in expected) for a in actual
            )
            return in_order and all(have_form)
        learned = self._in_order(expected, actual, self.names)
        if learned is None and not in_order:
            learned = self._in_any_order(expected, actual, self.names)
        if learned is None:
            return False
        self.names = learned
        return True

    def _in_order(
        self, expected: Sequence[str], actual: Sequence[str], names: dict[str, str]
    ) -> dict[str, str] | None:
        """The names known then, or None if it is not the same."""
        for number, line in enumerate(expected):
            if line.strip() == _GAP:
                rests = (actual[skipped:] for skipped in range(number, len(actual) + 1))
                tried = (self._in_order(expected[number + 1 :], rest, names) for rest in rests)
                return next((learned for learned in tried if learned is not None), None)
            learned = None if number >= len(actual) else self._line(line, actual[number], names)
            if learned is None:
                return None
            names = learned
        return names if len(expected) == len(actual) else None

    def _in_any_order(
        self, expected: Sequence[str], actual: Sequence[str], names: dict[str, str]
    ) -> dict[str, str] | None:
        left = list(actual)
        for line in expected:
            tried = ((each, self._line(line, each, names)) for each in left)
            taken, learned = next((both for both in tried if both[1] is not None), ("", None))
            if learned is None:
                return None
            left.remove(taken)
            names = learned
        return None if left else names

    def _line(self, shown: str, printed: str, names: dict[str, str]) -> dict[str, str] | None:
        free = [re.escape(_GAP), *self.varying, *VARYING]
        named = [*self.made_up, *_MADE_UP]
        every = re.compile("|".join(f"({each})" for each in (*named, *free)))
        pattern, new, at = "", list[str](), 0
        for found in every.finditer(shown):
            pattern += re.escape(self.typed(shown[at : found.start()]))
            at = found.end()
            kind, text = (found.lastindex or 0) - 1, found[0]
            if kind >= len(named):
                pattern += "(?:.*)" if text == _GAP else f"(?:{free[kind - len(named)]})"
            elif text in names:
                pattern += re.escape(names[text])
            elif text in new:
                pattern += f"(?P=n{new.index(text)})"
            else:
                pattern += f"(?P<n{len(new)}>{named[kind]})"
                new.append(text)
        matched = re.fullmatch(pattern + re.escape(self.typed(shown[at:])), printed)
        if matched is None:
            return None
        return names | {text: matched[f"n{number}"] for number, text in enumerate(new)}
