"""Text that is safe on a terminal, and the stored form in diagnostic notation."""

from __future__ import annotations

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_cli.diagnostic import Embedded, notation
from golem_cli.render import escaped, fields, shortened, size_text, table, time_text


@given(st.text())
def test_escaped_text_cannot_act_on_a_terminal(text: str) -> None:
    """No control character, line separator or change of direction is left."""
    shown = escaped(text)

    assert not any(char < " " or "\x7f" <= char <= "\x9f" for char in shown)
    assert not set(shown) & set("\u2028\u2029\u202e\u2066\u200f")


def test_what_is_harmless_stays_as_it_is() -> None:
    """Escapes are for what acts, not for what is foreign."""
    assert r"naïve 日本 \ \n\t\u{1b}" == escaped("naïve 日本 \\ \n\t\x1b")


@pytest.mark.parametrize(
    ("unix_ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000_123_999_999, "2023-11-14T22:13:20.123Z"),
        (2**64 - 1, "2554-07-21T23:34:33.709Z"),
        (-(2**63), "1677-09-21T00:12:43.145Z"),
    ],
)
def test_a_time_is_in_utc(unix_ns: int, text: str) -> None:
    """As far as the numbers of a log reach, in both directions."""
    assert text == time_text(unix_ns)


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 40, "5120.0 GiB")]
)
def test_a_size_has_a_unit(size: int, text: str) -> None:
    """The largest that leaves a whole number before the point."""
    assert text == size_text(size)


def test_long_text_is_cut_visibly() -> None:
    """The cut text has exactly the length asked for."""
    assert "abcd..." == shortened("abcdefghij", 7)
    assert "abcdefg" == shortened("abcdefg", 7)
    assert "abcdefghij" == shortened("abcdefghij", None)


def test_columns_line_up() -> None:
    """Also where a cell is wider than its head; nothing trails."""
    rows = [("a", "long\ncell", ""), ("bb", "x", "last")]

    assert [
        "A   B           C",
        "a   long\\ncell",
        "bb  x           last",
    ] == list(table(("a", "b", "c"), rows))
    assert ["A  B"] == list(table(("a", "b"), []))
    assert ["one:    1", "three:  3", "empty:"] == [
        *fields([("one", " 1"), ("three", " 3"), ("empty", "")])
    ]


STORED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(STORED)
def test_notation_is_for_everything_stored(value: object) -> None:
    """Any stored value has a notation on one line, equal values the same one."""
    text = notation(value)

    assert "\n" not in text
    assert text == notation(cbor2.loads(cbor2.dumps(value)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (-1, "-1"),
        (1.5, "1.5"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        ('a"b', r'"a\"b"'),
        (b"\x01\xff", "h'01ff'"),
        ((1, [2, None]), "[1, [2, null]]"),
        ({"a": b""}, "{\"a\": h''}"),
        (Embedded([1]), "<<[1]>>"),
    ],
)
def test_notation_follows_the_rfc(value: object, text: str) -> None:
    """RFC 8949 section 8."""
    assert text == notation(value)


def test_what_is_never_stored_has_no_notation() -> None:
    """A mistake of ours shows at once."""
    with pytest.raises(TypeError):
        notation(object())
