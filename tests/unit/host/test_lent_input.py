"""Standard input at the other end of a connection: what is asked for, kept and given."""

from __future__ import annotations

import pytest

from golem_host.rest.lent_input import LentInput, Piece, Want
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

    def give(self, want: Want, data: bytes = b"", error: str = "") -> bool:
        return self.source.give(Piece(want, data, error))


@pytest.fixture
def loan() -> Loan:
    return Loan()


def test_nothing_is_asked_for_before_a_guest_looks(loan: Loan) -> None:
    """Then whether there is something, once, however often it looks."""
    first = loan.source.take_want()
    looks = [loan.source.is_ready("k", 3), loan.source.is_ready("k", 3)]
    read = loan.source.read("k", 3, 10)
    wants = [loan.source.take_want(), loan.source.take_want()]

    assert (None, [False, False], b"") == (first, looks, read)
    assert ([Want("k", 3, 0), None], 1) == (wants, loan.asked)


def test_no_more_is_asked_for_than_is_taken(loan: Loan) -> None:
    """When there is something, and it is on its way until it is there."""
    loan.source.is_ready("k", 3)
    loan.give(Want("k", 3, 0))
    ready = loan.source.is_ready("k", 3)
    coming = loan.source.read("k", 3, 4)
    on_its_way = loan.source.is_ready("k", 3)
    wanted = loan.source.take_want()
    loan.give(Want("k", 3, 4), b"abcd")

    assert (True, None, False, Want("k", 3, 4)) == (ready, coming, on_its_way, wanted)
    assert (True, b"abcd") == (loan.source.is_ready("k", 3), loan.source.read("k", 3, 4))
    assert 2 == loan.changed


def test_who_waits_asks_at_once(loan: Loan) -> None:
    """There is nothing to find out before."""
    coming = loan.source.read("k", 0, READ_BYTES * 2, waits=True)

    assert (None, Want("k", 0, READ_BYTES)) == (coming, loan.source.take_want())


def test_a_piece_is_read_in_parts(loan: Loan) -> None:
    """From any place in it; what lies behind it is asked for."""
    loan.source.read("k", 3, 6, waits=True)
    assert loan.give(Want("k", 3, 6), b"abcdef")

    assert [b"ab", b"cdef", b"bc"] == [
        loan.source.read("k", position, size) for position, size in ((3, 2), (5, 9), (4, 2))
    ]
    assert not loan.source.is_ready("k", 9)
    assert Want("k", 9, 0) == loan.source.take_want()


@pytest.mark.parametrize("want", [Want("k", 2, 4), Want("other", 3, 4), Want("k", 3, 5)])
def test_what_is_not_wanted_is_not_taken(loan: Loan, want: Want) -> None:
    """Such as an answer to what an invocation that is over had asked for."""
    loan.source.read("k", 3, 4, waits=True)

    assert (False, 0) == (loan.give(want, b"x"), loan.changed)
    assert not loan.source.is_ready("k", 3)


def test_an_answer_is_taken_once(loan: Loan) -> None:
    """Whoever repeats a request of which they do not know whether it arrived does no harm."""
    loan.source.read("k", 0, 4, waits=True)
    want = Want("k", 0, 4)

    assert [True, False] == [loan.give(want, b"x"), loan.give(want, b"x")]


def test_a_piece_is_bounded(loan: Loan) -> None:
    """Whatever a client sends, it is as long as was asked for."""
    loan.source.read("k", 0, 4, waits=True)
    loan.give(Want("k", 0, 4), b"abcdef")

    assert b"abcd" == loan.source.read("k", 0, 9)


def test_the_end_is_told_once(loan: Loan) -> None:
    """A file may grow, and who types may go on."""
    loan.source.read("k", 4, 1, waits=True)
    loan.give(Want("k", 4, 1))

    assert loan.source.is_ready("k", 4)
    with pytest.raises(EOFError):
        loan.source.read("k", 4, 1)
    assert not loan.source.is_ready("k", 4)
    assert Want("k", 4, 0) == loan.source.take_want()


def test_why_it_cannot_be_read_is_passed_on(loan: Loan) -> None:
    """As the client's system says it."""
    loan.source.read("k", 0, 1, waits=True)
    loan.give(Want("k", 0, 1), error="Is a directory")

    with pytest.raises(OSError, match="Is a directory"):
        loan.source.read("k", 0, 1)
