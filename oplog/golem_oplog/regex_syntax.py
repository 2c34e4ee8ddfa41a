r"""
The regular expressions of a query, as a tree.

The dialect is what an automaton without memory can match, so that no pattern takes more time than
in proportion to the text: no back references, no looking ahead or behind.

===================================  =============================================================
pattern                              matches
===================================  =============================================================
``.``                                any character but the end of a line
``[a-z_]``  ``[^a-z]``               one of these characters, any other one
``\d \w \s``  ``\D \W \S``            a digit, a letter or digit or ``_``, white space; any other
``\n \t \r \f \v``  ``\xhh \uhhhh``   this character
``\`` and a punctuation sign         the sign itself
``^``  ``$``                         the beginning, the end of the text
``ab``  ``a|b``                      one after the other, either of them
``a?  a*  a+  a{2}  a{2,}  a{2,5}``  so often; with ``?`` behind it means the same
``(a)``  ``(?:a)``                   a part of the pattern; nothing is captured
``(?i)``                             at the beginning: upper and lower case are the same
===================================  =============================================================
"""

from __future__ import annotations

from typing import Final, NoReturn, TypeAlias, Union

from golem_oplog.errors import QueryError
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.regex_sets import Member, Test, any_of

GROUPS_DEPTH_MAX: Final = 50
COUNT_MAX: Final = 256
"""The largest number in ``{n,m}``."""


@dataclass(frozen=True, slots=True)
class Char:
    """One character for which a test is true."""

    test: Test


@dataclass(frozen=True, slots=True)
class Edge:
    """The beginning or the end of the text."""

    is_start: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """One part after the other; nothing at all if there is none."""

    parts: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Any one of the parts."""

    parts: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The part, at least and at most so often."""

    part: Pattern
    low: int
    high: int | None


Pattern: TypeAlias = Union[Char, Edge, Sequence, Choice, Repeat]

_CLASSES: Final[dict[str, Test]] = {
    "d": str.isdecimal,
    "w": lambda char: char.isalnum() or char == "_",
    "s": str.isspace,
    "D": lambda char: not char.isdecimal(),
    "W": lambda char: not (char.isalnum() or char == "_"),
    "S": lambda char: not char.isspace(),
}
"""Each is one object, by which a set knows those that it has twice."""
_CONTROLS: Final = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_HEX_DIGITS: Final = {"x": 2, "u": 4}
_COUNTS: Final = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_IGNORE_CASE: Final = "(?i)"


def parse_regex(query: str, start: int, end: int) -> Pattern:
    """
    The pattern that stands in a query from ``start`` to before ``end``.

    Raises:
        QueryError: It is none of this dialect; the position is that in the query.
    """
    return _Parser(query, start, end).whole()


class _Parser:
    def __init__(self, query: str, start: int, end: int) -> None:
        self._query = query
        self._at = start
        self._end = end
        self._depth = 0
        self._ignores_case = query.startswith(_IGNORE_CASE, start, end)
        if self._ignores_case:
            self._at += len(_IGNORE_CASE)

    def whole(self) -> Pattern:
        pattern = self._choice()
        if self._at < self._end:
            self._fail("a group that ')' ends")
        return pattern

    # -- the text ------------------------------------------------------------------------------

    def _peek(self) -> str:
        return self._query[self._at] if self._at < self._end else ""

    def _take(self) -> str:
        char = self._peek()
        self._at += len(char)
        return char

    def _skip(self, text: str) -> bool:
        found = self._query.startswith(text, self._at, self._end)
        if found:
            self._at += len(text)
        return found

    def _fail(self, expected: str, position: int | None = None) -> NoReturn:
        at = self._at if position is None else position
        found = repr(self._query[at]) if at < self._end else "the end of the regular expression"
        raise QueryError(
            query=self._query, reason=f"expected {expected}, found {found}", position=at
        )

    # -- parts ---------------------------------------------------------------------------------

    def _choice(self) -> Pattern:
        parts = [self._sequence()]
        while self._skip("|"):
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def _sequence(self) -> Pattern:
        parts = []
        while self._peek() not in {"", "|", ")"}:
            parts.append(self._repeated())
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _repeated(self) -> Pattern:
        part = self._single()
        char = self._peek()
        if char not in _COUNTS and char != "{":
            return part
        if isinstance(part, Edge):
            self._fail("something that can be repeated before it")
        self._at += 1
        low, high = self._count() if char == "{" else _COUNTS[char]
        self._skip("?")
        return Repeat(part, low, high)

    def _count(self) -> tuple[int, int | None]:
        start = self._at
        low = self._number()
        high: int | None = low
        if self._skip(","):
            high = None if self._peek() == "}" else self._number()
        if not self._skip("}"):
            self._fail("'}'")
        if high is not None and high < low:
            self._fail("a count like {2,5}, the smaller number first", start)
        return low, high

    def _number(self) -> int:
        start = self._at
        while self._peek().isascii() and self._peek().isdigit() and self._at - start < 4:
            self._at += 1
        digits = self._query[start : self._at]
        if not digits or int(digits) > COUNT_MAX:
            self._fail(f"a number up to {COUNT_MAX} ('{{' itself is written '\\{{')", start)
        return int(digits)

    def _single(self) -> Pattern:
        start = self._at
        char = self._take()
        match char:
            case "(":
                return self._group(start)
            case "[":
                return Char(self._set())
            case ".":
                return Char(lambda found: found != "\n")
            case "^":
                return Edge(is_start=True)
            case "$":
                return Edge(is_start=False)
            case "\\":
                found = self._escape()
                return self._one(found) if isinstance(found, str) else Char(found)
            case "*" | "+" | "?" | "{":
                self._fail("something to repeat", start)
        return self._one(char)

    def _group(self, start: int) -> Pattern:
        if self._peek() == "?" and not self._skip("?:"):
            self._fail("a plain group or '(?:'")
        self._depth += 1
        if self._depth > GROUPS_DEPTH_MAX:
            self._fail(f"at most {GROUPS_DEPTH_MAX} groups within each other", start)
        inner = self._choice()
        if not self._skip(")"):
            self._fail("')'")
        self._depth -= 1
        return inner

    def _one(self, accepted: str) -> Char:
        return Char(self._in_any_case(accepted.__eq__))

    def _in_any_case(self, test: Test) -> Test:
        if not self._ignores_case:
            return test
        return lambda char: test(char) or test(char.lower()) or test(char.upper())

    def _escape(self) -> str | Test:
        """What stands for after a backslash: a character or a class of them."""
        start = self._at
        char = self._take()
        if char in _CLASSES:
            return _CLASSES[char]
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char in _HEX_DIGITS:
            digits = self._query[self._at : min(self._at + _HEX_DIGITS[char], self._end)]
            if len(digits) < _HEX_DIGITS[char] or not set(digits) <= set("0123456789abcdefABCDEF"):
                self._fail(f"{_HEX_DIGITS[char]} hexadecimal digits")
            self._at += len(digits)
            return chr(int(digits, 16))
        if not char or char.isalnum():
            self._fail("one of the known escapes, such as \\d or \\.", start)
        return char

    def _set(self) -> Test:
        is_negated = self._skip("^")
        members: list[Member] = []
        is_first = True
        while is_first or self._peek() != "]":
            if not self._peek():
                self._fail("']'")
            members.append(self._member())
            is_first = False
        self._at += 1
        # Within the negation: what is not an `a` is not an `A`.
        test = self._in_any_case(any_of(members))
        return lambda char: test(char) is not is_negated

    def _member(self) -> Member:
        start = self._at
        low = self._set_char()
        ends = self._query[self._at + 1 : self._end][:1]
        if self._peek() != "-" or ends in {"", "]"}:
            return low
        self._at += 1
        high = self._set_char()
        if not isinstance(low, str) or not isinstance(high, str) or low > high:
            self._fail("a range like a-z, the earlier character first", start)
        return low, high

    def _set_char(self) -> str | Test:
        char = self._take()
        return self._escape() if char == "\\" else char
