"""
Whether a text holds something that matches a regular expression, in linear time.

Python's own matcher tries one way after the other: a pattern like ``(a+)+$`` that a guest, or who
asks through the REST API, may send takes longer than the age of the universe.  Here a pattern
becomes a set of at most `POSITIONS_MAX` positions, one for each character that it names (Glushkov's
automaton).  All positions that the text so far may have reached are followed at once, as bits of
one number, and what follows which is remembered: each further character costs one look into a
table, or at worst some microseconds; one that is new is held to each set of characters once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NoReturn, TypeAlias, assert_never

from golem_oplog.errors import QueryError
from golem_oplog.regex_sets import Test
from golem_oplog.regex_syntax import Char, Choice, Edge, Pattern, Repeat, Sequence, parse_regex

POSITIONS_MAX: Final = 256
"""``a{n}`` counts n times."""
PARTS_MAX: Final = 10_000
"""Of a query, counted as often as they are repeated: ``(){200}`` within itself has no position."""
_TRANSITIONS_MAX: Final = 20_000
"""So many are remembered; then all are forgotten."""
_BLOCK_BITS: Final = 8
_STRETCH_CHARS: Final = 1 << 14
"""So many characters are gone through at once: a fifth of a second at worst."""
_TESTS_MAX: Final = 10_000
"""So many times a new character is held to a set before whoever asks may end the search."""

Check: TypeAlias = Callable[[], None]
"""Called from time to time; may raise."""


def unchecked() -> None:
    """Nobody wants to end a search."""


class LinearRegex:
    """
    One regular expression of `golem_oplog.regex_syntax`; for one thread at a time.

    Args:
        query: What it is a part of.
        start: Where it begins there.
        end: Before where it ends; by default at the end.
        parts_max: What is left of `PARTS_MAX`.

    Raises:
        QueryError: It is malformed, or too large.
    """

    def __init__(
        self, query: str, start: int = 0, end: int | None = None, parts_max: int = PARTS_MAX
    ) -> None:
        end = len(query) if end is None else end
        builder = _Builder(query, start, parts_max)
        whole = builder.part(parse_regex(query, start, end))
        self.parts = builder.parts
        """How many it has, counted as often as they are repeated."""
        self._is_nullable = whole.is_nullable
        self._first = whole.first
        self._last = whole.last
        sets: dict[Test, int] = {}
        for bit, atom in builder.atoms:
            if isinstance(atom, Char):
                sets[atom.test] = sets.get(atom.test, 0) | bit
        self._sets = tuple(sets.items())
        """Each with all of its positions: it may be repeated."""
        self._edges = {
            is_start: sum(
                bit
                for bit, atom in builder.atoms
                if isinstance(atom, Edge) and atom.is_start is is_start
            )
            for is_start in (True, False)
        }
        self._follow = _blocks(builder.follow)
        self._masks: dict[str, int] = {}
        self._rows: dict[int, _Row] = {}
        self._transitions = 0
        self.learned = 0
        """How often a character behind others was met for the first time, or again forgotten."""
        self.tested = 0
        """How often a character was held to a set of them."""
        self._tested_at_check = 0

    def search(self, text: str, check: Check = unchecked) -> bool:
        """Whether some part of the text matches; ``check`` is called while that takes long."""
        if self._is_nullable:
            return True
        state = self._first & self._edges[True]
        if state & self._last:
            return True
        row = self._row(state)
        for start in range(0, len(text), _STRETCH_CHARS):
            check()
            for char in text[start : start + _STRETCH_CHARS]:
                following = row.following.get(char)
                if following is None:
                    following = self._learn(row, char, check)
                if following.is_match:
                    return True
                row = following
        return bool(self._after(row.state) & self._edges[False] & self._last)

    def _after(self, state: int) -> int:
        """What may come next; a match may also begin here."""
        following = self._first
        for block in self._follow:
            if not state:
                break
            following |= block[state & (1 << _BLOCK_BITS) - 1]
            state >>= _BLOCK_BITS
        return following

    def _learn(self, row: _Row, char: str, check: Check) -> _Row:
        if self._transitions == _TRANSITIONS_MAX:
            self._rows, self._masks, self._transitions = {}, {}, 0
        self._transitions += 1
        self.learned += 1
        mask = self._masks.get(char)
        if mask is None:
            mask = self._masks[char] = self._mask(char, check)
        following = row.following[char] = self._row(self._after(row.state) & mask)
        return following

    def _mask(self, char: str, check: Check) -> int:
        """The positions that may be this character."""
        self.tested += len(self._sets)
        if self.tested - self._tested_at_check >= _TESTS_MAX:
            self._tested_at_check = self.tested
            check()
        return sum([positions for test, positions in self._sets if test(char)])

    def _row(self, state: int) -> _Row:
        found = self._rows.get(state)
        if found is None:
            found = self._rows[state] = _Row(state, is_match=bool(state & self._last))
        return found


class _Row:
    """The positions that a text may have reached, and what each further character makes of them."""

    __slots__ = ("following", "is_match", "state")

    def __init__(self, state: int, *, is_match: bool) -> None:
        self.state = state
        self.is_match = is_match
        self.following: dict[str, _Row] = {}


class _Part:
    """Of a pattern: where a match of it may begin and end, and whether it may be empty."""

    __slots__ = ("first", "is_nullable", "last")

    def __init__(self, first: int, last: int, *, is_nullable: bool) -> None:
        self.first = first
        self.last = last
        self.is_nullable = is_nullable


class _Builder:
    def __init__(self, query: str, start: int, parts_max: int) -> None:
        self._query = query
        self._start = start
        self._parts_max = parts_max
        self.parts = 0
        self.atoms: list[tuple[int, Char | Edge]] = []
        """Each with its bit."""
        self.follow: list[int] = []
        """For each position those that may come next."""

    def part(self, pattern: Pattern) -> _Part:
        self.parts += 1
        if self.parts > self._parts_max:
            self._refuse(f"all those of a query have at most {PARTS_MAX} parts")
        match pattern:
            case Char() | Edge():
                bit = self._atom(pattern)
                return _Part(bit, bit, is_nullable=False)
            case Sequence(parts):
                whole = _empty()
                for each in parts:
                    whole = self._join(whole, self.part(each))
                return whole
            case Choice(parts):
                found = [self.part(each) for each in parts]
                return _Part(
                    _union([each.first for each in found]),
                    _union([each.last for each in found]),
                    is_nullable=any(each.is_nullable for each in found),
                )
            case Repeat():
                return self._repeat(pattern)
        assert_never(pattern)

    def _repeat(self, repeat: Repeat) -> _Part:
        whole = _empty()
        for _ in range(repeat.low):
            whole = self._join(whole, self.part(repeat.part))
        if repeat.high is None:
            again = self.part(repeat.part)
            self._link(again.last, again.first)
            again.is_nullable = True
            return self._join(whole, again)
        for _ in range(repeat.high - repeat.low):
            optional = self.part(repeat.part)
            optional.is_nullable = True
            whole = self._join(whole, optional)
        return whole

    def _join(self, before: _Part, after: _Part) -> _Part:
        self._link(before.last, after.first)
        return _Part(
            before.first | (after.first if before.is_nullable else 0),
            after.last | (before.last if after.is_nullable else 0),
            is_nullable=before.is_nullable and after.is_nullable,
        )

    def _link(self, last: int, first: int) -> None:
        if not first:
            return
        while last:
            lowest = last & -last
            self.follow[lowest.bit_length() - 1] |= first
            last ^= lowest

    def _atom(self, atom: Char | Edge) -> int:
        if len(self.atoms) == POSITIONS_MAX:
            self._refuse(f"at most {POSITIONS_MAX} characters")
        bit = 1 << len(self.atoms)
        self.atoms.append((bit, atom))
        self.follow.append(0)
        return bit

    def _refuse(self, bound: str) -> NoReturn:
        raise QueryError(
            query=self._query,
            reason=f"the regular expression is too large: {bound}, "
            "each counted as often as it is repeated",
            position=self._start,
        )


def _empty() -> _Part:
    return _Part(0, 0, is_nullable=True)


def _union(sets: list[int]) -> int:
    whole = 0
    for each in sets:
        whole |= each
    return whole


def _blocks(follow: list[int]) -> list[list[int]]:
    """For every `_BLOCK_BITS` positions, what follows each set of them."""
    blocks = []
    for start in range(0, len(follow), _BLOCK_BITS):
        unions = [0]
        for each in follow[start : start + _BLOCK_BITS]:
            unions += [union | each for union in unions]
        blocks.append(unions)
    return blocks
