"""
WAVE as people type it, against its grammar.

The cases follow the reference's own acceptance and rejection suites; where this parser is looser
or stricter on purpose, the test says so.
"""

from __future__ import annotations

import pytest

from golem_oplog.errors import WaveError
from golem_oplog.types import (
    EnumType,
    FlagsType,
    HandleType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
    WitType,
)
from golem_oplog.values import Err, Ok, ResourceRef, Some, Variant
from golem_oplog.wave import parse_value

KEYWORDS = ("true", "false", "some", "none", "ok", "err", "inf", "nan")
BASIC = RecordType((("required", Prim.U8), ("optional", OptionType(Prim.U8))))
ALL_OPTIONAL = RecordType((("a", OptionType(Prim.U8)), ("b", OptionType(Prim.U8))))
SHAPE = VariantType((("dot", None), ("circle", Prim.F64), ("err", Prim.STRING)))
HAND = EnumType(("left", "right"))
MODES = FlagsType(("read", "write-all"))
PAIR = TupleType((Prim.U8, Prim.STRING))
NESTED_OPTION = OptionType(OptionType(Prim.U8))
COUNTER = HandleType("golem:it/api.counter", owned=False)


@pytest.mark.parametrize(
    ("text", "ty", "value"),
    [
        ("true", Prim.BOOL, True),
        ("false", Prim.BOOL, False),
        ("0", Prim.U8, 0),
        ("-0", Prim.S8, 0),
        ("-128", Prim.S8, -128),
        ("18446744073709551615", Prim.U64, 2**64 - 1),
        (" \t\r\n 7 // seven\n // and\n", Prim.U8, 7),
        ("[]", ListType(Prim.CHAR), []),
        ("['a', 'b',]", ListType(Prim.CHAR), ["a", "b"]),
        ("[0, 255]", ListType(Prim.U8), b"\x00\xff"),
        ("[[],[1,],]", ListType(ListType(Prim.U16)), [[], [1]]),
        ('(1, "a")', PAIR, (1, "a")),
        ('( 1,"a" , )', PAIR, (1, "a")),
        ("()", TupleType(()), ()),
        ("{required: 1}", BASIC, {"required": 1, "optional": None}),
        ("{ optional: some(2), required: 1, }", BASIC, {"required": 1, "optional": 2}),
        ("{%required:1,optional:2}", BASIC, {"required": 1, "optional": 2}),
        ("{:}", ALL_OPTIONAL, {"a": None, "b": None}),
        ("{ : }", ALL_OPTIONAL, {"a": None, "b": None}),
        ("{b: none,}", ALL_OPTIONAL, {"a": None, "b": None}),
        ("dot", SHAPE, Variant("dot")),
        ("circle(1)", SHAPE, Variant("circle", 1.0)),
        ('%err( "no" )', SHAPE, Variant("err", "no")),
        ("left", HAND, "left"),
        ("%left", HAND, "left"),
        ("none", OptionType(Prim.U8), None),
        ("some(1)", OptionType(Prim.U8), 1),
        ("1", OptionType(Prim.U8), 1),
        ("%none", OptionType(EnumType(KEYWORDS)), "none"),
        ("true", OptionType(Prim.BOOL), True),
        ("none", NESTED_OPTION, None),
        ("some(none)", NESTED_OPTION, Some(None)),
        ("some(some(1))", NESTED_OPTION, Some(1)),
        ("some(1)", NESTED_OPTION, Some(1)),
        ("ok", ResultType(None, None), Ok()),
        ("err", ResultType(None, None), Err()),
        ("ok(1)", ResultType(Prim.U8, None), Ok(1)),
        ("1", ResultType(Prim.U8, None), Ok(1)),
        ('err("x")', ResultType(None, Prim.STRING), Err("x")),
        ("ok(none)", ResultType(OptionType(Prim.U8), None), Ok(None)),
        ("{}", MODES, frozenset()),
        ("{write-all, %read,}", MODES, frozenset({"read", "write-all"})),
        ("counter(0)", COUNTER, ResourceRef("golem:it/api.counter", 0)),
        ("counter(7)", COUNTER, ResourceRef("golem:it/api.counter", 7)),
        ("a(7)", HandleType("b:c/d.a'", owned=True), ResourceRef("b:c/d.a'", 7)),
    ],
)
def test_reads(text: str, ty: WitType, value: object) -> None:
    """What the grammar allows is read as the public value."""
    found = parse_value(text, ty)

    assert value == found
    assert type(value) is type(found)


def test_reads_names_like_keywords_everywhere() -> None:
    """Fields, flags and cases may be called what WAVE calls its own words."""
    record = RecordType(tuple((word, OptionType(EnumType(KEYWORDS))) for word in KEYWORDS))
    text = ", ".join(f"{word}: some(%{word})" for word in KEYWORDS)

    assert {word: word for word in KEYWORDS} == parse_value(f"{{{text}}}", record)
    assert frozenset(KEYWORDS) == parse_value(f"{{{', '.join(KEYWORDS)}}}", FlagsType(KEYWORDS))


def test_reads_cases_like_keywords_without_escape() -> None:
    """Looser than the reference: where only a case can stand, ``ok`` needs no ``%``."""
    assert "ok" == parse_value("ok", EnumType(KEYWORDS))
    assert Variant("err", "x") == parse_value('err("x")', SHAPE)


@pytest.mark.parametrize(
    ("text", "ty", "position", "expected", "found"),
    [
        ("", Prim.U8, 0, "u8 (0 to 255)", "end of text"),
        ("  // nothing", Prim.U8, 12, "u8 (0 to 255)", "end of text"),
        ("256", Prim.U8, 0, "u8 (0 to 255)", "number 256"),
        ("-1", Prim.U8, 0, "u8 (0 to 255)", "number -1"),
        ("1.5", Prim.U8, 0, "u8 (0 to 255)", "number 1.5"),
        ("9" * 5000, Prim.U64, 0, f"u64 (0 to {2**64 - 1})", "number " + "9" * 40 + "..."),
        ("1 2", Prim.U8, 2, "end of text", "number 2"),
        ("@", Prim.U8, 0, "u8 (0 to 255)", "sign @"),
        ("\x1b[0m", Prim.U8, 0, "u8 (0 to 255)", r"sign \u{1b}"),
        ("x" * 40, Prim.U8, 0, "u8 (0 to 255)", "name " + "x" * 40),
        ("x" * 41, Prim.U8, 0, "u8 (0 to 255)", "name " + "x" * 40 + "..."),
        ("yes", Prim.BOOL, 0, "bool: true or false", "name yes"),
        ("%true", Prim.BOOL, 0, "bool: true or false", "name %true"),
        ('"a"', Prim.CHAR, 0, "char in single quotes", 'string "a"'),
        ("abc", Prim.STRING, 0, "string in double quotes", "name abc"),
        ("1", ListType(Prim.U8), 0, "list<u8> in '[...]'", "number 1"),
        ("[1 2]", ListType(Prim.U8), 3, "',' or ']'", "number 2"),
        ("[1,,2]", ListType(Prim.U8), 3, "u8 (0 to 255)", "','"),
        ("[,]", ListType(Prim.U8), 1, "u8 (0 to 255)", "','"),
        ("[1, 256]", ListType(Prim.U8), 4, "u8 (0 to 255)", "number 256"),
        ("[1", ListType(Prim.U8), 2, "',' or ']'", "end of text"),
        ("1", PAIR, 0, "tuple of 2 in '(...)'", "number 1"),
        ("(1)", PAIR, 2, "element 2 of 2: string", "')'"),
        ('(1, "a", 2)', PAIR, 9, "')' after 2 elements", "number 2"),
        ("(1 2)", PAIR, 3, "',' or ')'", "number 2"),
        ("1", BASIC, 0, "record with required, optional in '{...}'", "number 1"),
        ("{}", ALL_OPTIONAL, 1, "a field (a, b) or ':'", "'}'"),
        ("{:", ALL_OPTIONAL, 2, "'}'", "end of text"),
        ("{:}", BASIC, 2, "field required: u8 (0 to 255)", "'}'"),
        ("{optional: 1}", BASIC, 12, "field required: u8 (0 to 255)", "'}'"),
        ("{other: 1}", BASIC, 1, "a field (required, optional)", "name other"),
        ("{, required: 1}", BASIC, 1, "a field (required, optional)", "','"),
        ("{required 1}", BASIC, 10, "':' after field required", "number 1"),
        ("{required: 1 optional: 2}", BASIC, 13, "',' or '}'", "name optional"),
        ("{required: 1, required: 2}", BASIC, 14, "optional", "name required a second time"),
        ("{a: 1, b: 1, a: 1}", ALL_OPTIONAL, 13, "no other field", "name a a second time"),
        ("oval", SHAPE, 0, "variant: dot, circle, err", "name oval"),
        ("circle", SHAPE, 6, "'(' and the payload of circle: f64", "end of text"),
        ("dot()", SHAPE, 3, "dot without payload", "'('"),
        ("circle(1", SHAPE, 8, "')'", "end of text"),
        ("up", HAND, 0, "enum: left, right", "name up"),
        ("left(1)", HAND, 4, "end of text", "'('"),
        ("some", OptionType(Prim.U8), 4, "'(' and the payload of some: u8 (0 to 255)", "end of text"),
        ("some()", OptionType(Prim.U8), 5, "u8 (0 to 255)", "')'"),
        ("none()", OptionType(Prim.U8), 4, "end of text", "'('"),
        ("some(some(0))", OptionType(Prim.U8), 5, "u8 (0 to 255)", "name some"),
        ("1", NESTED_OPTION, 0, "option: some(...) or none", "number 1"),
        ("1", OptionType(ResultType(Prim.U8, None)), 0, "option: some(...) or none", "number 1"),
        ("ok", ResultType(Prim.U8, None), 2, "'(' and the payload of ok: u8 (0 to 255)", "end of text"),
        ("ok(0)", ResultType(None, Prim.U8), 2, "ok without payload", "'('"),
        ("err(0)", ResultType(Prim.U8, None), 3, "err without payload", "'('"),
        ("1", ResultType(None, None), 0, "result: ok or err", "number 1"),
        ("none", ResultType(OptionType(Prim.U8), None), 0, "result: ok or err", "name none"),
        ("read", MODES, 0, "flags: read, write-all in '{...}'", "name read"),
        ("{exec}", MODES, 1, "a flag (read, write-all)", "name exec"),
        ("{read, read}", MODES, 7, "write-all", "name read a second time"),
        ("{read, write-all, read}", MODES, 18, "no other flag", "name read a second time"),
        ("{read: true}", MODES, 5, "',' or '}'", "':'"),
        ("7", COUNTER, 0, "a handle such as counter(1)", "number 7"),
        ("other(7)", COUNTER, 0, "a handle such as counter(1)", "name other"),
        ("counter", COUNTER, 7, "a handle such as counter(1)", "end of text"),
        ("counter(-1)", COUNTER, 8, "a handle such as counter(1)", "number -1"),
        ("counter(4294967296)", COUNTER, 8, "a handle such as counter(1)", "number 4294967296"),
    ],
)  # fmt: skip
def test_refuses(text: str, ty: WitType, position: int, expected: str, found: str) -> None:
    """Everything else is refused: where it stands, what would have been right, what is there."""
    with pytest.raises(WaveError) as caught:
        parse_value(text, ty)

    error = caught.value
    assert (text, position, expected, found) == (
        error.text,
        error.position,
        error.expected,
        error.found,
    )


def test_errors_are_one_line() -> None:
    """The message is made for a command line."""
    with pytest.raises(WaveError) as caught:
        parse_value('{required: "x\\n"}', BASIC)

    assert 'at position 11: expected u8 (0 to 255), found string "x\\n"' == str(caught.value)


def test_bare_text_nests_no_deeper_than_its_type() -> None:
    """However many brackets are typed, reading stops at the first that fits no type."""
    with pytest.raises(WaveError) as caught:
        parse_value("[" * 100_000, ListType(ListType(Prim.U8)))

    assert 2 == caught.value.position
