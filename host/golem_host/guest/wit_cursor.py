"""The tokens of one WIT file, taken one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from golem_host.errors import InvalidRequestError

_TOKEN: Final = re.compile(
    r"(?P<blank>\s+|//(?!/)[^\n]*|/\*.*?\*/)|(?P<doc>///[^\n]*)"
    r"|(?P<token>->|%?[A-Za-z][\w-]*|\d[\w.+-]*|_|[^\s\w])",
    re.DOTALL,
)
_NAME: Final = re.compile(r"%?[A-Za-z][\w-]*")

T = TypeVar("T")


class Cursor:
    """
    Where a file is read.  Every method that finds something else than it is for says so with the
    line, as `InvalidRequestError`; at the end there is the empty token.
    """

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._tokens = list(_tokens(text))
        self._next = 0

    def listed(self, one: Callable[[], T], *, end: str = "}", is_open: bool = False) -> list[T]:
        if not is_open:
            self.expect("{")
        found = []
        while not self.skip(end):
            self.doc()
            if self.skip(end):
                break
            found.append(one())
            if not self.skip(","):
                self.doc()
                self.expect(end)
                break
        return found

    def doc(self) -> str:
        """Take what stands before an item: comments, and gates such as ``@since(version = 1.0.0)``."""
        doc = []
        while True:
            word = self.peek()
            if word.startswith("///"):
                doc.append(self.take()[3:].strip())
            elif word == "@":
                self.take()
                self.name()
                if self.skip("("):
                    self.until(")")
            else:
                return "\n".join(doc)

    def until(self, end: str) -> None:
        while (word := self.take()) != end:
            if not word:
                raise self.wrong(end)

    def name(self) -> str:
        word = self.take()
        if not _NAME.fullmatch(word):
            raise self.wrong(f"a name, found {word!r}")
        return word.removeprefix("%")

    def peek(self, ahead: int = 1) -> str:
        at = self._next + ahead - 1
        return self._tokens[at][0] if at < len(self._tokens) else ""

    def take(self) -> str:
        word = self.peek()
        self._next += 1
        return word

    def skip(self, word: str) -> bool:
        if self.peek() != word:
            return False
        self._next += 1
        return True

    def expect(self, word: str) -> None:
        found = self.take()
        if found != word:
            raise self.wrong(f"{word!r}, found {found!r}")

    def wrong(self, expected: str) -> InvalidRequestError:
        at = min(self._next, len(self._tokens)) - 1
        line = self._tokens[at][1] if self._tokens else 1
        return InvalidRequestError(reason=f"{self._file}, line {line}: expected {expected}")

    def version(self) -> str:
        """What stands behind ``@``; the dot before a brace is no part of it."""
        found = self.take()
        if not found.endswith("."):
            return found
        self._next -= 1
        self._tokens[self._next] = (".", self._tokens[self._next][1])
        return found[:-1]

    @property
    def last_name(self) -> str:
        """The token before the last one: what ``borrow<name>`` is about, once it is read."""
        return self._tokens[self._next - 2][0].removeprefix("%")


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    """Each with its line."""
    line = 1
    for match in _TOKEN.finditer(text):
        word = match["doc"] or match["token"]
        if word:
            yield word, line
        line += match[0].count("\n")
