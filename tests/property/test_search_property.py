"""Whatever is asked for: a query is understood or refused, and found where it holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from golem_oplog.errors import QueryError
from golem_oplog.linear_regex import LinearRegex
from golem_oplog.memory import MemoryOplog
from golem_oplog.search import KIND, Search
from golem_oplog.search_leaves import Leaf, leaves
from golem_oplog.search_syntax import (
    And,
    Field,
    Not,
    Or,
    Phrase,
    Query,
    Regex,
    Word,
    format_query,
    parse_query,
)
from golem_oplog.views import EntryView
from tests.support.entry_strategies import entries
from tests.support.oplogs import create_entry
from tests.support.query_strategies import anchored, queries

T = TypeVar("T")
LOG = MemoryOplog(create_entry())
_syntax = st.text(st.sampled_from(['"', "/", "(", ")", ":", "=", ".", "\\", " ", *"aANDORT{}[]*"]))


def _refused(make: Callable[[], T]) -> T | QueryError:
    try:
        return make()
    except QueryError as error:
        return error


@given(queries)
def test_a_printed_query_is_read_as_itself(query: Query) -> None:
    """Printing and parsing give the same tree."""
    assert query == parse_query(format_query(query))


@given(st.text() | _syntax)
def test_a_text_is_a_query_or_is_refused(text: str) -> None:
    """Nothing but a `QueryError` comes out of any text, with a place within it."""
    found = _refused(lambda: parse_query(text))
    if isinstance(found, QueryError):
        assert text == found.query
        assert found.position is None or 0 <= found.position <= len(text)
    else:
        assert found == parse_query(format_query(found))


@given(st.text() | _syntax)
def test_a_text_is_a_regex_or_is_refused(text: str) -> None:
    """The same for regular expressions."""
    found = _refused(lambda: LinearRegex(text))
    if isinstance(found, QueryError):
        assert found.position is not None
        assert 0 <= found.position <= len(text)


@given(anchored, st.lists(st.text("abBAc1./", max_size=8), max_size=5))
def test_a_regex_finds_what_the_standard_library_finds(pattern: str, texts: list[str]) -> None:
    """One after the other, with what was learnt from those before."""
    ours, theirs = LinearRegex(pattern), re.compile(pattern)

    assert [theirs.search(text) is not None for text in texts] == [
        ours.search(text) for text in texts
    ]


def _naive(query: Query, found: list[Leaf]) -> bool:
    """The meaning of a query, spelled out."""
    match query:
        case Word(text):
            return any(text.lower() in leaf.text.lower() for leaf in found)
        case Phrase(text):
            return any(text in leaf.text for leaf in found)
        case Regex(pattern):
            return any(re.search(pattern, leaf.text) for leaf in found)
        case Field(path, inner):
            # All ways to leave numbers out of a path, each as text.
            wanted = f".{'.'.join(path).lower().replace('_', '-')}."
            return _naive(
                inner, [leaf for leaf in found if any(wanted in s for s in _spellings(leaf.path))]
            )
        case Not(inner):
            return not _naive(inner, found)
        case And(several):
            return all(_naive(each, found) for each in several)
        case Or(several):
            return any(_naive(each, found) for each in several)


def _spellings(path: tuple[str, ...]) -> list[str]:
    spellings = ["."]
    for name in path:
        with_it = [f"{each}{name}." for each in spellings]
        spellings = [*spellings, *with_it] if name.isdecimal() else with_it
    return spellings


@given(queries, entries)
def test_a_query_holds_where_its_meaning_says_so(query: Query, entry: object) -> None:
    """Against the same query taken word by word."""
    view = EntryView(1, entry, LOG, None)  # type: ignore[arg-type]
    spelled = [Leaf((KIND,), view.kind), Leaf((KIND,), view.kind.replace("-", ""))]
    found = [*spelled, *leaves(view.fields, ())]

    assert _naive(query, found) == Search(format_query(query)).matches(view)
