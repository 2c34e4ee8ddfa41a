"""
Looking for entries by what is in them.

The texts of an entry are the name of its kind, with its dashes and without them, and each leaf of
its fields: the values of arguments and results down to their strings, numbers and names of cases.
A ``list<u8>`` is one text, read as UTF-8.

What a query costs is in proportion to the texts that it is held against: there are at most
`golem_oplog.search_syntax.TERMS_MAX` terms, and `golem_oplog.linear_regex` has no pattern that
takes longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from sys import maxsize
from typing import Final, TypeAlias, assert_never

from golem_oplog.linear_regex import Check, unchecked
from golem_oplog.protocol import ReadableOplog
from golem_oplog.query import view_entries
from golem_oplog.search_leaves import Leaf, leaves, step
from golem_oplog.search_syntax import (
    And,
    Field,
    Not,
    Or,
    Phrase,
    Query,
    Regex,
    Word,
    parse_with_regexes,
)
from golem_oplog.views import EntryView

KIND: Final = "kind"
"""The field that an entry's kind is in, for queries."""
_LEARNED_CHARS: Final = 100
"""What a regular expression does not know yet takes as long as so many known characters."""
_TESTED_CHARS: Final = 10
"""And so many for each set of characters that a new one is held to."""


class _Texts:
    """What a term is held against."""

    def __init__(self, found: list[Leaf]) -> None:
        self.leaves = found

    @cached_property
    def lowered(self) -> list[str]:
        return [leaf.text.lower() for leaf in self.leaves]


_Holds: TypeAlias = Callable[[_Texts], bool]


class Search:
    """
    A query, ready to be held against entries; for one thread at a time.

    Args:
        text: See `golem_oplog.search_syntax`.
        check: Called from time to time while long texts are looked through; may raise.

    Raises:
        QueryError: The text is none.
    """

    def __init__(self, text: str, check: Check = unchecked) -> None:
        self._check = check
        query, self._regexes = parse_with_regexes(text)
        self._regex_terms = 0
        self._holds = self._compile(query)
        self._chars = 0

    @property
    def cost(self) -> int:
        """
        What was done so far, in characters that were looked at.

        At a few million in a second, so that who has little time knows when to stop.
        """
        regexes = self._regexes.values()
        learned = sum([regex.learned for regex in regexes]) * _LEARNED_CHARS
        tested = sum([regex.tested for regex in regexes]) * _TESTED_CHARS
        return self._chars * max(self._regex_terms, 1) + learned + tested

    def matches(self, view: EntryView) -> bool:
        texts = _Texts(list(_entry_leaves(view)))
        self._chars += sum([len(leaf.text) for leaf in texts.leaves])
        return self._holds(texts)

    def _compile(self, query: Query) -> _Holds:
        match query:
            case Word(text):
                word = text.lower()
                return lambda texts: any(word in each for each in texts.lowered)
            case Phrase(phrase):
                return lambda texts: any(phrase in each.text for each in texts.leaves)
            case Regex(pattern):
                return self._regex(pattern)
            case Field(path, inner):
                return _field(tuple([step(name) for name in path]), self._compile(inner))
            case Not(inner):
                denied = self._compile(inner)
                return lambda texts: not denied(texts)
            case And(queries):
                every = [self._compile(each) for each in queries]
                return lambda texts: all(each(texts) for each in every)
            case Or(queries):
                some = [self._compile(each) for each in queries]
                return lambda texts: any(each(texts) for each in some)
        assert_never(query)

    def _regex(self, pattern: str) -> _Holds:
        regex, check = self._regexes[pattern], self._check
        self._regex_terms += 1
        return lambda texts: any(regex.search(each.text, check) for each in texts.leaves)


def search_entries(
    log: ReadableOplog,
    query: str,
    first: int = 1,
    last: int | None = None,
    *,
    payload_bytes_max: int = maxsize,
) -> Iterator[EntryView]:
    """
    Views of the entries that a query holds for, in order and in bounded memory.

    Raises:
        QueryError: At once, where the query is none.
    """
    views = view_entries(log, first, last, payload_bytes_max=payload_bytes_max)
    return filter(Search(query).matches, views)


def _entry_leaves(view: EntryView) -> Iterator[Leaf]:
    path = (KIND,)
    yield Leaf(path, view.kind)
    if "-" in view.kind:
        yield Leaf(path, view.kind.replace("-", ""))
    yield from leaves(view.fields, ())


def _field(names: tuple[str, ...], holds: _Holds) -> _Holds:
    def within(texts: _Texts) -> bool:
        return holds(_Texts([leaf for leaf in texts.leaves if is_within(leaf.path, names)]))

    return within


def is_within(path: Iterable[str], names: tuple[str, ...]) -> bool:
    """
    Whether these names follow each other somewhere in a path.

    Numbers of the path may be left out between them.
    """
    steps = tuple(path)
    return any(_begins(steps[at:], names) for at in range(len(steps)))


def _begins(steps: tuple[str, ...], names: tuple[str, ...]) -> bool:
    at = 0
    for name in names:
        while at < len(steps) and steps[at] != name and steps[at].isdecimal():
            at += 1
        if at == len(steps) or steps[at] != name:
            return False
        at += 1
    return True
