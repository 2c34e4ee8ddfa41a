"""
Sets of characters, such as ``[a-z_]``, to which a character is held in a few steps.

However many members are written: a query has room for thousands of them, and a text for thousands
of different characters.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import TypeAlias, Union

Test: TypeAlias = Callable[[str], bool]
Member: TypeAlias = Union[str, tuple[str, str], Test]
"""A character, the first and the last one of a range, or what is true for those of a class."""


def any_of(members: Iterable[Member]) -> Test:
    """Whether a text is one of these characters; equal classes count once."""
    chars, ranges, classes = set(), [], dict[Test, None]()
    for member in members:
        if isinstance(member, str):
            chars.add(member)
        elif isinstance(member, tuple):
            ranges.append(member)
        else:
            classes[member] = None
    singles, (lows, highs), tests = frozenset(chars), _apart(ranges), tuple(classes)

    def test(text: str) -> bool:
        if text in singles:
            return True
        at = bisect_right(lows, text)
        # In upper case some characters are two.
        if at and text <= highs[at - 1] and len(text) == 1:
            return True
        return any(each(text) for each in tests)

    return test


def _apart(ranges: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """The same, in order and without overlaps: first characters and last ones."""
    lows: list[str] = []
    highs: list[str] = []
    for low, high in sorted(ranges):
        if highs and low <= highs[-1]:
            highs[-1] = max(highs[-1], high)
        else:
            lows.append(low)
            highs.append(high)
    return lows, highs
