"""Calls as they are typed on a command line."""

from __future__ import annotations

import pytest

from golem_oplog.errors import WaveError
from golem_oplog.types import FunctionType, ListType, OptionType, Prim
from golem_oplog.wave import parse_args, parse_call

MANY = FunctionType(
    "many",
    (("name", Prim.STRING), ("qty", Prim.U32), ("note", OptionType(OptionType(Prim.STRING)))),
    None,
)
ONE = FunctionType("one", (("data", ListType(Prim.U8)),), None)
NONE = FunctionType("none", (), None)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("checkout", "checkout"),
        (" checkout ( ) ", "checkout"),
        ("golem:it/api.{add-item}(1)", "golem:it/api.{add-item}"),
        ("golem:it/api@1.0.0-rc.1+b2.{add-item}(1)", "golem:it/api@1.0.0-rc.1+b2.{add-item}"),
        ("golem:it/api#add-item(1)", "golem:it/api#add-item"),
        ("api.{counter.inc-by}(counter(1), 2)", "api.{counter.inc-by}"),
        ("api.{[method]counter.inc-by}(counter(1), 2)", "api.{[method]counter.inc-by}"),
    ],
)
def test_reads_names(text: str, name: str) -> None:
    """A name is taken in each of its spellings, as it was written."""
    assert name == parse_call(text).name


@pytest.mark.parametrize(
    ("text", "position", "expected", "found"),
    [
        ("", 0, "a function's name", "end of text"),
        (" (1)", 1, "a function's name", "'('"),
        ('"f"(1)', 0, "a function's name", 'string "f"'),
        ("f g", 2, "'(' or end of text", "name g"),
        ("f)", 1, "'(' or end of text", "')'"),
        (
            "a:b/c.{d(1)",
            0,
            "a name with its braces closed, such as ns:pkg/iface.{fn}",
            "a:b/c.{d",
        ),
    ],
)
def test_refuses_names(text: str, position: int, expected: str, found: str) -> None:
    """What is no call is refused before anything is looked up."""
    with pytest.raises(WaveError) as caught:
        parse_call(text)

    error = caught.value
    assert (position, expected, found) == (error.position, error.expected, error.found)


@pytest.mark.parametrize(
    ("text", "function", "values"),
    [
        ("none", NONE, []),
        ("none()", NONE, []),
        ("none ( // nothing\n )", NONE, []),
        ("one([1, 2])", ONE, [b"\x01\x02"]),
        ("one([1, 2],)", ONE, [b"\x01\x02"]),
        ('many("a", 1)', MANY, ["a", 1, None]),
        ('many("a", 1,)', MANY, ["a", 1, None]),
        ('many("a", 1, none) // all', MANY, ["a", 1, None]),
    ],
)
def test_reads_arguments(text: str, function: FunctionType, values: list[object]) -> None:
    """Arguments become public values; options at the end may be left out."""
    assert values == parse_args(parse_call(text), function)


def test_a_bare_name_leaves_out_options() -> None:
    """A function that takes options only can be called by its name."""
    function = FunctionType("f", (("a", OptionType(Prim.U8)),), None)

    assert [None] == parse_args(parse_call("f"), function)


@pytest.mark.parametrize(
    ("text", "function", "position", "expected", "found"),
    [
        ("one", ONE, 3, "argument data: list<u8>", "end of text"),
        ("one()", ONE, 4, "argument data: list<u8>", "')'"),
        ("one(", ONE, 4, "list<u8> in '[...]'", "end of text"),
        ("one([]", ONE, 6, "',' or ')'", "end of text"),
        ("one([], 2)", ONE, 8, "')' after 1 argument", "number 2"),
        ("none(1)", NONE, 5, "')' after 0 arguments", "number 1"),
        ("none() x", NONE, 7, "end of text", "name x"),
        ('many("a")', MANY, 8, "argument qty: u32 (0 to 4294967295)", "')'"),
        ('many("a", -1)', MANY, 10, "u32 (0 to 4294967295)", "number -1"),
        ('many("a", 1, none, 4)', MANY, 19, "')' after 3 arguments", "number 4"),
    ],
)
def test_refuses_arguments(
    text: str, function: FunctionType, position: int, expected: str, found: str
) -> None:
    """Too few, too many or wrong ones: positions count in the whole text."""
    with pytest.raises(WaveError) as caught:
        parse_args(parse_call(text), function)

    error = caught.value
    assert (position, expected, found) == (error.position, error.expected, error.found)
