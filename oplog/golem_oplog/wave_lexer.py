"""
WAVE text to tokens.

The lexer looks at one token at a time and only forwards. What is no token at all becomes a token of
kind ``BAD``, so that the parser, which knows what would have been right, words the error; what
begins as a string, character or number and does not end as one is an error here.

Source: the WAVE grammar, ``crates/wasm-wave`` of wasm-tools. Looser in one place: a name may hold
underscores, so that a misspelt name is reported whole.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from golem_oplog.errors import WaveError
from golem_oplog.lazy_dataclass import dataclass

KEYWORDS: Final = frozenset({"true", "false", "some", "none", "ok", "err", "inf", "nan"})
"""A case of one of these names is written with a ``%`` before it."""


class Kind(Enum):
    """A kind of token; the value is the word for it in an error."""

    PUNCTUATION = ""
    NUMBER = "number"
    NAME = "name"
    CHAR = "character"
    STRING = "string"
    BAD = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    start: int
    end: int
    text: str
    """As written."""
    value: str
    """A string or character without quotes and escapes, a name without ``%``; else as written."""

    def __str__(self) -> str:
        if self.kind is Kind.END:
            return "end of text"
        shown = printable(self.text)
        return f"{self.kind.value} {shown}" if self.kind.value else f"'{shown}'"


_SHOWN_CHARS_MAX: Final = 40
_SKIPPED = re.compile(r"(?:[ \t\n\r]++|//[^\n]*+)*+")
_PUNCTUATION: Final = frozenset("{}()[]:,")
# Each takes more than the grammar allows, so that what is wrong is seen whole.
_NAME = re.compile(r"%?[A-Za-z_][A-Za-z0-9_-]*+")
_NUMBER_LIKE = re.compile(r"-inf\b|-?[0-9](?:[eE][-+]|[0-9A-Za-z_.])*+")
_NUMBER = re.compile(r"-inf|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?")
_STRING = re.compile(r'"(?:[^"\\\n]++|\\[^\n])*+"')
_CHAR = re.compile(r"'(?:[^'\\\n]++|\\[^\n])*+'")
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|(.?))", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN_ESCAPES: Final = {"t": "\t", "n": "\n", "r": "\r", "'": "'", '"': '"', "\\": "\\"}


def printable(text: str) -> str:
    """Text for an error message: one short line, everything unprintable escaped."""
    shown = "".join(
        char if char.isprintable() else f"\\u{{{ord(char):x}}}" for char in text[:_SHOWN_CHARS_MAX]
    )
    return shown if len(text) <= _SHOWN_CHARS_MAX else f"{shown}..."


def _quoted(text: str) -> str:
    return f"'{printable(text)}'" if text else "nothing"


class Lexer:
    """The tokens of one text, from ``position`` on."""

    def __init__(self, text: str, position: int = 0) -> None:
        self._text = text
        self._position = position

    def next(self) -> Token:
        """The next token; at the end ``END``, again and again."""
        text = self._text
        skipped = _SKIPPED.match(text, self._position)
        assert skipped is not None  # it matches the empty text
        token = self._at(skipped.end())
        self._position = token.end
        return token

    def fail(self, position: int, expected: str, found: str) -> WaveError:
        """The error for something at a position of this text."""
        return WaveError(text=self._text, position=position, expected=expected, found=found)

    def _at(self, start: int) -> Token:
        text = self._text
        if start == len(text):
            return Token(Kind.END, start, start, "", "")
        first = text[start]
        if first in _PUNCTUATION:
            return Token(Kind.PUNCTUATION, start, start + 1, first, first)
        if text.startswith('"""', start):
            return self._multiline(start)
        if first == '"':
            return self._string(start)
        if first == "'":
            return self._char(start)
        return self._word(start)

    def _word(self, start: int) -> Token:
        if name := _NAME.match(self._text, start):
            return Token(Kind.NAME, start, name.end(), name[0], name[0].removeprefix("%"))
        if number := _NUMBER_LIKE.match(self._text, start):
            if not _NUMBER.fullmatch(number[0]):
                raise self.fail(start, "a number such as 12 or -3.5e2", printable(number[0]))
            return Token(Kind.NUMBER, start, number.end(), number[0], number[0])
        bad = self._text[start]
        return Token(Kind.BAD, start, start + 1, bad, bad)

    def _string(self, start: int) -> Token:
        end = self._closing(_STRING, start, '"', "string")
        text = self._text[start:end]
        return Token(Kind.STRING, start, end, text, self._unescaped(start + 1, end - 1))

    def _char(self, start: int) -> Token:
        end = self._closing(_CHAR, start, "'", "character")
        value = self._unescaped(start + 1, end - 1)
        text = self._text[start:end]
        if len(value) != 1:
            raise self.fail(start, "one character between the quotes", printable(text))
        return Token(Kind.CHAR, start, end, text, value)

    def _closing(self, pattern: re.Pattern[str], start: int, quote: str, what: str) -> int:
        quoted = pattern.match(self._text, start)
        if quoted:
            return quoted.end()
        newline = self._text.find("\n", start)
        raise self.fail(
            len(self._text) if newline < 0 else newline,
            f"a closing {quote} for the {what} at position {start}",
            "end of text" if newline < 0 else "end of line",
        )

    def _multiline(self, start: int) -> Token:
        close = self._text.find('"""', start + 3)
        if close < 0:
            expected = f'a closing """ for the string at position {start}'
            raise self.fail(len(self._text), expected, "end of text")
        opened, *lines = self._text[start + 3 : close].split("\n")
        if opened not in {"", "\r"} or not lines:
            raise self.fail(start + 3, 'a line break after the opening """', _quoted(opened))
        indent = lines.pop()
        if indent.strip(" "):
            raise self.fail(close, 'only spaces before the closing """', _quoted(indent))
        return Token(
            Kind.STRING,
            start,
            close + 3,
            self._text[start : close + 3],
            self._dedented(lines, indent, start + 3 + len(opened) + 1),
        )

    def _dedented(self, lines: list[str], indent: str, position: int) -> str:
        out = []
        for line in lines:
            if not line.startswith(indent):
                expected = f'at least {len(indent)} spaces, as before the closing """'
                raise self.fail(position, expected, _quoted(line))
            content = line.removesuffix("\r")
            out.append(self._unescaped(position + len(indent), position + len(content)))
            position += len(line) + 1
        return "\n".join(out)

    def _unescaped(self, start: int, end: int) -> str:
        text = self._text[start:end]
        if surrogate := _SURROGATE.search(text):
            found = printable(surrogate[0])
            raise self.fail(start + surrogate.start(), "a Unicode character", found)
        if "\\" not in text:
            return text

        def replace(escape: re.Match[str]) -> str:
            plain: str | None = _PLAIN_ESCAPES.get(escape[2])
            if plain is not None:
                return plain
            code = int(escape[1], 16) if escape[1] else None
            if code is None or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
                expected = r"an escape: \n \t \r \" \' \\ or \u{...} with a Unicode scalar value"
                raise self.fail(start + escape.start(), expected, printable(escape[0]))
            return chr(code)

        return _ESCAPE.sub(replace, text)
