"""Standard input at the other end of a connection: what is asked for, kept and given."""

from __future__ import annotations

import pytest

from golem_host.rest.lent_input import LentInput, Piece, Question, Want
from golem_host.services.console import READ_BYTES


class Loan:
    """A source, and how often each side was told of something."""

    def __init__(self) -> None:
        self.asked = self.changed = 0
        self.source = LentInput(self._ask, is_terminal=False)
        self.source.when_changed(self._change)

    def _ask(self) -> None:
        self.asked += 1

    def _change(self) -> None:
        self.changed += 1

    def give(self, key: str, position: int, data: bytes, error: str = "") -> bool:
        return self.source.give(Piece(Want(key, position), data, error))


@pytest.fixture
def loan() -> Loan:
    return Loan()


def test_nothing_is_asked_for_before_a_guest_reads(loan: Loan) -> None:
    """And then once, however often it looks."""
    first = loan.source.take_want()
    looks = [loan.source.is_ready("k", 3), loan.source.is_ready("k", 3)]
    read = loan.source.read("k", 3, 10)
    wants = [loan.source.take_want(), loan.source.take_want()]

    assert (None, [False, False], b"") == (first, looks, read)
    assert ([Question(Want("k", 3), None), None], 1) == (wants, loan.asked)


def test_a_piece_is_read_in_parts(loan: Loan) -> None:
    """From any place in it; what lies behind it is asked for."""
    loan.source.is_ready("k", 3)
    assert loan.give("k", 3, b"abcdef")

    assert [b"ab", b"cdef", b"bc"] == [
        loan.source.read("k", position, size) for position, size in ((3, 2), (5, 9), (4, 2))
    ]
    assert 1 == loan.changed
    assert not loan.source.is_ready("k", 9)
    assert Question(Want("k", 9), None) == loan.source.take_want()


@pytest.mark.parametrize(("key", "position"), [("k", 2), ("other", 3)])
def test_what_is_not_wanted_is_not_taken(loan: Loan, key: str, position: int) -> None:
    """Such as an answer to what an invocation that is over had asked for."""
    loan.source.is_ready("k", 3)

    assert (False, 0) == (loan.give(key, position, b"x"), loan.changed)
    assert not loan.source.is_ready("k", 3)


def test_an_answer_is_taken_once(loan: Loan) -> None:
    """Whoever repeats a request of which they do not know whether it arrived does no harm."""
    loan.source.is_ready("k", 0)

    assert [True, False] == [loan.give("k", 0, b"x"), loan.give("k", 0, b"x")]


def test_a_piece_is_bounded(loan: Loan) -> None:
    """Of a longer one the rest is asked for again."""
    loan.source.is_ready("k", 0)
    loan.give("k", 0, bytes(READ_BYTES + 5))

    assert READ_BYTES == len(loan.source.read("k", 0, READ_BYTES * 2))
    assert not loan.source.is_ready("k", READ_BYTES)


def test_the_end_is_told_once(loan: Loan) -> None:
    """A file may grow, and who types may go on."""
    loan.source.is_ready("k", 4)
    loan.give("k", 4, b"")

    assert loan.source.is_ready("k", 4)
    with pytest.raises(EOFError):
        loan.source.read("k", 4, 1)
    assert not loan.source.is_ready("k", 4)
    assert Question(Want("k", 4), None) == loan.source.take_want()


def test_why_it_cannot_be_read_is_passed_on(loan: Loan) -> None:
    """As the client's system says it."""
    loan.source.is_ready("k", 0)
    loan.give("k", 0, b"", "Is a directory")

    with pytest.raises(OSError, match="Is a directory"):
        loan.source.read("k", 0, 1)


def test_the_next_invocation_goes_on_behind_what_was_read(loan: Loan) -> None:
    """A piece may be longer than what its reader wanted of it."""
    loan.source.is_ready("a", 0)
    loan.give("a", 0, b"abcdef")
    loan.source.read("a", 0, 2)
    loan.source.is_ready("b", 0)

    assert Question(Want("b", 0), 2) == loan.source.take_want()
