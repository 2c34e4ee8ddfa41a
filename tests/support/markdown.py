"""Just enough Markdown to check documents against the tree: links, headings, fenced commands."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_INLINE_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+\s+(.+?)\s*$", re.MULTILINE)
_COMMAND = re.compile(
    r"^(?:\$ )?((?:\w+=\S+ )*(?:python3 dev\.py|just|golem-host)\b.*)$", re.MULTILINE
)


def links(text: str) -> list[str]:
    """Targets of inline links, without those that only code shows."""
    return _LINK.findall(_INLINE_CODE.sub("", _FENCE.sub("", text)))


def anchors(text: str) -> set[str]:
    """The fragment of each heading, as code forges make it."""
    return {_slug(heading) for heading in _HEADING.findall(_FENCE.sub("", text))}


def commands(text: str) -> list[str]:
    """Lines of fenced blocks that start one of the project's own programs, without comments."""
    found = (line for block in _FENCE.finditer(text) for line in _COMMAND.findall(block.group()))
    return [line.partition("  #")[0].rstrip() for line in found]


def calls(text: str) -> list[str]:
    """What code within sentences shows of `golem-host`."""
    return re.findall(r"`(golem-host [^`\n]+)`", _FENCE.sub("", text))


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
