"""Values as JSON documents."""

from __future__ import annotations

import json
import math

import pytest

from golem_oplog.errors import ValueTypeError
from golem_oplog.jsonform import from_json, parse_json, to_json
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

ITEM = RecordType((("item-id", Prim.STRING), ("note", OptionType(Prim.U8))))
SHAPE = VariantType((("dot", None), ("big-dot", ITEM), ("maybe", OptionType(Prim.U8))))
COUNTER = HandleType("a:b/c.counter", owned=True)
HANDLE = '{"resource": "a:b/c.counter", "handle": ...}'
NESTED = 'null or {"some": ...} for an option of an option'
COUNTER_1 = {"resource": "a:b/c.counter", "handle": 1}


@pytest.mark.parametrize(
    ("ty", "public", "document"),
    [
        (Prim.BOOL, True, True),
        (Prim.U64, 2**64 - 1, 2**64 - 1),
        (Prim.STRING, "☃", "☃"),
        (Prim.CHAR, "x", "x"),
        (Prim.F64, 1.5, 1.5),
        (Prim.F64, math.inf, "inf"),
        (Prim.F32, -math.inf, "-inf"),
        (ListType(Prim.U8), b"\x00\xff", [0, 255]),
        (ListType(Prim.F64), [0.5], [0.5]),
        (TupleType((Prim.U8, Prim.STRING)), (1, "a"), [1, "a"]),
        (ITEM, {"item-id": "a", "note": None}, {"item-id": "a", "note": None}),
        (SHAPE, Variant("dot"), "dot"),
        (
            SHAPE,
            Variant("big-dot", {"item-id": "a", "note": 1}),
            {"big-dot": {"item-id": "a", "note": 1}},
        ),
        (SHAPE, Variant("maybe"), {"maybe": None}),
        (EnumType(("left", "right")), "right", "right"),
        (OptionType(Prim.U8), None, None),
        (OptionType(Prim.U8), 1, 1),
        (OptionType(OptionType(Prim.U8)), None, None),
        (OptionType(OptionType(Prim.U8)), Some(None), {"some": None}),
        (OptionType(OptionType(Prim.U8)), Some(1), {"some": 1}),
        (ResultType(Prim.U8, None), Ok(1), {"ok": 1}),
        (ResultType(Prim.U8, None), Err(), {"err": None}),
        (FlagsType(("a", "b", "c")), frozenset({"c", "a"}), ["a", "c"]),
        (COUNTER, ResourceRef("a:b/c.counter", 1), COUNTER_1),
    ],
)
def test_maps(ty: WitType, public: object, document: object) -> None:
    """Each type has its JSON, in both directions."""
    assert document == to_json(ty, public)
    assert public == from_json(ty, json.loads(json.dumps(document)))


def test_nan_is_a_word() -> None:
    """JSON has no NaN, so it is spelled as in WAVE."""
    assert "nan" == to_json(Prim.F64, math.nan)
    assert math.isnan(from_json(Prim.F64, "nan"))  # type: ignore[arg-type]


def test_f32_has_few_digits() -> None:
    """An f32 is written as short as it was typed, and read as what the guest sees."""
    assert 0.1 == to_json(Prim.F32, 0.1)
    assert 0.10000000149011612 == from_json(Prim.F32, 0.1)


@pytest.mark.parametrize(
    ("ty", "document", "public"),
    [
        (Prim.F64, 1, 1.0),
        (Prim.F64, "Infinity", math.inf),
        (Prim.F32, "-Infinity", -math.inf),
        (ITEM, {"item_id": "a"}, {"item-id": "a", "note": None}),
        (SHAPE, {"dot": None}, Variant("dot")),
        (SHAPE, {"big_dot": {"item-id": "a"}}, Variant("big-dot", {"item-id": "a", "note": None})),
        (SHAPE, "maybe", Variant("maybe")),
        (EnumType(("far-left",)), "far_left", "far-left"),
    ],
)
def test_reads_more_than_it_writes(ty: WitType, document: object, public: object) -> None:
    """What can only be meant in one way is taken: other spellings, members left out."""
    assert public == from_json(ty, document)


@pytest.mark.parametrize(
    ("ty", "document", "message"),
    [
        (Prim.BOOL, 1, "expected bool, found 1"),
        (Prim.U8, 256, "expected u8 (0 to 255), found 256"),
        (Prim.U8, 1.0, "expected u8 (0 to 255), found 1.0"),
        (Prim.F64, "one", 'expected f64: a number, "nan", "inf" or "-inf", found \'one\''),
        (Prim.F64, None, 'expected f64: a number, "nan", "inf" or "-inf", found None'),
        (Prim.F64, True, "expected f64, found True"),
        (Prim.STRING, "\ud800", r"expected string without lone surrogates, found '\ud800'"),
        (ListType(Prim.U8), "ab", "expected an array: list<u8>, found 'ab'"),
        (ListType(Prim.U8), [1, -1], "at [1]: expected u8 (0 to 255), found -1"),
        (ListType(Prim.U16), [1, "a"], "at [1]: expected u16 (0 to 65535), found 'a'"),
        (TupleType((Prim.U8,)), [1, 2], "expected tuple of 1, found list of 2"),
        (TupleType((Prim.U8,)), ["a"], "at [0]: expected u8 (0 to 255), found 'a'"),
        (ITEM, [], "expected an object: record with item-id, note, found list of 0"),
        (ITEM, {}, "at item-id: expected string, found no such field"),
        (ITEM, {"item-id": 1}, "at item-id: expected string, found 1"),
        (ITEM, {"x": 1}, "expected record with item-id, note, found unknown field 'x'"),
        (SHAPE, "oval", "expected variant: dot, big-dot, maybe, found 'oval'"),
        (SHAPE, {"oval": 1}, "expected variant: dot, big-dot, maybe, found 'oval'"),
        (SHAPE, {}, "expected variant: dot, big-dot, maybe, found dict"),
        (SHAPE, {"dot": 1}, "at dot: expected null: no payload, found 1"),
        (SHAPE, {"big-dot": {}}, "at big-dot.item-id: expected string, found no such field"),
        (EnumType(("a",)), "b", "expected enum: a, found 'b'"),
        (OptionType(OptionType(Prim.U8)), 1, f"expected {NESTED}, found 1"),
        (OptionType(OptionType(Prim.U8)), {"x": 1}, f"expected {NESTED}, found dict"),
        (OptionType(OptionType(Prim.U8)), {"some": "x"}, "at some: expected u8 (0 to 255), found 'x'"),
        (ResultType(Prim.U8, None), 1, 'expected {"ok": ...} or {"err": ...}, found 1'),
        (ResultType(Prim.U8, None), {"ok": "x"}, "at ok: expected u8 (0 to 255), found 'x'"),
        (FlagsType(("a",)), "a", "expected an array: flags: a, found 'a'"),
        (FlagsType(("a",)), ["b"], "expected flags: a, found 'b'"),
        (COUNTER, 1, f"expected {HANDLE}, found 1"),
        (COUNTER, {**COUNTER_1, "x": 1}, f"expected {HANDLE}, found dict"),
        (COUNTER, {**COUNTER_1, "handle": True}, f"expected {HANDLE}, found dict"),
        (COUNTER, {**COUNTER_1, "resource": "a:b/c.other"}, f"expected {HANDLE}, found dict"),
        (COUNTER, {**COUNTER_1, "handle": -1}, f"expected {HANDLE}, found dict"),
    ],
)  # fmt: skip
def test_refuses(ty: WitType, document: object, message: str) -> None:
    """What does not fit is refused on one line: where, what was expected, what was found."""
    with pytest.raises(ValueTypeError) as caught:
        from_json(ty, document)

    assert message == str(caught.value)


@pytest.mark.parametrize("text", [b'{"a": [1, null]}', '{"a": [1, null]}'])
def test_parses_text(text: str | bytes) -> None:
    """Documents are read from text or its bytes."""
    assert {"a": [1, None]} == parse_json(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        (b"\xff\xff", "codec can't decode"),
        ("9" * 5000, "digits"),
        ("[" * 100_000, "arrays or objects nested too deep"),
    ],
)
def test_refuses_other_text(text: str | bytes, found: str) -> None:
    """What is no JSON, or more than a value can be, is an error of ours."""
    with pytest.raises(ValueTypeError) as caught:
        parse_json(text)

    assert "JSON" == caught.value.expected
    assert found in caught.value.found


def test_a_handle_may_name_its_worker() -> None:
    """In an argument; what is written names none, since everybody knows whose it is."""
    ref = ResourceRef("a:b/c.counter", 1, "urn:worker:u/w")

    assert ref == from_json(COUNTER, {**COUNTER_1, "uri": "urn:worker:u/w"})
    assert ResourceRef("a:b/c.counter", 1) == from_json(COUNTER, {**COUNTER_1, "uri": None})
    assert COUNTER_1 == to_json(COUNTER, ref)
    for wrong in ({"uri": 1}, {"url": "urn:worker:u/w"}):
        with pytest.raises(ValueTypeError):
            from_json(COUNTER, {**COUNTER_1, **wrong})
