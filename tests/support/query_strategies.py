"""Arbitrary queries and regular expressions of oplog search."""

from __future__ import annotations

from hypothesis import strategies as st

from golem_oplog.search_syntax import And, Field, Not, Or, Phrase, Query, Regex, Word, is_word

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)

_ATOMS = ("a", "b", "B", ".", "[ab]", "[^a]", "[a-c1]", r"\d", r"\W", r"\.", r"\/", r"\x62")


def _counted(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(inner, st.sampled_from(("*", "+", "?", "*?", "{2}", "{1,}", "{0,2}"))).map(
        lambda pair: f"(?:{pair[0]}){pair[1]}"
    )


regexes: st.SearchStrategy[str] = st.recursive(
    st.sampled_from(_ATOMS),
    lambda inner: (
        st.lists(inner, min_size=2, max_size=3).map("".join)
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({'|'.join(parts)})")
        | _counted(inner)
    ),
    max_leaves=8,
)
"""Of the dialect, all of them such as `re` reads in the same way."""

anchored: st.SearchStrategy[str] = st.tuples(
    st.sampled_from(("", "^", "(?i)", "(?i)^")), regexes, st.sampled_from(("", "$"))
).map("".join)

words: st.SearchStrategy[str] = st.one_of(
    st.text("abAB-_.:=/12", min_size=1, max_size=4), _text
).filter(is_word)

_terms: st.SearchStrategy[Query] = st.one_of(
    words.map(Word), _text.map(Phrase), anchored.map(Regex)
)


def _composed(inner: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(inner.map(Not), several.map(And), several.map(Or))


_unnamed = st.recursive(_terms, _composed, max_leaves=4)
paths: st.SearchStrategy[tuple[str, ...]] = st.lists(
    st.text("abA-_01", min_size=1, max_size=3), min_size=1, max_size=3
).map(tuple)

queries: st.SearchStrategy[Query] = st.just(And(())) | st.recursive(
    _terms | st.builds(Field, paths, _unnamed), _composed, max_leaves=6
)
