"""
The query language of oplog search: text to tree and back.

::

    query  = [or]
    or     = and {"OR" and}
    and    = not {["AND"] not}
    not    = "NOT" not | field | term
    field  = name {"." name} (":" | "=") term          with no field in it
    term   = word | "phrase" | /regex/ | "(" or ")"

``docs/search.md`` says what each of them means.

Source: spec 2.15.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn, TypeAlias, Union, assert_never

from golem_oplog.errors import QueryError
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.linear_regex import PARTS_MAX, LinearRegex

QUERY_CHARS_MAX: Final = 4096
TERMS_MAX: Final = 32
"""Each text of an entry may have to be looked through for every one of them."""
DEPTH_MAX: Final = 32
"""Parentheses and ``NOT`` within each other."""


@dataclass(frozen=True, slots=True)
class Word:
    """Contained in upper or lower case."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Contained as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Regex:
    """Matched by a part."""

    pattern: str
    """As it is written between the slashes."""


@dataclass(frozen=True, slots=True)
class Field:
    """A query of what is within a field; there is none within it that has a field of its own."""

    path: tuple[str, ...]
    query: Query


@dataclass(frozen=True, slots=True)
class Not:
    query: Query


@dataclass(frozen=True, slots=True)
class And:
    """All of them: none, or two and more."""

    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of them, of two and more."""

    queries: tuple[Query, ...]


Query: TypeAlias = Union[Word, Phrase, Regex, Field, Not, And, Or]

_KEYWORDS: Final = frozenset(("AND", "OR", "NOT"))
_BLANKS: Final = re.compile(r"\s*")
_WORD: Final = re.compile(r'[^\s()"]+')
_FIELD: Final = re.compile(r"([\w-]+(?:\.[\w-]+)*)(?::(?!:)|=)")
_PHRASE: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_REGEX: Final = re.compile(r"/((?:[^/\\]|\\.)*)/", re.DOTALL)
_ESCAPED: Final = re.compile(r'\\(["\\])')
_TO_ESCAPE: Final = re.compile(r'["\\]')

_TERM: Final = 'a word, "phrase", /regex/, field:term or (query)'
_FIELD_TERM: Final = 'a word, "phrase", /regex/ or (query)'


def parse_query(text: str) -> Query:
    """
    Raises:
        QueryError: The text is no query; the position is where it stops being one.
    """
    return parse_with_regexes(text)[0]


def parse_with_regexes(text: str) -> tuple[Query, dict[str, LinearRegex]]:
    """
    As `parse_query`, with what the pattern of each `Regex` became.

    Raises:
        QueryError: The text is no query.
    """
    if len(text) > QUERY_CHARS_MAX:
        reason = f"a query has at most {QUERY_CHARS_MAX} characters, this one {len(text)}"
        raise QueryError(query=text, reason=reason)
    parser = _Parser(text)
    return parser.whole(), parser.regexes


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._terms = 0
        self._in_field = False
        self._parts_left = PARTS_MAX
        self.regexes: dict[str, LinearRegex] = {}
        """By their patterns."""
        self._blanks()

    def whole(self) -> Query:
        if self._at == len(self._text):
            return And(())
        query = self._or()
        if self._at < len(self._text):
            self._fail("a term or the end of the query")
        return query

    # -- the text ------------------------------------------------------------------------------

    def _blanks(self) -> None:
        self._at = self._end_of(_BLANKS)

    def _end_of(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self._at)
        return self._at if found is None else found.end()

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _keyword(self) -> str:
        word = self._text[self._at : self._end_of(_WORD)]
        return word if word in _KEYWORDS else ""

    def _skip_keyword(self, keyword: str) -> bool:
        found = self._keyword() == keyword
        if found:
            self._at += len(keyword)
            self._delimited(("(",))
        return found

    def _fail(self, expected: str, position: int | None = None) -> NoReturn:
        at = self._at if position is None else position
        found = repr(self._text[at : at + 1]) if at < len(self._text) else "the end of the query"
        raise QueryError(
            query=self._text, reason=f"expected {expected}, found {found}", position=at
        )

    def _delimited(self, also: tuple[str, ...] = ()) -> None:
        """What ends without a blank is a slip: ``"a"b``, or ``/file/alice`` for a path."""
        before = self._at
        self._blanks()
        if self._at == before and self._peek() not in {"", ")", *also}:
            self._fail("a blank, ')' or the end of the query")

    # -- what binds less comes first ------------------------------------------------------------

    def _or(self) -> Query:
        queries = [self._and()]
        while self._skip_keyword("OR"):
            queries.append(self._and())
        return queries[0] if len(queries) == 1 else Or(tuple(queries))

    def _and(self) -> Query:
        queries = [self._not()]
        while True:
            if not self._skip_keyword("AND") and (
                self._peek() in {"", ")"} or self._keyword() == "OR"
            ):
                return queries[0] if len(queries) == 1 else And(tuple(queries))
            queries.append(self._not())

    def _not(self) -> Query:
        start = self._at
        if not self._skip_keyword("NOT"):
            return self._primary()
        self._enter(start)
        query = Not(self._not())
        self._depth -= 1
        return query

    def _enter(self, position: int) -> None:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            self._fail(f"at most {DEPTH_MAX} parentheses and NOTs within each other", position)

    def _primary(self) -> Query:
        if self._peek() == "(":
            return self._group()
        if not self._in_field:
            field = _FIELD.match(self._text, self._at)
            if field is not None:
                self._at = field.end()
                return self._within(tuple(field[1].split(".")))
        return self._term(_FIELD_TERM if self._in_field else _TERM)

    def _group(self) -> Query:
        self._enter(self._at)
        self._at += 1
        self._blanks()
        query = self._or()
        if self._peek() != ")":
            self._fail("a term or ')'")
        self._at += 1
        self._depth -= 1
        self._delimited()
        return query

    def _within(self, path: tuple[str, ...]) -> Query:
        self._in_field = True
        query = self._group() if self._peek() == "(" else self._term(_FIELD_TERM)
        self._in_field = False
        return Field(path, query)

    def _term(self, expected: str) -> Query:
        start = self._at
        self._terms += 1
        if self._terms > TERMS_MAX:
            self._fail(f"at most {TERMS_MAX} terms")
        match self._peek():
            case '"':
                term = self._phrase(start)
            case "/":
                term = self._regex(start)
            case _:
                self._at = self._end_of(_WORD)
                word = self._text[start : self._at]
                if not word or word in _KEYWORDS:
                    self._fail(expected, start)
                term = Word(word)
        self._delimited()
        return term

    def _phrase(self, start: int) -> Query:
        found = _PHRASE.match(self._text, start)
        if found is None:
            self._fail("'\"' at the end of the phrase", len(self._text))
        self._at = found.end()
        return Phrase(_ESCAPED.sub(r"\1", found[1]))

    def _regex(self, start: int) -> Query:
        found = _REGEX.match(self._text, start)
        if found is None:
            self._fail("'/' at the end of the regular expression", len(self._text))
        self._at = found.end()
        pattern = found[1]
        if pattern not in self.regexes:
            # Made here for its errors, which have a place in the query.
            made = LinearRegex(self._text, start + 1, self._at - 1, self._parts_left)
            self._parts_left -= made.parts
            self.regexes[pattern] = made
        return Regex(pattern)


def is_word(text: str) -> bool:
    """Whether a `Word` can have this text: another one has to be a `Phrase`."""
    return (
        _WORD.fullmatch(text) is not None
        and text not in _KEYWORDS
        and not text.startswith("/")
        and _FIELD.match(text) is None
    )


def format_query(query: Query) -> str:
    """The query as `parse_query` reads it; its words are such by `is_word`."""
    match query:
        case Word(text):
            return text
        case Phrase(text):
            return f'"{_TO_ESCAPE.sub(_escaped, text)}"'
        case Regex(pattern):
            return f"/{pattern}/"
        case Field(path, inner):
            return f"{'.'.join(path)}:{_grouped(inner, (Not, And, Or))}"
        case Not(inner):
            return f"NOT {_grouped(inner, (And, Or))}"
        case And(queries):
            return " ".join([_grouped(each, (And, Or)) for each in queries])
        case Or(queries):
            return " OR ".join([_grouped(each, (Or,)) for each in queries])
    assert_never(query)


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[0]}"


def _grouped(query: Query, kinds: tuple[type[Not | And | Or], ...]) -> str:
    text = format_query(query)
    return f"({text})" if isinstance(query, kinds) else text
