"""Numbers, characters and strings of WAVE."""

from __future__ import annotations

import math
import struct

import pytest

from golem_oplog.errors import WaveError
from golem_oplog.types import Prim
from golem_oplog.wave import parse_value


def f32(number: float) -> float:
    rounded: float = struct.unpack("<f", struct.pack("<f", number))[0]
    return rounded


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0.0),
        ("0.0e0", 0.0),
        ("0e-1", 0.0),
        ("0E+1", 0.0),
        ("-3.1415", -3.1415),
        ("-0.0e-0", -0.0),
        ("6.022e+23", 6.022e23),
        ("1e-07", 1e-7),
        ("inf", math.inf),
        ("-inf", -math.inf),
        ("1e-999", 0.0),
    ],
)
def test_reads_floats(text: str, number: float) -> None:
    """Floats are JSON numbers or words; what is too small becomes zero."""
    assert number == parse_value(text, Prim.F64)
    assert math.copysign(1, number) == math.copysign(1, parse_value(text, Prim.F64))  # type: ignore[arg-type]


def test_reads_nan() -> None:
    """``nan`` is a float too."""
    assert math.isnan(parse_value("nan", Prim.F64))  # type: ignore[arg-type]
    assert math.isnan(parse_value("nan", Prim.F32))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["0.1", "3.4028234664e38", "3.4028235e38", "1.4012984643e-45"])
def test_rounds_f32(text: str) -> None:
    """A number typed for an f32 is the f32 that the guest sees."""
    assert f32(float(text)) == parse_value(text, Prim.F32)


@pytest.mark.parametrize("word", ["NaN", "Inf", "INF", "infinity", "Infinity"])
def test_refuses_other_words_for_floats(word: str) -> None:
    """One spelling of each, so that any WAVE reader understands what was printed."""
    with pytest.raises(WaveError, match="expected f64: a number, nan, inf or -inf, found name"):
        parse_value(word, Prim.F64)


@pytest.mark.parametrize(
    ("text", "prim"), [("1e999", Prim.F64), ("-1e999", Prim.F64), ("3.5e38", Prim.F32)]
)
def test_refuses_floats_beyond_the_range(text: str, prim: Prim) -> None:
    """Stricter than the reference: a number never silently becomes infinity."""
    with pytest.raises(WaveError, match=f"expected {prim.value}: a number in its range, or inf"):
        parse_value(text, prim)


@pytest.mark.parametrize(
    "text", ["007", "1.", "1.e3", "0x1f", "1_000", "12ab", "1e", "1e+", "-inf5", "1.2.3"]
)
def test_refuses_what_only_begins_as_a_number(text: str) -> None:
    """The whole of it is reported, not the point where it stopped being a number."""
    with pytest.raises(WaveError) as caught:
        parse_value(text, Prim.F64)

    assert 0 == caught.value.position
    assert text.removeprefix("-inf5") in caught.value.found


@pytest.mark.parametrize("text", ["-nan", "-infinity", "-", "+1", ".5"])
def test_refuses_signs_without_a_number(text: str) -> None:
    """A sign that begins no number is named."""
    with pytest.raises(WaveError, match="expected f64: a number"):
        parse_value(text, Prim.F64)


@pytest.mark.parametrize(
    ("text", "char"),
    [
        ("'x'", "x"),
        ("'☃'", "☃"),
        ("'\"'", '"'),
        (r"'\''", "'"),
        (r"'\\'", "\\"),
        (r"'\t'", "\t"),
        (r"'\u{0}'", "\0"),
        (r"'\u{10FFFF}'", "\U0010ffff"),
        ("'\t'", "\t"),
    ],
)
def test_reads_chars(text: str, char: str) -> None:
    """One character, as itself or escaped."""
    assert char == parse_value(text, Prim.CHAR)


ESCAPES = r"an escape: \n \t \r \" \' \\ or \u{...} with a Unicode scalar value"


@pytest.mark.parametrize(
    ("text", "position", "expected", "found"),
    [
        ("''", 0, "one character between the quotes", "''"),
        ("'ab'", 0, "one character between the quotes", "'ab'"),
        (r"'\n\n'", 0, "one character between the quotes", r"'\n\n'"),
        (r"'\z'", 1, ESCAPES, r"\z"),
        (r"'\u1f'", 1, ESCAPES, r"\u"),
        (r"'\u{}'", 1, ESCAPES, r"\u"),
        (r"'\u{12345678}'", 1, ESCAPES, r"\u"),
        (r"'\u{110000}'", 1, ESCAPES, r"\u{110000}"),
        (r"'\u{D800}'", 1, ESCAPES, r"\u{D800}"),
        (r"'\u{DFFF}'", 1, ESCAPES, r"\u{DFFF}"),
        ("'", 1, "a closing ' for the character at position 0", "end of text"),
        ("'x", 2, "a closing ' for the character at position 0", "end of text"),
        ("'\n'", 1, "a closing ' for the character at position 0", "end of line"),
        ("'\\'", 3, "a closing ' for the character at position 0", "end of text"),
        ("'\ud800'", 1, "a Unicode character", r"\u{d800}"),
    ],
)
def test_refuses_chars(text: str, position: int, expected: str, found: str) -> None:
    """A malformed character is reported at the place that is wrong."""
    with pytest.raises(WaveError) as caught:
        parse_value(text, Prim.CHAR)

    error = caught.value
    assert (position, expected, found) == (error.position, error.expected, error.found)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('""', ""),
        ('"WAVE🌊"', "WAVE🌊"),
        (r'"\\\'\"\t\n\r"', "\\'\"\t\n\r"),
        (r'"☃\u{2603}\u{002603}"', "☃☃☃"),
        ('"\t\r"', "\t\r"),
        ('"//"', "//"),
        ('"""\n"""', ""),
        ('"""\n   """', ""),
        ('"""\r\na\r\nb\r\n"""', "a\nb"),
        ('"""\nTwo "" and ""\\"\n\\\\ \\u{2603}\n"""', 'Two "" and """\n\\ ☃'),
        ('"""\n    more\n  same\n  """', "  more\nsame"),
        ('"""\n\nedges are kept\n\n"""', "\nedges are kept\n"),
    ],
)
def test_reads_strings(text: str, value: str) -> None:
    """Strings on one line, and over several lines with their indent removed."""
    assert value == parse_value(text, Prim.STRING)


@pytest.mark.parametrize(
    ("text", "position", "expected", "found"),
    [
        ('"', 1, 'a closing " for the string at position 0', "end of text"),
        ('"\\"', 3, 'a closing " for the string at position 0', "end of text"),
        ('"a\nb"', 2, 'a closing " for the string at position 0', "end of line"),
        (r'"ab\x"', 3, ESCAPES, r"\x"),
        (r'"\u{-1}"', 1, ESCAPES, r"\u"),
        ('"a\udc80"', 2, "a Unicode character", r"\u{dc80}"),
        ('"""', 3, 'a closing """ for the string at position 0', "end of text"),
        ('""""""', 3, 'a line break after the opening """', "nothing"),
        ('""" """', 3, 'a line break after the opening """', "' '"),
        ('"""extra\n"""', 3, 'a line break after the opening """', "'extra'"),
        ('"""\nextra"""', 9, 'only spaces before the closing """', "'extra'"),
        ('"""\n  a\n b\n  """', 8, 'at least 2 spaces, as before the closing """', "' b'"),
        ('"""\n  a\n\n  """', 8, 'at least 2 spaces, as before the closing """', "nothing"),
        ('"""\nok\n  \\j\n"""', 9, ESCAPES, r"\j"),
        ('"""\n""""', 8, 'a closing " for the string at position 7', "end of text"),
    ],
)
def test_refuses_strings(text: str, position: int, expected: str, found: str) -> None:
    """A malformed string is reported at the place that is wrong, in the right line."""
    with pytest.raises(WaveError) as caught:
        parse_value(text, Prim.STRING)

    error = caught.value
    assert (position, expected, found) == (error.position, error.expected, error.found)


def test_a_broken_string_costs_no_time() -> None:
    """An unfinished string of a megabyte is refused at once: matching it never goes back."""
    with pytest.raises(WaveError, match="closing"):
        parse_value('"' + r"a\n" * 300_000, Prim.STRING)
