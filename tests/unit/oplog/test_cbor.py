"""Values and types as canonical CBOR, byte by byte, and the refusal of everything else."""

from __future__ import annotations

import cbor2
import pytest

from golem_oplog.cbor import (
    AnyType,
    decode_args,
    decode_type,
    decode_typed,
    decode_value,
    encode_args,
    encode_type,
    encode_typed,
    encode_value,
    fingerprint,
)
from golem_oplog.errors import MalformedPayloadError, ValueTypeError
from golem_oplog.types import (
    EnumType,
    FlagsType,
    FunctionType,
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
from golem_oplog.values import TYPE_DEPTH_MAX

ADD = FunctionType("a:b/c.{add}", (("item", Prim.STRING), ("qty", Prim.U8)), Prim.BOOL)


@pytest.mark.parametrize(
    ("wire", "encoded"),
    [
        (None, "f6"),
        (True, "f5"),
        (23, "17"),
        (24, "1818"),
        (-1, "20"),
        (2**64 - 1, "1bffffffffffffffff"),
        (-(2**63), "3b7fffffffffffffff"),
        ("☃", "63e29883"),
        (b"\x00\xff", "4200ff"),
        ([1, "a"], "82016161"),
        ((0, (None,)), "820081f6"),
        ([None, True, 1, "a", b"a", []], "86f6f5016161416180"),
    ],
)
def test_values_have_one_encoding(wire: object, encoded: str) -> None:
    """The bytes are those of the standard, so that anyone can hash or read them."""
    assert encoded == encode_value(wire).hex()
    assert encode_value(wire) == encode_value(decode_value(bytes.fromhex(encoded)))


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        ("", "not CBOR"),
        ("82", "not CBOR"),
        ("ff", "."),
        ("0000", "not in canonical form"),
        ("1800", "not in canonical form"),
        ("9fff", "not CBOR"),
        ("5f4100ff", "not CBOR"),
        ("61ff", "not CBOR"),
        ("63eda080", "not CBOR"),
        ("9bffffffffffffffff", "not CBOR"),
        ("5b7fffffffffffffff", "not CBOR"),
        ("a0", "dict is not part of a wire value"),
        ("f93c00", "float is not part of a wire value"),
        ("f7", "UndefinedType is not part of a wire value"),
        ("81f7", "UndefinedType is not part of a wire value"),
        ("8181f93c00", "float is not part of a wire value"),
        ("f820", "CBORSimpleValue is not part of a wire value"),
        ("d9fff700", "CBORTag is not part of a wire value"),
        ("c11a514b67b0", "not CBOR"),
        ("c249010000000000000000", "not CBOR"),
        ("d81c81d81d00", "not CBOR"),
        ("d9010082636162 63d81900".replace(" ", ""), "not CBOR"),
        ("d823612b", "not CBOR"),
        ("81" * 100_000 + "00", "not CBOR"),
    ],
)
def test_other_bytes_are_malformed(encoded: str, reason: str) -> None:
    """Other encodings, other kinds of items, tags, references, endless nesting: one error."""
    with pytest.raises(MalformedPayloadError, match=reason):
        decode_value(bytes.fromhex(encoded))


def test_every_tag_is_refused() -> None:
    """No decoder of dates, patterns or references ever runs on bytes from outside."""
    for tag in (*range(300), *range(1000, 1100), 43000, 55799, 2**64 - 1):
        for item in (0, "a", b"a", [0, 1], {"a": 1}):
            with pytest.raises(
                MalformedPayloadError, match=r"semantic tag \d+|CBORTag is not part"
            ):
                decode_value(cbor2.dumps([cbor2.CBORTag(tag, item)]))


@pytest.mark.parametrize("wire", ["\ud800", ["a\udfff"], object(), [{1, object()}]])
def test_other_objects_are_not_encoded(wire: object) -> None:
    """What can be no wire value is an error of ours before anything is written."""
    with pytest.raises(ValueTypeError, match="expected a wire value"):
        encode_value(wire)


def test_arguments_are_an_array() -> None:
    """A call's arguments are one array; anything else is no call."""
    assert [1, ["a"]] == decode_args(encode_args((1, ("a",))))

    with pytest.raises(MalformedPayloadError, match="not a CBOR array"):
        decode_args(encode_value(1))


TYPES: list[tuple[AnyType, object]] = [
    (None, None),
    (Prim.U8, "u8"),
    (ListType(Prim.STRING), ["list", "string"]),
    (OptionType(Prim.CHAR), ["option", "char"]),
    (TupleType((Prim.U8, Prim.F32)), ["tuple", ["u8", "f32"]]),
    (TupleType(()), ["tuple", []]),
    (ResultType(None, Prim.U8), ["result", None, "u8"]),
    (RecordType((("a", Prim.BOOL),)), ["record", [["a", "bool"]]]),
    (VariantType((("a", None), ("b", Prim.S8))), ["variant", [["a", None], ["b", "s8"]]]),
    (EnumType(("a", "b")), ["enum", ["a", "b"]]),
    (FlagsType(("a",)), ["flags", ["a"]]),
    (HandleType("a:b/c.d", owned=True), ["own", "a:b/c.d"]),
    (HandleType("a:b/c.d", owned=False), ["borrow", "a:b/c.d"]),
    (ADD, ["func", "a:b/c.{add}", [["item", "string"], ["qty", "u8"]], "bool"]),
]


@pytest.mark.parametrize(("ty", "form"), TYPES)
def test_types_have_one_encoding(ty: AnyType, form: object) -> None:
    """A type is written as the table in the module says, and read back."""
    assert cbor2.dumps(form) == encode_type(ty)
    assert ty == decode_type(encode_type(ty))


@pytest.mark.parametrize(
    "form",
    [
        "u128",
        1,
        [],
        ["list"],
        ["list", "u8", "u8"],
        ["list", ["what", "u8"]],
        ["list", None],
        ["tuple", "u8"],
        ["record", [["a"]]],
        ["record", ["ab"]],
        ["record", [["a", "u8"], ["a", "u8"]]],
        ["record", [[1, "u8"]]],
        ["record", [["a", None]]],
        ["variant", [["", None]]],
        ["enum", ["a", "a"]],
        ["enum", [1]],
        ["flags", [["a"]]],
        ["own", 1],
        ["func", 1, [], None],
        ["func", "f", [["a", None]], None],
        ["func", "f", [["a", "u8"], ["a", "u8"]], None],
        ["list", ["func", "f", [], None]],
    ],
)
def test_other_forms_are_no_types(form: object) -> None:
    """Unknown kinds, doubled or missing names and misplaced members are one error."""
    with pytest.raises(MalformedPayloadError, match="type"):
        decode_type(cbor2.dumps(form))


def test_the_depth_of_decoded_types_is_bounded() -> None:
    """The deepest type comes back; one level more is refused, whatever surrounds it."""
    deepest: WitType = Prim.U8
    for _ in range(TYPE_DEPTH_MAX - 1):
        deepest = VariantType((("a", deepest),))
    function = FunctionType("f", (("a", deepest),), deepest)
    wire = 0
    for _ in range(TYPE_DEPTH_MAX - 1):
        wire = [0, wire]  # type: ignore[assignment]

    assert deepest == decode_type(encode_type(deepest))
    assert function == decode_type(encode_type(function))
    assert (deepest, wire) == decode_typed(encode_typed(deepest, wire))
    with pytest.raises(MalformedPayloadError, match="nested deeper than 100"):
        decode_type(encode_type(ListType(deepest)))


def test_typed_values_are_checked() -> None:
    """A value that carries its type is believed only if it fits."""
    assert (Prim.U8, 7) == decode_typed(encode_typed(Prim.U8, 7))

    with pytest.raises(ValueTypeError, match="expected u8"):
        decode_typed(encode_typed(Prim.U8, 256))
    with pytest.raises(MalformedPayloadError, match="not a pair"):
        decode_typed(encode_value(["u8"]))
    with pytest.raises(MalformedPayloadError, match="an unknown type"):
        decode_typed(encode_value(["what", 1]))


def test_fingerprints_tell_inputs_apart() -> None:
    """Equal input has equal fingerprints, lists or tuples; other arguments or types have not."""
    other = FunctionType(ADD.name, ADD.params, None)

    assert fingerprint(ADD, ["a", 1]) == fingerprint(ADD, ("a", 1))
    assert 64 == len(fingerprint(ADD, ["a", 1]))
    assert 3 == len(
        {fingerprint(ADD, ["a", 1]), fingerprint(ADD, ["a", 2]), fingerprint(other, ["a", 1])}
    )


def test_the_fingerprint_is_the_same_for_ever() -> None:
    """Fingerprints are kept in logs, so their bytes are part of the format."""
    assert "5cbaa94d0728daeb1ff16fa1dd34ceb0115a765e4718bf734142455aa47fd356" == fingerprint(
        ADD, ["a", 1]
    )
