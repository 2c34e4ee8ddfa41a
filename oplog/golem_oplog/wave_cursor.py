"""Reading WAVE token by token, with one token of lookahead: what all of its parsers share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from golem_oplog.errors import WaveError
from golem_oplog.shape import kind
from golem_oplog.types import WitType
from golem_oplog.wave_lexer import Kind, Lexer, Token

T = TypeVar("T")


class Cursor:
    """A place in a text; ``token`` is what stands there."""

    def __init__(self, text: str, position: int = 0) -> None:
        self._lexer = Lexer(text, position)
        self.token = self._lexer.next()

    def take(self) -> Token:
        """Step over the token and return it."""
        token = self.token
        self.token = self._lexer.next()
        return token

    def fail(
        self, expected: WitType | str, token: Token | None = None, found: str = ""
    ) -> WaveError:
        """The error for a token, by default for the one that stands here."""
        at = token or self.token
        wanted = expected if isinstance(expected, str) else kind(expected)
        return self._lexer.fail(at.start, wanted, found or str(at))

    def at(self, punctuation: str) -> bool:
        return self.token.kind is Kind.PUNCTUATION and self.token.text == punctuation

    def at_keyword(self, *keywords: str) -> bool:
        """Whether one of these stands here, and not behind a ``%``."""
        return self.token.kind is Kind.NAME and self.token.text in keywords

    def skip(self, punctuation: str, expected: str = "") -> None:
        if not self.at(punctuation):
            raise self.fail(expected or f"'{punctuation}'")
        self.take()

    def scalar(self, token_kind: Kind, expected: WitType | str) -> Token:
        """Step over a token of this kind."""
        if self.token.kind is not token_kind:
            raise self.fail(expected)
        return self.take()

    def name(self, names: Sequence[str], expected: WitType | str) -> tuple[int, Token]:
        """Step over one of these names; its position among them and the token."""
        token = self.scalar(Kind.NAME, expected)
        if token.value not in names:
            raise self.fail(expected, token)
        return names.index(token.value), token

    def end(self) -> None:
        if self.token.kind is not Kind.END:
            raise self.fail("end of text")

    def separated(self, close: str, read: Callable[[], T]) -> list[T]:
        """What stands from here to a closing sign, separated by commas, one after the last too."""
        out = []
        while not self.at(close):
            out.append(read())
            self.comma(close)
        self.take()
        return out

    def comma(self, close: str) -> None:
        """Step over a comma, which may be absent before the closing sign."""
        if not self.at(close):
            self.skip(",", f"',' or '{close}'")
